"""Everything that reaches into NiceGUI's inside, and why. Written for 3.18.x, and refused on any other.

``pyproject.toml`` holds NiceGUI to this minor version; whoever raises it reads here first, then runs
``tests/console/test_nicegui_patches.py`` and the page times of the console's benchmark.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from nicegui import Client, app, helpers
from nicegui.element import Element
from nicegui.storage import Storage

WRITTEN_FOR = "3.18."

_by_signature = helpers.expects_arguments
_remove_elements = Client.remove_elements


def install(sessions: Path) -> None:
    """Patch NiceGUI for this process; who is signed in is kept in the folder ``sessions``.

    Raises:
        RuntimeError: this NiceGUI is not the one the patches were written for.
    """
    found = version("nicegui")
    if not found.startswith(WRITTEN_FOR):
        raise RuntimeError(f"{__name__} was written for NiceGUI {WRITTEN_FOR}x, not {found}.")
    helpers.expects_arguments = expects_arguments
    Client.remove_elements = remove_elements  # type: ignore[method-assign, assignment]
    _quiet_loading_bar()
    _keep_sessions_in(sessions)


def _quiet_loading_bar() -> None:
    """Quasar's bar at the top flashes with every request a script makes in the background.

    A screen reader finds no name on it, and what takes long here shows a progress of its own.
    """
    app.config.quasar_config["loadingBar"]["skipHijack"] = True


def _keep_sessions_in(folder: Path) -> None:
    """Who is signed in survives a restart; only the console's own account may read it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Storage.path = folder


def collect_young_pages() -> None:
    """Tune the collector of cycles for a process that draws pages.

    A page is some ten thousand objects that die when it is closed, most without the collector's help: small
    young generations are searched quickly, and all open pages, which takes a second, rarely.
    """
    gc.set_threshold(10_000, 5, 200)


# closed pages ----------------------------------------------------------------------------------


def remove_elements(client: Client, elements: Iterable[Element]) -> None:
    """A closed page gives its memory back at once, without waiting for the collector of cycles.

    Each of the three observable collections of an element holds a method of itself as its change handler,
    and elements hold handlers of views that hold elements. Left to the collector, closed pages pile up until
    it walks all that is in memory, and for those seconds nobody is answered.
    """
    gone = list(elements)
    _remove_elements(client, gone)
    for element in gone:
        for collection in (element._classes, element._style, element._props):
            collection._change_handlers.clear()
        element._event_listeners.clear()


# quick signatures ------------------------------------------------------------------------------


def expects_arguments(func: Callable[..., Any]) -> bool:
    """Whether ``func`` has a parameter without default; ``*args`` and ``**kwargs`` do not count.

    Half of what drawing a page cost: every element makes three observable collections, and each of them runs
    ``inspect.signature`` on its change handler, on the same few functions again and again. What is asked
    there stands in the function's code object. Plain functions and bound methods are answered from it,
    everything else (partials, callable objects, wrapped or annotated signatures) as NiceGUI does it.
    """
    plain = func.__func__ if isinstance(func, MethodType) else func
    if type(plain) is not FunctionType or plain.__dict__:
        return _by_signature(func)
    code = plain.__code__
    bound = isinstance(func, MethodType)
    if bound and code.co_argcount == 0:  # the instance goes to *args, or the call is an error
        return _by_signature(func)
    required = code.co_argcount - len(plain.__defaults__ or ()) - bound
    return required > 0 or code.co_kwonlyargcount > len(plain.__kwdefaults__ or ())
