"""What the model is asked: instructions of ours, and the facts as one block of data."""

from __future__ import annotations

import hashlib
import json

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.reports.dossier import FactSheet

Messages = list[dict[str, str]]
OPEN, CLOSE = "<facts>", "</facts>"
LONGEST_ECHO = 4000
"""Characters of an unusable answer that are shown to the model again."""


def build_messages(dossier: FactSheet, settings: Settings) -> Messages:
    """System and user message.

    Every fact is JSON with ``<`` and ``>`` escaped, so no text in it can close the block, and line breaks
    cannot start a new line of ours. Nothing that people typed stands outside the block.

    Raises:
        AnomalyOSError: when the prompt file cannot be read.
    """
    path = settings.include_dir / "prompts" / "report.md"
    try:
        instructions = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AnomalyOSError(
            "The report's prompt cannot be read.", "Restore prompts/report.md in the include folder."
        ) from error
    facts = [{"id": fact.id, "kind": fact.kind, "text": fact.text} for fact in dossier.facts]
    block = json.dumps(facts, ensure_ascii=False, indent=0).replace("<", "\\u003c").replace(">", "\\u003e")
    return [
        {"role": "system", "content": instructions},
        {"role": "user", "content": f"{OPEN}\n{block}\n{CLOSE}\nWrite the report as the JSON object."},
    ]


def ask_again(messages: Messages, answer: str, problem: str) -> Messages:
    """The same question with the unusable answer and what was wrong with it."""
    repair = f"That answer cannot be used: {problem}. Answer again with the JSON object alone."
    shown = answer[:LONGEST_ECHO] or "(nothing)"
    return [*messages, {"role": "assistant", "content": shown}, {"role": "user", "content": repair}]


def fingerprint(messages: Messages) -> str:
    """SHA-256 of the whole prompt, as kept with the report."""
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()
