"""A home as large as a plant's after a quarter: ``python -m tests.benchmarks.console_seed``.

The home is ``ANOMALYOS_HOME``, the database ``ANOMALYOS_DATABASE_URL`` or SQLite in it. The same seed gives
the same rows; only the days depend on when it runs, because pages look back from today.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, insert, text
from sqlmodel import SQLModel, col, select

from anomalyos.accounts.tables import AuditEvent
from anomalyos.inspection.tables import Batch, BatchKind, Decision, Inspection, Review, Verdict
from anomalyos.products.sample import DEFECTS
from tests.benchmarks import console_seed_cases
from tests.benchmarks.console_seed_products import REVIEWERS, Product, learn, newest_day, write_people

if TYPE_CHECKING:
    from anomalyos.core.settings import Settings
    from anomalyos.db.engine import Store

GROUPS = 60
SHARES = {
    Verdict.NORMAL: 0.86,
    Verdict.ANOMALOUS: 0.12,
    Verdict.UNKNOWN_CATEGORY: 0.01,
    Verdict.REJECTED: 0.01,
}
CHUNK = 5_000


@dataclass(frozen=True)
class Scale:
    inspections: int = 100_000
    nights: int = 90
    cases: int = 20_000


def seed(settings: Settings, store: Store, scale: Scale) -> None:
    """Fill an empty home; one that holds inspections already is left as it is."""
    with store.session(read_only=True) as session:
        if session.exec(select(func.count()).select_from(Inspection)).one() >= scale.inspections:
            return
    say("people, models and pictures")
    write_people(store)
    products = learn(settings, store)
    say("inspections and reviews")
    rng = np.random.default_rng(20260101)
    days = [newest_day() - timedelta(days=back) for back in range(scale.nights - 1, -1, -1)]
    # what the templates and the learned products' own nights took already stays free
    number = _highest_id(store, Inspection) + 1
    for index, day in enumerate(days):
        size = scale.inspections // scale.nights + (index < scale.inspections % scale.nights)
        night = Night(day, size, number, newest=index == len(days) - 1)
        _write_night(store, night, products, rng)
        number += size
    advance(store, Inspection)
    say("cases, causes and documents")
    console_seed_cases.seed(settings, store, scale.cases, products[0].flagged + products[1].flagged)
    with store.engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")


@dataclass(frozen=True)
class Night:
    day: date
    size: int
    first_id: int
    newest: bool
    """Nobody has reviewed it yet; the nights before are nearly done."""


def _write_night(store: Store, night: Night, products: list[Product], rng: np.random.Generator) -> None:
    day = night.day.isoformat()
    start = datetime.combine(night.day, datetime.min.time(), UTC) + timedelta(days=1, hours=2)
    with store.session() as session:
        batch = Batch(
            key=f"night-{day}",
            kind=BatchKind.NIGHTLY.value,
            day=day,
            expected=night.size,
            created_at=start,
            finished_at=start + timedelta(hours=2),
        )
        session.add(batch)
        session.flush()
        assert batch.id is not None
        batch_id = batch.id
    verdicts = rng.choice([str(verdict) for verdict in SHARES], night.size, p=list(SHARES.values()))
    rows: list[dict[str, Any]] = []
    reviews: list[dict[str, Any]] = []
    for offset, verdict in enumerate(verdicts):
        product = products[int(rng.integers(len(products)))]
        row = _inspection(night, batch_id, offset, str(verdict), product, rng)
        shown = verdict in (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)
        if shown and not night.newest and rng.random() < 0.97:
            moment = start + timedelta(hours=4, seconds=9.0 * len(reviews) + rng.uniform(2, 8))
            reviews += _reviews(row, product.name, moment, rng)
        rows.append(row)
    write(store, Inspection, rows)
    write(store, Review, reviews)
    write(store, AuditEvent, [_event(review) for review in reviews])


def _inspection(
    night: Night, batch_id: int, offset: int, verdict: str, product: Product, rng: np.random.Generator
) -> dict[str, Any]:
    day, number = night.day.isoformat(), night.first_id + offset
    near = product.flagged if verdict == Verdict.ANOMALOUS else product.normal
    template = near[int(rng.integers(len(near)))]
    source = f"{day}/{product.name}/cam{1 + offset % 4}_{offset:05}.png"
    row = template.model_dump(exclude={"id", "review_version", "decision"}) | {
        "id": number,
        "work_key": hashlib.sha256(f"benchmark {number}".encode()).hexdigest(),
        "batch_id": batch_id,
        "source": source,
        "verdict": verdict,
        "routed_category": product.name,
        "given_category": product.name,
        "category_id": product.category_id,
        "model_version_id": product.version_id,
        "timings_ms": {
            stage: round(spent * rng.uniform(0.8, 1.6), 2) for stage, spent in template.timings_ms.items()
        },
        "review_version": 0,
        "decision": None,
        "created_at": datetime.combine(night.day, datetime.min.time(), UTC)
        + timedelta(days=1, hours=2, seconds=offset),
    }
    if verdict == Verdict.ANOMALOUS:
        assert template.threshold is not None
        rank = int(rng.integers(1, round(0.05 * (GROUPS + 1)) + 1))
        row |= {
            "score": template.threshold * (1 + rng.exponential(0.3)),
            "p_value": rank / (GROUPS + 1),
            "calibration_groups": GROUPS,
        }
    elif verdict != Verdict.NORMAL:
        row |= dict.fromkeys(("category_id", "model_version_id", "score", "threshold", "alpha", "p_value"))
        row |= {"map_path": "", "map_facts": {}, "regions": [], "routed_category": None}
    if verdict == Verdict.REJECTED:
        row |= {"image_id": None, "reject_code": "broken", "reject_reason": "The file ends too early."}
    return row


def _reviews(
    row: dict[str, Any], product: str, moment: datetime, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """One decision, or two by different people; the row takes the newest."""
    people = rng.permutation(len(REVIEWERS))[: 2 if rng.random() < 0.15 else 1]
    found: list[dict[str, Any]] = []
    for version, person in enumerate(people, start=1):
        decision = str(
            rng.choice([Decision.DEFECT, Decision.FALSE_ALARM, Decision.UNSURE], p=[0.62, 0.33, 0.05])
        )
        defect = str(rng.choice(DEFECTS[product])) if decision == Decision.DEFECT else ""
        found.append(
            {
                "inspection_id": row["id"],
                "version": version,
                "kind": "decide",
                "decision": decision,
                "defect_type": defect,
                "note": console_seed_cases.phrase(rng) if rng.random() < 0.1 else "",
                "reviewer": REVIEWERS[person],
                "created_at": moment + timedelta(seconds=3 * version),
            }
        )
        row |= {"decision": decision, "review_version": version}
    return found


def _event(review: dict[str, Any]) -> dict[str, Any]:
    return {
        "actor": review["reviewer"],
        "action": "review.decide",
        "subject": f"inspection:{review['inspection_id']}",
        "detail": {key: review[key] for key in ("version", "decision", "defect_type")},
        "created_at": review["created_at"],
    }


def write(store: Store, table: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        with store.engine.begin() as connection:
            connection.execute(insert(table), rows[start : start + CHUNK])


def _highest_id(store: Store, table: type[Any]) -> int:
    with store.session(read_only=True) as session:
        return session.exec(select(func.max(col(table.id)))).one() or 0


def advance(store: Store, table: type[SQLModel]) -> None:
    """PostgreSQL does not notice ids that were given to it; the next row would collide."""
    if store.engine.dialect.name == "postgresql":
        name = str(table.__tablename__)
        with store.engine.begin() as connection:
            connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")  # noqa: S608
            )


def main(arguments: list[str]) -> int:
    from anomalyos.core.settings import get_settings
    from anomalyos.db.engine import open_store

    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.console_seed", description=__doc__)
    for name, value in (("inspections", 100_000), ("nights", 90), ("cases", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    scale = Scale(**vars(parser.parse_args(arguments)))
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    seed(settings, store, scale)
    say("done")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
