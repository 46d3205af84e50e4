"""The stores of ``tests/store``: everything here holds on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.store.conftest import backend, postgres_cluster, store, store_settings

__all__ = ["backend", "postgres_cluster", "store", "store_settings"]
