"""A report by the model if there is one, by the template if not; checked in either case."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.explain.evidence import Evidence
from anomalyos.reports import template
from anomalyos.reports.confidence import bounded
from anomalyos.reports.content import SECTIONS, TITLES, Claim, Draft, ReportContent, Section, Statement
from anomalyos.reports.dossier import FactSheet, build_fact_sheet
from anomalyos.reports.groq_client import Answer, GroqClient, ModelUnavailable
from anomalyos.reports.grounding import check, check_claim
from anomalyos.reports.prompt import Messages, ask_again, build_messages, fingerprint
from anomalyos.reports.scanner import StatementScanner
from anomalyos.reports.words import clean

OnText = Callable[[str], None]


class WrittenReport(BaseModel):
    """A report with everything that says where it comes from; the form of ``store.reports.keep``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: ReportContent
    writer: Literal["groq", "template"]
    fallback_reason: str = ""
    model: str = ""
    prompt_sha256: str = ""
    inputs: FactSheet
    unsupported: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    duration_ms: float


def write_report(evidence: Evidence, settings: Settings, on_text: OnText | None = None) -> WrittenReport:
    """Write and check a report; takes no longer than ``settings.report_timeout_s`` for the model.

    Args:
        on_text: gets the report as it comes into being: whole statements, each already checked, with a
            mark in front of an unsupported one. An answer given up half way is said to be void.
    """
    start = time.perf_counter()
    deadline = time.monotonic() + settings.report_timeout_s
    show = ReportStream(on_text)
    dossier = build_fact_sheet(evidence)
    attempt = ModelAttempt(evidence, dossier, settings, show)
    reason = ""
    try:
        content = attempt.write(deadline)
    except AnomalyOSError as error:
        reason = f"{error.message} {error.hint}".strip()
        show.void(f"{error.message} The template writes it instead.")
        content = _by_template(evidence, dossier, show)
    return WrittenReport(
        content=content,
        writer="template" if reason else "groq",
        fallback_reason=reason,
        model=attempt.model,
        prompt_sha256=attempt.prompt_sha256,
        inputs=dossier,
        unsupported=content.unsupported,
        prompt_tokens=attempt.prompt_tokens,
        completion_tokens=attempt.completion_tokens,
        cost_usd=_cost(attempt.prompt_tokens, attempt.completion_tokens, settings),
        duration_ms=round((time.perf_counter() - start) * 1000, 1),
    )


def _by_template(evidence: Evidence, dossier: FactSheet, show: ReportStream) -> ReportContent:
    content = check(template.write_draft(evidence, dossier), dossier)
    for section in SECTIONS:
        for statement in content.section(section):
            show.statement(section, statement)
    return content


def _cost(prompt: int, completion: int, settings: Settings) -> float | None:
    prices = (
        settings.groq_usd_per_million_prompt_tokens,
        settings.groq_usd_per_million_completion_tokens,
    )
    if prices[0] is None or prices[1] is None:
        return None
    return round((prompt * prices[0] + completion * prices[1]) / 1e6, 8)


class ModelAttempt:
    """One report by the model: asked, streamed, validated, at most once repaired, checked."""

    def __init__(
        self, evidence: Evidence, dossier: FactSheet, settings: Settings, show: ReportStream
    ) -> None:
        self._evidence = evidence
        self._dossier = dossier
        self._settings = settings
        self._show = show
        self.model = ""
        self.prompt_sha256 = ""
        self.prompt_tokens = 0
        self.completion_tokens = 0

    def write(self, deadline: float) -> ReportContent:
        """Raises ``AnomalyOSError`` whenever the template has to write instead."""
        if self._settings.groq_api_key is None:
            raise ModelUnavailable(
                "No Groq key is configured.", "Set ANOMALYOS_GROQ_API_KEY to have a model write the report."
            )
        messages = build_messages(self._dossier, self._settings)
        self.model, self.prompt_sha256 = self._settings.groq_model, fingerprint(messages)
        client = GroqClient(self._settings, deadline)
        answer = self._ask(client, messages)
        try:
            draft = read_draft(answer.text)
        except ModelUnavailable as error:
            self._show.void(f"{error.message} It is asked once more.")
            answer = self._ask(client, ask_again(messages, answer.text, error.message))
            draft = read_draft(answer.text)
        content = check(draft, self._dossier)
        supported = [statement.supported for name in SECTIONS for statement in content.section(name)]
        confidence = bounded(content.confidence, self._evidence, supported)
        why = clean(confidence.why, 300, keep_quotes=True) or "The model gave no reason."
        return content.model_copy(update={"confidence": confidence.model_copy(update={"why": why})})

    def _ask(self, client: GroqClient, messages: Messages) -> Answer:
        scanner = StatementScanner()

        def on_piece(piece: str) -> None:
            for section, raw in scanner.feed(piece):
                self._show_early(section, raw)

        answer = client.ask(messages, on_piece)
        self.model = clean(answer.model, 120)
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens
        return answer

    def _show_early(self, section: str, raw: dict[str, Any]) -> None:
        """A statement the moment it is complete, after the same check it gets in the end."""
        known = next((name for name in SECTIONS if name == section), None)
        if known is None:
            return
        try:
            claim = Claim.model_validate(raw)
        except ValidationError:  # the whole answer is refused when it has arrived
            return
        self._show.statement(known, check_claim(known, claim, self._dossier))


def read_draft(text: str) -> Draft:
    """The model's answer in the form it was asked for.

    Raises:
        ModelUnavailable: empty, not JSON, or of another form; in words without the answer's own.
    """
    hint = "Try again, or choose another model with ANOMALYOS_GROQ_MODEL."
    if not text.strip():
        raise ModelUnavailable("The model's answer was empty.", hint)
    try:
        return Draft.model_validate(json.loads(text.strip().removeprefix("```json").strip("`\n ")))
    except ValidationError as error:
        # only names of our own form: what the model invented is not repeated to people
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ModelUnavailable(f"The model's answer lacks the agreed form ({place}).", hint) from error
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable("The model's answer was not valid JSON.", hint) from error


class ReportStream:
    """Passes a report on as text while it is written."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._section: Section | None = None

    def statement(self, section: Section, statement: Statement) -> None:
        if self._on_text is None:
            return
        if section != self._section:
            self._section = section
            self._on_text(f"\n{TITLES[section]}\n")
        self._on_text(f"{as_line(statement)}\n")

    def void(self, reason: str) -> None:
        """Take back what has been passed on, if anything was."""
        if self._on_text is not None and self._section is not None:
            self._on_text(f"\n✗ What stands above is void. {reason}\n")
        self._section = None


def as_line(statement: Statement) -> str:
    """``- text [ids]``, with the reason in front when it is unsupported."""
    mark = "" if statement.supported else f"UNSUPPORTED ({'; '.join(statement.problems)}): "
    return f"- {mark}{statement.text} [{', '.join(statement.cites) or 'no source'}]"
