"""Starts the console: ``python -m console.main``."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import Any

from nicegui import app, background_tasks, ui

from anomalyos.cases.library import get_case_library
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import open_store
from anomalyos.explain.explainer import get_explainer
from anomalyos.inspection.anomaly_map import render_heatmap
from anomalyos.inspection.inspector import get_inspector
from console import routes
from console.container import Behind, Services, build
from console.security.guard import Guard
from console.services.case_keeper import CaseKeeper
from console.ui import nicegui_patches, theme

_STOP_WITHIN = 5
"""Seconds open pages get to finish when the console is stopped."""
_KEEP_PAGES = 15
"""Seconds a page outlives its connection: enough for a blink of the network, and not a heap of old pages."""


def create_app(services: Services) -> None:
    """Register the table of addresses and the guard on NiceGUI's app. Nothing is served yet."""
    nicegui_patches.install(services.settings.home / "console" / "sessions")
    app.add_middleware(Guard, settings=services.settings, sessions=services.sessions, doors=routes.doors())
    routes.register(services)
    app.on_startup(services.start)
    app.on_shutdown(services.stop)


def serve(settings: Settings) -> None:
    """Start NiceGUI's server on the configured address and block until it is told to stop."""
    nicegui_patches.collect_young_pages()
    ui.run(
        host=settings.console_host,
        port=settings.console_port,
        title="AnomalyOS",
        favicon=theme.ASSETS / "logo.svg",
        dark=None,
        language="en-US",
        reload=False,
        show=False,
        tailwind=False,
        reconnect_timeout=_KEEP_PAGES,
        storage_secret=settings.resolved_session_secret(),
        session_middleware_kwargs={
            "same_site": "strict",
            "https_only": settings.https_only,
            "max_age": settings.session_hours * 3600,
        },
        show_welcome_message=False,
        timeout_graceful_shutdown=_STOP_WITHIN,
        server_header=False,
    )


def make_services(settings: Settings) -> Services:
    """The services over the real store, inspector and explainer; models are loaded on first use."""
    store = open_store(settings)
    keeper = CaseKeeper(lambda: get_case_library(settings, store))
    app.on_shutdown(keeper.stop)
    behind = Behind(
        inspector=get_inspector,
        explainer=get_explainer,
        heatmap=render_heatmap,
        reviewed=keeper.follow,
        start=start_task,
    )
    return build(settings, store, behind)


def start_task(work: Coroutine[Any, Any, None], name: str) -> None:
    """Begin work on the event loop; NiceGUI keeps hold of it and ends it with the console."""
    background_tasks.create(work, name=name)


def main() -> None:
    """Check the settings, bring the database up to date, serve until SIGTERM or SIGINT."""
    settings = get_settings()
    try:
        settings.check_production()
        services = make_services(settings)
        services.store.upgrade()
        create_app(services)
    except AnomalyOSError as error:
        sys.exit(str(error))
    address = f"http://{settings.console_host}:{settings.console_port}"
    sys.stderr.write(f"AnomalyOS console on {address}\n")
    serve(settings)


if __name__ == "__main__":
    main()
