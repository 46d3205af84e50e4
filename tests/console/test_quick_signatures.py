"""The quick answer is NiceGUI's own for everything that can be called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from nicegui import helpers

from console.ui import quick_signatures


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


signed.__signature__ = helpers.functions.signature(Things.one)  # type: ignore[attr-defined]
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
    assert quick_signatures.expects_arguments(function) is expected


def test_nicegui_uses_it_once_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "expects_arguments", None)
    quick_signatures.install()
    assert helpers.expects_arguments is quick_signatures.expects_arguments
