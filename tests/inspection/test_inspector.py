"""The inspector: one image in, one row with everything that made its verdict."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import inspections
from anomalyos.inspection.anomaly_map import load_map, render_heatmap
from anomalyos.inspection.examination import STAGES
from anomalyos.inspection.inspector import Inspector, live_batch
from anomalyos.inspection.tables import Inspection
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import promotions
from tests.support.products import draw, picture, png


@pytest.fixture
def inspector(settings: Settings, built: Store) -> Inspector:
    return Inspector(settings, built)


@pytest.fixture
def batch(built: Store) -> str:
    return live_batch(built)


def test_normal_and_flawed_parts_get_their_verdicts(inspector: Inspector, batch: str) -> None:
    good = inspector.inspect(picture("stripes", 7000), source="upload:a.png", batch_key=batch)
    assert good.verdict == "normal"
    image, mask = draw("stripes", 7001, flawed=True)
    bad = inspector.inspect(png(image), source="upload:b.png", batch_key=batch)
    assert bad.verdict == "anomalous"
    assert bad.routed_category == "stripes"
    assert bad.score is not None
    assert bad.threshold is not None
    assert bad.score > bad.threshold
    assert bad.p_value == pytest.approx(1 / 13)
    assert bad.calibration_groups == 12
    assert set(bad.timings_ms) == {"decode", "route", "features", "search", "map", "total"}
    peak = bad.regions[0]
    assert mask[peak["peak_y"], peak["peak_x"]]


def test_the_kept_map_is_drawn_over_the_flaw(inspector: Inspector, batch: str) -> None:
    image, mask = draw("dots", 7002, flawed=True)
    row = inspector.inspect(png(image), source="upload:c.png", batch_key=batch)
    assert load_map(inspector.store, row).shape == (224, 224)
    overlay = np.asarray(Image.open(io.BytesIO(render_heatmap(inspector.store, row))))
    assert overlay.shape == (96, 96, 4)
    assert overlay[mask][:, 3].mean() > 4 * overlay[~mask][:, 3].mean()


def test_files_lie_under_their_hash_and_rows_point_to_them(inspector: Inspector, batch: str) -> None:
    data = picture("dots", 7003)
    row = inspector.inspect(data, source="upload:d.png", batch_key=batch)
    assert row.content_sha256 == hashlib.sha256(data).hexdigest()
    assert hashlib.sha256(inspector.store.objects.read(row.map_path)).hexdigest() == Path(row.map_path).stem


def test_the_same_work_is_done_once(inspector: Inspector, batch: str) -> None:
    data = picture("dots", 7004)
    first = inspector.inspect(data, source="upload:e.png", batch_key=batch)
    assert inspector.inspect(data, source="upload:e.png", batch_key=batch).id == first.id
    assert inspector.inspect(data, source="upload:f.png", batch_key=batch).id != first.id


def test_unreadable_images_are_recorded_with_the_reason(inspector: Inspector, batch: str) -> None:
    row = inspector.inspect(b"", source="upload:zero.png", batch_key=batch)
    assert (row.verdict, row.reject_code) == ("rejected", "empty")
    row = inspector.inspect(
        picture("dots", 1)[:200], source="upload:cut.png", batch_key=batch, category="dots"
    )
    assert (row.verdict, row.reject_code) == ("rejected", "truncated")
    assert row.given_category == "dots"
    assert row.score is None


def test_a_part_of_no_known_category_is_not_forced_into_one(inspector: Inspector, batch: str) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    row = inspector.inspect(png(noise), source="upload:noise.png", batch_key=batch)
    assert row.verdict == "unknown_category"
    assert row.routed_category is None
    assert row.map_path == ""
    assert row.image_id is not None
    with pytest.raises(NotFound, match="no anomaly map"):
        render_heatmap(inspector.store, row)


def test_a_contradicted_category_is_flagged_not_overruled(inspector: Inspector, batch: str) -> None:
    row = inspector.inspect(picture("dots", 5), source="upload:x.png", batch_key=batch, category="stripes")
    assert row.given_category == "stripes"
    assert row.routed_category == "dots"
    assert row.route_mismatch
    assert row.verdict == "anomalous"


def test_progress_names_the_stages_in_order(inspector: Inspector, batch: str) -> None:
    seen: list[tuple[str, float]] = []
    inspector.inspect(
        picture("dots", 6),
        source="upload:p.png",
        batch_key=batch,
        progress=lambda name, share: seen.append((name, share)),
    )
    assert [name for name, _ in seen] == list(STAGES)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def test_a_promotion_takes_effect_on_the_next_image(
    inspector: Inspector, settings: Settings, batch: str
) -> None:
    data = picture("stripes", 8000)
    before = inspector.inspect(data, source="upload:1", batch_key=batch)
    rebuild_category("stripes", settings, inspector.store, RebuildOptions(force=True))
    after = inspector.inspect(data, source="upload:2", batch_key=batch)
    assert after.model_version_id != before.model_version_id
    with inspector.store.session() as session:
        promotions.rollback(session, category_name="stripes", actor="mia", reason="test")
    back = inspector.inspect(data, source="upload:3", batch_key=batch)
    assert back.model_version_id == before.model_version_id
    assert back.score == before.score


def test_threads_get_the_answers_a_single_caller_gets(inspector: Inspector, batch: str) -> None:
    files = [
        picture(product, 9000 + i, flawed=i % 2 == 0) for i, product in enumerate(["stripes", "dots"] * 4)
    ]
    rows: list[Inspection] = []

    def work(i: int) -> None:
        rows.append(inspector.inspect(files[i], source=f"upload:{i}", batch_key=batch))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(files))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == len(files)
    by_source = {row.source: row for row in rows}
    for i, data in enumerate(files):
        alone = inspector.inspect(data, source=f"alone:{i}", batch_key=batch)
        assert by_source[f"upload:{i}"].score == pytest.approx(alone.score, rel=1e-5)
    with inspector.store.session(read_only=True) as session:
        assert (
            inspections.queue_count(session, batch_key=batch)
            == sum(1 for row in rows if row.verdict == "anomalous") * 2
        )


def test_no_model_and_unknown_categories_say_what_to_do(batch: str, inspector: Inspector) -> None:
    with pytest.raises(NotFound, match="Categories with a model: dots, stripes"):
        inspector.inspect(picture("dots", 1), source="upload:q", batch_key=batch, category="nut")
    with pytest.raises(NotFound, match="batch"):
        inspector.inspect(picture("dots", 1), source="upload:q", batch_key="night-1999-01-01")


def test_without_any_model_the_next_step_is_named(settings: Settings, store: Store) -> None:
    batch = live_batch(store)
    with pytest.raises(NotFound, match="anomalyos rebuild"):
        Inspector(settings, store).inspect(picture("dots", 1), source="upload:q", batch_key=batch)


def test_warming_up_again_loads_only_what_is_new(
    inspector: Inspector, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspector.warm_up()
    loaded: list[int] = []
    load = inspector.champions.load
    monkeypatch.setattr(inspector.champions, "load", lambda v: (loaded.append(v.version), load(v))[1])
    inspector.warm_up()
    assert loaded == []
    rebuild_category("dots", settings, inspector.store, RebuildOptions(force=True))
    inspector.warm_up()
    assert loaded == [2]
