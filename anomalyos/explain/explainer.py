"""Why an inspection came out as it did: every explanation, computed when asked for and then kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from functools import lru_cache

from anomalyos.cases.similar import SimilarCase
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain import methods
from anomalyos.explain.evidence import Evidence, Note
from anomalyos.explain.findings import Findings
from anomalyos.inspection.context import InspectionContext, load_context
from anomalyos.inspection.inspector import get_inspector
from anomalyos.inspection.tables import Verdict
from anomalyos.models.champions import Champions

PARTS = tuple(methods.COMPUTE)
HEAVY = ("cams", "depth", "shap")


class Explainer:
    """Explains inspections. Safe to share between threads; one heavy explanation runs at a time, and quick
    ones take turns among themselves: nobody waits for a surrogate to be fitted to see a similar case."""

    def __init__(self, settings: Settings, store: Store, champions: Champions) -> None:
        self.settings = settings
        self.store = store
        self.champions = champions
        self._working = threading.Lock()
        self._answering = threading.Lock()

    def explain(
        self, inspection_id: int, wanted: Iterable[str] = PARTS, progress: StageProgress | None = None
    ) -> Evidence:
        """Everything that can be said about one inspection.

        Parts that need the model or the photograph are kept, and given back as they are while the model
        that judged, the parameters and the method's version are the same. Similar cases and causes follow
        what is known now. A part that cannot be had is left out and says why in ``Evidence.missing``.

        Args:
            wanted: some of ``PARTS``.

        Raises:
            NotFound: when there is no such inspection.
        """
        context = load_context(inspection_id, self.settings, self.store, self.champions)
        asked = [part for part in PARTS if part in set(wanted)]
        found = Findings()
        missing: dict[str, str] = {}
        cost: dict[str, float] = {}
        try:
            found.pictures.update(methods.pictures(context))
        except AnomalyOSError as error:
            missing["anomaly_map"] = in_words(error)
        for done, part in enumerate(asked):

            def tick(share: float, part: str = part, done: int = done) -> None:
                if progress is not None:
                    progress(part, (done + share) / len(asked))

            tick(0.0)
            reason = not_applicable(context, part)
            if reason:
                missing[part] = reason
                continue
            start = time.perf_counter()
            try:
                with self._working if part in HEAVY else self._answering:
                    methods.COMPUTE[part](context, found, tick)
            except AnomalyOSError as error:
                missing[part] = in_words(error)
            cost[part] = round((time.perf_counter() - start) * 1000, 1)
        return assemble(context, found, missing, cost)


def not_applicable(context: InspectionContext, part: str) -> str:
    """Why ``part`` makes no sense for this inspection; empty when it does."""
    verdict = context.inspection.verdict
    if verdict == Verdict.REJECTED:
        return "The file could not be read as an image, so there is nothing to explain."
    if verdict == Verdict.UNKNOWN_CATEGORY:
        return "The image belongs to no known product, so no model judged it."
    if verdict == Verdict.NORMAL and context.standing is None and part in ("similar", "causes", "depth"):
        return "Nothing about this part was out of the ordinary."
    return ""


def in_words(error: AnomalyOSError) -> str:
    return f"{error.message} {error.hint}".strip()


def assemble(
    context: InspectionContext, found: Findings, missing: dict[str, str], cost: dict[str, float]
) -> Evidence:
    return Evidence(
        inspection=context.facts(),
        regions=tuple(context.inspection.regions),
        similar=found.similar,
        causes=found.causes,
        shap=found.shap,
        trace=found.trace,
        depth=found.depth,
        cams=found.cams,
        named=found.named,
        notes=notes(context, found.similar),
        pictures=found.pictures,
        missing=missing,
        cost_ms=cost,
    )


def notes(context: InspectionContext, similar: Iterable[SimilarCase]) -> tuple[Note, ...]:
    """What people wrote about this inspection and about the cases beside it."""
    own = [
        Note(id=f"review:{review.id}", author=review.reviewer, text=review.note, written_at=review.created_at)
        for review in context.reviews
        if review.note
    ]
    others = [
        Note(id=f"case:{case.case_id}", author=case.origin, text=case.note) for case in similar if case.note
    ]
    return tuple(own + others)


@lru_cache(maxsize=1)
def get_explainer() -> Explainer:
    """The process's explainer; it shares the inspector's loaded models."""
    inspector = get_inspector()
    return Explainer(inspector.settings, inspector.store, inspector.champions)
