"""What one explanation has found so far, and how what is dear to compute is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anomalyos.cases.similar import SimilarCase
from anomalyos.db.rows import stored_id
from anomalyos.explain import repository as explanations
from anomalyos.explain.evidence import CamExplanation, NamedDefect, ShapExplanation, TracePair
from anomalyos.explain.tables import Explanation
from anomalyos.features.depth.statistics import DepthStatistics
from anomalyos.inspection.context import InspectionContext
from anomalyos.knowledge.causes import RankedCause


@dataclass
class Findings:
    """Filled part by part; a later part may build on an earlier one."""

    pictures: dict[str, str] = field(default_factory=dict)
    similar: tuple[SimilarCase, ...] = ()
    causes: tuple[RankedCause, ...] = ()
    trace: tuple[TracePair, ...] = ()
    cams: tuple[CamExplanation, ...] = ()
    named: NamedDefect | None = None
    depth: DepthStatistics | None = None
    shap: ShapExplanation | None = None


@dataclass(frozen=True)
class Made:
    """One explanation fit to be kept."""

    content: dict[str, Any]
    """JSON-able."""
    files: dict[str, str] = field(default_factory=dict)
    """Name to path in the object store."""


def kept(
    context: InspectionContext, method: str, inputs: Mapping[str, Any], make: Callable[[], Made]
) -> Made:
    """What ``make`` gave when it was last asked with these inputs; asked now when it was not.

    The model that judged the inspection is always one of the inputs. A kept explanation whose files are
    gone is made again.
    """
    inspection_id = stored_id(context.inspection.id)
    key = explanations.input_key(bundle=context.inspection.bundle_sha256, **inputs)
    with context.store.session(read_only=True) as session:
        row = explanations.find(session, inspection_id, method, key)
        if row is not None and _whole(context, row):
            return Made(row.content, row.files)
    start = time.perf_counter()
    made = make()
    with context.store.session() as session:
        explanations.keep(
            session,
            inspection_id=inspection_id,
            method=method,
            key=key,
            content=made.content,
            files=made.files,
            cost_ms=round((time.perf_counter() - start) * 1000, 1),
        )
    return made


def _whole(context: InspectionContext, row: Explanation) -> bool:
    return all(context.store.objects.absolute(path).is_file() for path in row.files.values())
