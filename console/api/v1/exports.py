"""What can be taken away as a file: reports as HTML or PDF, pages of data checks, the knowledge base."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import HTTPException
from starlette.responses import Response

from anomalyos.core.errors import NotFound
from anomalyos.explain.evidence import Evidence
from anomalyos.knowledge import exchange
from anomalyos.reports.html import export_html
from anomalyos.reports.pdf import export_pdf
from anomalyos.reports.pictures import training_pictures
from console.api.v1.media import LARGEST_ID
from console.container import Services
from console.services.blocking import run_blocking
from console.services.explanation import KeptReport

_HEADERS = {
    "Cache-Control": "private, no-store",
    # opened from the download bar it runs nothing and asks nobody, whatever a report quotes
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
}

CHECK_HEADERS = {
    "Cache-Control": "private, no-store",
    # a page of its own without any right: it runs nothing, asks nobody and is of no origin
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


async def check_page(services: Services, check_id: int) -> Response:
    """The page of a data check."""
    if not 0 < check_id <= LARGEST_ID:
        raise HTTPException(404, "There is nothing here.")
    try:
        page = await run_blocking(services.checks.page, check_id)
    except NotFound as error:
        raise HTTPException(404, str(error)) from error
    return Response(page, media_type="text/html", headers=CHECK_HEADERS)


async def report_html(services: Services, report_id: int) -> Response:
    return await _download(services, html_file, report_id, "text/html")


async def report_pdf(services: Services, report_id: int) -> Response:
    return await _download(services, pdf_file, report_id, "application/pdf")


async def _download(
    services: Services, make: Callable[[Services, KeptReport], tuple[str, bytes]], report_id: int, kind: str
) -> Response:
    name, data = await services.explanations.in_background(
        lambda: make(services, services.explanations.report(report_id))
    )
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


async def knowledge_yaml(services: Services) -> Response:
    return await _graph(services, "yaml", "application/yaml")


async def knowledge_graphml(services: Services) -> Response:
    return await _graph(services, "graphml", "application/xml")


async def _graph(services: Services, form: Literal["yaml", "graphml"], media_type: str) -> Response:
    """The whole knowledge base as a file."""
    text = await run_blocking(lambda: exchange.export(services.knowledge.graph(), form))
    headers = {
        "Content-Disposition": f'attachment; filename="knowledge.{form}"',
        "Cache-Control": "no-store",
    }
    return Response(text.encode("utf-8"), media_type=media_type, headers=headers)


def html_file(services: Services, report: KeptReport) -> tuple[str, bytes]:
    """Name and UTF-8 of a page. Raises NotFound when the inspection is gone."""
    evidence = _evidence(services, report)
    return _name(report, "html"), export_html(
        evidence, report.written, services.store, _training(services, evidence)
    )


def pdf_file(services: Services, report: KeptReport) -> tuple[str, bytes]:
    """Name and bytes of an A4 document. Raises AnomalyOSError when the font is missing."""
    evidence = _evidence(services, report)
    return _name(report, "pdf"), export_pdf(
        evidence, report.written, services.store, _training(services, evidence)
    )


def _evidence(services: Services, report: KeptReport) -> Evidence:
    """What the report's pictures are drawn from. It was computed when the report was written and kept, so
    this is quick; the statements and their sources come from the report itself."""
    return services.explanations.explainer.explain(report.inspection_id)


def _training(services: Services, evidence: Evidence) -> Callable[..., bytes | None] | None:
    category = str(evidence.inspection.get("category") or "")
    return training_pictures(services.settings.data_dir / category) if category else None


def _name(report: KeptReport, suffix: str) -> str:
    """Numbers only: what was uploaded under a strange name is not repeated in a header."""
    return f"anomalyos-inspection-{report.inspection_id}-report-{report.report_id}.{suffix}"
