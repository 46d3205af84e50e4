"""What an import did, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from anomalyos.core.progress import Progress
from anomalyos.products.source import Finding


@dataclass
class ImportReport:
    """``accepted`` and ``skipped_existing`` count files, masks included.

    ``categories`` are those that were imported; ``rejected`` names what did not get in (a refused
    category under its own name) and ``warnings`` what did but deserves a look. ``file`` is
    ``CATEGORY/path`` in both.
    """

    categories: list[str] = field(default_factory=list)
    accepted: int = 0
    skipped_existing: int = 0
    rejected: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


class ImportCounter:
    """Counts each image once when it is checked and once when it is in place."""

    def __init__(self, progress: Progress | None, images: int) -> None:
        self._progress, self._done, self._total = progress, 0, 2 * images
        self._finished = 0

    def step(self) -> None:
        self._show(self._done + 1)

    def finish(self, images: int) -> None:
        """A category of that many images is through, also when some or all were turned down."""
        self._finished += 2 * images
        self._show(self._finished)

    def _show(self, done: int) -> None:
        self._done = done
        if self._progress is not None:
            self._progress(done, self._total)


class Refusal(Exception):
    """Why a file or a whole category does not get in; caught inside the import."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
