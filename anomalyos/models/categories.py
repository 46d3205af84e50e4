"""Categories: the products that are inspected."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from anomalyos.core.errors import NotFound
from anomalyos.db.rows import get_or_create, plain_text
from anomalyos.models.tables import Category


def ensure(session: Session, name: str, *, synthetic: bool | None = None) -> Category:
    """The category, created when new. ``synthetic`` is updated when given, left alone when None."""
    name = plain_text(name, "category name", 64, required=True)
    row, _ = get_or_create(
        session, Category(name=name, synthetic=bool(synthetic)), lambda: _find(session, name)
    )
    if synthetic is not None and row.synthetic != synthetic:
        row.synthetic = synthetic
        session.flush()
    return row


def by_name(session: Session, name: str) -> Category:
    """Raises ``NotFound`` when no data or model of that category was ever seen."""
    category = _find(session, name)
    if category is None:
        known = ", ".join(row.name for row in list_all(session)) or "none yet"
        raise NotFound(f"There is no category {name!r}.", f"Known categories: {known}.")
    return category


def list_all(session: Session) -> Sequence[Category]:
    """Every category by name."""
    return session.exec(select(Category).order_by(col(Category.name))).all()


def _find(session: Session, name: str) -> Category | None:
    return session.exec(select(Category).where(Category.name == name)).one_or_none()
