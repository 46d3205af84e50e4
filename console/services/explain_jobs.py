"""What is being computed about one inspection, written by a worker thread and read by any number of pages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from anomalyos.explain.evidence import Evidence

GROUPS: tuple[tuple[str, ...], ...] = (("similar", "causes"), ("trace",), ("cams",), ("depth",), ("shap",))
"""Parts computed in one go, quick ones first: causes build on the similar cases."""
QUICK = ("similar", "causes", "trace")
HEAVY = ("cams", "depth", "shap")
Status = Literal["waiting", "running", "done", "missing"]
Lane = Literal["quick", "heavy"]
"""Who computes: the quick parts never stand behind the heavy ones."""


@dataclass(frozen=True)
class PartState:
    """How far one part is; ``why`` says in words why it is missing."""

    status: Status
    share: float = 0.0
    why: str = ""


def lane_of(group: tuple[str, ...]) -> Lane:
    return "heavy" if group[0] in HEAVY else "quick"


class ExplainJob:
    """The parts of one inspection that were asked for. Reading takes no lock: values are replaced whole."""

    def __init__(self, inspection_id: int) -> None:
        self.inspection_id = inspection_id
        self.states: dict[str, PartState] = {}
        self.evidence: Evidence | None = None
        self._todo: dict[Lane, deque[tuple[str, ...]]] = {"quick": deque(), "heavy": deque()}
        self._at_work: set[Lane] = set()
        self._lock = threading.RLock()

    @property
    def finished(self) -> bool:
        return all(state.status in ("done", "missing") for state in self.states.values())

    def ask(self, parts: Iterable[str]) -> list[Lane]:
        """Queue the groups of ``parts`` that are not under way; the lanes a worker has to be started for."""
        wanted = set(parts)
        with self._lock:
            for group in GROUPS:
                todo = self._todo[lane_of(group)]
                if not wanted & set(group) or group in todo or self._running(group):
                    continue
                todo.append(group)
                self._set({part: PartState("waiting") for part in group})
            start = [lane for lane, todo in self._todo.items() if todo and lane not in self._at_work]
            self._at_work.update(start)
            return start

    def next_group(self, lane: Lane) -> tuple[str, ...] | None:
        """The next group to compute; None when there is none, and then the worker is done."""
        with self._lock:
            if not self._todo[lane]:
                self._at_work.discard(lane)
                return None
            group = self._todo[lane].popleft()
            self._set({part: PartState("running") for part in group})
            return group

    def progress(self, part: str, share: float) -> None:
        self._set({part: PartState("running", share)})

    def found(self, group: tuple[str, ...], evidence: Evidence) -> None:
        """Take over what one group gave; what other groups gave before stays."""
        missing = evidence.missing
        with self._lock:
            self.evidence = evidence if self.evidence is None else merged(self.evidence, evidence, group)
            self._set(
                {
                    part: PartState("missing", why=missing[part])
                    if part in missing
                    else PartState("done", 1.0)
                    for part in group
                }
            )

    def failed(self, group: tuple[str, ...], why: str) -> None:
        self._set({part: PartState("missing", why=why) for part in group})

    def _set(self, changes: dict[str, PartState]) -> None:
        with self._lock:
            self.states = {**self.states, **changes}

    def _running(self, group: tuple[str, ...]) -> bool:
        return any(self.states.get(part, PartState("done")).status == "running" for part in group)


def merged(old: Evidence, new: Evidence, group: tuple[str, ...]) -> Evidence:
    """``old`` with the parts of ``group`` as ``new`` has them, and the facts of the inspection of today."""
    keep = {name: why for name, why in old.missing.items() if name not in group and name != "anomaly_map"}
    notes = {note.id: note for note in (*old.notes, *new.notes)} if "similar" not in group else {}
    changes = {
        "inspection": new.inspection,
        "regions": new.regions,
        "notes": tuple(notes.values()) if notes else new.notes,
        "pictures": {**old.pictures, **new.pictures},
        "missing": {**keep, **new.missing},
        "cost_ms": {**old.cost_ms, **new.cost_ms},
        **{part: getattr(new, part) for part in group},
    }
    if "cams" in group:
        changes["named"] = new.named
    return old.model_copy(update=changes)


@dataclass
class ReportJob:
    """One report being written. ``text`` grows by whole statements until ``done``."""

    inspection_id: int
    actor: str
    text: list[str] = field(default_factory=list)
    part: str = ""
    """What is being explained before the writing begins."""
    share: float = 0.0
    report_id: int | None = None
    error: str = ""
    done: bool = False
