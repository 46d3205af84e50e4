"""The options of a command, derived from a form."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from anomalyos.core.forms import Form, FormField


def asks(form: type[Form], **flags: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option for each field of ``form``, in the place of its argument ``options``.

    What is no choice or out of bounds is refused by the form, in the words it has everywhere.

    Args:
        flags: names of options that are not those of their fields, ``categories="--category"``.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        questions = form.questions()

        @functools.wraps(command)
        def run(**given: Any) -> None:
            values = {name: given.pop(name) for name in questions}
            command(options=form.of(values), **given)

        own = inspect.signature(command, eval_str=True).parameters.values()
        asked = [option(field, flags.get(name)) for name, field in questions.items()]
        parameters = [
            *asked,
            *(each.replace(kind=each.KEYWORD_ONLY) for each in own if each.name != "options"),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def option(field: FormField, flag: str | None = None) -> inspect.Parameter:
    """One field as typer takes it; numbers stay text until the form has looked at them."""
    kind: Any = {"boolean": bool, "array": list[str] | None}.get(field.kind, str | None)
    default = field.default if field.kind == "boolean" else None
    metavar = None
    if field.choices:
        metavar = "|".join(field.choices)
    elif field.minimum is not None and field.maximum is not None:
        metavar = f"{field.minimum:g}..{field.maximum:g}"
    words = f"{field.title.rstrip('.')}. {field.description}"
    chosen = typer.Option(*([flag] if flag else []), metavar=metavar, help=words)
    annotation = Annotated[kind, chosen]
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
