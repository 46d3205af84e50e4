"""What is said in words: depth, notes, what is missing, and what each part took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anomalyos.explain.evidence import Evidence, Note
from anomalyos.reports.dossier import build_fact_sheet
from console.components.explanation.words import part_name
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw_depth(evidence: Evidence) -> None:
    """The sentence reports use too, so that both say the same."""
    fact = build_fact_sheet(evidence).get("depth")
    if fact is not None:
        Text(fact.text, "p")


def draw_notes(notes: Sequence[Note]) -> None:
    with box("aos-notes", "ul"):
        for note in notes:
            kind, _, number = note.id.partition(":")
            where = "in a review" if kind == "review" else f"at case {number}"
            with box("aos-quote", "li"):
                Text(f"{note.author or 'Somebody'} {where}", "div", "aos-muted aos-small")
                Text(note.text, "p")


def draw_missing(why: str) -> None:
    """Why a part could not be had; the reason ends with what can be done about it."""
    with box("aos-missing"):
        kit.icon("info")
        Text(why)


def draw_cost(part: str, cost_ms: Mapping[str, float]) -> None:
    """What one part took, unless it was there already."""
    if part in cost_ms:
        Text(f"Took {wording.milliseconds(cost_ms[part])}", "p", "aos-cost")


def costs(cost_ms: Mapping[str, float]) -> str:
    """``Similar cases 86 ms, gradient maps 0.61 s``; empty without any."""
    shown = [f"{part_name(part).lower()} {wording.milliseconds(value)}" for part, value in cost_ms.items()]
    text = ", ".join(shown)
    return text[:1].upper() + text[1:]
