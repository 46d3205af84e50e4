"""A report as one HTML file: pictures and styles inside, no scripts, nothing loaded from anywhere."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence
from anomalyos.reports.layout import build_page
from anomalyos.reports.pictures import TrainingPictures
from anomalyos.reports.writer import WrittenReport

if TYPE_CHECKING:
    from jinja2 import Template


def export_html(
    evidence: Evidence, report: WrittenReport, store: Store, training: TrainingPictures | None = None
) -> bytes:
    """UTF-8 of a page that can be mailed, archived and printed.

    All text is escaped, and a content security policy in the page forbids scripts and any connection, so
    what people typed stays text even in a browser that disagrees about the escaping.
    """
    page = build_page(evidence, report, store, training)
    return _template().render(page=page).encode("utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
