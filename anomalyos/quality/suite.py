"""The suite of a category: ``include/expectations/default.yaml`` and what ``CATEGORY.yaml`` changes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

Severity = Literal["quarantine", "stop", "warn", "skip"]
Occasion = Literal["learning", "night"]
R = TypeVar("R", bound="Rule")


class Rule(BaseModel):
    """What a violation means, on either occasion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning: Severity = "warn"
    night: Literal["stop", "warn", "skip"] = "warn"
    learning_stop_above: float | None = Field(default=None, ge=0, lt=1)
    night_stop_above: float | None = Field(default=None, ge=0, lt=1)

    def severity(self, occasion: Occasion) -> Severity:
        return self.learning if occasion == "learning" else self.night

    def stop_above(self, occasion: Occasion) -> float | None:
        """Share of rows, 0 to 1, above which the batch stops; None for never."""
        return self.learning_stop_above if occasion == "learning" else self.night_stop_above


def _ordered(rule: R, low: float, high: float, low_name: str, high_name: str) -> R:
    if low > high:
        raise ValueError(f"{low_name} is {low:g} and {high_name} is {high:g}: nothing could be both")
    return rule


class SizeRule(Rule):
    """Pixels of the shorter and the longer side."""

    shortest: int = Field(default=8, ge=8)
    longest: int = Field(default=20_000, ge=8)
    least_of_usual: float = Field(default=0, ge=0, le=1)
    """The shorter side as a share of what is usual."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, self.shortest, self.longest, "shortest", "longest")


class ModeRule(Rule):
    """Colour models in Pillow's words."""

    allowed: tuple[str, ...] = Field(default=("L", "RGB"), min_length=1)


class BytesRule(Rule):
    """Length of the file."""

    least: int = Field(default=0, ge=0)
    most: int = Field(default=2**25, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, self.least, self.most, "least", "most")


class SharpnessRule(Rule):
    """Variance of the Laplacian."""

    least: float = Field(default=0, ge=0)
    least_of_usual: float = Field(default=0, ge=0, le=1)


class BrightnessRule(Rule):
    """Grey values, 0 to 255."""

    darkest: float = Field(default=0, ge=0, le=255)
    brightest: float = Field(default=255, ge=0, le=255)
    least_contrast: float = Field(default=0, ge=0)
    deviations: float = Field(default=6, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, self.darkest, self.brightest, "darkest", "brightest")


class NearDuplicatesRule(Rule):
    """Bits in which two perceptual hashes may differ."""

    bits: int = Field(default=2, ge=0, le=16)


class DecodableRule(Rule):
    """What cannot be decoded cannot be learned from."""

    learning: Literal["quarantine", "stop"] = "quarantine"


class EnoughRule(Rule):
    """Images left to work on."""

    learning: Literal["stop", "warn", "skip"] = "stop"
    least: int = Field(default=5, ge=1)


class Suite(BaseModel):
    """Everything that is asked of the images of one category."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decodable: DecodableRule = DecodableRule()
    size: SizeRule = SizeRule()
    mode: ModeRule = ModeRule()
    bytes: BytesRule = BytesRule()
    sharpness: SharpnessRule = SharpnessRule()
    brightness: BrightnessRule = BrightnessRule()
    duplicates: Rule = Rule()
    near_duplicates: NearDuplicatesRule = NearDuplicatesRule()
    leaks: Rule = Rule()
    enough_images: EnoughRule = EnoughRule()

    def digest(self) -> str:
        """SHA-256 of everything the suite says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_suite(category: str, settings: Settings) -> Suite:
    """The suite of ``category``; of no category in particular when the name is empty.

    Raises:
        AnomalyOSError: naming the file and the field that is off.
    """
    folder = settings.include_dir / "expectations"
    own = folder / f"{category}.yaml"
    rules = _rules_of(folder / "default.yaml")
    changed = _rules_of(own) if category and category != "default" else {}
    merged = {name: {**rules.get(name, {}), **changed.get(name, {})} for name in {**rules, **changed}}
    try:
        return Suite.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "rules"
        where = own.name if first["loc"] and first["loc"][0] in changed else "default.yaml"
        raise AnomalyOSError(
            f"The expectation '{field}' is not valid: {first['msg']}.",
            f"Correct include/expectations/{where}.",
        ) from error


def _rules_of(path: Path) -> dict[str, dict[str, Any]]:
    """The ``rules`` mapping of a file; empty when there is no file."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AnomalyOSError(f"{path.name} cannot be read: {error}", "Correct the file.") from error
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, dict) or not all(isinstance(rule, dict) for rule in rules.values()):
        raise AnomalyOSError(
            f"include/expectations/{path.name} needs a mapping named 'rules' with one mapping for each rule.",
            "See include/expectations/default.yaml.",
        )
    return rules
