"""The analytics page: how the line, the models and the reviewers do over the days asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from fastapi import Request

from console.components.visitor import Visitor
from console.container import Services
from console.pages.analytics import drift_section, models_and_reviewers, rates, summary
from console.pages.analytics.section import View, aligned
from console.services.analytics import drift
from console.services.analytics.filter import KINDS, PATH, AnalyticsFilter, read
from console.services.analytics.report import Report
from console.services.blocking import run_blocking
from console.services.today import today_utc
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import frame

_NOTED = timedelta(seconds=5)
"""A report older than this says so; one of a large store is given again for a while."""


async def analytics(services: Services, visitor: Visitor, request: Request) -> None:
    wanted = read(request.query_params, today_utc())
    report = await run_blocking(services.analytics.get, wanted)
    shown = [wanted.category] if wanted.category else report.categories
    stored = await run_blocking(drift.found, services.settings, shown)
    with (
        frame("Analytics", visitor.person, mode=PATH, open_items=visitor.open_items) as shell,
        box("aos-page aos-analytics"),
    ):
        _head(report)
        if report.total.images == 0:
            _nothing(report)
            return
        view = View(services, shell, report)
        summary.draw_figures(report)
        with aligned():
            rates.draw_flags(view)
            rates.draw_false_alarms(view)
            models_and_reviewers.draw_reviewers(view)
            models_and_reviewers.draw_models(view)
            drift_section.draw(view, stored)


def _head(report: Report) -> None:
    wanted = report.wanted
    Text("Analytics", "h1", "aos-title")
    Text(subtitle(wanted), "p", "aos-subtitle").mark("subtitle")
    if datetime.now(UTC) - report.counted_at > _NOTED:
        Text(f"Counted at {report.counted_at:%H:%M:%S} UTC.", "p", "aos-an-note")
    if wanted.misread:
        kit.notice(
            "The address holds days that are no dates; the last 30 days are shown.", "unsure", "event_busy"
        )
    summary.draw_filters(wanted, report.categories, list(report.by_line))


def subtitle(wanted: AnalyticsFilter) -> str:
    """``30 days to Wed 25 Nov 2026, all products, nights.``"""
    parts = [f"{wording.plural(wanted.days, 'day')} to {wording.short_day(wanted.last.isoformat())}"]
    parts.append(wording.product(wanted.category) if wanted.category else "all products")
    if wanted.line:
        parts.append(f"line {wanted.line}")
    return ", ".join([*parts, KINDS[wanted.kind].lower()]) + "."


def _nothing(report: Report) -> None:
    wanted, span = report.wanted, report.span
    if span is None:
        kit.empty_state(
            "monitoring",
            "No images yet",
            "When the nightly run has inspected its first images, rates, false alarms and times show here.",
        )
        return
    newest = date.fromisoformat(span.last)
    plain = AnalyticsFilter(newest - timedelta(days=29), newest, wanted.today, kind=wanted.kind)

    def actions() -> None:
        kit.link("Show the newest images", plain.address(), "aos-button primary", "event")

    kit.empty_state(
        "event_busy",
        "No images in this range",
        f"There are images from {wording.short_day(span.first)} to {wording.short_day(span.last)}.",
        actions=actions,
    )
