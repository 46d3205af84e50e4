"""Addresses inside the console, written in one place: search, notices and the audit log lead there."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def inspection(number: int | str) -> str:
    return f"/inspection/{number}"


def forensics(number: int | str) -> str:
    """The same inspection, explained in depth."""
    return f"/forensics/{number}"


def product(name: str) -> str:
    """How a product does: rates, false alarms, drift."""
    return "/analytics?" + urlencode({"category": name})


def models(name: str) -> str:
    """Where a product's versions are promoted and rolled back; engineers only."""
    return "/admin/models?" + urlencode({"product": name})


def recipe_choice(name: str, version: int, offset: int = 0) -> str:
    """Why a version has its recipe, on the page of its product that lists it; engineers only."""
    return "/admin/models?" + urlencode({"product": name, "offset": offset, "why": version}) + "#why"


def retraining(name: str) -> str:
    """The form that learns a product again; engineers only."""
    return "/admin/retraining?" + urlencode({"product": name})


def node(key: str) -> str:
    """Leads on to the node's page, as the next one does for a case."""
    return "/knowledge?" + urlencode({"node": key})


def case(number: int | str) -> str:
    return f"/knowledge?case={number}"


def node_page(key: str) -> str:
    return f"/knowledge/node/{quote(key, safe='/:')}"


def case_page(number: int | str) -> str:
    return f"/knowledge/case/{number}"


def person(name: str) -> str:
    return "/admin/people?" + urlencode({"q": name})


def subject(name: str) -> str | None:
    """Address of what an audit event is about, such as ``inspection:17``; None when it has no page."""
    kind, _, rest = name.partition(":")
    known = {"inspection": inspection, "category": models, "user": person, "case": case, "node": node}
    return known[kind](rest) if kind in known and rest else None
