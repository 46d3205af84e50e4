"""Known defects that look like this one, as cards with their pictures."""

from __future__ import annotations

from collections.abc import Sequence

from anomalyos.cases.similar import SimilarCase
from anomalyos.reports.words import number
from console.components.explanation import words
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw_similar(cases: Sequence[SimilarCase], *, most: int = 5) -> None:
    """Cards in the order of likeness; each leads to where its case came from."""
    with box("aos-alike", "ul"):
        for case in cases[:most]:
            with box("", "li"):
                _draw_card(case)


def _draw_card(case: SimilarCase) -> None:
    name = words.defect_name(case.defect_type)
    with box("aos-alike-card", "a", href=words.case_address(case)).mark(f"case-{case.case_id}"):
        kit.image(f"/media/case/{case.case_id}/thumb", f"Case {case.case_id}: {name}", "aos-alike-picture")
        Text(name, "div", "aos-alike-name")
        draw_likeness(case.similarity)
        with box("aos-alike-origin"):
            kit.icon("rate_review" if words.origin(case) == "from a review" else "inventory_2")
            Text(f"Case {case.case_id}, {words.origin(case)}")
        if case.severity:
            Text(f"Severity: {case.severity}", "div", "aos-alike-origin")
        if case.synthetic:
            Text("synthetic", "div", "aos-made")


def draw_likeness(similarity: float) -> None:
    """A bar and its number, 0 to 1."""
    with box("aos-likeness"):
        with box("aos-likeness-track").props("aria-hidden=true"):
            box().style(f"width: {100 * max(0.0, min(1.0, similarity)):.1f}%")
        Text(f"{number(similarity)} alike")


def draw_beside(inspection_id: int, category: str) -> None:
    """The part itself, cut out as the cases are, to hold them against."""
    with box("aos-alike-own", "figure"):
        kit.image(
            f"/media/crop/{inspection_id}",
            f"The flagged place of this {wording.product(category).lower()}",
            "aos-alike-picture",
        )
        Text("This part", "figcaption", "aos-alike-name")
