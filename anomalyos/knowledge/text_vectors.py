"""Sentence vectors kept by their text: what was embedded once is never embedded again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from anomalyos.knowledge.tables import TextVector

PARAMETERS = 900
"""SQLite's older limit on the parameters of one statement is 999."""


def load(session: Session, keys: Collection[str], embedder: str, dims: int) -> dict[str, NDArray[np.float32]]:
    """Vectors (dims,) of those texts that are known under ``embedder``; a row of another length is not."""
    found: dict[str, NDArray[np.float32]] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), PARAMETERS):
        rows = session.exec(
            select(TextVector.text_sha256, TextVector.vector).where(
                TextVector.embedder == embedder,
                col(TextVector.text_sha256).in_(wanted[start : start + PARAMETERS]),
            )
        )
        for key, blob in rows:
            if len(blob) == dims * 4:
                found[key] = np.frombuffer(blob, "<f4").astype(np.float32)
    return found


def keep(session: Session, vectors: Mapping[str, NDArray[np.float32]], embedder: str) -> None:
    """Write vectors by the SHA-256 of their texts; what another process wrote first stays."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [
        {"text_sha256": key, "embedder": embedder, "vector": np.ascontiguousarray(vector, "<f4").tobytes()}
        for key, vector in vectors.items()
    ]
    if rows:
        statement = insert(TextVector).on_conflict_do_nothing(index_elements=["text_sha256", "embedder"])
        session.connection().execute(statement, rows)
