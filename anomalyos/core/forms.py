"""One description of a form: what a DAG, a command, the REST interface and a page ask for is derived from it.

A form is a pydantic model. It refuses unknown names, and says of every wrong value the same plain sentence,
whoever asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from anomalyos.core.errors import AnomalyOSError

AS_SET = "as_set"
"""Stands for no choice where a drop-down must not be empty."""
AS_SET_WORDS = "As set for each product"
REFUSED = "form_value"
"""Type of a validation error whose message is already a sentence for people."""


@dataclass(frozen=True)
class FormField:
    """One question of a form, taken from its JSON schema."""

    name: str
    kind: str
    """Of JSON: ``boolean``, ``integer``, ``number``, ``string`` or ``array`` (of strings)."""
    title: str
    description: str
    default: Any
    optional: bool
    """Whether it may be left empty, which leaves the value as it is set."""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    needs: str | None = None
    """Another field, a yes or no, without whose yes this one says nothing."""

    @classmethod
    def of(cls, name: str, schema: Mapping[str, Any]) -> FormField:
        """From the field's part of a model's JSON schema."""
        kinds = [part for part in schema.get("anyOf", [schema]) if part["type"] != "null"]
        return cls(
            name=name,
            kind=kinds[0]["type"],
            title=schema["title"],
            description=schema.get("description", ""),
            default=schema.get("default"),
            optional="anyOf" in schema,
            minimum=kinds[0].get("minimum"),
            maximum=kinds[0].get("maximum"),
            choices=tuple(kinds[0].get("enum", ())),
            needs=schema.get("needs"),
        )

    def expected(self) -> str:
        """``a whole number from 1 to 200``"""
        if self.choices:
            words = f"one of {', '.join(self.choices)}"
        else:
            words = {
                "boolean": "yes or no",
                "integer": "a whole number",
                "number": "a number",
                "string": "a text",
                "array": "a list of names",
            }[self.kind]
        if self.minimum is not None and self.maximum is not None:
            words += f" from {self.minimum:g} to {self.maximum:g}"
        return f"{words}, or empty" if self.optional else words

    def refusal(self, value: Any) -> str:
        """What is said of a wrong value, in every place the same."""
        shown = str(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        return f'{shown} cannot be the value of "{self.title}": it must be {self.expected()}.'


class Form(BaseModel):
    """Base of all forms; each field has a title, a default and, where they end, bounds or choices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def questions(cls) -> dict[str, FormField]:
        """Every field by name, in the order they are asked."""
        properties = cls.model_json_schema()["properties"]
        return {name: FormField.of(name, schema) for name, schema in properties.items()}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From what somebody filled in; what is empty has its default.

        Raises:
            AnomalyOSError: unknown names or wrong values, each in a sentence.
        """
        given = {name: value for name, value in values.items() if value not in ("", AS_SET, None)}
        unknown = {name for name in values if name not in cls.model_fields}
        try:
            return cls.model_validate(given | {name: values[name] for name in unknown})
        except ValidationError as error:
            raise AnomalyOSError(" ".join(problem["msg"] for problem in error.errors())) from error

    def filled_in(self) -> dict[str, Any]:
        """JSON-able values by name, as a form shows them: no choice is ``AS_SET``."""
        choices = {name for name, field in self.questions().items() if field.choices}
        return {
            name: AS_SET if value is None and name in choices else value
            for name, value in self.model_dump(mode="json").items()
        }

    @model_validator(mode="before")
    @classmethod
    def _only_known_names(cls, values: Any) -> Any:
        unknown = sorted(set(values) - set(cls.model_fields)) if isinstance(values, Mapping) else []
        if unknown:
            sentence = (
                f"There is no option {', '.join(unknown)}. The options are {', '.join(cls.model_fields)}."
            )
            raise PydanticCustomError(REFUSED, "{sentence}", {"sentence": sentence})
        return values

    @field_validator("*", mode="wrap")
    @classmethod
    def _say_what_is_wrong(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            sentence = cls.questions()[str(info.field_name)].refusal(value)
            raise PydanticCustomError(REFUSED, "{sentence}", {"sentence": sentence}) from error
