"""Root causes as they are ranked and quoted."""

from __future__ import annotations

from pydantic import Field

from anomalyos.core.geometry import Frozen


class PathStep(Frozen):
    """One node on the way through the knowledge graph, and the relation that led to it."""

    key: str
    kind: str
    name: str
    relation: str = ""
    """Empty for the first node."""


class KnowledgeItem(Frozen):
    """A node as it is quoted: a remedy, a check, a process step."""

    key: str
    name: str
    text: str = ""


class RankedCause(Frozen):
    """One possible root cause with how likely it is, and why that is believed."""

    key: str
    name: str
    text: str
    probability: float = Field(ge=0, le=1)
    """Posterior mean, over the defect types in question."""
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    """Ends of the 90 % credible interval."""
    prior: float = Field(ge=0, le=1)
    confirmed: int = Field(ge=0)
    """Cases in which somebody established this cause."""
    confirmed_all: int = Field(ge=0)
    """Cases of the same defect types in which any cause was established."""
    path: tuple[PathStep, ...]
    """From the case or category over the defect type to the cause."""
    steps: tuple[KnowledgeItem, ...] = ()
    remedies: tuple[KnowledgeItem, ...] = ()
    checks: tuple[KnowledgeItem, ...] = ()
