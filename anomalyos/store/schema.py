"""Every table at once: importing this is what fills ``SQLModel.metadata``."""

from anomalyos.store import (
    arena_tables,
    case_tables,
    classifier_tables,
    data_check_tables,
    drift_tables,
    explanation_tables,
    knowledge_tables,
    lease_tables,
    tables,
)

__all__ = [
    "arena_tables",
    "case_tables",
    "classifier_tables",
    "data_check_tables",
    "drift_tables",
    "explanation_tables",
    "knowledge_tables",
    "lease_tables",
    "tables",
]
