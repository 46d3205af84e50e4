"""Drift reports as files: one HTML page a product and day."""

from __future__ import annotations

import html
from pathlib import Path

from anomalyos.core.files.writing import write_text
from anomalyos.core.settings import Settings
from anomalyos.drift.tables import DriftCheck

_BANNER = (
    '<div role="note" style="font:16px/1.5 system-ui,sans-serif;padding:12px 20px;color:#1c1917;'
    'background:{background};border-bottom:1px solid #d6d3d1">{words}</div>'
)


def write_page(settings: Settings, check: DriftCheck, version: int, page: str, keep: int) -> str:
    """Write a report in one step and let the oldest go; returns its path below ``Settings.drift_dir``.

    Args:
        version: number of the champion the records are of.
        keep: newest pages the category keeps.
    """
    folder = settings.drift_dir / check.category
    target = folder / f"{check.day}.html"
    write_text(target, with_heading(page, check, version))
    for old in pages(folder)[keep:]:
        old.unlink(missing_ok=True)
    return f"{check.category}/{target.name}"


def pages(folder: Path) -> list[Path]:
    """Reports of one category, the newest day first."""
    return sorted(folder.glob("*.html"), key=lambda path: path.stem, reverse=True)


def with_heading(page: str, check: DriftCheck, version: int) -> str:
    """The page with a first line that says what is compared, and whether records in it are made up."""
    words = (
        f"<b>{html.escape(check.category)}</b>, {html.escape(check.day)}: the first {check.reference_count} "
        f"records of version {version} (reference) and its latest {check.current_count} (current). "
        "Score and sharpness stand as logarithms, the embedding as its distance from the usual."
    )
    background = "#f5f5f4"
    if check.injected_count:
        background = "#fde68a"
        words += (
            f" <b>{check.injected_count} of them were injected</b> by <code>anomalyos simulate</code>: "
            "they are no photographs of the line."
        )
    at = page.find(">", page.find("<body")) + 1
    banner = _BANNER.format(background=background, words=words)
    return page[:at] + banner + page[at:]
