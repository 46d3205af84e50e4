"""One product from a quiet line to another lamp and back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import func, select

from anomalyos.accounts.tables import AuditEvent
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import checks as drift_checks
from anomalyos.drift import records as drift_records
from anomalyos.drift import simulation
from anomalyos.drift.check import announce, check_drift, in_words, inspected_categories
from anomalyos.drift.tables import DriftAlarm, DriftCheck, DriftOutcome, InjectedRecord
from anomalyos.inspection.tables import Inspection
from tests.drift.drift_home import DAY, RULES, look_at, small_windows
from tests.support.products import draw


@pytest.fixture(autouse=True)
def rules(settings: Settings) -> None:
    small_windows(settings)


def rows(store: Store, table: type) -> int:
    with store.session(read_only=True) as session:
        return int(session.exec(select(func.count()).select_from(table)).one())


def heading(page: Path) -> str:
    (found,) = re.findall('<body[^>]*><div role="note".*?</div>', page.read_text())
    return str(found)


def test_a_young_model_is_compared_with_nothing(built: Store, settings: Settings) -> None:
    look_at(settings, built, 4)
    found = check_drift("dots", settings, built, day=DAY)
    assert (found.outcome, found.figures, found.page_path) == (DriftOutcome.TOO_FEW, [], "")
    assert in_words(found) == "dots: too few records to compare (4 first and 0 later records)."
    assert announce([found], settings, built, "r1") == ([], [])


def test_a_quiet_line_does_not_drift_and_is_compared_once(built: Store, settings: Settings) -> None:
    look_at(settings, built, 28)
    found = check_drift("dots", settings, built, day=DAY, run_id="r1")
    assert found.outcome == DriftOutcome.STABLE, found.figures
    assert (found.reference_count, found.current_count, found.injected_count) == (14, 14, 0)
    assert in_words(found) == "dots: no drift."
    page = settings.drift_dir / found.page_path
    written = page.stat().st_mtime_ns
    assert page == settings.drift_dir / "dots" / f"{DAY}.html"
    assert "the first 14 records of version 1 (reference) and its latest 14" in heading(page)
    assert "injected" not in heading(page)
    again = check_drift("dots", settings, built, day=DAY, run_id="r2")
    assert (again.id, again.run_id, page.stat().st_mtime_ns) == (found.id, "r1", written)
    page.unlink()
    assert check_drift("dots", settings, built, day=DAY).id == found.id
    assert page.is_file(), "figures without their page are made again"
    assert rows(built, DriftCheck) == 1


def test_another_lamp_drifts_is_marked_and_can_be_taken_back(built: Store, settings: Settings) -> None:
    look_at(settings, built, 4)
    told: list[tuple[int, int]] = []
    made = simulation.inject_drift(
        "dots",
        settings,
        built,
        actor="ada",
        count=12,
        progress=lambda done, total: told.append((done, total)),
    )
    assert (made.clean, made.drift, told[-1]) == (10, 12, (22, 22))
    assert rows(built, Inspection) == 4, "nothing injected is an inspection"
    found = check_drift("dots", settings, built, day=DAY)
    assert found.outcome == DriftOutcome.DRIFTED
    assert (found.reference_count, found.current_count, found.injected_count) == (14, 12, 22)
    moved = {figure["metric"] for figure in found.figures if figure["drifted"]}
    assert {"brightness", "sharpness", "embedding"} <= moved
    words = in_words(found)
    assert words.startswith("dots drifted: ")
    assert words.endswith("22 of the records were injected.")
    assert "22 of them were injected" in heading(settings.drift_dir / found.page_path)
    drifts, waiting = announce([found], settings, built, "r1")
    assert [(drift["category"], drift["injected"]) for drift in drifts] == [("dots", 22)]
    assert drifts[0]["metric"] in moved
    assert waiting == []

    assert simulation.clear(settings, built, actor="ada") == 22
    assert [rows(built, table) for table in (InjectedRecord, DriftCheck, DriftAlarm)] == [0, 0, 0]
    assert not (settings.drift_dir / found.page_path).exists()
    assert check_drift("dots", settings, built, day=DAY).outcome == DriftOutcome.TOO_FEW
    assert simulation.clear(settings, built, actor="ada") == 0
    with built.session(read_only=True) as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.actor == "ada").order_by(AuditEvent.id))
        assert [(event.action, event.detail) for event in events] == [
            ("drift.simulate", {"clean": 10, "drift": 12, "strength": 1.0}),
            ("drift.clear", {"records": 22}),
        ]


def test_a_quiet_line_can_be_rehearsed_too(built: Store, settings: Settings) -> None:
    simulation.inject_drift("dots", settings, built, actor="ada", count=14, strength=0)
    assert check_drift("dots", settings, built, day=DAY).outcome == DriftOutcome.STABLE
    with built.session(read_only=True) as session:
        assert {row.kind for row in session.exec(select(InjectedRecord))} == {"clean"}


def test_the_lamp_goes_by_degrees() -> None:
    rgb = draw("dots", 1)[0]
    assert np.array_equal(simulation.under_another_lamp(rgb, 0.0), rgb)
    means = [simulation.under_another_lamp(rgb, strength).mean() for strength in (0.0, 0.3, 0.6, 1.0)]
    assert means == sorted(means, reverse=True)
    assert means[-1] == pytest.approx((rgb.mean(axis=(0, 1)) * simulation.LAMP).mean(), rel=0.02)


def test_clearing_one_product_leaves_the_other(built: Store, settings: Settings) -> None:
    for name in ("dots", "stripes"):
        simulation.inject_drift(name, settings, built, actor="ada", count=10)
        check_drift(name, settings, built, day=DAY)
    assert simulation.clear(settings, built, actor="ada", category="dots") == 24
    with built.session(read_only=True) as session:
        assert drift_records.count_injected(session, ["dots", "stripes"]) == {"stripes": 24}
        assert [row.category for row in session.exec(select(DriftCheck))] == ["stripes"]
    assert (settings.drift_dir / "stripes" / f"{DAY}.html").is_file()


def test_a_killed_injection_leaves_nothing(
    built: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulation.inject_drift("dots", settings, built, actor="ada", progress=killed)
    assert rows(built, InjectedRecord) == 0


def test_a_new_champion_begins_anew(built: Store, settings: Settings) -> None:
    from anomalyos.learning.options import RebuildOptions
    from anomalyos.learning.rebuild import rebuild_category

    simulation.inject_drift("dots", settings, built, actor="ada", count=10)
    made = rebuild_category("dots", settings, built, RebuildOptions(alpha=0.2))
    assert made["promoted"], made["gate"]
    assert check_drift("dots", settings, built, day=DAY).outcome == DriftOutcome.TOO_FEW


def test_only_the_newest_pages_are_kept_and_the_figures_stay(built: Store, settings: Settings) -> None:
    look_at(settings, built, 28)
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        check_drift("dots", settings, built, day=day)
    pages = sorted(path.stem for path in (settings.drift_dir / "dots").iterdir())
    assert pages == ["2026-11-21", "2026-11-22"]
    with built.session(read_only=True) as session:
        kept = drift_checks.history(session, ["dots"], "2026-11-20", "2026-11-22")
    assert [row.day for row in kept] == ["2026-11-20", "2026-11-21", "2026-11-22"]


def test_refusals(built: Store, settings: Settings) -> None:
    assert inspected_categories(settings, built) == ["dots", "stripes"]
    with pytest.raises(NotFound, match="No model is in use for: nuts, screws"):
        inspected_categories(settings, built, ["screws", "dots", "nuts"])
    with pytest.raises(NotFound, match="No model is in use for: nuts"):
        check_drift("nuts", settings, built, day=DAY)
    with pytest.raises(NotFound, match="No model is in use for: nuts"):
        simulation.inject_drift("nuts", settings, built, actor="ada")
    with pytest.raises(AnomalyOSError, match="At least one record"):
        simulation.inject_drift("dots", settings, built, actor="ada", count=0)
    with pytest.raises(AnomalyOSError, match="no strength"):
        simulation.inject_drift("dots", settings, built, actor="ada", strength=1.5)
    small_windows(settings, RULES.replace("least: 10", "least: ten"))
    with pytest.raises(AnomalyOSError, match=r"windows\.least"):
        check_drift("dots", settings, built, day=DAY)
