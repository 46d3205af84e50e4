"""What one rebuild does otherwise, and the review loop's normals."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from anomalyos.cli import app, load
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.forms import AS_SET
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.explain.methods import training_image
from anomalyos.inspection import batches
from anomalyos.inspection.reviewed_normals import reviewed_normals
from anomalyos.inspection.tables import Image, Inspection
from anomalyos.learning.options import RebuildOptions, RetrainingOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.learning.reviewed import reviewed_samples
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import load_bundle
from anomalyos.products.category_settings import CategorySettings
from anomalyos.products.dataset import load_category
from tests.support.products import picture, write_product

OWN = CategorySettings(recipe="lite", alpha=0.05, changes={"input_size": 448})


def called(store: Store, data: bytes, decision: str | None, *, category: str = "stripes") -> str:
    """An inspected image and what people decided about it; returns its SHA-256."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = store.objects.put(data, ".png")
    with store.session() as session:
        batch = batches.get_or_create(session, key="night-2026-11-01", kind="nightly", day="2026-11-01")
        image = Image(
            sha256=sha256, object_path=path, format="PNG", width=96, height=96, size_bytes=len(data)
        )
        session.add(image)
        session.flush()
        session.add(
            Inspection(
                work_key=sha256,
                batch_id=stored_id(batch.id),
                image_id=image.id,
                source=f"{sha256[:6]}.png",
                content_sha256=sha256,
                verdict="anomalous",
                category_id=categories.ensure(session, category).id,
                decision=decision,
            )
        )
    return sha256


def newest(store: Store, category: str) -> ModelVersion:
    with store.session(read_only=True) as session:
        return model_versions.list_versions(session, category)[0]


def test_empty_fields_of_a_form_change_nothing() -> None:
    options = RebuildOptions.of({"recipe": AS_SET, "alpha": None, "coreset_ratio": "", "use_reviewed": False})
    assert options == RebuildOptions()
    assert RetrainingOptions.of({"recipe": AS_SET, "trials": None}) == RetrainingOptions()
    assert options.applied(OWN) == OWN


def test_options_stand_above_the_categorys_settings() -> None:
    applied = RebuildOptions(coreset_ratio=0.02, alpha=0.1).applied(OWN)
    assert applied.build_recipe().coreset_ratio == 0.02
    assert applied.build_recipe().input_size == 448
    assert applied.alpha == 0.1
    other = RebuildOptions(recipe="lite2").applied(OWN)
    assert (other.recipe, other.changes) == ("lite2", {})


@pytest.mark.parametrize("values", [{"coreset_ratio": 0.0}, {"coreset_ratio": 1.5}, {"alpha": 0.9}])
def test_impossible_shares_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(AnomalyOSError, match="cannot be the"):
        RebuildOptions.of(values)
    with pytest.raises(ValidationError, match="cannot be the"):
        RebuildOptions(**values)


def test_the_command_asks_what_the_form_asks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {option.name: option for option in load("rebuild").params}
    for name, field in RebuildOptions.questions().items():
        option = options.pop(name)
        assert option.opts == ["--category" if name == "categories" else f"--{name.replace('_', '-')}"]
        assert (option.default or field.default) == field.default
        bounded = field.minimum is not None and field.maximum is not None
        bounds = f"{field.minimum:g}..{field.maximum:g}" if bounded else "|".join(field.choices)
        assert (option.metavar or "") == bounds
    assert set(options) == {"as_json"}
    monkeypatch.setenv("COLUMNS", "200")
    refused = CliRunner().invoke(app, ["rebuild", "--alpha", "3"])
    assert refused.exit_code == 2
    sentence = '3 cannot be the value of "Alpha": it must be a number from 0.001 to 0.5, or empty.'
    assert sentence in refused.output


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AnomalyOSError, match="There is no option epochs, trials"):
        RebuildOptions.of({"trials": 10, "epochs": None})


def test_what_airflow_is_told_is_what_was_asked() -> None:
    options = RetrainingOptions(categories=("dots",), coreset_ratio=0.05, trials=3, force=True)
    assert RetrainingOptions.of(options.filled_in()) == options
    assert options.filled_in()["recipe"] == AS_SET


def test_only_images_everybody_calls_normal_are_learned(settings: Settings, store: Store) -> None:
    root = write_product(settings.data_dir, "stripes")
    learned = called(store, picture("stripes", 900), "false_alarm")
    called(store, picture("stripes", 901), "defect")
    called(store, picture("stripes", 902), None)
    called(store, picture("dots", 903), "false_alarm", category="dots")
    called(store, (root / "test/good/000.png").read_bytes(), "false_alarm")
    called(store, (root / "train/good/000.png").read_bytes(), "false_alarm")
    gone = called(store, picture("stripes", 904), "false_alarm")
    with store.session(read_only=True) as session:
        normals = reviewed_normals(session, stored_id(categories.by_name(session, "stripes").id))
    assert len(normals) == 4
    next(settings.objects_dir.rglob(f"{gone}*")).unlink()
    data = load_category(settings, "stripes")
    samples = reviewed_samples(data, normals, settings)
    assert [sample.group for sample in samples] == [f"review/{learned}"]
    more = data.with_reviewed(samples)
    assert len(more.train) == len(data.train) + 1
    assert more.content_hash() != data.content_hash()
    assert more.path_of(samples[0]) == f"review/{learned}"


def test_a_doubted_image_is_no_normal_whatever_else_was_said(settings: Settings, store: Store) -> None:
    called(store, picture("stripes", 905), "false_alarm")
    with store.session() as session:
        first = session.get(Inspection, 1)
        assert first is not None
        again = first.model_dump(exclude={"id", "work_key", "decision", "created_at"})
        session.add(Inspection(**again, work_key="again", decision="unsure"))
    with store.session(read_only=True) as session:
        assert reviewed_normals(session, stored_id(first.category_id)) == []


def test_a_rebuild_with_reviewed_normals_is_a_version_of_its_own(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes")
    first = rebuild_category("stripes", settings, store)
    assert first["reviewed"] == 0
    sha256 = called(store, picture("stripes", 900), "false_alarm")
    planned = rebuild_category("stripes", settings, store, RebuildOptions(use_reviewed=True, dry_run=True))
    assert (planned["dry_run"], planned["version"], planned["reviewed"]) == (True, None, 1)
    assert planned["images"] == 13
    assert newest(store, "stripes").version == 1
    options = RebuildOptions(use_reviewed=True)
    second = rebuild_category("stripes", settings, store, options)
    assert (second["version"], second["reviewed"], second["created"]) == (2, 1, True)
    row = newest(store, "stripes")
    assert row.metrics["trained_on"] == {"images": 13, "reviewed": 1}
    bundle = load_bundle(settings.bundles_dir / row.bundle_path, row.bundle_sha256)
    entry = bundle.training_images[-1]
    assert (entry["path"], entry["sha256"]) == (f"review/{sha256}", sha256)

    class Subject:
        category = "stripes"

    subject: Any = Subject()
    subject.settings = settings
    assert training_image(subject, entry).sha256 == sha256
    assert rebuild_category("stripes", settings, store, options)["created"] is False
