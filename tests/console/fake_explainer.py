"""An explainer for the console's tests: the evidence of ``tests.reports.examples``, about any inspection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence
from anomalyos.inspection import inspections
from tests.reports.examples import evidence

PARTS = ("similar", "causes", "trace", "cams", "depth", "shap")


class FakeExplainer:
    """Answers at once, unless ``hold`` is set; remembers what it was asked.

    Args:
        changes: whole parts of the evidence that shall be otherwise.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.changes: dict[str, Any] = {}
        self.missing: dict[str, str] = {}
        self.error: AnomalyOSError | None = None
        self.asked: list[tuple[int, tuple[str, ...]]] = []
        self.hold: threading.Event | None = None

    def explain(
        self, inspection_id: int, wanted: Iterable[str] = PARTS, progress: StageProgress | None = None
    ) -> Evidence:
        parts = tuple(wanted)
        self.asked.append((inspection_id, parts))
        if self.error is not None:
            raise self.error
        with self.store.session(read_only=True) as session:
            row = inspections.get(session, inspection_id)
        for index, part in enumerate(parts):
            if progress is not None:
                progress(part, index / len(parts))
            if self.hold is not None:
                assert self.hold.wait(10), "the test never let the explainer go on"
        facts = {"id": row.id, "verdict": row.verdict, "source": row.source, "decision": row.decision}
        full = evidence(facts, **self.changes)
        nothing: dict[str, Callable[[], Any]] = {"depth": lambda: None, "shap": lambda: None}
        left_out = {
            part: nothing.get(part, tuple)() for part in PARTS if part not in parts or part in self.missing
        }
        found = {part: why for part, why in self.missing.items() if part in parts}
        cost = dict.fromkeys(parts, 12.5)
        return full.model_copy(update={**left_out, "missing": found, "cost_ms": cost})

    def asked_about(self, part: str) -> list[int]:
        return [inspection_id for inspection_id, parts in self.asked if part in parts]
