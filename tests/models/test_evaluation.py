"""Evaluation: figures that can be had, None for those that cannot, nothing lost to a bad file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models.evaluation import evaluate_category, false_alarms, latency_figures, resize_mask
from anomalyos.patchcore.calibration import Calibration


def test_every_figure_of_a_labelled_category(settings: Settings, built: Store) -> None:
    done: list[tuple[int, int]] = []
    figures = evaluate_category("dots", settings, built, progress=lambda *at: done.append(at))
    assert done[-1] == (4, 4)
    assert figures["image_auroc"] == 1.0
    assert figures["image_ap"] == 1.0
    assert 0.9 < figures["pixel_auroc"] <= 1.0
    assert 0.5 < figures["aupro"] <= 1.0
    assert figures["at_threshold"]["recall"]["hits"] == 2
    assert figures["images"]["with_mask"] == 2
    assert figures["latency_ms"]["n"] == 3
    assert 0 < figures["latency_ms"]["p50"] <= figures["latency_ms"]["p95"]


def test_without_defects_what_needs_them_is_none(settings: Settings, built: Store) -> None:
    shutil.rmtree(settings.data_dir / "dots/test/stain")
    figures = evaluate_category("dots", settings, built)
    assert figures["image_auroc"] is figures["image_ap"] is figures["pixel_auroc"] is figures["aupro"] is None
    assert figures["at_threshold"]["f1"] is None
    assert figures["false_alarms"]["0.05"]["of"] == 2


def test_without_any_test_image_there_still_is_an_answer(settings: Settings, built: Store) -> None:
    shutil.rmtree(settings.data_dir / "dots/test")
    figures = evaluate_category("dots", settings, built)
    assert figures["images"]["test_good"] == 0
    assert figures["latency_ms"] == {"p50": None, "p95": None, "n": 0}


def test_a_broken_test_image_is_listed_and_the_rest_evaluated(settings: Settings, built: Store) -> None:
    (settings.data_dir / "dots/test/good/zzz.png").write_bytes(b"not an image")
    figures = evaluate_category("dots", settings, built)
    assert [entry["file"] for entry in figures["images"]["rejected"]] == ["zzz.png"]
    assert figures["images"]["test_good"] == 2


def test_an_empty_mask_says_nothing_about_pixels(settings: Settings, built: Store) -> None:
    folder: Path = settings.data_dir / "dots/ground_truth/stain"
    from tests.support.products import png

    for path in folder.iterdir():
        path.write_bytes(png(np.zeros((96, 96), np.uint8)))
    figures = evaluate_category("dots", settings, built)
    assert figures["image_auroc"] == 1.0
    assert figures["aupro"] is None


def test_no_model_names_the_next_step(settings: Settings, store: Store) -> None:
    from tests.support.products import write_product

    write_product(settings.data_dir, "dots")
    with pytest.raises(NotFound, match="anomalyos rebuild --category dots"):
        evaluate_category("dots", settings, store)


def test_false_alarms_say_whether_the_promise_was_kept() -> None:
    calibration = Calibration(np.arange(99.0), np.arange(99), 0.05, 1.0, 0.1)
    kept = false_alarms(calibration, np.array([1.0, 2.0, 200.0]), 0.05)
    assert (kept["hits"], kept["of"], kept["kept"], kept["promised"]) == (1, 3, True, 0.05)
    missed = false_alarms(calibration, np.full(50, 200.0), 0.05)
    assert missed["kept"] is False
    assert missed["low95"] > 0.9


def test_the_first_image_does_not_count_for_latency() -> None:
    assert latency_figures([900.0, 10.0, 20.0])["p50"] == 15.0
    assert latency_figures([900.0])["p50"] == 900.0


def test_masks_keep_their_place_when_resized() -> None:
    mask = np.zeros((100, 50), bool)
    mask[50:, :25] = True
    small = resize_mask(mask, 20)
    assert small[10:, :10].all()
    assert small.sum() == 100
    assert not resize_mask(None, 20).any()
