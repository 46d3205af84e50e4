"""``python -m tests.benchmarks.measurements``: write docs/measurements.md and the README's figures.

Words stand in ``measurements.md.j2`` and ``readme.md.j2``, figures in ``results/*.json``; a template names
the figure, so a table cannot say what was not measured. A test holds the written files against both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from anomalyos.core.settings import PROJECT_ROOT
from tests.benchmarks.record import RESULTS

MEASUREMENTS = PROJECT_ROOT / "docs" / "measurements.md"
README = PROJECT_ROOT / "README.md"
BEGIN, END = "<!-- figures: make measurements -->\n", "<!-- end of figures -->\n"
NOT_RECORDED = "not recorded"


def fixed(value: float, digits: int = 3) -> str:
    """``value`` with so many digits after the point."""
    return f"{value:.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    """A share as percent."""
    return f"{100 * value:.{digits}f} %"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def count(value: int) -> str:
    """A number with a comma between thousands."""
    return f"{value:,}"


def of(part: dict[str, Any]) -> str:
    """``hits/of``."""
    return f"{part['hits']}/{part['of']}"


def interval(part: dict[str, Any], digits: int = 3) -> str:
    """A value with its 95 % interval behind it."""
    return f"{part['value']:.{digits}f} ({part['low95']:.{digits}f} to {part['high95']:.{digits}f})"


def of_with_interval(part: dict[str, Any]) -> str:
    """``hits/of`` with the 95 % interval of the share behind it."""
    return f"{of(part)} ({100 * part['low95']:.0f}–{100 * part['high95']:.0f} %)"


def seconds(milliseconds: float) -> str:
    """Milliseconds as seconds."""
    return f"{milliseconds / 1000:.2f} s"


def measured_with(record: dict[str, Any]) -> dict[str, str]:
    """Commit, threads and load of a record in words; older records lack them, and that is said."""
    commit, machine = record.get("commit") or {}, record["machine"]
    threads, load = machine.get("threads"), machine.get("load")
    said = commit["id"][:7] + (" and changes" if commit["changed"] else "") if commit else NOT_RECORDED
    return {
        "commit": said,
        "threads": ", ".join(f"{name} {n}" for name, n in threads.items()) if threads else NOT_RECORDED,
        "load": f"{load['before']} before, {load['after']} after" if load else NOT_RECORDED,
    }


def read_records() -> dict[str, dict[str, Any]]:
    """Every committed record by its benchmark's name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    }


def fill(template: str, records: dict[str, dict[str, Any]]) -> str:
    """The text of ``template`` with the figures of ``records`` in it.

    Raises:
        jinja2.UndefinedError: for a figure that no record holds.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        # what is written is Markdown: escaping is for HTML alone
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (fixed, percent, points, count, of, interval, of_with_interval, seconds, measured_with)
    environment.filters.update({each.__name__: each for each in filters})
    figures = {name: record["figures"] for name, record in records.items()}
    return environment.get_template(template).render(records=records, **figures)


def into_readme(readme: str, figures: str) -> str:
    """``readme`` with what stands between the markers replaced by ``figures``."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + figures + END + after


def main() -> int:
    records = read_records()
    MEASUREMENTS.write_text(fill("measurements.md.j2", records), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(into_readme(readme, fill("readme.md.j2", records)), encoding="utf-8")
    sys.stderr.write(f"wrote {MEASUREMENTS.name} and the figures of {README.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
