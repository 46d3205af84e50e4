"""Any task of any DAG, killed with SIGKILL at any moment and tried again: everything still agrees.

Two homes do the same work. In one of them every DAG is killed at random moments before it may finish: twice
for every change, four times in the ``full`` rounds. Runs that are tried again keep their id, as Airflow's
retries do.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from anomalyos.cases.tables import CaseVector, DefectCase
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import simulation
from anomalyos.drift.tables import DriftAlarm, DriftCheck
from anomalyos.inspection.tables import Image, Inspection
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.models import aliases, categories, pointer
from anomalyos.models.tables import ModelVersion, Promotion
from anomalyos.ops.maintenance.backup import list_backups, restore_backup
from anomalyos.ops.supervisor.airflow_env import airflow_environment
from tests.dags.runner import DagServer
from tests.drift.drift_home import RULES, small_windows
from tests.support.products import picture, write_product

DAY = "2026-11-23"
PRODUCTS = ("dots", "stripes")
WORK: tuple[tuple[str, dict[str, Any]], ...] = (
    ("rebuild_indexes", {}),
    ("nightly_inspection", {"date": DAY}),
    ("drift_report", {}),
    ("retrain", {"coreset_ratio": 0.5, "alpha": 0.2}),
    ("evaluate_retrieval", {}),
    ("maintenance", {}),
)
AT = "2026-11-24T05:00:00+00:00"

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1500)]


class Plant:
    """One home, and how long each DAG took there."""

    def __init__(self, home: Path, server: DagServer, migrated_airflow: Path) -> None:
        self.settings = furnish(home, migrated_airflow)
        self.server = server
        self.log = home / "runs.log"
        self.seconds: dict[str, float] = {}
        self.environment = airflow_environment(self.settings) | {
            "ANOMALYOS_THREADS": "1",
            "ANOMALYOS_SHARD_SIZE": "4",
            "ANOMALYOS_INCLUDE_DIR": str(self.settings.include_dir),
        }

    def run(self, dag: str, conf: dict[str, Any], kill_after: float | None = None) -> int:
        """Exit status of one run: 0 for success, -9 when it was killed before it ended."""
        run = self.server.start(dag, conf, self.environment, self.log, at=AT)
        begun = time.monotonic()
        if kill_after is not None:
            time.sleep(kill_after)
            run.kill()
        status = run.wait()
        if kill_after is None:
            self.seconds[dag] = time.monotonic() - begun
        return status


def furnish(home: Path, migrated_airflow: Path) -> Settings:
    """Two products to learn, a night to inspect."""
    settings = Settings(home=home, threads=1, _env_file=None)
    home.mkdir()
    # thresholds that which images came first cannot reach, and another lamp can
    small_windows(settings, RULES.replace("reference: 14", "reference: 10").replace("d: 1.0", "d: 3.0"))
    for product in PRODUCTS:
        write_product(settings.data_dir, product, good=2, flawed=3)
        for number in range(20):
            path = settings.inbox_dir / DAY / product / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(product, 7000 + number, flawed=number % 10 == 9))
            os.utime(path, (time.time() - 60, time.time() - 60))
    settings.airflow_home.mkdir(parents=True)
    shutil.copy(migrated_airflow, settings.airflow_home / "airflow.db")
    store = Store(settings)
    store.upgrade()
    store.close()
    return settings


def before(dag: str, settings: Settings) -> None:
    """Something to announce for the drift report."""
    if dag == "drift_report":
        store = Store(settings)
        simulation.inject_drift("dots", settings, store, actor="test", count=14)
        store.close()


def kill_and_finish(
    plant: Plant, dag: str, conf: dict[str, Any], kills: int, long: float, chance: random.Random
) -> int:
    """Kill the DAG ``kills`` times while it runs, then let it end; how often it was killed."""
    killed, share = 0, 1.0
    for _ in range(4 * kills):
        if killed == kills:
            break
        status = plant.run(dag, conf, kill_after=0.1 + chance.random() * long * share)
        assert status in (0, -signal.SIGKILL), plant.log.read_text()[-4000:]
        if status == -signal.SIGKILL:
            killed += 1
        else:
            # what is done already goes quicker: the next one must come sooner to meet it at work
            share *= 0.6
    assert plant.run(dag, conf) == 0, plant.log.read_text()[-4000:]
    return killed


@pytest.mark.parametrize("kills_each", [2, pytest.param(4, marks=pytest.mark.full)])
def test_kills_of_every_dag_leave_what_an_undisturbed_run_leaves(
    tmp_path: Path, migrated_airflow: Path, dag_server: DagServer, kills_each: int
) -> None:
    quiet, disturbed = (
        Plant(tmp_path / name, dag_server, migrated_airflow) for name in ("quiet", "disturbed")
    )
    chance, kills = random.Random(23), Counter[str]()
    for dag, conf in WORK:
        before(dag, quiet.settings)
        assert quiet.run(dag, conf) == 0, quiet.log.read_text()[-4000:]
        before(dag, disturbed.settings)
        kills[dag] = kill_and_finish(disturbed, dag, conf, kills_each, quiet.seconds[dag], chance)
    assert kills.total() >= kills_each * len(WORK) * 5 / 6, kills
    assert min(kills.values()) >= kills_each / 2, kills
    plants = [quiet.settings, disturbed.settings]
    stores = [Store(settings) for settings in plants]
    first, second = (rows(store) for store in stores)
    assert second == first
    assert first["versions"]
    assert len(first["inspections"]) == 40
    assert first["alarms"] == ["dots"]
    for settings, store in zip(plants, stores, strict=True):
        files_agree(settings, store)
        mlflow_agrees(settings, store)
        a_backup_restores(settings, store)
        store.close()


def rows(store: Store) -> dict[str, Any]:
    """What must be the same, whatever was killed."""
    with store.session(read_only=True) as session:
        return {
            "versions": sorted(
                (row.content_key, row.version, row.gate_passed) for row in session.exec(select(ModelVersion))
            ),
            "champions": sorted(
                (row.name, str(session.get_one(ModelVersion, row.champion_id).content_key))
                for row in categories.list_all(session)
            ),
            "promotions": moves(session),
            "inspections": [
                (row.source, row.content_sha256, row.verdict, row.score)
                for row in session.exec(select(Inspection).order_by(Inspection.source))
            ],
            "cases": sorted(row.content_key for row in session.exec(select(DefectCase))),
            "vectors": session.exec(select(func.count(col(CaseVector.id)))).one(),
            "nodes": sorted(row.key for row in knowledge_repository.all_nodes(session)),
            "edges": len(knowledge_repository.all_edges(session)),
            "drift": sorted(
                # which images came first, and so the figures, depends on where a night was interrupted
                (row.category, row.outcome, row.reference_count, row.current_count, row.injected_count)
                for row in session.exec(select(DriftCheck))
            ),
            "alarms": sorted(row.category for row in session.exec(select(DriftAlarm))),
        }


def moves(session: Session) -> list[tuple[str, str, str]]:
    """Every move of a champion's pointer, in order, category by category as their names go."""
    query = select(Promotion).order_by(col(Promotion.id))
    keys = {row.id: row.content_key for row in session.exec(select(ModelVersion))}
    names = {row.id: row.name for row in categories.list_all(session)}
    found = [(names[row.category_id], row.kind, keys[row.to_id]) for row in session.exec(query)]
    return sorted(found, key=lambda move: move[0])  # stable: the order within a category stays


def files_agree(settings: Settings, store: Store) -> None:
    """Every version's bundle is whole, every whole bundle is a version's, every photograph is there."""
    with store.session(read_only=True) as session:
        versions = list(session.exec(select(ModelVersion)))
        images = [row.object_path for row in session.exec(select(Image))]
        checks = list(session.exec(select(DriftCheck)))
    for version in versions:
        pointer.verify(settings, version)
    known = {settings.bundles_dir / version.bundle_path for version in versions}
    whole = {path.parent for path in settings.bundles_dir.rglob("manifest.json")}
    assert {path for path in whole if not path.name.startswith(".writing-")} == known
    for path in images:
        assert store.objects.read(path)
    for check in checks:
        assert not check.page_path or (settings.drift_dir / check.page_path).is_file()


def mlflow_agrees(settings: Settings, store: Store) -> None:
    """One registered version for each model, and the alias where the pointer is."""
    from anomalyos.models import versions as model_versions

    client = aliases.tracking_client(settings)
    for product in PRODUCTS:
        found = client.search_model_versions(f"name = '{aliases.model_name(product)}'")
        with store.session(read_only=True) as session:
            wanted = {row.content_key for row in model_versions.list_versions(session, product)}
            champion = model_versions.champion(session, product)
        assert {row.tags[aliases.KEY] for row in found} == wanted
        assert champion is not None
        held = client.get_model_version_by_alias(aliases.model_name(product), aliases.CHAMPION)
        assert held.tags[aliases.KEY] == champion.content_key


def a_backup_restores(settings: Settings, store: Store) -> None:
    """The newest backup is whole: what it gives back is what it was made of."""
    was = rows(store)
    assert list_backups(settings)
    with store.session() as session:
        for row in session.exec(select(DriftAlarm)):
            session.delete(row)
    restore_backup(settings, store)
    assert rows(store) == was
