"""Publishing with a real DVC, and a fresh home that inspects the same without any training."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anomalyos.cases import repository as case_repository
from anomalyos.cli import app
from anomalyos.core.errors import AnomalyOSError, BundleError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches
from anomalyos.inspection.inspector import Inspector
from anomalyos.knowledge import cause_evidence
from anomalyos.learning.case_base import refresh_case_base
from anomalyos.models import pointer
from anomalyos.models import versions as model_versions
from anomalyos.ops.snapshots.artifacts import Artifacts, DvcFailed
from anomalyos.ops.snapshots.snapshot import export_snapshot
from anomalyos.ops.snapshots.snapshot_import import import_snapshot
from anomalyos.ops.supervisor.first_start import prepare
from tests.support.products import picture

DAY = "2026-11-23"


@pytest.fixture(scope="module")
def known_home(built_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two products with champions, known defects, the graph and one established cause."""
    home = tmp_path_factory.mktemp("known")
    shutil.copytree(built_home, home, dirs_exist_ok=True)
    settings = Settings(home=home, _env_file=None)
    store = Store(settings)
    refresh_case_base(["stripes", "dots"], settings, store)
    with store.session() as session:
        case = case_repository.list_cases(session)[0]
        cause_evidence.confirm(
            session,
            case_id=stored_id(case.id),
            defect="defect:carpet/cut",
            cause="cause:worn-cutting-tool",
            actor="mia",
        )
    store.close()
    return home


@pytest.fixture
def plant(known_home: Path, tmp_path: Path) -> Settings:
    shutil.copytree(known_home, tmp_path / "plant")
    return Settings(home=tmp_path / "plant", _env_file=None)


def fresh(home: Path, **values: object) -> tuple[Settings, Store]:
    settings = Settings(home=home, _env_file=None, **values)
    store = Store(settings)
    store.upgrade()
    return settings, store


def scores(settings: Settings, store: Store) -> dict[str, float | None]:
    inspector = Inspector(settings, store)
    with store.session() as session:
        batches.get_or_create(session, key=f"live-{DAY}", kind="live", day=DAY)
    found = {}
    for product in ("stripes", "dots"):
        for seed in (5001, 5002):
            row = inspector.inspect(
                picture(product, seed, flawed=seed == 5002),
                source=f"{product}{seed}",
                batch_key=f"live-{DAY}",
            )
            assert row.routed_category == product
            found[f"{product}{seed} {row.verdict}"] = row.score
    return found


def git(*arguments: str) -> str:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = [str(shutil.which("git")), *names, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_push_clone_pull_and_the_same_scores(plant: Settings, tmp_path: Path) -> None:
    store = Store(plant)
    artifacts = Artifacts(plant)
    first = artifacts.push(store)
    assert first["changed"]
    assert (first["versions"], first["cases"]) == (2, 4)
    assert artifacts.push(store)["changed"] is False
    assert artifacts.status(store)["pushed"] is True
    git("init", str(artifacts.root))
    git("-C", str(artifacts.root), "add", "-A")
    git("-C", str(artifacts.root), "commit", "-m", "models")
    assert set(git("-C", str(artifacts.root), "ls-files").split()) <= {
        ".dvc/.gitignore",
        ".dvc/config",
        ".dvcignore",
        ".gitignore",
        "snapshot.dvc",
    }
    git("clone", str(artifacts.root), str(tmp_path / "clone"))

    there, clone = fresh(tmp_path / "fresh", artifacts_folder=tmp_path / "clone")
    result = Artifacts(there).pull(clone, actor="mia")
    assert (result["versions"], result["promoted"], result["cases"], result["evidence"]) == (2, 2, 4, 1)
    told: list[dict[str, object]] = []
    prepare(there, clone, told.append, sample=True)
    assert [event for event in told if event.get("stage") in {"Models", "Sample pictures"}] == []
    expected, found = scores(plant, store), scores(there, clone)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-5)
    assert "stripes5002 anomalous" in found
    again = Artifacts(there).pull(clone, actor="mia")
    assert again["known"] is True
    assert sum(again[name] for name in ("versions", "promoted", "cases", "evidence", "nodes")) == 0
    assert similar(there, clone) == similar(plant, store)
    store.close()
    clone.close()


def similar(settings: Settings, store: Store) -> list[tuple[str, float]]:
    from anomalyos.cases.library import CaseLibrary
    from anomalyos.images.decoding import decode_image

    rgb = decode_image(picture("stripes", 5002, flawed=True), settings).rgb
    found = CaseLibrary(settings, store).similar(rgb, None, "stripes", k=2)
    assert len(found) == 2
    return [(case.image_sha256, round(case.similarity, 5)) for case in found]


def test_a_rollback_made_here_outlives_the_next_import(plant: Settings, tmp_path: Path) -> None:
    store = Store(plant)
    export_snapshot(plant, store, tmp_path / "snapshot")
    there, other = fresh(tmp_path / "there")
    assert import_snapshot(there, other, tmp_path / "snapshot", actor="a")["promoted"] == 2
    from anomalyos.learning.rebuild import rebuild_category
    from tests.support.products import write_product

    write_product(there.data_dir, "stripes", train=9, good=2, flawed=2)
    built = rebuild_category("stripes", there, other)
    with other.session(read_only=True) as session:
        champion = model_versions.champion(session, "stripes")
    assert champion is not None
    if not built["promoted"]:
        pointer.promote_version(other, there, category="stripes", version=2, actor="a", reason="newer")
    assert import_snapshot(there, other, tmp_path / "snapshot", actor="a")["promoted"] == 0
    with other.session(read_only=True) as session:
        now = model_versions.champion(session, "stripes")
    assert now is not None
    assert now.version == 2


def test_damaged_or_foreign_artifacts_change_nothing(plant: Settings, tmp_path: Path) -> None:
    store = Store(plant)
    snapshot = tmp_path / "snapshot"
    export_snapshot(plant, store, snapshot)
    there, other = fresh(tmp_path / "there")
    bank = next(snapshot.glob("bundles/*/*/calibration.json"))
    bank.write_bytes(b"{}")
    with pytest.raises(BundleError, match=r"changed or damaged"):
        import_snapshot(there, other, snapshot, actor="a")
    (snapshot / "registry.json").write_text('{"format": "other"}')
    with pytest.raises(AnomalyOSError, match="cannot be read"):
        import_snapshot(there, other, snapshot, actor="a")
    with other.session(read_only=True) as session:
        assert model_versions.list_versions(session) == []


def test_a_path_that_leads_out_of_the_bundles_is_refused(plant: Settings, tmp_path: Path) -> None:
    import json

    snapshot = tmp_path / "snapshot"
    export_snapshot(plant, Store(plant), snapshot)
    document = json.loads((snapshot / "registry.json").read_text())
    document["categories"][0]["versions"][0]["bundle_path"] = "../../etc"
    (snapshot / "registry.json").write_text(json.dumps(document))
    there, other = fresh(tmp_path / "there")
    with pytest.raises(AnomalyOSError, match="not the path of a bundle"):
        import_snapshot(there, other, snapshot, actor="a")


def test_two_machines_that_learned_the_same_keep_both_bundles(plant: Settings, tmp_path: Path) -> None:
    """The same inputs may give other last bits elsewhere: an intact bundle is never replaced."""
    store = Store(plant)
    snapshot = tmp_path / "snapshot"
    export_snapshot(plant, store, snapshot)
    there, other = fresh(tmp_path / "there")
    source = next((snapshot / "bundles" / "dots").iterdir())
    taken = there.bundles_dir / "dots" / source.name
    shutil.copytree(source, taken)
    manifest = taken / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    import_snapshot(there, other, snapshot, actor="a")
    assert manifest.read_bytes().endswith(b"\n")
    with other.session(read_only=True) as session:
        version = model_versions.champion(session, "dots")
    assert version is not None
    assert version.bundle_path != f"dots/{source.name}"
    pointer.verify(there, version)


def test_without_a_pointer_or_a_remote_the_next_step_is_said(settings: Settings, store: Store) -> None:
    with pytest.raises(NotFound, match=r"snapshot\.dvc"):
        Artifacts(settings).pull(store, actor="a")
    done = CliRunner().invoke(app, ["artifacts", "pull"])
    assert done.exit_code == 2
    gone = settings.model_copy(update={"dvc_remote": "http://127.0.0.1:9/x", "dvc_remote_user": "u"})
    with pytest.raises(DvcFailed, match="push failed"):
        Artifacts(gone).push(store)


def test_a_password_lies_only_where_its_owner_reads(settings: Settings, store: Store) -> None:
    secret = Settings(
        home=settings.home,
        dvc_remote="https://dagshub.com/user/repo.dvc",
        dvc_remote_user="user",
        dvc_remote_password="hunter22",
        _env_file=None,
    )
    artifacts = Artifacts(secret)
    artifacts._configure()
    local = artifacts.root / ".dvc" / "config.local"
    assert "hunter22" in local.read_text()
    assert local.stat().st_mode & 0o077 == 0
    others = [path for path in artifacts.root.rglob("*") if path.is_file() and path != local]
    assert [path for path in others if "hunter22" in path.read_text()] == []
    assert "/.dvc/config.local" in (artifacts.root / ".gitignore").read_text()
    assert artifacts._dvc("config", "--local", "remote.origin.auth") == "basic"
