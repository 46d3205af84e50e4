from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.accounts import tokens, users
from anomalyos.accounts.tables import Scope
from anomalyos.analytics.review_statistics import Sitting
from anomalyos.analytics.statistics import Move
from anomalyos.core.statistics.proportion import Standing
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Inspection
from anomalyos.models import promotions
from anomalyos.models.tables import ModelVersion
from console.pages.analytics.shares import percent, seconds
from console.services.analytics.filter import read
from console.services.analytics.pace import paces, pairs
from console.services.analytics.periods import Step, begun_within, bins, champion_periods, within
from console.services.analytics.quality_counts import QualityCounts
from console.services.analytics.report import DefectCount, Reports, merged
from console.services.analytics.tables import TABLES
from tests.console.conftest import Console, SignIn
from tests.console.factory import finish_night, open_night
from tests.support.products import picture

TODAY = date(2026, 11, 25)
RANGE = "/analytics?from=2026-11-20&to=2026-11-24"
SPACE = "\u00a0"


def fill(console: Console) -> dict[str, list[int]]:
    """Two nights: stripes from cam1 and cam2, dots without a line, one file that cannot be read."""
    made: dict[str, list[int]] = {"flagged": [], "passed": []}
    for day, flawed, good in (("2026-11-23", 3, 5), ("2026-11-24", 2, 4)):
        key = open_night(console.store, day)
        for index in range(flawed + good):
            product = "stripes" if index % 2 else "dots"
            name = f"cam{1 + index % 3 // 2}_{index:03}.png" if product == "stripes" else f"{index}.png"
            row = console.inspector.inspect(
                picture(product, index, flawed=index < flawed),
                source=f"{day}/{product}/{name}",
                batch_key=key,
                category=product,
            )
            made["flagged" if row.verdict == "anomalous" else "passed"].append(row.id or 0)
        console.inspector.inspect(b"no image", source=f"{day}/torn.png", batch_key=key)
        finish_night(console.store, key)
    return made


def decide(console: Console, inspection_id: int, decision: str, who: str, defect_type: str = "") -> None:
    with console.store.session() as session:
        version = inspections.get(session, inspection_id).review_version
        reviews.decide(
            session,
            inspection_id=inspection_id,
            decision=decision,
            actor=who,
            expected_version=version,
            defect_type=defect_type,
        )


def text_of(user: User, marker: str) -> str:
    """All words inside one element, with ordinary spaces."""
    element = next(iter(user.find(marker=marker).elements))
    words = [getattr(part, "text", "") for part in element.descendants()]
    return " ".join(word for word in words if word).replace(SPACE, " ")


def charts(user: User) -> list[ui.echart]:
    return list(user.find(kind=ui.echart).elements)


async def csv_rows(user: User, table: str, query: str = "from=2026-11-20&to=2026-11-24") -> list[list[str]]:
    answer = await user.http_client.get(f"/api/analytics/{table}.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_an_empty_console_says_what_will_come(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/analytics")
    await user.should_see("No images yet")
    await user.should_see("30 days to")
    await user.should_not_see(kind=ui.echart)


async def test_a_range_without_images_leads_to_those_there_are(console: Console, sign_in: SignIn) -> None:
    fill(console)
    user = await sign_in("victor")
    await user.open("/analytics?from=2020-01-01&to=2020-01-31")
    await user.should_see("There are images from Mon 23 Nov 2026 to Tue 24 Nov 2026.")
    link = next(e for e in user.find(kind=ui.element).elements if "primary" in e.classes)
    await user.open(link.props["href"])
    assert text_of(user, "figure-images") == "Images 16 on 2 days, 2 could not be read"


@pytest.mark.parametrize("name", ["victor", "mia", "erik", "ada"])
async def test_every_role_sees_the_figures_and_has_nothing_to_decide(
    console: Console, sign_in: SignIn, name: str
) -> None:
    made = fill(console)
    first, second, third, *rest = made["flagged"]
    decide(console, first, "defect", "mia", "scratch")
    decide(console, second, "false_alarm", "mia")
    decide(console, third, "unsure", "mia")
    assert len(rest) == 2
    user = await sign_in(name)
    await user.open(RANGE)
    await user.should_see("5 days to Tue 24 Nov 2026, all products, nights.")
    assert text_of(user, "figure-images") == "Images 16 on 2 days, 2 could not be read"
    assert "35.7 % 5 of 14" in text_of(user, "figure-flagged")
    assert "Confirmed defects 1 7.1 % of images" in text_of(user, "figure-defects")
    alarms = text_of(user, "figure-alarms")
    assert "10.0 %" in alarms
    assert "Too few to tell" in alarms
    assert "promised at most 5 %; 1 of 10 normal parts" in alarms
    assert text_of(user, "figure-open").startswith("Still open 2 Queue")
    sentence = f"1 of 10 normal parts were flagged: {percent(0.1)}, promised at most 5{SPACE}%."
    await user.should_see(sentence)
    for chart in charts(user):
        assert chart.parent_slot is not None
        assert len(chart.parent_slot.parent.props["aria-label"]) > 20
    assert len(charts(user)) == 5
    await user.should_not_see(marker="decide-defect")


async def test_a_deep_link_shows_one_product_and_line(console: Console, sign_in: SignIn) -> None:
    fill(console)
    user = await sign_in("victor")
    await user.open(RANGE + "&category=stripes&line=cam2")
    await user.should_see("5 days to Tue 24 Nov 2026, Stripes, line cam2, nights.")
    shown = text_of(user, "figure-images")
    rows = [row for row in inspected(console) if row.category_id and "/stripes/cam2_" in row.source]
    assert rows
    assert shown == f"Images {len(rows)} on {len({row.batch_id for row in rows})} days"
    preset = next(iter(user.find(marker="days-7").elements))
    assert preset.props["href"] == "/analytics?days=7&category=stripes&line=cam2"
    link = next(iter(user.find(marker="csv-days").elements))
    query = "from=2026-11-20&to=2026-11-24&category=stripes&line=cam2"
    assert link.props["href"] == f"/api/analytics/days.csv?{query}"
    assert sum(int(row[1]) for row in (await csv_rows(user, "days", query))[1:]) == len(rows)


def inspected(console: Console) -> list[Inspection]:
    from sqlmodel import select

    with console.store.session(read_only=True) as session:
        return list(session.exec(select(Inspection)).all())


async def test_days_that_are_no_dates_are_said_to_be_none(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/analytics?from=yesterday&to=2026-11-24&category=<b>x</b>")
    await user.should_see("The address holds days that are no dates")
    await user.should_see("30 days to")


async def test_the_default_is_the_last_thirty_days(console: Console, sign_in: SignIn) -> None:
    today = datetime.now(UTC).date()
    for days_ago in (1, 29, 30):
        key = open_night(console.store, (today - timedelta(days=days_ago)).isoformat())
        console.inspector.inspect(picture("dots", days_ago), source="a.png", batch_key=key, category="dots")
    user = await sign_in("victor")
    await user.open("/analytics")
    assert text_of(user, "figure-images") == "Images 2 on 2 days"
    await user.open("/analytics?days=90")
    assert text_of(user, "figure-images") == "Images 3 on 3 days"


async def test_a_table_is_drawn_when_it_is_opened(console: Console, sign_in: SignIn) -> None:
    made = fill(console)
    decide(console, made["flagged"][0], "defect", "mia", "<b>crack</b>")
    user = await sign_in("victor")
    await user.open(RANGE)
    await user.should_not_see("cumulative share")
    user.find(marker="table-defect-types").trigger("toggle")
    await user.should_see("cumulative share")
    await user.should_see("<b>crack</b>")


async def test_agreement_and_time_show_once_two_people_decided_the_same_items(
    console: Console, sign_in: SignIn
) -> None:
    made = fill(console)
    user = await sign_in("victor")
    await user.open(RANGE)
    await user.should_see("No item was decided by two people in this range.")
    await user.should_see("There are no two decisions in a row to measure between.")
    for inspection_id, decision in zip(made["flagged"], ("defect", "unsure", "defect"), strict=False):
        decide(console, inspection_id, decision, "mia")
        decide(console, inspection_id, decision, "erik")
    await user.open(RANGE)
    await user.should_see(f"erik and mia agreed on 3 of 3 items (100{SPACE}%)")
    today = datetime.now(UTC).date().isoformat()
    assert (await csv_rows(user, "decision-times"))[1:] == []  # those days' parts, but decided later
    paced = await csv_rows(user, "decision-times", f"from={today}&to={today}")
    assert {row[0]: (row[1], row[2]) for row in paced[1:]} == {"mia": ("3", "2"), "erik": ("3", "2")}


async def test_new_models_are_marked(console: Console, sign_in: SignIn) -> None:
    fill(console)
    with console.store.session() as session:
        champion = console_champion(console, "stripes")
        second = ModelVersion(
            category_id=champion.category_id,
            version=2,
            content_key="2" * 64,
            bundle_path="stripes/v2",
            bundle_sha256="2" * 64,
            recipe="lite",
            recipe_hash="0" * 64,
            alpha=0.05,
            threshold=2.0,
        )
        session.add(second)
        session.flush()
        move = promotions.promote(
            session,
            category_id=champion.category_id,
            version_id=second.id or 0,
            expected_pointer=0,
            actor="erik",
            reason="better",
        )
        move.created_at = datetime(2026, 11, 24, 9, tzinfo=UTC)
        session.add(move)
    user = await sign_in("victor")
    await user.open(RANGE)
    await user.should_see("1 change of champion in this range")
    await user.should_see("Stripes v2: since 24 Nov 2026, 09:00 UTC, champion now")
    marks = [s["markLine"]["data"] for c in charts(user) for s in c.options["series"] if "markLine" in s]
    assert [[(mark["xAxis"], mark["label"]["formatter"]) for mark in found] for found in marks] == [
        [(1, "Stripes v2")]
    ]


def console_champion(console: Console, name: str) -> ModelVersion:
    from anomalyos.models import categories

    with console.store.session(read_only=True) as session:
        return session.get_one(ModelVersion, categories.by_name(session, name).champion_id)


# files ---------------------------------------------------------------------------------------------


async def test_a_formula_typed_as_a_defect_type_leaves_as_text(console: Console, sign_in: SignIn) -> None:
    made = fill(console)
    decide(console, made["flagged"][0], "defect", "mia", "=cmd()")
    decide(console, made["flagged"][1], "defect", "mia", "Öse, schief")
    user = await sign_in("victor")
    rows = await csv_rows(user, "defect-types")
    assert rows[0] == ["defect type", "confirmed", "cumulative share"]
    assert {row[0] for row in rows[1:]} == {"'=cmd()", "Öse, schief"}


async def test_every_table_can_be_had_and_no_cell_is_a_formula(console: Console, sign_in: SignIn) -> None:
    made = fill(console)
    decide(console, made["flagged"][0], "defect", "mia", "@SUM(A1)")
    user = await sign_in("victor")
    for table in TABLES:
        rows = await csv_rows(user, table)
        assert all(len(row) == len(rows[0]) for row in rows), table
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), (table, cell)
    days = await csv_rows(user, "days")
    assert [row[:4] for row in days[1:]] == [
        ["2026-11-23", "9", "1", "3"],
        ["2026-11-24", "7", "1", "2"],
    ]


async def test_files_are_for_signed_in_people_and_reading_tokens(console: Console) -> None:
    def token(scope: str) -> dict[str, str]:
        with console.store.session() as session:
            owner = users.by_name(session, "victor").id or 0
            _, plain = tokens.create(
                session, user_id=owner, name=scope, scopes=[scope], expires_in_days=1, actor="ada"
            )
        return {"Authorization": f"Bearer {plain}"}

    address = "/api/analytics/days.csv"
    assert (await console.client.get(address)).status_code == 401
    inspecting = await console.client.get(address, headers=token(Scope.INSPECT))
    assert inspecting.status_code == 403
    read_only = await console.client.get(address, headers=token(Scope.READ))
    assert read_only.status_code == 200
    assert read_only.headers["content-disposition"].startswith('attachment; filename="days-')
    assert (await console.client.get("/api/analytics/drift/dots/2026-11-24")).status_code == 401
    assert (await console.client.get("/analytics", follow_redirects=False)).status_code == 303


async def test_unknown_tables_are_unknown(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    answer = await user.http_client.get("/api/analytics/passwords.csv")
    assert answer.status_code == 404
    assert "days" in answer.json()["hint"]


# what the page is made of --------------------------------------------------------------------------


def test_reports_are_kept_until_something_is_added(console: Console) -> None:
    made = fill(console)
    reports, wanted = Reports(console.store), read({"from": "2026-11-20", "to": "2026-11-24"}, TODAY)
    first = reports.get(wanted)
    assert reports.get(wanted) is first
    decide(console, made["flagged"][0], "defect", "mia")
    second = reports.get(wanted)
    assert (first.total.defects, second.total.defects) == (0, 1)
    assert reports.get(read({"days": "7"}, TODAY)) is not second


def test_a_tally_counts_who_is_believed_normal() -> None:
    tally = QualityCounts()
    for verdict, decision, count in (
        ("normal", None, 90),
        ("normal", "false_alarm", 1),
        ("normal", "defect", 2),
        ("anomalous", "false_alarm", 4),
        ("anomalous", "defect", 5),
        ("anomalous", "unsure", 3),
        ("anomalous", None, 6),
        ("unknown_category", None, 7),
        ("unknown_category", "false_alarm", 8),
        ("rejected", None, 9),
    ):
        tally.add(verdict, decision, count, 0.05 if verdict in ("normal", "anomalous") else None)
    assert (tally.images, tally.inspected, tally.scored, tally.flagged) == (135, 126, 111, 33)
    assert (tally.believed_normal, tally.false_alarms, tally.unsettled, tally.open) == (95, 4, 9, 13)
    assert (tally.defects, tally.missed, tally.promised) == (7, 2, pytest.approx(0.05))
    assert tally.standing() is Standing.NOT_SHOWN
    assert QualityCounts().standing() is None


@pytest.mark.parametrize(
    ("days", "step", "starts"),
    [
        (5, Step.DAY, ["2026-11-02", "2026-11-03", "2026-11-04"]),
        (200, Step.WEEK, ["2026-11-02"]),
        (2000, Step.MONTH, ["2026-11-01"]),
    ],
)
def test_bins(days: int, step: Step, starts: list[str]) -> None:
    found = bins([date(2026, 11, 4), date(2026, 11, 2)], days)
    assert found.step is step
    assert [start.isoformat() for start in found.starts] == starts


def test_a_century_has_few_bins_and_every_day_its_own() -> None:
    first, last = date(2000, 1, 31), date(2026, 11, 30)
    found = bins([first, last], (last - first).days + 1)
    assert len(found.starts) == 323
    day = first
    while day <= last:
        assert found.start_of(day) in found.starts
        day += timedelta(days=17)


def test_pace_is_measured_within_a_sitting() -> None:
    start = datetime(2026, 11, 24, 6, tzinfo=UTC)

    def entry(who: str, second: int, *, decides: bool = True, selected: bool = True) -> Sitting:
        return Sitting(who, start + timedelta(seconds=second), decides, selected)

    rows = paces(
        [
            entry("mia", 0),
            entry("mia", 8),  # 8 s
            entry("mia", 10, selected=False),
            entry("mia", 30),  # 20 s after something else
            entry("mia", 40, decides=False),
            entry("mia", 44),  # 4 s after an undo
            entry("mia", 400),  # after a pause
            entry("sam", 401),
        ]
    )
    assert [(row.reviewer, row.decisions, row.timed) for row in rows] == [("mia", 5, 3), ("sam", 1, 0)]
    assert (rows[0].median_s, rows[0].p90_s) == (8, pytest.approx(17.6))
    assert rows[1].median_s is None


def test_pairs_of_reviewers() -> None:
    found = pairs(
        [
            {"sam": "defect", "mia": "defect", "eve": "unsure"},
            {"mia": "unsure", "sam": "unsure"},
        ]
    )
    assert [(p.first, p.second, p.agreement.items, p.agreement.same) for p in found] == [
        ("mia", "sam", 2, 2),
        ("eve", "mia", 1, 0),
        ("eve", "sam", 1, 0),
    ]
    assert found[0].agreement.kappa == 1


def test_reigns_follow_the_pointer() -> None:
    times = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (1, 5, 9)]
    found = champion_periods(
        [
            Move("bolt", 1, "promote", times[0]),
            Move("bolt", 2, "promote", times[1]),
            Move("bolt", 1, "rollback", times[2]),
        ]
    )
    assert [(r.version, r.since, r.until, r.rolled_back) for r in found] == [
        (1, times[0], times[1], False),
        (2, times[1], times[2], False),
        (1, times[2], None, True),
    ]
    assert [r.version for r in within(found, date(2026, 11, 6), date(2026, 11, 8))] == [2]
    assert [r.since for r in begun_within(found, date(2026, 11, 5), date(2026, 11, 9))] == times[1:]


def test_spellings_of_one_defect_are_one() -> None:
    assert merged({"Scratch": 2, "scratch": 5, "SCRATCH  ": 1, "": 3}) == [
        DefectCount("scratch", 8),
        DefectCount("", 3),
    ]


def test_addresses_are_read_and_written_back() -> None:
    for query in (
        {},
        {"days": "7"},
        {"days": "12"},
        {"from": "2026-11-24", "to": "2026-11-01", "kind": "all", "line": "CAM2"},
        {"from": "9999-12-31", "to": "0001-01-01", "category": "x" * 500},
        {"kind": "nonsense"},
    ):
        wanted = read(query, TODAY)
        again = dict(part.split("=") for part in wanted.address().split("?")[1].split("&"))
        assert read(again, TODAY) == wanted
        assert wanted.first <= wanted.last
        assert wanted.last.year <= 2100
    assert read({"from": "2026-10-27", "to": "2026-11-25"}, TODAY).preset == 30


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0.0 %"), (0.05, "5.0 %"), (0.0034, "0.34 %"), (0.9999, "100 %"), (1, "100 %")],
)
def test_percentages(value: float | None, text: str) -> None:
    assert percent(value).replace(SPACE, " ") == text


def test_seconds() -> None:
    shown = [seconds(value) for value in (0.01, 4.26, 59.6, 125.2)]
    assert shown == [
        "under 0.1 s",
        "4.3 s",
        "1 min 0 s",
        "2 min 5 s",
    ]
