"""What one rebuild does otherwise than the category's settings say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.products.category_settings import CategorySettings

AS_SET = "as_set"
"""Stands for None where a form's drop-down must not be empty."""


@dataclass(frozen=True)
class RebuildOptions:
    """None leaves a value as it is set for the category."""

    recipe: str | None = None
    """Another registered recipe; what the category changes of its own recipe does not go with it."""
    coreset_ratio: float | None = None
    alpha: float | None = None
    use_reviewed: bool = False
    """Learn from what reviewers called false alarms, too."""
    dry_run: bool = False
    """Say what would be learned from, and build nothing."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> RebuildOptions:
        """From a form: empty values stand for None, unknown names are ignored."""
        names = cls.__dataclass_fields__
        return cls(
            **{
                name: value
                for name, value in values.items()
                if name in names and value not in ("", AS_SET, None)
            }
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def applied(self, own: CategorySettings) -> CategorySettings:
        """The category's settings under these options.

        Raises:
            AnomalyOSError: a share that is none.
        """
        changes = dict(own.changes) if self.recipe in (None, own.recipe) else {}
        for name, share in (("coreset_ratio", self.coreset_ratio), ("alpha", self.alpha)):
            if share is not None and not 0 < share <= (1 if name == "coreset_ratio" else 0.5):
                raise AnomalyOSError(
                    f"{share} cannot be the {name.replace('_', ' ')}.",
                    "The coreset ratio lies above 0 and up to 1, alpha above 0 and up to 0.5.",
                )
        if self.coreset_ratio is not None:
            changes["coreset_ratio"] = self.coreset_ratio
        return own.model_copy(
            update={
                "recipe": self.recipe or own.recipe,
                "alpha": self.alpha if self.alpha is not None else own.alpha,
                "changes": changes,
            }
        )
