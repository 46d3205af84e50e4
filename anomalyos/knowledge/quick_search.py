"""Finding things by a few letters or a number: what search-as-you-type asks, each answer short and quick."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.functions import Function
from sqlmodel import Session, col, select

from anomalyos.cases.tables import DefectCase
from anomalyos.inspection.tables import Inspection
from anomalyos.knowledge.tables import KnowledgeNode
from anomalyos.models.tables import Category

LARGEST_NUMBER = 2**31 - 1
"""Ids are 32-bit on PostgreSQL, which refuses even to look for a larger one."""


@dataclass(frozen=True)
class InspectionMatch:
    id: int
    source: str
    verdict: str
    category: str
    """Empty when it was routed to none."""


@dataclass(frozen=True)
class ProductMatch:
    name: str
    inspects: bool
    """Whether a model of it is in use."""


@dataclass(frozen=True)
class NodeMatch:
    key: str
    kind: str
    name: str


@dataclass(frozen=True)
class CaseMatch:
    id: int
    category: str
    defect_type: str


def inspection_by_number(session: Session, number: int) -> InspectionMatch | None:
    found = _inspections(session, col(Inspection.id) == number, 1) if number <= LARGEST_NUMBER else []
    return found[0] if found else None


def inspections_by_file(session: Session, text: str, limit: int) -> list[InspectionMatch]:
    """Inspections whose source contains ``text``, newest first."""
    return _inspections(session, col(Inspection.source).icontains(text, autoescape=True), limit)


def _inspections(session: Session, where: ColumnElement[bool], limit: int) -> list[InspectionMatch]:
    query = (
        select(Inspection.id, Inspection.source, Inspection.verdict, Category.name)
        .join(Category, col(Category.id) == col(Inspection.category_id), isouter=True)
        .where(where)
        .order_by(col(Inspection.id).desc())
        .limit(limit)
    )
    return [
        InspectionMatch(number or 0, source, verdict, name or "")
        for number, source, verdict, name in session.exec(query)
    ]


def find_products(session: Session, text: str, limit: int) -> list[ProductMatch]:
    """Categories whose name contains ``text``, blanks standing for dashes and underscores."""
    query = (
        select(Category.name, col(Category.champion_id).is_not(None))
        .where(_spelt(col(Category.name)).icontains(_as_words(text), autoescape=True))
        .order_by(_starting_first(col(Category.name), text), col(Category.name))
        .limit(limit)
    )
    return [ProductMatch(name, bool(inspects)) for name, inspects in session.exec(query)]


def find_nodes(session: Session, text: str, limit: int) -> list[NodeMatch]:
    """What the knowledge graph holds under a name that contains ``text``."""
    query = (
        select(KnowledgeNode.key, KnowledgeNode.kind, KnowledgeNode.name)
        .where(
            col(KnowledgeNode.removed_at).is_(None),
            col(KnowledgeNode.name).icontains(text, autoescape=True),
        )
        .order_by(_starting_first(col(KnowledgeNode.name), text), col(KnowledgeNode.name))
        .limit(limit)
    )
    return [NodeMatch(*row) for row in session.exec(query)]


def find_cases(session: Session, text: str, number: int | None, limit: int) -> list[CaseMatch]:
    """Known defects by number, or whose product or defect type contains ``text``, newest first."""
    words = _as_words(text)
    where = (
        col(DefectCase.id) == min(number, LARGEST_NUMBER)
        if number is not None
        else or_(
            _spelt(col(DefectCase.category)).icontains(words, autoescape=True),
            _spelt(col(DefectCase.defect_type)).icontains(words, autoescape=True),
        )
    )
    query = (
        select(DefectCase.id, DefectCase.category, DefectCase.defect_type)
        .where(col(DefectCase.removed_at).is_(None), where)
        .order_by(col(DefectCase.id).desc())
        .limit(limit)
    )
    return [CaseMatch(number or 0, category, defect) for number, category, defect in session.exec(query)]


def _spelt(name: Mapped[str]) -> Function[str]:
    """A stored name with blanks where it has dashes and underscores, as people type it."""
    return func.replace(func.replace(name, "_", " "), "-", " ")


def _as_words(text: str) -> str:
    return text.replace("_", " ").replace("-", " ")


def _starting_first(name: Mapped[str], text: str) -> ColumnElement[int]:
    return case((name.istartswith(text, autoescape=True), 0), else_=1)
