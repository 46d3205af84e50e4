"""How long work says how far it is: the three callbacks that everything here is given."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""
StageProgress = Callable[[str, float], None]
"""Called with the name of the stage that is reached and its share of the whole, 0 to 1."""
StepProgress = Callable[[str, int, int], None]
"""Called with the name of the step, and what of it is done and there is in all."""
