"""What the patches of NiceGUI do is what it does itself, on the version they were written for."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from nicegui import Client, helpers
from nicegui.storage import Storage

from anomalyos.core.settings import PROJECT_ROOT
from console.ui import nicegui_patches


class Things:
    def nothing(self) -> None: ...
    def one(self, a: int) -> None: ...
    def optional(self, a: int = 1) -> None: ...
    def some(self, a: int, b: int = 2, *rest: int, c: int = 3, **more: int) -> None: ...
    def only_named(self, *, a: int) -> None: ...
    def everything(*args: Any) -> None: ...
    def self_too(self: Any = None) -> None: ...
    def __call__(self, a: int) -> None: ...

    @classmethod
    def of_class(cls, a: int) -> None: ...

    @staticmethod
    def of_nobody(a: int, /, b: int = 1) -> None: ...


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


def signed() -> None: ...


signed.__signature__ = helpers.functions.signature(Things.one)
HERE = Things()
CALLABLES: list[Callable[..., Any]] = [
    *(getattr(HERE, name) for name in dir(Things) if not name.startswith("_")),
    *(getattr(Things, name) for name in dir(Things) if not name.startswith("_")),
    HERE,
    lambda: None,
    lambda a: None,
    lambda a=1: None,
    lambda *args, a, **kwargs: None,
    functools.partial(Things.one, HERE),
    functools.partial(Things.one, HERE, 1),
    wrapped(Things.one),
    wrapped(signed),
    signed,
    "".join,
]


@pytest.mark.parametrize("function", CALLABLES, ids=lambda function: getattr(function, "__name__", "object"))
def test_it_agrees_with_the_signature(function: Callable[..., Any]) -> None:
    expected = any(
        parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in helpers.functions.signature(function).parameters.values()
    )
    assert nicegui_patches.expects_arguments(function) is expected


def test_nicegui_uses_it_once_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(helpers, "expects_arguments", None)
    monkeypatch.setattr(Client, "remove_elements", None)
    monkeypatch.setattr(Storage, "path", Storage.path)
    nicegui_patches.install(tmp_path / "sessions")
    assert helpers.expects_arguments is nicegui_patches.expects_arguments
    assert Client.remove_elements is nicegui_patches.remove_elements
    assert Storage.path == tmp_path / "sessions"
    assert Storage.path.stat().st_mode & 0o077 == 0


def test_another_nicegui_is_refused_before_anything_is_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nicegui_patches, "version", lambda _: "3.19.0")
    monkeypatch.setattr(helpers, "expects_arguments", None)
    with pytest.raises(RuntimeError, match=r"3\.18\.x, not 3\.19\.0"):
        nicegui_patches.install(tmp_path / "sessions")
    assert helpers.expects_arguments is None
    assert not (tmp_path / "sessions").exists()


def test_the_project_asks_for_the_version_the_patches_were_written_for() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [one for one in project["project"]["optional-dependencies"]["console"] if "nicegui" in one]
    assert asked == ["nicegui>=3.18,<3.19"]
    assert version("nicegui").startswith(nicegui_patches.WRITTEN_FOR)
