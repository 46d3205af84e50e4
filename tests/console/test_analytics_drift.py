"""The section on drift: what it shows, and which files it hands out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anomalyos.db.rows import stored_id
from anomalyos.drift import checks as drift_checks
from anomalyos.drift.checks import raise_alarms
from anomalyos.drift.tables import DriftCheck, InjectedRecord
from console.services.analytics import drift
from console.services.analytics.drift import METRICS
from tests.console.conftest import Console, SignIn
from tests.console.test_analytics import RANGE, charts, console_champion, csv_rows, fill, text_of


def compared(console: Console, day: str, outcome: str, moved: float = 0.1, injected: int = 0) -> DriftCheck:
    """A stored comparison of ``dots`` in which the brightness moved by ``moved``."""
    figures = [
        {
            "metric": metric,
            "method": "wasserstein",
            "value": moved if metric == "brightness" else 0.1,
            "threshold": 0.5,
            "drifted": metric == "brightness" and moved >= 0.5,
        }
        for metric in METRICS
    ]
    champion = console_champion(console, "dots")
    with console.store.session() as session:
        return drift_checks.record(
            session,
            DriftCheck(
                content_key=f"{day}{outcome}",
                category="dots",
                day=day,
                model_version_id=stored_id(champion.id),
                outcome=outcome,
                reference_count=200,
                current_count=100,
                injected_count=injected,
                figures=[] if outcome == "too_few" else figures,
            ),
        )


async def test_drift_is_said_to_be_missing_until_something_was_compared(
    console: Console, sign_in: SignIn
) -> None:
    fill(console)
    user = await sign_in("victor")
    await user.open(RANGE)
    await user.should_see("No drift report has been written yet.")
    await user.should_see("Images to compare have been gathered since Mon 23 Nov 2026, on 2 days.")
    compared(console, "2026-11-23", "too_few")
    await user.open(RANGE)
    await user.should_see("The models in use are too young to compare anything with.")
    await user.should_see("300 so far")
    await user.should_not_see("No drift report has been written yet.")


async def test_what_moved_most_is_shown_with_its_report_and_over_time(
    console: Console, sign_in: SignIn
) -> None:
    fill(console)
    compared(console, "2026-11-23", "stable")
    user = await sign_in("victor")
    await user.open(RANGE)
    await user.should_see("No drift in 1 product.")
    await user.should_see("0.2 × the threshold")
    check = compared(console, "2026-11-24", "drifted", moved=1.6, injected=60)
    with console.store.session() as session:
        raise_alarms(session, [check], run_id="r1", cooldown=timedelta(hours=1), runs_per_day=1)
        session.add(injected_record(check.model_version_id))
    await user.open(RANGE)
    await user.should_see("Dots drifted: see what moved, and whether it was meant to.")
    await user.should_see("3.2 × the threshold")
    await user.should_see("brightness; 100 records against 200; 60 injected; retraining started")
    await user.should_see("Injected records are among those compared (Dots 1)")
    await user.open(f"{RANGE}&category=dots")
    options = [chart.options for chart in charts(user)]
    (over_time,) = [own for own in options if own["series"][0].get("name") == "anomaly score"]
    lines = {own["name"]: [point["value"] for point in own["data"]] for own in over_time["series"]}
    assert lines["brightness"] == [0.2, 3.2]
    assert lines["anomaly score"] == [0.2, 0.2]
    assert over_time["series"][0]["markLine"]["data"][0]["yAxis"] == 1
    rows = await csv_rows(user, "drift")
    assert len(rows) == 1 + 2 * len(METRICS)
    assert rows[-3] == [
        "dots",
        "2026-11-24",
        "drifted",
        "brightness",
        "wasserstein",
        "1.6",
        "0.5",
        "yes",
        "60",
    ]


def injected_record(version_id: int) -> InjectedRecord:
    return InjectedRecord(
        category="dots",
        model_version_id=version_id,
        kind="drift",
        source="1.png",
        score=1.0,
        brightness=1.0,
        sharpness=1.0,
        recipe="r",
        vector=b"",
        injected_by="ada",
    )


async def test_a_report_is_handed_out_in_a_sandbox(console: Console, sign_in: SignIn) -> None:
    fill(console)
    compared(console, "2026-11-24", "stable")
    user = await sign_in("victor")
    folder = drift.folder(console.services.settings) / "dots"
    folder.mkdir(parents=True)
    (folder / "2026-11-24.html").write_text("<script>document.title='drift'</script>")
    (folder / "notes.html").write_text("no day")
    await user.open(RANGE)
    shown = text_of(user, "reports-dots")
    assert "24 Nov 2026" in shown
    assert "notes" not in shown
    answer = await user.http_client.get("/api/analytics/drift/dots/2026-11-24")
    assert answer.status_code == 200
    assert "document.title" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")


@pytest.mark.parametrize(
    ("category", "day"),
    [("dots", "2026-11-23"), ("dots", "notes"), ("..", "2026-11-24"), ("link", "2026-11-24")],
)
def test_nothing_but_reports_is_handed_out(console: Console, category: str, day: str) -> None:
    settings = console.services.settings
    root = drift.folder(settings)
    (root / "dots").mkdir(parents=True)
    (root / "dots" / "notes.html").write_text("no day")
    outside = settings.home / "elsewhere"
    outside.mkdir()
    (outside / "2026-11-24.html").write_text("secret")
    (settings.home / "2026-11-24.html").write_text("secret")
    (root / "link").symlink_to(outside)
    assert drift.stored(settings, category, day) is None
