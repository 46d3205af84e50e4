"""Explanations that were computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from anomalyos.db.rows import get_or_create
from anomalyos.explain.tables import Explanation


def input_key(**inputs: Any) -> str:
    """SHA-256 over everything an explanation depends on beside the photograph."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def find(session: Session, inspection_id: int, method: str, key: str) -> Explanation | None:
    query = select(Explanation).where(
        Explanation.inspection_id == inspection_id,
        Explanation.method == method,
        Explanation.input_key == key,
    )
    return session.exec(query).one_or_none()


def keep(
    session: Session,
    *,
    inspection_id: int,
    method: str,
    key: str,
    content: Mapping[str, Any],
    files: Mapping[str, str],
    cost_ms: float,
) -> Explanation:
    """Store an explanation, or give the one another process stored meanwhile."""
    row = Explanation(
        inspection_id=inspection_id,
        method=method,
        input_key=key,
        content=dict(content),
        files=dict(files),
        cost_ms=cost_ms,
    )
    return get_or_create(session, row, lambda: find(session, inspection_id, method, key))[0]


def of_inspection(session: Session, inspection_id: int) -> list[Explanation]:
    """Everything kept about one inspection, newest first."""
    query = (
        select(Explanation)
        .where(Explanation.inspection_id == inspection_id)
        .order_by(col(Explanation.created_at).desc(), col(Explanation.id).desc())
    )
    return list(session.exec(query).all())
