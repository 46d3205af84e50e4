"""What drift is, as ``include/drift.yaml`` says."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

NUMBERS = ("score", "brightness", "sharpness", "embedding")
CATEGORY = "category"
METRICS = ("score", CATEGORY, "brightness", "sharpness", "embedding")

NumberDistance = Literal["wasserstein", "jensenshannon", "kl_div", "psi", "hellinger"]
CategoryDistance = Literal["jensenshannon", "kl_div", "psi", "hellinger", "TVD"]
"""Only distances: where a p-value stands for the size, a large enough window calls everything drift."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Windows(_Section):
    """Records compared: all of ``reference``, and ``least`` to ``current`` of those that came after."""

    reference: int = Field(default=200, ge=10)
    current: int = Field(default=200, ge=10)
    least: int = Field(default=100, ge=10)


class NumberRule(_Section):
    method: NumberDistance = "wasserstein"
    threshold: float = Field(default=0.5, gt=0)


class CategoryRule(_Section):
    method: CategoryDistance = "jensenshannon"
    threshold: float = Field(default=0.15, gt=0)


class Metrics(_Section):
    score: NumberRule = NumberRule()
    category: CategoryRule = CategoryRule()
    brightness: NumberRule = NumberRule()
    sharpness: NumberRule = NumberRule()
    embedding: NumberRule = NumberRule(threshold=0.75)


class RetrainingRule(_Section):
    cooldown_hours: float = Field(default=72, ge=0)
    runs_per_day: int = Field(default=2, ge=0)

    @property
    def cooldown(self) -> timedelta:
        return timedelta(hours=self.cooldown_hours)


class DriftRules(_Section):
    """Windows, distances and thresholds, and what drift may start."""

    windows: Windows = Windows()
    metrics: Metrics = Metrics()
    retraining: RetrainingRule = RetrainingRule()
    keep_pages: int = Field(default=7, ge=1)

    def digest(self) -> str:
        """SHA-256 of what the figures depend on."""
        text = self.windows.model_dump_json() + self.metrics.model_dump_json()
        return hashlib.sha256(text.encode()).hexdigest()


def load_rules(settings: Settings) -> DriftRules:
    """The rules in use; the defaults where there is no file.

    Raises:
        AnomalyOSError: naming the field that is off.
    """
    import yaml

    path = settings.include_dir / "drift.yaml"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return DriftRules()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AnomalyOSError(f"drift.yaml cannot be read: {error}", "Correct include/drift.yaml.") from error
    try:
        return DriftRules.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise AnomalyOSError(
            f"In drift.yaml '{field}' is not valid: {first['msg']}.", "Correct include/drift.yaml."
        ) from error
