"""Images that people called false alarms: normal parts the model did not know yet."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from anomalyos.inspection.tables import Decision, Image, Inspection


@dataclass(frozen=True)
class ReviewedNormal:
    """One image, however often it was inspected."""

    inspection_id: int
    """The newest inspection that was called a false alarm."""
    sha256: str
    object_path: str
    """Relative to ``Settings.objects_dir``."""


def reviewed_normals(session: Session, category_id: int) -> list[ReviewedNormal]:
    """Every image of a category whose flags were called false alarms, ordered by content.

    An image that somebody called a defect, or was unsure about, in any inspection is no normal.
    """
    doubted = select(Inspection.image_id).where(
        Inspection.category_id == category_id,
        col(Inspection.image_id).is_not(None),
        col(Inspection.decision).in_((Decision.DEFECT.value, Decision.UNSURE.value)),
    )
    query = (
        select(Inspection.id, Image.sha256, Image.object_path)
        .join(Image, col(Image.id) == col(Inspection.image_id))
        .where(
            Inspection.category_id == category_id,
            Inspection.decision == Decision.FALSE_ALARM.value,
            col(Inspection.image_id).not_in(doubted),
        )
        .order_by(col(Inspection.id))
    )
    newest = {
        sha256: ReviewedNormal(number, sha256, path)
        for number, sha256, path in session.exec(query)
        if number is not None
    }
    return [newest[sha256] for sha256 in sorted(newest)]
