"""What one training of a classifier is asked to do; all of it is part of a version's inputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from anomalyos.core.errors import AnomalyOSError


@dataclass(frozen=True)
class TrainingOptions:
    """Raises ``AnomalyOSError`` for values nothing can be trained with."""

    trials: int = 10
    """Settings that are tried; a pruned one counts."""
    folds: int = 3
    """Parts of the cross-validation; fewer where fewer photographs are known."""
    input_size: int = 224
    """Crops are resized to this many pixels a side."""
    least_accuracy: float = 0.9
    """Share of given names that must be right; what cannot be named that surely is "don't know"."""
    seed: int = 0

    def __post_init__(self) -> None:
        wrong: list[str] = []
        if not 1 <= self.trials <= 1000:
            wrong.append(f"{self.trials} trials (1 to 1000)")
        if not 2 <= self.folds <= 20:
            wrong.append(f"{self.folds} folds (2 to 20)")
        if not 32 <= self.input_size <= 1024:
            wrong.append(f"an input of {self.input_size} pixels (32 to 1024)")
        if not 0 < self.least_accuracy <= 1:
            wrong.append(f"a least accuracy of {self.least_accuracy} (above 0, up to 1)")
        if wrong:
            raise AnomalyOSError(f"A classifier cannot be trained with {', '.join(wrong)}.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def searched(self) -> dict[str, Any]:
        """What every trial depends on: a longer search goes on with the trials of a shorter one."""
        return {name: value for name, value in self.to_json().items() if name != "trials"}
