"""One real console for all browser tests: two small products, a reviewed night, known defects and causes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from sqlmodel import col, select

from anomalyos.accounts import users
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Batch, Inspection
from tests.e2e.browser import PATIENCE, Browser
from tests.e2e.whole import free_port
from tests.support import postgres
from tests.support.products import picture, write_product

if TYPE_CHECKING:
    from anomalyos.inspection.inspector import Inspector

PASSWORD = "correct-horse-battery"
PEOPLE = {"victor": "viewer", "mia": "reviewer", "erik": "engineer", "ada": "admin"}
PRODUCTS = ("stripes", "dots")
SEEDED_DAY = "2026-11-10"
"""The night that is there from the start: five flawed parts of each product, some of them decided."""
SEEDED_NIGHT = f"night-{SEEDED_DAY}"
COMPARED = "lite is as good as the best."
"""Why the second version of the dots has its recipe."""
FOREIGN = ("ANOMALYOS_", "PYTEST_", "NICEGUI_")
"""Prefixes of variables the console must not see; NiceGUI behaves differently inside pytest."""


@dataclass
class Running:
    """The console in its own process, and its home seen from here."""

    base: str
    store: Store
    settings: Settings
    inspector: Inspector

    @property
    def log(self) -> str:
        """What the console has written so far."""
        return (self.settings.home / "console.log").read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The console as people start it, on a free port; stopped with SIGTERM, which must be enough.

    All browser tests share it. A test that decides, uploads or edits does so on what it made itself:
    ``new_night`` gives it a night of its own.
    """
    home = tmp_path_factory.mktemp("console-home")
    with database() as url, (home / "console.log").open("w") as log:
        running = prepare(home, url)
        environment = console_environment(home, running.base) | (
            {"ANOMALYOS_DATABASE_URL": url} if url else {}
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main"], cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until_healthy(running.base, process)
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
        finally:
            running.store.close()
            if process.poll() is None:
                process.kill()
                process.wait()
    assert "Traceback" not in running.log, running.log[-6000:]


@contextmanager
def database() -> Iterator[str]:
    """URL of the database the console is tested on: SQLite, or PostgreSQL with ``E2E_DATABASE=postgres``."""
    if os.environ.get("E2E_DATABASE") != "postgres":
        yield ""
        return
    with postgres.cluster() as url:
        yield url.format(database="postgres").replace("+psycopg:", ":")


@pytest.fixture
def browser(running: Running, tmp_path: Path) -> Iterator[Browser]:
    """A fresh browser: no cookies, nothing stored."""
    browser = Browser(tmp_path / "profile", running.base)
    try:
        yield browser
    finally:
        browser.driver.quit()


def sign_in(browser: Browser, name: str) -> None:
    """Through the form, as people do; leaves the browser at the queue of the newest night."""
    browser.open("/login")
    browser.fill("#login-name", name)
    browser.fill("#login-password", PASSWORD + "\n")
    browser.find(".aos-rail")
    browser.loaded()


def new_night(
    running: Running,
    day: str,
    *,
    products: Sequence[str] = PRODUCTS,
    flawed: int = 3,
    good: int = 1,
    torn: int = 0,
) -> str:
    """A night of its own for one test, inspected by the real models.

    Args:
        day: ``YYYY-MM-DD``; one that no other test uses, so that none depends on another's leftovers.
        flawed: parts of each product with a defect, named ``000.png`` on; good ones follow.
        torn: further files of the last product that cannot be decoded.

    Returns:
        The batch's key, for addresses such as ``/?batch=KEY``.
    """
    from anomalyos.inspection.nightly import discover, inspect_shard, summarise
    from anomalyos.inspection.nights import batch_key

    key = batch_key(day)
    with running.store.session(read_only=True) as session:
        taken = session.exec(select(Batch.id).where(Batch.key == key)).first()
    assert taken is None, f"another test uses {day} already"
    first = 10_000 + crc32(day.encode()) % 1_000_000
    for product in products:
        folder = running.settings.inbox_dir / day / product
        folder.mkdir(parents=True)
        for index in range(flawed + good):
            part = picture(product, first + index, flawed=index < flawed)
            (folder / f"{index:03}.png").write_bytes(part)
    for index in range(torn):
        (folder / f"torn{index}.png").write_bytes(picture(product, 1)[: 200 + index])
    for path in (running.settings.inbox_dir / day).rglob("*.png"):
        # old enough that nobody waits for it to grow
        os.utime(path, (time.time() - 60, time.time() - 60))
    for shard in discover(running.settings, running.store, day):
        inspect_shard(shard, running.settings, running.store, inspector=running.inspector)
    summarise(running.settings, running.store, day)
    return key


def flagged(running: Running, night: str, product: str | None = None) -> list[int]:
    """Inspections of a night that wait for a decision, in the order of the queue."""
    with running.store.session(read_only=True) as session:
        rows = inspections.queue(session, batch_key=night, category=product, limit=200)
        return [row.id for row in rows if row.id is not None]


def known_ids(running: Running) -> dict[str, object]:
    """Values for the parameters in addresses: something from the start of the run for each."""
    from anomalyos.cases import repository as case_repository

    with running.store.session(read_only=True) as session:
        night = select(Batch.id).where(Batch.key == SEEDED_NIGHT).scalar_subquery()
        scored = select(Inspection.id).where(Inspection.batch_id == night, Inspection.verdict == "anomalous")
        return {
            "inspection_id": session.exec(scored.order_by(col(Inspection.id))).first(),
            "case_id": case_repository.list_cases(session, category="dots")[0].id,
        }


def prepare(home: Path, url: str = "") -> Running:
    """Everything that has to be in ``home`` before the console starts."""
    from anomalyos.inspection.inspector import Inspector
    from anomalyos.learning.case_base import refresh_case_base
    from anomalyos.learning.options import RebuildOptions
    from anomalyos.learning.rebuild import rebuild_category

    settings = Settings(home=home, database_url=url, _env_file=None)
    store = Store(settings)
    store.upgrade()
    for product in PRODUCTS:
        write_product(settings.data_dir, product)
        assert rebuild_category(product, settings, store)["promoted"]
    # a second version, so that there is something to promote and to roll back to
    assert rebuild_category("dots", settings, store, RebuildOptions(force=True), run_id="second")["created"]
    with store.session() as session:
        for name, role in PEOPLE.items():
            users.create(session, name=name, password=PASSWORD, role=role, actor="test")
    running = Running(f"http://localhost:{free_port()}", store, settings, Inspector(settings, store))
    new_night(running, SEEDED_DAY, flawed=5, good=2, torn=1)
    _decide_some(running)
    refresh_case_base(PRODUCTS, settings, store)
    _teach_causes(store)
    _compare_recipes(store)
    return running


def _compare_recipes(store: Store) -> None:
    """The second version of the dots, as if its recipe had been chosen: a real choice takes minutes."""
    from anomalyos.models import versions as model_versions
    from anomalyos.patchcore.tuning import Candidate, Tuning

    kinds = {"blob": 0.97, "blur": 0.81, "scratch": 0.93}
    rows = (
        Candidate("dinov2_s", 0.91, 0.07, 0.012, kinds, 61.0),
        Candidate("lite", 0.974, 0.006, 0.004, kinds, 24.0),
        Candidate("lite_448", 0.98, 0.0, 0.0, kinds, 88.0),
    )
    tuning = Tuning("lite", COMPARED, rows, 60, ("a", "b", "c"))
    with store.session() as session:
        version = model_versions.by_version(session, "dots", 2)
        version.metrics = {**version.metrics, "tuning": tuning.to_json()}
        session.add(version)


def _decide_some(running: Running) -> None:
    """Two reviewers, mostly of one mind: the seeded night is half decided."""
    waiting = flagged(running, SEEDED_NIGHT)
    decisions = (
        ("mia", "defect", "stain"),
        ("erik", "defect", "stain"),
        ("mia", "false_alarm", ""),
        ("erik", "unsure", ""),
    )
    for inspection_id, (who, decision, defect) in zip(waiting, decisions, strict=False):
        with running.store.session() as session:
            reviews.decide(
                session,
                inspection_id=inspection_id,
                decision=decision,
                actor=who,
                expected_version=0,
                defect_type=defect,
            )
    # erik looked again at what mia had called a false alarm
    with running.store.session() as session:
        reviews.decide(
            session,
            inspection_id=waiting[2],
            decision="defect",
            actor="erik",
            expected_version=1,
            defect_type="stain",
            note="Small, but it is there.",
        )


def _teach_causes(store: Store) -> None:
    """The made-up products' only defect, joined to causes of the seeded graph; one case with its cause."""
    from anomalyos.cases import repository as case_repository
    from anomalyos.knowledge import edits, grammar
    from anomalyos.knowledge.tables import Relation

    causes = {"cause:liquid-spill": 3.0, "cause:insufficient-cleaning": 2.0, "cause:ink-transfer": 1.0}
    with store.session() as session:
        for product in PRODUCTS:
            category, defect = grammar.category_key(product), grammar.defect_key(product, "stain")
            edits.add_node(session, category, name=product.capitalize(), actor="erik")
            edits.add_node(
                session,
                defect,
                name="Stain",
                text="A red patch with a sharp edge.",
                attributes={"severity": "functional"},
                actor="erik",
            )
            edits.add_edge(session, category, Relation.HAS_DEFECT, defect, actor="erik")
            for cause, weight in causes.items():
                edits.add_edge(session, defect, Relation.CAUSED_BY, cause, weight=weight, actor="erik")
    with store.session() as session:
        known = case_repository.list_cases(session, category="dots")
        assert known, "no case was taken in"
        edits.confirm_cause(session, known[0].id or 0, "cause:liquid-spill", actor="erik", note="")


def console_environment(home: Path, base: str) -> dict[str, str]:
    """The environment a console over ``home`` at ``base`` is started in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return environment | {
        "ANOMALYOS_HOME": str(home),
        "ANOMALYOS_CONSOLE_PORT": base.rpartition(":")[2],
        "ANOMALYOS_CONSOLE_URL": base,
        "OMP_NUM_THREADS": "2",
    }


def wait_until_healthy(base: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "the console ended by itself"
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=5) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("the console did not answer in time")
