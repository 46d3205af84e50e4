"""Everything the analytics page shows of one selection, computed once and kept while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlmodel import Session

from anomalyos.analytics import review_statistics, statistics
from anomalyos.analytics.statistics import Cell, Span
from anomalyos.db.engine import Store
from anomalyos.drift import checks as drift_checks
from anomalyos.models.categories import list_all
from console.services.analytics import drift
from console.services.analytics.drift import DriftHistory
from console.services.analytics.filter import AnalyticsFilter
from console.services.analytics.pace import Latency, Pace, Pair, latency, paces, pairs
from console.services.analytics.periods import Bins, ChampionPeriod, bins, champion_periods, within
from console.services.analytics.quality_counts import QualityCounts
from console.services.cache import TimedCache
from console.texts import wording

SAMPLE = 4_000
"""Images whose times are read at most, spread over the range."""
SHARED_AT_MOST = 5_000
REVIEWS_AT_MOST = 20_000
MOVES_AT_MOST = 500


@dataclass(frozen=True)
class DefectCount:
    name: str
    """Empty when the reviewers named none."""
    count: int


@dataclass(frozen=True)
class Report:
    wanted: AnalyticsFilter
    bins: Bins
    total: QualityCounts
    by_bin: dict[date, QualityCounts]
    """One tally for each of ``bins``, empty ones too."""
    by_category: dict[str, QualityCounts]
    """Products by name; what is of no known product is not among them."""
    nights_by_category: dict[str, int]
    """Days with images of the product."""
    by_line: dict[str, QualityCounts]
    defects: list[DefectCount]
    """Most frequent first."""
    pairs: list[Pair]
    paces: list[Pace]
    latency: Latency
    champion_periods: list[ChampionPeriod]
    span: Span | None
    """What the store holds beyond the range; None when it is empty."""
    drift: DriftHistory
    categories: list[str]
    """Every product there is, to choose from."""
    days_with_images: int
    counted_at: datetime


class Reports:
    """Makes reports, and gives the same one again while no inspection, review or promotion was added.

    One that took long is given again for a while even then, see ``TimedCache``: on a large store with a
    camera running, every visit would count everything anew.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: TimedCache[AnalyticsFilter, Report] = TimedCache(
            self._report, state=self._state, free_s=0.2, most=24
        )

    def get(self, wanted: AnalyticsFilter) -> Report:
        """Blocking: some grouped queries."""
        return self._kept.get(wanted)

    def _state(self) -> object:
        with self._store.session(read_only=True) as session:
            return statistics.fingerprint(session), drift_checks.fingerprint(session)

    def _report(self, wanted: AnalyticsFilter) -> Report:
        with self._store.session(read_only=True) as session:
            return _make(session, wanted)


def _make(session: Session, wanted: AnalyticsFilter) -> Report:
    selection = wanted.selection
    cells = statistics.counts(session, selection)
    days = {cell.day for cell in cells}
    parts = bins(map(date.fromisoformat, days), wanted.days)
    total, by_category = QualityCounts(), _by_category(cells)
    for cell in cells:
        total.add(cell.verdict, cell.decision, cell.count, cell.promised)
    timings = statistics.timings(session, selection, scored=total.scored, limit=SAMPLE)
    shared = review_statistics.shared_decisions(session, selection, limit=SHARED_AT_MOST)
    entries = review_statistics.sittings(session, selection, limit=REVIEWS_AT_MOST)
    moves = statistics.champion_moves(session, selection.category, limit=MOVES_AT_MOST)
    names = sorted((category.name for category in list_all(session)), key=wording.product)
    shown = [wanted.category] if wanted.category else names
    return Report(
        wanted=wanted,
        bins=parts,
        total=total,
        by_bin=_by_bin(cells, parts),
        by_category=by_category,
        nights_by_category=_nights(cells),
        by_line=_by_line(session, wanted),
        defects=merged(statistics.defect_types(session, selection)),
        pairs=pairs(shared),
        paces=paces(entries),
        latency=latency(timings, total.scored, parts),
        champion_periods=within(champion_periods(moves), wanted.first, wanted.last),
        span=statistics.span(session, selection.kind),
        drift=drift.history(session, shown, selection.first, selection.last),
        categories=names,
        days_with_images=len(days),
        counted_at=datetime.now(UTC),
    )


def _by_bin(cells: list[Cell], parts: Bins) -> dict[date, QualityCounts]:
    found = {start: QualityCounts() for start in parts.starts}
    for cell in cells:
        start = parts.start_of(date.fromisoformat(cell.day))
        found[start].add(cell.verdict, cell.decision, cell.count, cell.promised)
    return found


def _by_category(cells: list[Cell]) -> dict[str, QualityCounts]:
    names = sorted({cell.category for cell in cells if cell.category}, key=wording.product)
    found: dict[str, QualityCounts] = {name: QualityCounts() for name in names}
    for cell in cells:
        if cell.category:
            found[cell.category].add(cell.verdict, cell.decision, cell.count, cell.promised)
    return found


def _nights(cells: list[Cell]) -> dict[str, int]:
    days: dict[str, set[str]] = {}
    for cell in cells:
        days.setdefault(cell.category, set()).add(cell.day)
    return {name: len(found) for name, found in days.items() if name}


def _by_line(session: Session, wanted: AnalyticsFilter) -> dict[str, QualityCounts]:
    found: dict[str, QualityCounts] = {}
    for cell in statistics.lines(session, wanted.selection):
        found.setdefault(cell.line, QualityCounts()).add(cell.verdict, cell.decision, cell.count)
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _natural(line: str) -> tuple[str, int]:
    """``cam10`` comes after ``cam2``."""
    word = line.rstrip("0123456789")
    return word, int(line[len(word) :])


def merged(counts: dict[str, int]) -> list[DefectCount]:
    """Types that differ only in capitals or blanks are one, under its most frequent spelling."""
    spellings: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        own, plain = spellings.setdefault(" ".join(name.casefold().split()), {}), name.strip()
        own[plain] = own.get(plain, 0) + count
    found = [
        DefectCount(max(sorted(spelt), key=lambda name: spelt[name]), sum(spelt.values()))
        for spelt in spellings.values()
    ]
    return sorted(found, key=lambda defect: (-defect.count, defect.name))
