"""Every table at once.

Domains are named, not imported: they stand above this one. SQLAlchemy must know all tables before the first
statement, because a foreign key may point into any of them.
"""

from __future__ import annotations

from importlib import import_module

TABLES = (
    "anomalyos.accounts.tables",
    "anomalyos.models.tables",
    "anomalyos.quality.tables",
    "anomalyos.inspection.tables",
    "anomalyos.inspection.lease_tables",
    "anomalyos.cases.tables",
    "anomalyos.knowledge.tables",
    "anomalyos.classifier.tables",
    "anomalyos.explain.tables",
    "anomalyos.reports.tables",
    "anomalyos.drift.tables",
    "anomalyos.arena.tables",
)


def load_tables() -> None:
    """Import the tables of every domain, which fills ``SQLModel.metadata``."""
    for name in TABLES:
        import_module(name)
