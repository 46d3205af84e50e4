"""The score against its threshold as a small picture."""

from __future__ import annotations

from console.services.views import Detail
from console.texts import wording
from console.ui.kit import Text, box

_HEADROOM = 1.18
_EDGE = 13.0
"""Percent from either end a label keeps, so it is never cut off."""


def positions(score: float, threshold: float) -> tuple[float, float]:
    """Places of score and threshold in percent of the bar, which ends a little after the larger one."""
    top = max(score, threshold, 1e-12) * _HEADROOM
    return max(0.0, 100 * score / top), max(0.0, 100 * threshold / top)


def draw(detail: Detail) -> None:
    """Nothing when the image was not scored."""
    if detail.score is None or detail.threshold is None:
        return
    at_score, at_limit = positions(detail.score, detail.threshold)
    tone = "flagged" if detail.score > detail.threshold else "normal"
    with box(f"aos-score tone-{tone}").props(
        f"role=img aria-label='Score {wording.number(detail.score)},"
        f" threshold {wording.number(detail.threshold)}'"
    ):
        with box("aos-score-top"), box("", "span") as label:
            label.style(f"left: {_inside(at_score):.2f}%")
            Text("score ")
            Text(wording.number(detail.score), "b")
        with box("aos-score-track").style(f"--at: {at_limit:.2f}%"):
            box("aos-score-limit").style(f"left: {at_limit:.2f}%")
            box("aos-score-mark").style(f"left: {at_score:.2f}%")
        with box("aos-score-bottom"), box("", "span") as limit:
            limit.style(f"left: {_inside(at_limit, 20):.2f}%")
            Text(f"threshold {wording.number(detail.threshold)}")


def _inside(percent: float, edge: float = _EDGE) -> float:
    return min(100 - edge, max(edge, percent))
