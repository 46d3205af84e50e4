"""Search from anywhere: pages and actions, inspections, products, causes and cases by a few letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from anomalyos.accounts.tables import Role
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge import quick_search
from anomalyos.knowledge.search import SearchHit, get_search
from console.security.person import Person
from console.texts import links, wording

LONGEST = 100
PER_GROUP = 6
_LEAST_LETTERS = 2
"""Fewer would match nearly everything; numbers are exempt."""
_NUMBER = re.compile(r"(?:inspection|case|number|part)?\s*#?\s*(\d{1,9})", re.IGNORECASE)
_KINDS = {
    "category": ("Product", "category"),
    "defect": ("Defect", "dangerous"),
    "sign": ("Sign", "visibility"),
    "cause": ("Cause", "troubleshoot"),
    "step": ("Process step", "conveyor_belt"),
    "remedy": ("Remedy", "build"),
    "check": ("Check", "checklist"),
}


@dataclass(frozen=True)
class Entry:
    """One line of the palette: where it leads, or what it does."""

    title: str
    icon: str
    href: str = ""
    note: str = ""
    act: str = ""
    """What console.js does instead of going somewhere."""


@dataclass(frozen=True)
class Target:
    """A page or an action, with words it may also be looked for by."""

    found: Entry
    words: str = ""
    role: Role = Role.VIEWER


PLACES = (
    Target(Entry("Queue", "center_focus_strong", "/", "What waits for a decision"), "inspector review night"),
    Target(Entry("Live inspection", "photo_camera", "/live", "Inspect images now"), "upload drop inspector"),
    Target(Entry("Rejected files", "block", "/rejected", "What could not be inspected"), "broken unreadable"),
    Target(Entry("All nights", "nights_stay", "/nights", "Every batch, newest first"), "batches history"),
    Target(Entry("Forensics", "troubleshoot", "/forensics", "Why a part was flagged"), "explain report"),
    Target(Entry("Analytics", "monitoring", "/analytics", "Rates, drift and reviews"), "charts statistics"),
    Target(Entry("Arena", "swords", "/arena", "Two models, the same images"), "compare gate models"),
    Target(Entry("Knowledge Base", "account_tree", "/knowledge", "Defects, causes, remedies"), "graph cases"),
    Target(
        Entry("Models", "deployed_code", "/admin/models", "Promote and roll back"),
        "admin champion version rollback",
        Role.ENGINEER,
    ),
    Target(
        Entry("Audit log", "receipt_long", "/admin/audit", "Who did what"), "admin history", Role.ENGINEER
    ),
    Target(
        Entry("People", "group", "/admin/people", "Accounts and roles"), "admin users password", Role.ADMIN
    ),
    Target(
        Entry("All API tokens", "vpn_key", "/admin/tokens", "Keys of everybody"), "admin bearer", Role.ADMIN
    ),
    Target(Entry("My API tokens", "key", "/tokens", "Keys for other programs"), "bearer rest"),
    Target(Entry("REST reference", "api", "/docs", "Every call with its fields"), "swagger openapi"),
)
ACTIONS = (
    Target(Entry("Switch between light and dark", "contrast", act="theme"), "theme colours"),
    Target(Entry("Keyboard shortcuts", "keyboard", act="help", note="The keys of this page"), "help keys"),
)


def find(settings: Settings, store: Store, person: Person, text: str) -> dict[str, list[Entry]]:
    """Results by group, the surest group first. Blocking, a few short queries."""
    text = _storable(text)
    places, actions = _places(PLACES, person, text), _places(ACTIONS, person, text)
    if not text:
        return {"Pages": places, "Actions": actions}
    match = _NUMBER.fullmatch(text)
    number = int(match[1]) if match else None
    if number is None and len(text) < _LEAST_LETTERS:
        return {"Pages": places, "Actions": actions}
    with store.session(read_only=True) as session:
        inspections = _inspections(session, text, number)
        named = quick_search.find_products(session, text, PER_GROUP)
        cases = [_case(found) for found in quick_search.find_cases(session, text, number, PER_GROUP)]
        nodes = [
            _node(found.key, found.kind, found.name)
            for found in quick_search.find_nodes(session, text, PER_GROUP)
        ]
    nodes, cases = _with_meaning(_warm_hits(settings, store, text), nodes, cases)
    products = [found for row in named for found in _product(row, person)]
    named_things = {"Products": products, "Pages": places, "Actions": actions, "Knowledge": nodes}
    if any(character.isdigit() for character in text):
        return {"Inspections": inspections, "Cases": cases, **named_things}
    # letters are seldom meant for a file, and every path holds its product's name
    return {**named_things, "Cases": cases, "Inspections": inspections}


def _storable(text: str) -> str:
    return " ".join(text.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8").split())


def _places(places: Iterable[Target], person: Person, text: str) -> list[Entry]:
    wanted = text.casefold().split()
    return [
        place.found
        for place in places
        if person.may(place.role)
        and all(
            any(word.startswith(start) for word in f"{place.found.title} {place.words}".casefold().split())
            for start in wanted
        )
    ]


def _inspections(session: Session, text: str, number: int | None) -> list[Entry]:
    exact = quick_search.inspection_by_number(session, number) if number is not None else None
    by_file = quick_search.inspections_by_file(session, text, PER_GROUP)
    rows = [*([exact] if exact else []), *(row for row in by_file if exact is None or row.id != exact.id)]
    return [_inspection(row) for row in rows[:PER_GROUP]]


def _inspection(row: quick_search.InspectionMatch) -> Entry:
    label = wording.verdict_label(row.verdict)
    product = f"{wording.product(row.category)} · " if row.category else ""
    return Entry(
        f"Inspection {row.id}",
        label.icon,
        links.inspection(row.id),
        f"{product}{label.word} · {row.source.removeprefix('upload:')}",
    )


def _product(row: quick_search.ProductMatch, person: Person) -> list[Entry]:
    name = wording.product(row.name)
    note = "Rates, false alarms, drift" if row.inspects else "No model of it is in use yet"
    found = [Entry(name, "category", links.product(row.name), note)]
    if person.may(Role.ENGINEER):
        found.append(Entry(f"{name}: models", "deployed_code", links.models(row.name), "Promote, roll back"))
    return found


def _node(key: str, kind: str, name: str) -> Entry:
    word, icon = _KINDS.get(kind, (kind.capitalize(), "account_tree"))
    return Entry(name, icon, links.node(key), word)


def _case(row: quick_search.CaseMatch) -> Entry:
    defect = row.defect_type.replace("_", " ")
    return Entry(
        f"Case {row.id}", "inventory_2", links.case(row.id), f"{wording.product(row.category)}, {defect}"
    )


def _with_meaning(
    hits: list[SearchHit], nodes: list[Entry], cases: list[Entry]
) -> tuple[list[Entry], list[Entry]]:
    """What was found by name, followed by what the knowledge search finds by meaning, if it is ready."""
    for hit in hits:
        if hit.kind == "case":
            found = Entry(
                f"Case {hit.document_id.partition(':')[2]}",
                "inventory_2",
                links.case(hit.document_id.partition(":")[2]),
                hit.title,
            )
            cases = cases if any(found.href == known.href for known in cases) else [*cases, found]
        elif hit.kind in _KINDS:
            found = _node(hit.document_id, hit.kind, hit.title)
            nodes = nodes if any(found.href == known.href for known in nodes) else [*nodes, found]
    return nodes[:PER_GROUP], cases[:PER_GROUP]


def _warm_hits(settings: Settings, store: Store, text: str) -> list[SearchHit]:
    """Answers of the knowledge search; none until it has been used, for loading it takes seconds."""
    search = get_search(settings, store)
    return search.search(text, k=PER_GROUP) if search.warm and len(text) > _LEAST_LETTERS else []
