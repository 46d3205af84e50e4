"""The modes that wait for data: what each will show, said plainly."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from nicegui import ui

from console import kit
from console.desk import Desk
from console.kit import Text, box
from console.pages.access import visit
from console.theme import frame


@dataclass(frozen=True)
class Promise:
    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Waiting:
    """One mode's page until there is something to show in it."""

    path: str
    name: str
    subtitle: str
    promises: tuple[Promise, ...]


NOTHING_YET = "Nothing to show yet. This is what this page is for:"

PAGES = (
    Waiting(
        "/forensics",
        "Forensics",
        "One part under the lens: why it was flagged, and whether it was seen before.",
        (
            Promise(
                "ads_click", "Why here?", "Which patches raised the score, and which normal part is nearest."
            ),
            Promise("compare", "Seen before?", "The most similar confirmed defects, side by side."),
            Promise(
                "description", "Report", "One page to hand on: facts, pictures, suspected cause, remedy."
            ),
        ),
    ),
    Waiting(
        "/analytics",
        "Analytics",
        "How the line and the models do over weeks: flag rates, false alarms, drift.",
        (
            Promise("stacked_line_chart", "Nights", "Flagged, confirmed and false alarms, night by night."),
            Promise("waves", "Drift", "Whether today's photos still look like those the model learned from."),
            Promise("timer", "Review", "How long decisions take, and how often reviewers disagree."),
        ),
    ),
    Waiting(
        "/arena",
        "Arena",
        "Two models, the same held-out images: which one deserves the line?",
        (
            Promise("balance", "Same images", "Champion and challenger scored on the same held-out parts."),
            Promise("rule", "The gate", "Why a version was promoted or turned down, in figures."),
            Promise("history", "Way back", "Every promotion and rollback, with who and why."),
        ),
    ),
    Waiting(
        "/knowledge",
        "Knowledge Base",
        "What the plant has learned: defects, their causes, and what helped.",
        (
            Promise("hub", "Causes", "From defect to root cause to remedy, as a map."),
            Promise("search", "Ask", "Search past cases in your own words."),
            Promise("inventory_2", "Cases", "Confirmed defects with their pictures and notes."),
        ),
    ),
)


def register(desk: Desk) -> None:
    for waiting in PAGES:
        _register_page(desk, waiting)


def _register_page(desk: Desk, waiting: Waiting) -> None:
    async def show(request: Request) -> None:
        visitor = await visit(request, desk)
        with (
            frame(waiting.name, visitor.person, mode=waiting.path, open_items=visitor.open_items),
            box("aos-page"),
        ):
            Text(waiting.name, "h1", "aos-title")
            Text(waiting.subtitle, "p", "aos-subtitle")
            kit.notice(NOTHING_YET, "accent", "hourglass_empty").style(
                "margin-top: 28px; max-width: 62ch; font-size: var(--size-body)"
            )
            with box("aos-preview"):
                for promise in waiting.promises:
                    with box("aos-card"):
                        kit.icon(promise.icon)
                        Text(promise.title, "h3")
                        Text(promise.text, "p")

    ui.page(waiting.path, response_timeout=30)(show)
