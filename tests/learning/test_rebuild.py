"""Rebuild: from a folder of normal images to the champion, once and only once."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning import job
from anomalyos.learning.job import LearningJob
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.evaluation import evaluate_category
from anomalyos.patchcore import tuning
from anomalyos.patchcore.bundle import FORMAT, load_bundle
from tests.support.products import picture, write_product

FORCED = RebuildOptions(force=True)


def test_a_rebuild_learns_evaluates_and_promotes(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes")
    stages: list[str] = []
    result = rebuild_category(
        "stripes", settings, store, run_id="r1", progress=lambda stage, done, total: stages.append(stage)
    )
    assert (result["version"], result["created"], result["promoted"]) == (1, True, True)
    assert result["metrics"]["image_auroc"] == 1.0
    assert result["metrics"]["pixel_auroc"] > 0.95
    assert result["metrics"]["images"]["test_defective"] == 6
    assert list(dict.fromkeys(stages)) == ["check", "learn", "calibrate", "coreset", "evaluate"]
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "stripes")
    assert champion is not None
    assert champion.run_id == "r1"
    bundle = load_bundle(settings.bundles_dir / champion.bundle_path, champion.bundle_sha256)
    assert len(bundle.training_images) == 12
    # twelve images cannot promise 5 %: the strictest possible is kept and said
    assert champion.alpha == pytest.approx(1 / 13)


def test_unchanged_inputs_make_no_second_version(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes")
    rebuild_category("stripes", settings, store)
    again = rebuild_category("stripes", settings, store)
    assert (again["version"], again["created"], again["promoted"]) == (1, False, False)
    forced = rebuild_category("stripes", settings, store, FORCED)
    assert (forced["version"], forced["created"], forced["promoted"]) == (2, True, True)
    evaluation = evaluate_category("stripes", settings, store)
    assert evaluation["version"] == 2
    assert evaluation["image_auroc"] == 1.0
    assert evaluation["bundle_bytes"] > 10_000
    assert evaluation["false_alarms"]["0.1"]["of"] == 6


@pytest.mark.parametrize(("killed_in", "row_was_kept"), [("record", False), ("pass_gate", True)])
def test_a_killed_rebuild_continues_where_it_stopped(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, killed_in: str, row_was_kept: bool
) -> None:
    write_product(settings.data_dir, "dots")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"anomalyos.learning.rebuild.{killed_in}", die)
        with pytest.raises(KeyboardInterrupt):
            rebuild_category("dots", settings, store)
    assert len(list((settings.bundles_dir / "dots").iterdir())) == 1
    result = rebuild_category("dots", settings, store)
    assert (result["version"], result["created"], result["promoted"]) == (1, not row_was_kept, True)
    assert len(list((settings.bundles_dir / "dots").iterdir())) == 1


def test_a_retried_forced_rebuild_makes_one_version(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "dots")
    first = rebuild_category("dots", settings, store, FORCED, run_id="manual-1")
    retried = rebuild_category("dots", settings, store, FORCED, run_id="manual-1")
    assert (first["created"], retried["created"], retried["version"]) == (True, False, first["version"])
    assert rebuild_category("dots", settings, store, FORCED, run_id="manual-2")["version"] == 2


def test_a_rollback_by_a_person_is_not_undone_by_the_next_rebuild(settings: Settings, store: Store) -> None:
    root = write_product(settings.data_dir, "stripes")
    rebuild_category("stripes", settings, store)
    (root / "train/good/900.png").write_bytes(picture("stripes", 900))
    assert rebuild_category("stripes", settings, store)["version"] == 2
    with store.session() as session:
        promotions.rollback(session, category_name="stripes", actor="mia", reason="too many false alarms")
    assert rebuild_category("stripes", settings, store)["promoted"] is False
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "stripes")
        assert categories.by_name(session, "stripes").pointer_version == 3
    assert champion is not None
    assert champion.version == 1


def test_a_worse_challenger_stays_a_challenger(settings: Settings, store: Store) -> None:
    root = write_product(settings.data_dir, "stripes")
    rebuild_category("stripes", settings, store)
    # flawed parts among the normal ones: the next model learns that stains are normal
    for i in range(6):
        shutil.copy(root / f"test/stain/{i:03}.png", root / f"train/good/flawed{i}.png")
    result = rebuild_category("stripes", settings, store)
    assert (result["version"], result["promoted"]) == (2, False)
    assert result["gate"]["passed"] is False
    assert "fell from 1.0000" in result["gate"]["reason"]
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "stripes")
        challenger = model_versions.by_version(session, "stripes", 2)
    assert champion is not None
    assert champion.version == 1
    assert challenger.gate_reason == result["gate"]["reason"]


def test_unreadable_training_images_are_left_out_and_named(settings: Settings, store: Store) -> None:
    root = write_product(settings.data_dir, "dots")
    (root / "train/good/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    rebuild_category("dots", settings, store)
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "dots")
    assert champion is not None
    manifest = load_bundle(settings.bundles_dir / champion.bundle_path).manifest
    assert [entry["file"] for entry in manifest["rejected_images"]] == ["broken.png"]
    assert len(manifest["training_images"]) == 12


def test_too_few_images_are_refused(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "dots", train=4)
    with pytest.raises(AnomalyOSError, match="4 readable normal images"):
        rebuild_category("dots", settings, store)


def test_a_damaged_champion_is_reported_not_used(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "dots")
    rebuild_category("dots", settings, store)
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "dots")
    assert champion is not None
    bank = settings.bundles_dir / champion.bundle_path / "bank.faiss"
    bank.write_bytes(bank.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"bank\.faiss"):
        evaluate_category("dots", settings, store)


def test_a_key_holds_the_version_of_the_code_that_computes_it(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(settings.data_dir, "dots", train=6, good=0, flawed=0)
    monkeypatch.setattr(job, "ALGORITHM", 1)
    options = RebuildOptions(dry_run=True)
    before = LearningJob("dots", settings, store, options)
    parts = {
        "data": before.data.content_hash(),
        "recipe": before.recipe.digest(),
        "weights": before.weights,
        "alpha": before.own.alpha,
        "format": FORMAT,
        "folds": [10, 5, 200],
        "salt": "",
    }
    old = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    assert before.key == old, "a key from before it held the version is still the same"
    made = rebuild_category("dots", settings, store)
    assert (made["version"], made["promoted"]) == (1, True)
    monkeypatch.setattr(job, "ALGORITHM", 2)
    changed = rebuild_category("dots", settings, store, options)
    assert LearningJob("dots", settings, store, options).key != old
    assert (changed["version"], changed["images"]) == (None, 6), "other code: no version is made of this yet"
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "dots")
    assert champion is not None
    assert champion.content_key == old, "what inspects goes on until something better is built"


def test_auto_chooses_once_and_keeps_what_it_chose(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "recipe", "auto")
    monkeypatch.setattr(tuning, "CANDIDATES", ("lite", "lite2"))
    write_product(settings.data_dir, "dots")
    stages: list[str] = []
    result = rebuild_category("dots", settings, store, progress=lambda stage, *_: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["check", "tune", "learn", "calibrate", "coreset", "evaluate"]
    choice = result["metrics"]["tuning"]
    assert [row["recipe"] for row in choice["candidates"]] == ["lite", "lite2"]
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "dots")
    assert champion is not None
    assert champion.recipe == choice["chosen"]
    bundle = load_bundle(settings.bundles_dir / champion.bundle_path)
    assert bundle.manifest["tuning"]["candidates"] == choice["candidates"]

    stages.clear()
    again = rebuild_category("dots", settings, store, progress=lambda stage, *_: stages.append(stage))
    assert (again["created"], again["metrics"]["tuning"]) == (False, choice)
    for number in (90, 91):
        (settings.data_dir / f"dots/train/good/{number:03}.png").write_bytes(picture("dots", number))
    more = rebuild_category("dots", settings, store, progress=lambda stage, *_: stages.append(stage))
    assert (more["created"], more["metrics"]["tuning"]) == (True, choice)
    assert "tune" not in stages, "a champion's recipe is kept until somebody asks for a choice"
    rebuild_category(
        "dots", settings, store, RebuildOptions(recipe="auto"), progress=lambda s, *_: stages.append(s)
    )
    assert "tune" in stages


def test_a_product_learned_before_recipes_were_chosen_keeps_its_own(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(settings.data_dir, "dots")
    rebuild_category("dots", settings, store)
    monkeypatch.setattr(settings, "recipe", "auto")
    again = rebuild_category("dots", settings, store)
    assert (again["version"], again["created"]) == (1, False)
