"""Versions in MLflow: once each, with their lineage, and aliases that follow the pointer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import aliases, experiment_log, pointer, tracking
from anomalyos.models import versions as model_versions
from anomalyos.models.tracking import CATEGORY, KEY


@dataclass
class Plant:
    settings: Settings
    store: Store

    def runs(self, category: str = "stripes") -> list[str]:
        client = tracking.tracking_client(self.settings)
        number = tracking.experiment_id(client, self.settings, tracking.PATCHCORE)
        return [run.info.run_id for run in client.search_runs([number], f"tags.`{CATEGORY}` = '{category}'")]

    def aliases(self, category: str = "stripes") -> dict[str, str]:
        """Our version number by alias."""
        client = tracking.tracking_client(self.settings)
        model = client.get_registered_model(aliases.model_name(category))
        return {
            alias: client.get_model_version(model.name, number).tags[tracking.NUMBER]
            for alias, number in model.aliases.items()
        }


@pytest.fixture(autouse=True)
def follow_at_once() -> None:
    """Not here: the process of its own is what is tested."""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, built_home: Path) -> Iterator[Plant]:
    """A home with two learned products and an MLflow of its own, for all tests: making one takes seconds."""
    home = tmp_path_factory.mktemp("plant")
    shutil.copytree(built_home, home, dirs_exist_ok=True)
    settings = Settings(
        home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", mlflow_tracking_uri="", _env_file=None
    )
    store = Store(settings)
    yield Plant(settings, store)
    store.close()


def test_a_version_is_a_run_and_a_registered_model_once(plant: Plant) -> None:
    first = experiment_log.log_version(plant.settings, plant.store, "stripes", 1, seconds=2.5)
    again = experiment_log.log_version(plant.settings, plant.store, "stripes", 1)
    assert first == again
    assert plant.runs() == [first["run_id"]]
    run = tracking.tracking_client(plant.settings).get_run(first["run_id"])
    assert run.data.metrics["image_auroc"] == 1.0
    assert run.data.metrics["image_auroc_low95"] <= 1.0
    assert run.data.metrics["seconds"] == 2.5
    assert run.data.params["backbone"] == "tf_efficientnet_lite0"
    assert run.data.params["trained_on_images"] == "12"
    assert len(run.data.tags["anomalyos.data_hash"]) == 64
    assert len(run.data.tags["mlflow.source.git.commit"]) in (0, 40)
    assert run.data.tags["mlflow.note.content"] == "Gate: passed. First model of this category."
    files = {file.path for file in tracking.tracking_client(plant.settings).list_artifacts(first["run_id"])}
    assert files == {"bundle", "scores.png", "roc.png"}
    assert plant.aliases() == {"champion": "1"}


def test_a_run_that_was_killed_half_way_is_written_anew(plant: Plant) -> None:
    with plant.store.session(read_only=True) as session:
        version = model_versions.by_version(session, "dots", 1)
    client = tracking.tracking_client(plant.settings)
    number = tracking.experiment_id(client, plant.settings, tracking.PATCHCORE)
    client.create_run(number, tags={KEY: version.content_key, CATEGORY: "dots"})
    logged = experiment_log.log_version(plant.settings, plant.store, "dots", 1)
    assert plant.runs("dots") == [logged["run_id"]]
    assert client.get_run(logged["run_id"]).info.status == "FINISHED"


def test_aliases_follow_every_move_of_the_pointer(plant: Plant) -> None:
    settings, store = plant.settings, plant.store
    experiment_log.log_version(settings, store, "stripes", 1)
    second = rebuild_category("stripes", settings, store, RebuildOptions(force=True), run_id="again")
    assert second["promoted"]
    experiment_log.log_version(settings, store, "stripes", second["version"])
    assert plant.aliases() == {"champion": "2"}
    pointer.roll_back(store, settings, category="stripes", actor="erik", reason="alarms")
    # the process that was started then may not have ended yet: what it does is asked for here
    aliases.follow_pointer(settings, store, "stripes")
    assert plant.aliases() == {"champion": "1", "challenger": "2"}


def test_a_pointer_moved_elsewhere_is_followed_by_a_process_of_its_own(plant: Plant) -> None:
    experiment_log.log_version(plant.settings, plant.store, "stripes", 1)
    client, name = tracking.tracking_client(plant.settings), aliases.model_name("stripes")
    client.delete_registered_model_alias(name, "champion")
    environment = {"ANOMALYOS_HOME": str(plant.settings.home), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-P", "-m", "anomalyos.models.aliases", "stripes"]
    subprocess.run(command, env=environment, check=True, cwd=plant.settings.home)
    assert plant.aliases()["champion"] == "1"


def test_nothing_is_started_where_no_mlflow_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "run", lambda *args, **_: started.append(args))
    aliases.follow_soon(Settings(home=tmp_path, mlflow_tracking_uri="", _env_file=None), "stripes")
    assert started == []


def test_an_mlflow_that_is_down_loses_nothing(plant: Plant) -> None:
    away = plant.settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})
    result = experiment_log.log_version(away, plant.store, "stripes", 1)
    assert "could not be used" in result["error"]
    assert "run_id" not in result
