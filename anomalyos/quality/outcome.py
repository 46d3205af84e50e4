"""From answers to consequences: what is set aside, what is only said, and whether the batch stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anomalyos.quality.quarantine import BadFile
from anomalyos.quality.tables import CheckOutcome
from anomalyos.quality.validation import Answer

if TYPE_CHECKING:
    from pandas import DataFrame

LISTED = 500
"""Warnings listed by name; all of them are counted. What is set aside is always listed."""
_RANK = {"warn": 0, "quarantine": 1, "stop": 2}


@dataclass
class Finding:
    """Everything found at one file."""

    file: str
    sha256: str
    split: str
    severity: str = "warn"
    rules: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    serious: list[tuple[str, str]] = field(default_factory=list)
    """Rules and reasons it is set aside for."""

    def to_json(self) -> dict[str, Any]:
        bad = self.bad_file()
        return {
            "file": self.file,
            "sha256": self.sha256,
            "split": self.split,
            "severity": self.severity,
            "rules": self.rules,
            "reason": " ".join(self.reasons),
            "aside_rules": list(bad.rules),
            "aside_reason": bad.reason,
        }

    def bad_file(self) -> BadFile:
        rules = tuple(dict.fromkeys(rule for rule, _ in self.serious))
        return BadFile(self.file, self.sha256, rules, " ".join(dict.fromkeys(why for _, why in self.serious)))


class Tally:
    """Gathers the answers of the sections of one check."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self.results: list[dict[str, Any]] = []
        self.stops: list[str] = []

    def add(self, section: str, frame: DataFrame, answers: Sequence[Answer]) -> None:
        """Take over the answers about the rows of ``frame``."""
        records: list[Any] = frame.to_dict("records")
        rows: dict[str, Mapping[str, Any]] = {str(row["file"]): row for row in records}
        for answer in answers:
            self.results.append(_result(section, answer))
            if answer.clause.stops and not answer.passed:
                self.stops.append(_why_stopped(answer, rows))
            if answer.clause.tolerated is None:
                for file in answer.files:
                    self._note(answer, rows[file])

    @property
    def set_aside(self) -> list[BadFile]:
        return [found.bad_file() for found in self.findings.values() if found.serious]

    def outcome(self, out: int) -> CheckOutcome:
        """The worst that came of it, with ``out`` files set aside."""
        if self.stops:
            return CheckOutcome.STOPPED
        if out:
            return CheckOutcome.SET_ASIDE
        return CheckOutcome.WARNED if self.findings or self._failed else CheckOutcome.PASSED

    @property
    def _failed(self) -> bool:
        return any(not result["passed"] for result in self.results)

    def documents(self) -> list[dict[str, Any]]:
        """JSON of the findings, the gravest first; of mere warnings the first ``LISTED``."""
        ordered = sorted(self.findings.values(), key=lambda found: -_RANK[found.severity])
        grave = [found.to_json() for found in ordered if found.severity != "warn"]
        mild = [found.to_json() for found in ordered if found.severity == "warn"]
        return grave + mild[:LISTED]

    def _note(self, answer: Answer, row: Mapping[str, Any]) -> None:
        file, severity = str(row["file"]), answer.clause.severity
        found = self.findings.setdefault(file, Finding(file, str(row["sha256"]), str(row["split"])))
        reason = answer.clause.words(row)
        if answer.clause.rule not in found.rules:
            found.rules.append(answer.clause.rule)
        if reason not in found.reasons:
            found.reasons.append(reason)
        if severity == "quarantine":
            found.serious.append((answer.clause.rule, reason))
        if _RANK[severity] > _RANK[found.severity]:
            found.severity = severity


def bad_files(documents: Sequence[Mapping[str, Any]]) -> list[BadFile]:
    """What the findings of a stored check set aside."""
    return [
        BadFile(found["file"], found["sha256"], tuple(found["aside_rules"]), found["aside_reason"])
        for found in documents
        if found["aside_rules"]
    ]


def _result(section: str, answer: Answer) -> dict[str, Any]:
    return {
        "section": section,
        "rule": answer.clause.rule,
        "title": answer.clause.title,
        "severity": answer.clause.severity,
        "passed": answer.passed,
        "checked": answer.checked,
        "unexpected": len(answer.files),
        "tolerated": answer.clause.tolerated,
    }


def _why_stopped(answer: Answer, rows: Mapping[str, Mapping[str, Any]]) -> str:
    clause = answer.clause
    if clause.kind == "rows":
        return clause.words({"rows": len(rows)})
    name = clause.title
    if clause.tolerated is not None:
        share = len(answer.files) / max(answer.checked, 1)
        return f"{name}: {share:.0%} of the images violate it; the suite puts up with {clause.tolerated:.0%}."
    first = answer.files[0]
    others = f", and {len(answer.files) - 1} more" if len(answer.files) > 1 else ""
    return f"{name}: {first}{others}. {clause.words(rows[first])}"
