"""The console with 100,000 inspections behind it: pages in Chromium, the queue, twenty people at once.

On SQLite, and on PostgreSQL where a server is installed. ``ANOMALYOS_BENCH_SCALE=small`` tries it out.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import col, select

from anomalyos.core.settings import PROJECT_ROOT, Settings, get_settings
from anomalyos.db.engine import Store, close_stores, open_store
from anomalyos.inspection.tables import Batch, Inspection
from console.services.nights import EVERY_NIGHT
from console.services.queue import QueueFilter, QueueService
from tests.benchmarks.console_pages import SMALL, in_the_browser, percentiles
from tests.benchmarks.console_seed import Scale, say, seed
from tests.benchmarks.console_seed_products import LEARNED, PASSWORD
from tests.benchmarks.console_users import EVERY_S, THINK_S, Figures, crowd_while_inspecting
from tests.benchmarks.latency import free_port, wait_until_warm
from tests.benchmarks.record import write_result
from tests.support import postgres

SCALE = Scale(3_000, 10, 500) if SMALL else Scale()
PAGINGS = 20 if SMALL else 200
PEOPLE, ACTIONS = (4, 4) if SMALL else (20, 20)
PAGE_TARGET_MS, PAGING_TARGET_MS, CROWD_TARGET_MS = 1500, 200, 500


@dataclass(frozen=True)
class Subject:
    """What the figures are measured on."""

    base: str
    store: Store
    settings: Settings
    night: str
    items: list[int]
    token: str


def main() -> Path:
    databases: dict[str, Any] = {"sqlite": measure_sqlite()}
    reason = postgres.why_unavailable()
    path = keep(databases, reason)
    if reason is None:
        databases["postgresql"] = measure_postgres()
        path = keep(databases, None)
    return path


def keep(databases: dict[str, Any], reason: str | None) -> Path:
    return write_result(
        "console_load",
        {
            "home": asdict(SCALE),
            "targets_ms": {
                "page interactive, median": PAGE_TARGET_MS,
                "queue paging, p95": PAGING_TARGET_MS,
                "crowd, p95": CROWD_TARGET_MS,
            },
            "crowd": {
                "people": PEOPLE,
                "actions_each": ACTIONS,
                "think_s": THINK_S,
                "an image to inspect every_s": EVERY_S,
            },
            "databases": databases,
            "note": "browser, crowd, database and console share the machine's cores; the console is one "
            "process. Interactive: the socket is up and the page's main content is there, counted from the "
            "navigation's start. The crowd reads pages with their sockets, pictures and searches while one "
            "image after the other is inspected",
            **({"no postgresql": reason} if reason else {}),
        },
    )


def measure_sqlite() -> dict[str, Any]:
    return measure(_folder("sqlite"), "")


def measure_postgres() -> dict[str, Any]:
    with postgres.cluster() as url:
        from sqlalchemy import create_engine, text

        engine = create_engine(url.format(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE console"))
        engine.dispose()
        return measure(_folder("postgresql"), url.format(database="console"))


def _folder(name: str) -> Path:
    home = Path(os.environ.get("ANOMALYOS_BENCH_HOME", PROJECT_ROOT / "var" / "bench"))
    return home / f"console_load_{name}{'_small' if SMALL else ''}"


def measure(home: Path, database_url: str) -> dict[str, Any]:
    os.environ |= {"ANOMALYOS_HOME": str(home), "ANOMALYOS_DATABASE_URL": database_url}
    get_settings.cache_clear()
    settings = get_settings()
    store = open_store(settings)
    begun = time.monotonic()
    store.upgrade()
    seed(settings, store, SCALE)
    seconds = round(time.monotonic() - begun, 1)
    try:
        figures: dict[str, Any] = {"seeding_s": seconds, "queue paging, store": paging_of_the_store(store)}
        with console(settings, store) as subject:
            say("pages in the browser")
            figures |= in_the_browser(subject.base, subject.items[0])
            say("twenty people")
            figures |= with_a_crowd(subject)
        return figures
    finally:
        close_stores()


def paging_of_the_store(store: Store) -> dict[str, Any]:
    """Every night as one queue, decided items too: the largest there is, at every depth."""
    queue, spent = QueueService(store), []
    wanted = QueueFilter(EVERY_NIGHT, decided=None)
    total = queue.page(wanted).total
    for index in range(PAGINGS):
        offset = (index * 7919) % max(total, 1)
        begun = time.perf_counter()
        queue.page(wanted, offset=offset)
        spent.append((time.perf_counter() - begun) * 1000)
    return {"items": total, **percentiles(spent)}


@contextmanager
def console(settings: Settings, store: Store) -> Iterator[Subject]:
    port = free_port()
    base = f"http://localhost:{port}"
    environment = {**os.environ, "ANOMALYOS_CONSOLE_PORT": str(port), "ANOMALYOS_CONSOLE_URL": base}
    with (settings.home / "console.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main"], cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            with httpx.Client(base_url=base, timeout=60) as client:
                wait_until_warm(client)
            yield _subject(base, settings, store)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _subject(base: str, settings: Settings, store: Store) -> Subject:
    from anomalyos.accounts import tokens, users
    from anomalyos.db.rows import stored_id

    with store.session() as session:
        user = users.by_name(session, "erik")
        _, token = tokens.create(
            session,
            user_id=stored_id(user.id),
            name="console_load",
            scopes=["inspect", "read"],
            expires_in_days=1,
            actor="benchmark",
        )
        newest = session.exec(
            select(Batch).where(Batch.kind == "nightly").order_by(col(Batch.day).desc()).limit(1)
        ).one()
        items = session.exec(
            select(Inspection.id).where(Inspection.batch_id == newest.id, Inspection.verdict == "anomalous")
        ).all()
    return Subject(base, store, settings, newest.key, [stored_id(item) for item in items], token)


def with_a_crowd(subject: Subject) -> dict[str, Any]:
    from anomalyos.images.decoding import encode_png
    from anomalyos.products.sample import render

    images = [encode_png(render(LEARNED[0], None, 800_000 + index)[0]) for index in range(8)]
    # the first search reads and the first analytics counts everything; people meet them warm
    for path in ("/knowledge?q=crack", "/analytics", "/analytics?days=90"):
        warm(subject, path)
    crowd, inspections = asyncio.run(
        crowd_while_inspecting(
            subject.base,
            subject.token,
            images,
            LEARNED[0],
            subject.items,
            subject.night,
            people=PEOPLE,
            actions=ACTIONS,
        )
    )
    return {"crowd": summary(crowd), "inspections meanwhile": summary(inspections)}


def warm(subject: Subject, path: str) -> None:
    with httpx.Client(base_url=subject.base, timeout=120) as client:
        client.post("/login", data={"name": "ada", "password": PASSWORD})
        client.get(path).raise_for_status()


def summary(figures: Figures) -> dict[str, Any]:
    everything = [value for values in figures.spent.values() for value in values]
    return {
        "requests": len(everything),
        "failures": figures.failures[:20],
        "all": percentiles(everything),
        **{what: {"n": len(values), **percentiles(values)} for what, values in sorted(figures.spent.items())},
    }
