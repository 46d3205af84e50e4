"""Which documents a search may answer with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

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

    def admit(self, document: Document) -> bool:
        return (
            (self.kinds is None or document.kind in self.kinds)
            and (self.category is None or self.category in document.categories)
            and (self.severity is None or self.severity in document.severities)
            and (self.since is None or document.date >= self.since)
            and (self.until is None or document.date <= self.until)
        )


def aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    since_1970 = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_1970.days * 86_400 + since_1970.seconds) * 1_000_000 + since_1970.microseconds
