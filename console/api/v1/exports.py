"""Reports to take away: one self-contained HTML file, or a PDF."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends
from nicegui import app
from starlette.responses import Response

from anomalyos.explain.evidence import Evidence
from anomalyos.reports.html import export_html
from anomalyos.reports.pdf import export_pdf
from anomalyos.reports.pictures import training_pictures
from console.api.v1.caller import reader
from console.services.explanation import ExplanationService, KeptReport
from console.services.inspection import InspectionService

_HEADERS = {
    "Cache-Control": "private, no-store",
    # opened from the download bar it runs nothing and asks nobody, whatever a report quotes
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
}


def register(desk: InspectionService, explaining: ExplanationService) -> None:
    router = APIRouter(prefix="/export", include_in_schema=False, dependencies=[Depends(reader(desk))])

    @router.get("/report/{report_id:int}.html")
    async def html(report_id: int) -> Response:
        return await _download(explaining, lambda: html_file(desk, explaining.report(report_id)), "text/html")

    @router.get("/report/{report_id:int}.pdf")
    async def pdf(report_id: int) -> Response:
        return await _download(
            explaining, lambda: pdf_file(desk, explaining.report(report_id)), "application/pdf"
        )

    app.include_router(router)


async def _download(
    explaining: ExplanationService, make: Callable[[], tuple[str, bytes]], kind: str
) -> Response:
    name, data = await explaining.in_background(make)
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


def html_file(desk: InspectionService, report: KeptReport) -> tuple[str, bytes]:
    """Name and UTF-8 of a page. Raises NotFound when the inspection is gone."""

    evidence = _evidence(desk, report)
    return _name(report, "html"), export_html(evidence, report.written, desk.store, _training(desk, evidence))


def pdf_file(desk: InspectionService, report: KeptReport) -> tuple[str, bytes]:
    """Name and bytes of an A4 document. Raises AnomalyOSError when the font is missing."""

    evidence = _evidence(desk, report)
    return _name(report, "pdf"), export_pdf(evidence, report.written, desk.store, _training(desk, evidence))


def _evidence(desk: InspectionService, report: KeptReport) -> Evidence:
    """What the report's pictures are drawn from. It was computed when the report was written and kept, so
    this is quick; the statements and their sources come from the report itself."""
    return desk.explainer.explain(report.inspection_id)


def _training(desk: InspectionService, evidence: Evidence) -> Callable[..., bytes | None] | None:
    category = str(evidence.inspection.get("category") or "")
    return training_pictures(desk.settings.data_dir / category) if category else None


def _name(report: KeptReport, suffix: str) -> str:
    """Numbers only: what was uploaded under a strange name is not repeated in a header."""
    return f"anomalyos-inspection-{report.inspection_id}-report-{report.report_id}.{suffix}"
