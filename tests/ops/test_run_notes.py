from __future__ import annotations

from anomalyos.core.settings import Settings
from anomalyos.ops.run_notes import leave_note


def test_a_note_that_cannot_be_left_is_no_failure(settings: Settings) -> None:
    assert "password" in leave_note(settings, "run", "words")
