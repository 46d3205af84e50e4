"""Words and icons of the knowledge base: kinds, relations, severities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from anomalyos.knowledge.tables import NodeKind, Relation
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box

KINDS: dict[str, Label] = {
    NodeKind.CATEGORY: Label("Product", "inventory_2", "accent"),
    NodeKind.DEFECT: Label("Defect type", "dangerous", "defect"),
    NodeKind.SIGN: Label("Sign", "visibility", "unknown"),
    NodeKind.CAUSE: Label("Cause", "bolt", "flagged"),
    NodeKind.STEP: Label("Process step", "precision_manufacturing", "rejected"),
    NodeKind.REMEDY: Label("Remedy", "build", "normal"),
    NodeKind.CHECK: Label("Check", "fact_check", "unsure"),
    "case": Label("Case", "photo_camera", "accent"),
    "note": Label("Note", "sticky_note_2", "rejected"),
}
"""In the order in which people think of them."""

MANY: dict[str, str] = {
    NodeKind.CATEGORY: "Products",
    NodeKind.DEFECT: "Defect types",
    NodeKind.SIGN: "Signs",
    NodeKind.CAUSE: "Causes",
    NodeKind.STEP: "Process steps",
    NodeKind.REMEDY: "Remedies",
    NodeKind.CHECK: "Checks",
    "case": "Cases",
    "note": "Notes",
}

SEVERITIES: dict[str, Label] = {
    "critical": Label("Critical", "emergency_home", "defect"),
    "functional": Label("Functional", "handyman", "unsure"),
    "cosmetic": Label("Cosmetic", "palette", "rejected"),
}
NO_SEVERITY = Label("No severity", "remove", "rejected")

LEADS_TO: dict[str, str] = {
    Relation.HAS_DEFECT: "Defect types",
    Relation.SHOWS: "How it shows",
    Relation.CAUSED_BY: "Causes",
    Relation.ARISES_IN: "Where it arises",
    Relation.REMEDIED_BY: "What helps",
    Relation.VERIFIED_BY: "How to check",
}
COMES_FROM: dict[str, str] = {
    Relation.HAS_DEFECT: "Product",
    Relation.SHOWS: "Seen on",
    Relation.CAUSED_BY: "Causes these defects",
    Relation.ARISES_IN: "Causes that arise here",
    Relation.REMEDIED_BY: "Helps against",
    Relation.VERIFIED_BY: "Tells about these causes",
}
SAYS: dict[str, str] = {
    Relation.HAS_DEFECT: "has the defect",
    Relation.SHOWS: "shows as",
    Relation.CAUSED_BY: "is caused by",
    Relation.ARISES_IN: "arises in",
    Relation.REMEDIED_BY: "is helped by",
    Relation.VERIFIED_BY: "is checked by",
}
SAYS_BACK: dict[str, str] = {
    Relation.HAS_DEFECT: "is a defect of",
    Relation.SHOWS: "is seen on",
    Relation.CAUSED_BY: "causes",
    Relation.ARISES_IN: "is where this arises",
    Relation.REMEDIED_BY: "helps against",
    Relation.VERIFIED_BY: "tells about",
}


def kind_label(kind: str) -> Label:
    return KINDS.get(kind, Label(kind, "label", "rejected"))


def severity_label(severity: str) -> Label:
    return SEVERITIES.get(severity, NO_SEVERITY)


def graph_address(key: str) -> str:
    return f"/knowledge/graph?{urlencode({'focus': key})}" if key else "/knowledge/graph"


def percent(share: float) -> str:
    """``37 %``; what is not quite nothing or everything does not read as such."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def defect_words(defect_type: str) -> str:
    """``bent_lead`` as people say it."""
    words = defect_type.replace("_", " ").strip()
    return words[:1].upper() + words[1:] or "Unnamed"


def kind_mark(kind: str) -> ui.element:
    """Icon of a kind in its tone, with its word for those who do not see it."""
    label = kind_label(kind)
    with box(f"aos-kb-kind tone-{label.tone}", "span") as element:
        kit.icon(label.icon)
        Text(label.word, classes="word")
    return element


def facts_of(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Attributes other than severity, as rows of plain text."""
    return [
        (str(name).replace("_", " "), str(value))
        for name, value in sorted(attributes.items())
        if name != "severity"
    ]
