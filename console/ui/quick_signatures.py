"""Half of what drawing a page cost: NiceGUI asks for the signature of the same few functions again and again.

Every element makes three observable collections, and each of them runs ``inspect.signature`` on its change
handler. What is asked there, whether an argument is required, stands in the function's code object.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from nicegui import helpers

_by_signature = helpers.expects_arguments


def install() -> None:
    """Let NiceGUI use the quick answer from now on."""
    helpers.expects_arguments = expects_arguments


def expects_arguments(func: Callable[..., Any]) -> bool:
    """Whether ``func`` has a parameter without default; ``*args`` and ``**kwargs`` do not count.

    Plain functions and bound methods are answered from their code, everything else (partials, callable
    objects, wrapped or annotated signatures) as NiceGUI does it.
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
