"""Prometheus figures of this console process and of the database behind it.

Counts come from the database at scrape time, so they hold for every process and survive restarts;
the latency histogram covers the inspections this process made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, Info, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func
from sqlmodel import Session, col, select

import anomalyos
from anomalyos.db.engine import Store
from anomalyos.inspection.tables import Decision, Inspection, Review, Verdict
from console.services import nights

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry a console, so tests and reloads never meet each other's figures."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_DatabaseCounts(store))
        self._seconds = Histogram(
            "anomalyos_inspection_stage_seconds",
            "Seconds per stage of the inspections made by this console process",
            ["stage"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        build = Info("anomalyos_build", "Versions of this console", registry=self.registry)
        build.info(versions())

    def observe(self, timings_ms: Mapping[str, float]) -> None:
        """Count one inspection's stages, in milliseconds by stage name."""
        for stage, milliseconds in timings_ms.items():
            self._seconds.labels(stage=stage).observe(milliseconds / 1000)

    def render(self) -> bytes:
        """The exposition text; reads the database, so never from the event loop."""
        return generate_latest(self.registry)


class _DatabaseCounts(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        with self._store.session(read_only=True) as session:
            verdicts = dict(
                session.exec(select(Inspection.verdict, func.count()).group_by(col(Inspection.verdict))).all()
            )
            decisions = dict(
                session.exec(select(Review.decision, func.count()).group_by(col(Review.decision))).all()
            )
            waiting = nights.open_items(session)
        inspected = CounterMetricFamily(
            "anomalyos_inspections", "Images inspected, by verdict, over all processes", labels=["verdict"]
        )
        for verdict in Verdict:
            inspected.add_metric([verdict.value], verdicts.get(verdict.value, 0))
        reviewed = CounterMetricFamily(
            "anomalyos_review_decisions", "Review versions written, by decision", labels=["decision"]
        )
        for decision in Decision:
            reviewed.add_metric([decision.value], decisions.get(decision.value, 0))
        yield inspected
        yield reviewed
        yield GaugeMetricFamily("anomalyos_queue_depth", "Flagged items that wait for a decision", waiting)

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not touch the database."""
        return []


def _count_by(session: Session, column: str) -> dict[str, int]:
    return dict(session.exec(select(column, func.count()).group_by(col(column))).all())


def versions() -> dict[str, str]:
    """Versions of what answers here, without importing anything heavy."""
    from importlib.metadata import version

    return {
        "anomalyos": anomalyos.__version__,
        "nicegui": version("nicegui"),
        "torch": version("torch"),
        "faiss": version("faiss-cpu"),
    }
