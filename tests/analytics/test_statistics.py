from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import literal
from sqlmodel import Session, select

from anomalyos.analytics import statistics
from anomalyos.analytics.lines import Line, line_of, teach
from anomalyos.analytics.review_statistics import shared_decisions, sittings
from anomalyos.analytics.statistics import Selection
from anomalyos.db.engine import Store
from anomalyos.inspection import batches, reviews
from anomalyos.inspection.tables import Decision, Review, Verdict
from anomalyos.models import promotions
from anomalyos.models.tables import ModelVersion
from tests.support.rows import category_with_versions, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

FIRST = date(2026, 11, 1)
DAYS = [(FIRST + timedelta(days=k)).isoformat() for k in range(9)]
PEOPLE = ("mia", "sam", "eve")
TYPES = ("scratch", "Dent", "=cmd()", "")
SOURCES = ("cam1_{}.png", "cam2-{}.png", "CAM2_{}.png", "line10_{}.png", "IMG_{}.png", "{}.png")
PIECES = (
    "cam",
    "CAM",
    "camera",
    "Line",
    "station",
    "1",
    "07",
    "_",
    "-",
    "/",
    ":",
    ".png",
    "x",
    "\n",
    "é",
    "٣",
)
ALL = Selection(DAYS[0], DAYS[-1], kind=None)


@dataclass(frozen=True)
class Known:
    """What the test knows of one inspection it made."""

    id: int
    day: str
    kind: str
    category: str
    alpha: float | None
    source: str
    verdict: str
    history: tuple[tuple[str, str, str, str], ...]
    """(kind, decision, type, who)"""
    spent: dict[str, float]

    @property
    def standing(self) -> list[tuple[str, str, str, str]]:
        stack: list[tuple[str, str, str, str]] = []
        for entry in self.history:
            if entry[0] == "undo":
                stack.pop()
            else:
                stack.append(entry)
        return stack

    @property
    def decision(self) -> str | None:
        return self.standing[-1][1] if self.standing else None

    def within(self, selection: Selection) -> bool:
        return (
            selection.first <= self.day <= selection.last
            and selection.kind in (None, self.kind)
            and selection.category in (None, self.category)
            and selection.line in (None, line_of(self.source))
        )


def fill(session: Session, seed: int = 5, count: int = 120) -> list[Known]:
    """Days, products, two promises a product, verdicts and review histories, drawn at random."""
    rng = random.Random(seed)
    versions: dict[str, list[tuple[int, int, float]]] = {}
    for name in ("bolt", "nut"):
        category_id, ids = category_with_versions(session, name, 2)
        for version_id, alpha in zip(ids, (0.05, 0.1), strict=True):
            session.get_one(ModelVersion, version_id).alpha = alpha
            versions.setdefault(name, []).append((category_id, version_id, alpha))
    made = []
    for number in range(count):
        day, kind = rng.choice(DAYS), rng.choice(("nightly", "nightly", "live"))
        key = f"{'night' if kind == 'nightly' else 'live'}-{day}"
        batches.get_or_create(session, key=key, kind=kind, day=day)
        made.append(_one(session, rng, number, day, kind, key, versions))
    return made


def _one(
    session: Session,
    rng: random.Random,
    number: int,
    day: str,
    kind: str,
    key: str,
    versions: dict[str, list[tuple[int, int, float]]],
) -> Known:
    verdict = rng.choices(list(Verdict), weights=(6, 3, 1, 1))[0].value
    name, alpha, fields = "", None, {}
    if verdict in (Verdict.NORMAL, Verdict.ANOMALOUS):
        name = rng.choice(sorted(versions))
        category_id, version_id, alpha = rng.choice(versions[name])
        fields = {"category_id": category_id, "model_version_id": version_id}
    source = f"{day}/{name or 'any'}/" + rng.choice(SOURCES).format(number)
    spent = {"search": 1.0 + number, "total": 10.0 + number}
    row_id = inspection(session, source, key, verdict=verdict, timings_ms=spent, **fields)
    history = [] if verdict == Verdict.REJECTED else _review(session, rng, row_id)
    return Known(row_id, day, kind, name, alpha, source, verdict, tuple(history), spent)


def _review(session: Session, rng: random.Random, row_id: int) -> list[tuple[str, str, str, str]]:
    history: list[tuple[str, str, str, str]] = []
    standing = 0
    for version in range(rng.choice((0, 0, 1, 1, 2, 3, 4))):
        who = rng.choice(PEOPLE)
        if standing and rng.random() < 0.25:
            reviews.undo(session, inspection_id=row_id, actor=who, expected_version=version)
            history.append(("undo", "", "", who))
            standing -= 1
            continue
        decision = rng.choice(("defect", "defect", "false_alarm", "unsure"))
        defect = rng.choice(TYPES) if decision == "defect" else ""
        reviews.decide(
            session,
            inspection_id=row_id,
            decision=decision,
            actor=who,
            expected_version=version,
            defect_type=defect,
        )
        history.append(("decide", decision, defect, who))
        standing += 1
    return history


SELECTIONS = [
    ALL,
    Selection(DAYS[2], DAYS[5], kind="nightly"),
    Selection(DAYS[0], DAYS[-1], category="nut", kind=None),
    Selection(DAYS[0], DAYS[-1], line="cam2", kind=None),
    Selection(DAYS[1], DAYS[7], category="bolt", line="line10", kind="live"),
    Selection(DAYS[0], DAYS[-1], category="no such product", kind=None),
    Selection("2030-01-01", "2030-02-01", kind=None),
]
EMPTY = SELECTIONS[-2:]


@pytest.fixture
def filled(store: Store) -> Iterator[tuple[Session, list[Known]]]:
    with store.session() as session:
        made = fill(session)
        session.flush()
        yield session, made


def test_what_the_database_counts_is_what_counting_by_hand_gives(
    filled: tuple[Session, list[Known]],
) -> None:
    session, made = filled
    for selection in SELECTIONS:
        rows = [row for row in made if row.within(selection)]
        assert bool(rows) == (selection not in EMPTY)
        _check_counts(session, selection, rows)
        _check_lines(session, selection, made)
        _check_defect_types(session, selection, rows)
        _check_shared(session, selection, rows)
        _check_timings(session, selection, rows)


def _check_counts(session: Session, selection: Selection, rows: list[Known]) -> None:
    expected: Counter[tuple[object, ...]] = Counter(
        (row.day, row.category, row.alpha, row.verdict, row.decision) for row in rows
    )
    found: Counter[tuple[object, ...]] = Counter()
    cells = statistics.counts(session, selection)
    for cell in cells:
        found[cell.day, cell.category, cell.promised, cell.verdict, cell.decision] += cell.count
    assert found == expected
    assert [cell.day for cell in cells] == sorted(cell.day for cell in cells)


def _check_lines(session: Session, selection: Selection, made: list[Known]) -> None:
    """All lines are counted, whichever is selected."""
    everywhere = replace(selection, line=None)
    expected = Counter(
        (line_of(row.source), row.verdict, row.decision)
        for row in made
        if row.within(everywhere) and line_of(row.source)
    )
    cells = statistics.lines(session, selection)
    assert Counter({(c.line, c.verdict, c.decision): c.count for c in cells}) == expected


def _check_defect_types(session: Session, selection: Selection, rows: list[Known]) -> None:
    """The type is that of the decision that stands, after undos too."""
    expected = Counter(row.standing[-1][2] for row in rows if row.decision == Decision.DEFECT)
    assert Counter(statistics.defect_types(session, selection)) == expected


def _check_shared(session: Session, selection: Selection, rows: list[Known]) -> None:
    """Everybody's last word that was not taken back."""
    said = [{who: decision for _, decision, _, who in row.standing} for row in rows]
    expected = [by_person for by_person in said if len(by_person) > 1]
    assert shared_decisions(session, selection, limit=10_000) == expected


def _check_timings(session: Session, selection: Selection, rows: list[Known]) -> None:
    scored = [row for row in rows if row.verdict in (Verdict.NORMAL, Verdict.ANOMALOUS)]
    found = statistics.timings(session, selection, scored=len(scored), limit=10_000)
    expected = sorted((row.day, row.spent["total"]) for row in scored)
    assert sorted((day, spent["total"]) for day, spent in found) == expected


def test_large_ranges_are_read_in_part_only(filled: tuple[Session, list[Known]]) -> None:
    session, _ = filled
    everything = statistics.timings(session, ALL, scored=10, limit=10)
    sample = statistics.timings(session, ALL, scored=len(everything), limit=50)
    assert 40 <= len(sample) <= 60 < len(everything)
    assert len({day for day, _ in sample}) >= len(DAYS) - 2
    assert all(row in everything for row in sample)
    inspection(session, "cam9_late.png", f"night-{DAYS[0]}", id=2_000_000_000, verdict=Verdict.NORMAL)
    assert statistics.timings(session, ALL, scored=len(everything), limit=50), "large numbers are no trouble"
    assert len(shared_decisions(session, ALL, limit=10_000)) > 3
    assert len(shared_decisions(session, ALL, limit=3)) <= 3


def test_sittings_are_each_persons_reviews_of_the_days_in_order(store: Store) -> None:
    start = datetime(2026, 11, 3, 6, tzinfo=UTC)
    with store.session() as session:
        bolt, _ = category_with_versions(session, "bolt", 1)
        ours = inspection(session, "cam1_1.png", category_id=bolt)
        other = inspection(session, "cam2_2.png")
        entries = (
            (ours, 1, "mia", "decide", 0),
            (other, 1, "mia", "decide", 30),
            (ours, 2, "sam", "decide", 10),
            (ours, 3, "mia", "undo", 40),
            (other, 2, "mia", "decide", -7 * 3600),  # the evening before
            (other, 3, "mia", "decide", 18 * 3600),  # midnight after
        )
        for row_id, version, who, kind, seconds in entries:
            session.add(
                Review(
                    inspection_id=row_id,
                    version=version,
                    kind=kind,
                    decision="unsure",
                    reviewer=who,
                    created_at=start + timedelta(seconds=seconds),
                )
            )
        session.flush()
        found = sittings(
            session, Selection("2026-11-03", "2026-11-03", category="bolt", kind=None), limit=100
        )
        assert [
            (row.reviewer, (row.when - start).total_seconds(), row.decides, row.selected) for row in found
        ] == [
            ("mia", 0, True, True),
            ("mia", 30, True, False),
            ("mia", 40, False, True),
            ("sam", 10, True, True),
        ]
        assert len(sittings(session, Selection("2026-11-03", "2026-11-03", kind=None), limit=2)) == 2


def test_champions_in_the_order_they_came(store: Store) -> None:
    with store.session() as session:
        bolt, ids = category_with_versions(session, "bolt", 2)
        nut, nut_ids = category_with_versions(session, "nut", 1)
        for pointer, version_id in enumerate(ids):
            promotions.promote(
                session,
                category_id=bolt,
                version_id=version_id,
                expected_pointer=pointer,
                actor="t",
                reason="",
            )
        promotions.rollback(session, category_name="bolt", actor="t", reason="")
        promotions.promote(
            session, category_id=nut, version_id=nut_ids[0], expected_pointer=0, actor="t", reason=""
        )
        moves = [(m.category, m.version, m.kind) for m in statistics.champion_moves(session, None, limit=9)]
        assert moves == [
            ("bolt", 1, "promote"),
            ("bolt", 2, "promote"),
            ("bolt", 1, "rollback"),
            ("nut", 1, "promote"),
        ]
        assert [m.category for m in statistics.champion_moves(session, "nut", limit=9)] == ["nut"]
        assert [m.kind for m in statistics.champion_moves(session, "bolt", limit=1)] == ["rollback"]


def test_the_span_of_a_store(store: Store) -> None:
    with store.session() as session:
        batches.get_or_create(session, key="night-2026-10-01", kind="nightly", day="2026-10-01")
        assert statistics.span(session, None) is None
        made = fill(session, count=60)
        nights = sorted({row.day for row in made if row.kind == "nightly"})
        found = statistics.span(session, "nightly")
        assert found is not None
        assert (found.first, found.last, found.days) == (nights[0], nights[-1], len(nights))


def test_the_fingerprint_moves_with_every_kind_of_change(store: Store) -> None:
    with store.session() as session:
        seen = [statistics.fingerprint(session)]
        row = inspection(session)
        seen.append(statistics.fingerprint(session))
        reviews.decide(session, inspection_id=row, decision="unsure", actor="mia", expected_version=0)
        seen.append(statistics.fingerprint(session))
        reviews.undo(session, inspection_id=row, actor="mia", expected_version=1)
        seen.append(statistics.fingerprint(session))
        bolt, ids = category_with_versions(session, "bolt", 1)
        promotions.promote(
            session, category_id=bolt, version_id=ids[0], expected_pointer=0, actor="t", reason=""
        )
        seen.append(statistics.fingerprint(session))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("2026-11-24/sample_zipper/cam2_0123.png", "cam2"),
        ("upload:CAM2-7.png", "cam2"),
        ("camera12_x.png", "camera12"),
        ("2026-11-24/line3-0001.png", "line3"),
        ("a/b/station07_1_2.jpg", "station07"),
        ("2026-11-24/hazelnut/IMG_7.png", ""),
        ("2026-11-24/cam2/0001.png", ""),
        ("cam_1.png", ""),
        ("cam2.png", ""),
        ("camshaft2_1.png", ""),
        ("mycam2_1.png", ""),
        ("cam2_x/1.png", ""),
        ("", ""),
    ],
)
def test_a_line_is_told_by_the_file_name(source: str, line: str) -> None:
    assert line_of(source) == line


def test_the_database_tells_lines_as_python_does(store: Store) -> None:
    """Texts made of the pieces that matter, on both databases."""

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.sampled_from(PIECES), max_size=7))
    def check(pieces: list[str]) -> None:
        source = "".join(pieces)
        assert session.exec(select(Line(literal(source)))).one() == line_of(source)

    with store.session(read_only=True) as session:
        teach(session)
        check()
