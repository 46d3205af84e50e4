"""A past photograph looked at again by today's champion. Nothing that was said then is overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from anomalyos.accounts import audit
from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.images.decoding import DecodedImage
from anomalyos.inspection import inspections
from anomalyos.inspection.anomaly_map import encode_overlay
from anomalyos.inspection.examination import Examination, inspection_row
from anomalyos.inspection.tables import Inspection, Verdict
from anomalyos.patchcore.scoring import anomaly_map
from anomalyos.reports.words import number
from console.security.person import Actor, require
from console.services import views
from console.services.inspection import InspectionService
from console.services.pictures import PictureService
from console.texts import wording

_SAME = 1e-3
"""Relative difference of two scores that is rounding between machines."""


class Examines(Protocol):
    """The part of ``anomalyos.inspection.inspector.Inspector`` that looks without keeping anything."""

    def examine(self, image: DecodedImage, category: str | None = None) -> Examination: ...


@dataclass(frozen=True)
class Side:
    """One verdict: then, or now."""

    verdict: str
    category: str
    sentence: str
    score: float | None
    threshold: float | None
    model: str
    """``hazelnut v3``, empty when no model judged it."""
    regions: int

    @property
    def share(self) -> float | None:
        """The score as a multiple of its own threshold: all that two models' scores have in common."""
        if self.score is None or not self.threshold:
            return None
        return self.score / self.threshold


@dataclass(frozen=True)
class Rerun:
    then: Side
    now: Side
    differences: tuple[str, ...]
    heat_png: bytes
    """RGBA PNG of today's anomaly map, empty when no model judged it."""


def rerun(service: InspectionService, pictures: PictureService, actor: Actor, inspection_id: int) -> Rerun:
    """Blocking: examine the kept photograph with today's champion, and leave a note of it in the audit log.

    The product is the one it was delivered as, or recognised anew where nobody had said.

    Raises:
        NotAllowed: the actor is only a viewer.
        NotFound: there is no photograph, or no product has a model.
    """
    require(actor, Role.REVIEWER)
    with pictures.store.session(read_only=True) as session:
        row = inspections.get(session, inspection_id)
        detail = views.detail(session, inspection_id)
    if row.image_id is None:
        raise NotFound(f"Inspection {inspection_id} has no photograph that could be looked at again.")
    image = pictures.photo(inspection_id)
    found = cast(Examines, service.inspector).examine(image, row.given_category)
    then, now = _then(row, detail), _now(found, image, row)
    with pictures.store.session() as session:
        audit.write(
            session,
            actor=actor.name,
            action="inspection.rerun",
            subject=f"inspection:{inspection_id}",
            detail={"model": now.model, "verdict": now.verdict, "score": now.score},
        )
    return Rerun(then, now, differences(then, now), _heat(found, image))


def _then(row: Inspection, detail: views.Detail) -> Side:
    return Side(
        verdict=row.verdict,
        category=detail.card.category,
        sentence=detail.sentence,
        score=row.score,
        threshold=row.threshold,
        model=detail.model,
        regions=len(row.regions),
    )


def _now(found: Examination, image: DecodedImage, then: Inspection) -> Side:
    row = inspection_row(found, image, then.source, then.given_category)
    version = found.version
    return Side(
        verdict=row.verdict,
        category=found.category or "",
        sentence=views.verdict_sentence(row),
        score=row.score,
        threshold=row.threshold,
        model=f"{found.category} v{version.version}" if version is not None else "",
        regions=len(found.regions),
    )


def _heat(found: Examination, image: DecodedImage) -> bytes:
    if found.bundle is None or found.distances is None:
        return b""

    recipe, calibration = found.bundle.recipe, found.bundle.calibration
    heat = anomaly_map(
        found.distances, size=recipe.input_size, border=recipe.border, sigma=recipe.smoothing_sigma
    )
    size = (image.width, image.height)
    return encode_overlay(heat, calibration.map_median, calibration.map_threshold, size)


def differences(then: Side, now: Side) -> tuple[str, ...]:
    """What changed, in sentences; the first says the most."""
    return tuple(part for part in (_verdict(then, now), _model(then, now), _score(then, now)) if part)


def _verdict(then: Side, now: Side) -> str:
    before, after = (wording.verdict_label(side.verdict).word.lower() for side in (then, now))
    if then.verdict == now.verdict:
        return f"The verdict is the same: {after}."
    if now.verdict == Verdict.NORMAL:
        return f"Then {before}, now {after}: today's champion would let this part pass."
    return f"Then {before}, now {after}."


def _model(then: Side, now: Side) -> str:
    if then.category != now.category:
        return (
            f"Then it was taken for {wording.product(then.category).lower()}, "
            f"now for {wording.product(now.category).lower()}."
        )
    if not then.model or not now.model:
        return ""
    if then.model == now.model:
        return f"The same model judged it both times: {now.model} is still the champion."
    return f"Another model judged it: {then.model} then, {now.model} now."


def _score(then: Side, now: Side) -> str:
    if then.share is None or now.share is None:
        return ""
    if abs(now.share - then.share) <= _SAME * max(then.share, now.share):
        return f"The score stands at {number(now.share)} times the threshold, as it did."
    how = "further above" if now.share > then.share >= 1 else "higher" if now.share > then.share else "lower"
    return (
        f"The score is {how}: {number(then.share)} times its threshold then, {number(now.share)} times now."
    )
