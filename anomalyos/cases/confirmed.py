"""Cases from reviews: a confirmed defect becomes one, and stops being one when the decision changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from anomalyos.cases import repository as case_repository
from anomalyos.cases.appearance import Appearance, FocusedImage
from anomalyos.cases.crops import centre, crop_box, cut
from anomalyos.cases.labelled import box_and_focus
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.core.arrays import Float32Array
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import encode_png
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.context import InspectionContext, load_context
from anomalyos.inspection.tables import Decision, Review
from anomalyos.models.champions import Champions

if TYPE_CHECKING:
    from sqlmodel import Session


def follow(
    inspection_id: int, actor: str, settings: Settings, store: Store, appearance: Appearance
) -> DefectCase | None:
    """See ``CaseLibrary.follow_review``."""
    subject = load_context(inspection_id, settings, store, Champions(settings, store))
    prepared: tuple[DefectCase, Float32Array] | None = None
    if _confirmed(subject.standing) and subject.category:
        # files and features before the transaction: it must not hold the write lock meanwhile
        prepared = _prepare(subject, store, appearance)
    with store.session() as session:
        inspections.get(session, inspection_id)
        standing = _standing(reviews.history(session, inspection_id))
        if prepared is None or not _confirmed(standing):
            _withdraw(session, inspection_id, None, actor)
            return None
        assert standing is not None
        row, vector = prepared
        row.defect_type = standing.defect_type or case_repository.UNNAMED
        row.note = standing.note
        return _install(session, row, vector, appearance.digest, actor)


def _prepare(
    subject: InspectionContext, store: Store, appearance: Appearance
) -> tuple[DefectCase, Float32Array]:
    """The case as it would stand, without type and note, and the vector of its crop."""
    assert subject.image is not None
    region = subject.strongest_box()
    box = crop_box(region, subject.image.width, subject.image.height)
    crop = cut(subject.rgb, box)
    focus = centre(region)
    inspection_id = stored_id(subject.inspection.id)
    row = DefectCase(
        content_key="",
        category=subject.category,
        defect_type="",
        origin=CaseOrigin.REVIEW.value,
        synthetic=subject.synthetic,
        source=f"inspection:{inspection_id}",
        inspection_id=inspection_id,
        image_sha256=subject.image.sha256,
        image_path=subject.image.object_path,
        crop_path=store.objects.put(encode_png(crop), ".png"),
        box=box_and_focus(box, focus),
        area_share=round(float(subject.mask.mean()), 6),
        added_by="",
    )
    return row, appearance.vectors([FocusedImage(subject.rgb, focus)])[0]


def _install(session: Session, row: DefectCase, vector: Float32Array, digest: str, actor: str) -> DefectCase:
    case, created = case_repository.add(session, row, actor)
    case_id = stored_id(case.id)
    case_repository.put_vector(session, case_id, digest, vector)
    if not created:
        if case.removed_at is not None and case.removed_by == case_repository.FOLLOWING:
            case_repository.restore(session, case_id, actor, "the review says defect again")
        case_repository.annotate(session, case_id, actor, row.note)
    _withdraw(session, stored_id(case.inspection_id), case_id, actor)
    return case


def _withdraw(session: Session, inspection_id: int, keep: int | None, actor: str) -> None:
    """Remove the inspection's other cases, if any are left."""
    for case in case_repository.of_inspection(session, inspection_id):
        if case.removed_at is None and case.id != keep:
            reason = "the review changed"
            case_repository.remove(session, stored_id(case.id), actor, reason, following=True)


def _standing(history: Sequence[Review]) -> Review | None:
    """The newest review, which is the one that holds."""
    return history[-1] if history else None


def _confirmed(review: Review | None) -> bool:
    return review is not None and review.decision == Decision.DEFECT.value
