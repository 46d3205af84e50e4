"""Which documents a search may answer with, held as columns so that 100,000 are masked in a millisecond."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.tables import Severity
from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge.search.document import Document
from anomalyos.knowledge.tables import NodeKind

CASE = "case"
NOTE = "note"
KINDS = (*(kind.value for kind in NodeKind), CASE, NOTE)


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that all hold at once; None asks for nothing. Use :meth:`checked` on what people typed."""

    kinds: frozenset[str] | None = None
    category: str | None = None
    severity: str | None = None
    since: datetime | None = None
    """Inclusive, as is ``until``."""
    until: datetime | None = None

    @property
    def empty(self) -> bool:
        return self == Filters()

    @classmethod
    def checked(
        cls,
        kinds: Collection[str] | None,
        category: str | None,
        severity: str | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Filters:
        """Filters with every value known; a naive datetime is taken as UTC.

        Raises:
            AnomalyOSError: naming what is not a kind or severity, or a time that ends before it begins.
        """
        unknown = sorted(set(kinds or ()) - set(KINDS))
        if unknown:
            raise AnomalyOSError(
                f"There is nothing of the kind {', '.join(unknown)} to search.",
                f"Choose from: {', '.join(KINDS)}.",
            )
        if severity and severity not in set(Severity):
            raise AnomalyOSError(
                f"{severity!r} is not a severity.",
                f"Choose one of: {', '.join(one.value for one in Severity)}.",
            )
        since, until = aware(since), aware(until)
        if since and until and since > until:
            raise AnomalyOSError("The time asked for ends before it begins.", "Swap since and until.")
        return cls(frozenset(kinds) if kinds else None, category or None, severity or None, since, until)


def aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    since_1970 = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_1970.days * 86_400 + since_1970.seconds) * 1_000_000 + since_1970.microseconds


class Columns:
    """Kind, category, severity and date of the documents numbered 0 to N - 1, and which of them live."""

    def __init__(self) -> None:
        self.count = 0
        self._alive = np.zeros(1024, np.bool_)
        self._kinds = np.zeros(1024, np.int8)
        self._dates = np.zeros(1024, np.int64)
        self._postings: dict[tuple[str, str], set[int]] = defaultdict(set)

    def append(self, document: Document) -> int:
        """Number given to ``document``."""
        number = self.count
        if number == len(self._alive):
            self._alive, self._kinds, self._dates = (
                np.concatenate([column, np.zeros_like(column)])
                for column in (self._alive, self._kinds, self._dates)
            )
        self._alive[number] = True
        self._kinds[number] = KINDS.index(document.kind)
        self._dates[number] = micros(document.date)
        for name in document.categories:
            self._postings["category", name].add(number)
        for name in document.severities:
            self._postings["severity", name].add(number)
        self.count += 1
        return number

    def remove(self, number: int) -> None:
        self._alive[number] = False

    @property
    def living(self) -> int:
        return int(self._alive[: self.count].sum())

    def mask(self, filters: Filters) -> NDArray[np.bool_]:
        """(N,) True where a living document passes."""
        mask = self._alive[: self.count].copy()
        if filters.kinds is not None:
            mask &= np.isin(self._kinds[: self.count], [KINDS.index(kind) for kind in filters.kinds])
        for field, value in (("category", filters.category), ("severity", filters.severity)):
            if value is not None:
                held = np.zeros(self.count, np.bool_)
                held[list(self._postings.get((field, value), ()))] = True
                mask &= held
        if filters.since is not None:
            mask &= self._dates[: self.count] >= micros(filters.since)
        if filters.until is not None:
            mask &= self._dates[: self.count] <= micros(filters.until)
        return mask
