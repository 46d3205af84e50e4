"""``anomalyos report``: what is known about one inspection, in sentences that name their sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomalyos.cli.output import answer, progress_bar, stderr_console
from anomalyos.cli.shared import JsonOption
from anomalyos.core.errors import AnomalyOSError
from anomalyos.explain.evidence import Evidence
from anomalyos.explain.explainer import get_explainer
from anomalyos.reports.html import export_html
from anomalyos.reports.pdf import export_pdf
from anomalyos.reports.pictures import training_pictures
from anomalyos.reports.reporting import Reported, report_inspection
from anomalyos.reports.writer import WrittenReport

if TYPE_CHECKING:
    from rich.progress import Progress

ACTOR = "cli"
PART_WORDS = {
    "similar": "similar cases",
    "causes": "root causes",
    "trace": "retrieval trace",
    "cams": "gradient maps",
    "depth": "depth",
    "shap": "SHAP",
}


def report(
    inspection_id: Annotated[int, typer.Argument(help="As `anomalyos inspect` shows it.")],
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML file.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write a PDF file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write, check and keep a report of an inspection; by Groq with a key, else from the template."""
    explainer = get_explainer()
    explainer.store.upgrade()
    with progress_bar() as bar:
        reported = report_with_progress(inspection_id, bar, None if as_json else show)
    export(reported.evidence, reported.written, html, pdf)
    answer(as_json, report_json(reported), lambda: print_end(reported.written))


def report_with_progress(
    inspection_id: int, bar: Progress, on_text: Callable[[str], None] | None = None
) -> Reported:
    """Explain and report with a line of progress, which goes when the text begins."""
    line = bar.add_task("explaining", total=100)

    def step(part: str, share: float) -> None:
        bar.update(line, description=PART_WORDS.get(part, part), completed=round(100 * share))

    def text(piece: str) -> None:
        bar.stop()
        assert on_text is not None
        on_text(piece)

    explainer = get_explainer()
    reported = report_inspection(
        inspection_id, explainer, ACTOR, on_text=text if on_text else None, progress=step
    )
    bar.update(line, description="explained", completed=100)
    return reported


def report_json(reported: Reported) -> dict[str, Any]:
    return {"report_id": reported.report_id, **reported.written.model_dump(mode="json")}


def show(text: str) -> None:
    """Plain, at once: statements may hold brackets that are no markup."""
    typer.echo(text, nl=False)


def export(evidence: Evidence, written: WrittenReport, html: Path | None, pdf: Path | None) -> None:
    """The files that were asked for, with training images beside what was flagged where they are at hand."""
    explainer = get_explainer()
    category = str(evidence.inspection.get("category") or "")
    training = training_pictures(explainer.settings.data_dir / category) if category else None
    for path, write in ((html, export_html), (pdf, export_pdf)):
        if path is not None:
            save(path, write(evidence, written, explainer.store, training))


def save(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise AnomalyOSError(
            f"{path} cannot be written ({error.strerror}).", "Name a file in a folder that exists."
        ) from error
    stderr_console().print(f"Written: {path}", highlight=False, markup=False)


def print_end(written: WrittenReport) -> None:
    confidence = written.content.confidence
    typer.echo(f"\nConfidence: {confidence.level}. {confidence.why}")
    lines = [f"Written by {written.model if written.writer == 'groq' else 'the template'}."]
    lines += [written.fallback_reason] if written.fallback_reason else []
    lines += [f"{written.unsupported} unsupported."] if written.unsupported else []
    stderr_console().print(" ".join(lines), highlight=False, markup=False)
