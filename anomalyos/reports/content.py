"""What a report says: statements in five sections, each with the ids it cites."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Section = Literal["finding", "evidence", "likely_causes", "remedies", "next_checks"]
SECTIONS: tuple[Section, ...] = ("finding", "evidence", "likely_causes", "remedies", "next_checks")
TITLES: dict[Section, str] = {
    "finding": "Finding",
    "evidence": "Evidence",
    "likely_causes": "Likely causes",
    "remedies": "Remedies",
    "next_checks": "What to check next",
}
Level = Literal["low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("low", "medium", "high")

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Cite = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class Claim(BaseModel):
    """A statement as somebody claims it; nothing has been checked yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: Sentence
    cites: tuple[Cite, ...] = Field(default=(), max_length=20)


class Confidence(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    level: Level
    why: Sentence


Claims = Annotated[tuple[Claim, ...], Field(max_length=12)]


class Draft(BaseModel):
    """A report before it is checked: the form a model has to answer in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    finding: Annotated[Claims, Field(min_length=1)]
    evidence: Claims
    likely_causes: Claims
    remedies: Claims
    next_checks: Claims
    confidence: Confidence


class Statement(BaseModel):
    """A checked statement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    cites: tuple[str, ...]
    problems: tuple[str, ...] = ()
    """Why it is unsupported, in words; empty when every check passed."""

    @property
    def supported(self) -> bool:
        return not self.problems


class ReportContent(BaseModel):
    """A checked report: safe to show, because what is unsupported says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: tuple[Statement, ...]
    evidence: tuple[Statement, ...]
    likely_causes: tuple[Statement, ...]
    remedies: tuple[Statement, ...]
    next_checks: tuple[Statement, ...]
    confidence: Confidence

    def section(self, name: Section) -> tuple[Statement, ...]:
        found: tuple[Statement, ...] = getattr(self, name)
        return found

    @property
    def unsupported(self) -> int:
        return sum(not statement.supported for name in SECTIONS for statement in self.section(name))
