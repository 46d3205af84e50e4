from __future__ import annotations

import numpy as np
import pytest

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import windows as drift_windows
from anomalyos.drift.rules import Windows as WindowRule
from anomalyos.drift.windows import load_windows, observe
from anomalyos.models.champions import Champions
from tests.drift.drift_home import look_at
from tests.support.products import picture

RULE = WindowRule(reference=10, current=12, least=10)


def champion(settings: Settings, store: Store, product: str = "dots") -> int:
    number = Champions(settings, store).pointers()[product].id
    assert number is not None
    return number


def test_first_and_latest_of_the_champion_never_overlap(built: Store, settings: Settings) -> None:
    rows = look_at(settings, built, 15)
    look_at(settings, built, 3, product="stripes")
    windows = load_windows(built, champion(settings, built), RULE)
    assert [record.key for record in windows.reference] == [f"inspection:{row.id}" for row in rows[:10]]
    assert [record.key for record in windows.current] == [f"inspection:{row.id}" for row in rows[10:]]
    assert windows.too_few(RULE) == "The model in use has 15 records so far; 20 are needed."
    assert windows.injected() == 0


def test_only_the_latest_of_many_are_current(built: Store, settings: Settings) -> None:
    rows = look_at(settings, built, 26)
    windows = load_windows(built, champion(settings, built), RULE)
    assert [record.key for record in windows.current] == [f"inspection:{row.id}" for row in rows[-12:]]
    assert windows.too_few(RULE) == ""


def test_what_was_rejected_has_no_figures_and_does_not_count(built: Store, settings: Settings) -> None:
    from anomalyos.inspection.inspector import Inspector

    rows = look_at(settings, built, 2)
    Inspector(settings, built).inspect(b"no picture", source="x.png", batch_key="night-2026-11-24")
    windows = load_windows(built, champion(settings, built), RULE)
    assert len(windows.reference) == len(rows)


def test_figures_are_those_of_the_photograph_and_are_measured_once(
    built: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anomalyos.images.decoding import decode_image
    from anomalyos.quality.picture_figures import measure

    rows = look_at(settings, built, 3)
    records = load_windows(built, champion(settings, built), RULE).reference
    champions = Champions(settings, built)
    told: list[tuple[int, int]] = []
    found = observe(records, settings, built, champions, lambda done, total: told.append((done, total)))
    assert told == [(3, 3)]
    for row, seen, number in zip(rows, found, range(5000, 5003), strict=True):
        figures = measure(decode_image(picture("dots", number), settings).rgb)
        assert (seen.brightness, seen.sharpness) == (figures.brightness, figures.sharpness)
        assert (seen.score, seen.category) == (row.score, "dots")
        assert np.linalg.norm(seen.embedding) == pytest.approx(1.0, abs=1e-5)
    monkeypatch.setattr(drift_windows, "_photograph", lambda *given: pytest.fail("decoded again"))
    again = observe(records, settings, built, champions)
    assert [row.score for row in again] == [row.score for row in found]
    assert np.array_equal(np.stack([row.embedding for row in again]), [row.embedding for row in found])


def test_a_photograph_that_is_gone_is_left_out_with_a_word(
    built: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    look_at(settings, built, 3)
    records = load_windows(built, champion(settings, built), RULE).reference
    built.objects.absolute(records[1].object_path).unlink()
    found = observe(records, settings, built, Champions(settings, built))
    assert [row.score for row in found] == [records[0].score, records[2].score]
    assert "1 records are left out: their photographs are gone" in caplog.text
