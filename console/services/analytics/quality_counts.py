"""Counts of inspections added up, and the shares that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.core.statistics.proportion import Share, Standing, share, standing
from anomalyos.inspection.tables import Decision, Verdict


@dataclass
class QualityCounts:
    """Sums over any part of the selection.

    A part is *believed normal* when the model let it pass and nobody called it a defect, or when it
    was flagged and called a false alarm. Parts that are still open or unsure are neither.
    """

    images: int = 0
    rejected: int = 0
    unknown: int = 0
    """Images of no known product: shown to people, but never scored."""
    anomalous: int = 0
    passed: int = 0
    """Not flagged, and not called a defect by anybody."""
    missed: int = 0
    """Not flagged, and called a defect."""
    defects: int = 0
    false_alarms: int = 0
    unsettled: int = 0
    """Scored and flagged, with no decision or an unsure one."""
    open: int = 0
    """Flagged or of unknown product, with no decision."""
    promised_parts: int = 0
    promised_sum: float = 0.0

    def add(self, verdict: str, decision: str | None, count: int, promised: float | None = None) -> None:
        self.images += count
        if verdict == Verdict.REJECTED:
            self.rejected += count
            return
        self.defects += count if decision == Decision.DEFECT else 0
        if verdict == Verdict.UNKNOWN_CATEGORY:
            self.unknown += count
        elif verdict == Verdict.ANOMALOUS:
            self.anomalous += count
            self.false_alarms += count if decision == Decision.FALSE_ALARM else 0
            self.unsettled += count if decision in (None, Decision.UNSURE) else 0
        elif decision == Decision.DEFECT:
            self.missed += count
        else:
            self.passed += count
        if decision is None and verdict in (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY):
            self.open += count
        if promised is not None:
            self.promised_parts += count
            self.promised_sum += promised * count

    @property
    def inspected(self) -> int:
        return self.images - self.rejected

    @property
    def scored(self) -> int:
        return self.anomalous + self.passed + self.missed

    @property
    def flagged(self) -> int:
        return self.anomalous + self.unknown

    @property
    def believed_normal(self) -> int:
        return self.passed + self.false_alarms

    @property
    def promised(self) -> float | None:
        """The promised share of false alarms, averaged over the scored parts when it changed."""
        return self.promised_sum / self.promised_parts if self.promised_parts else None

    def flag_share(self) -> Share:
        return share(self.flagged, self.inspected)

    def defect_share(self) -> Share:
        return share(self.defects, self.inspected)

    def alarm_share(self) -> Share:
        """False alarms among the parts believed normal."""
        return share(self.false_alarms, self.believed_normal)

    def standing(self) -> Standing | None:
        """How the promise stands, counting what is unsettled once as defects and once as false alarms."""
        if self.promised is None or not self.believed_normal:
            return None
        at_worst = share(self.false_alarms + self.unsettled, self.believed_normal + self.unsettled)
        return standing(self.alarm_share(), at_worst, self.promised)
