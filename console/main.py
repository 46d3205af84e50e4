"""Starts the console: ``python -m console.main``."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from nicegui import app, ui
from nicegui.storage import Storage

from anomalyos.cases.library import get_case_library
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.inspection.anomaly_map import render_heatmap
from anomalyos.inspection.inspector import get_inspector
from anomalyos.inspection.tables import Inspection
from console.api.v1 import docs, errors, media, news
from console.api.v1 import inspections as api
from console.api.v1.metrics import Metrics
from console.pages import login, missing, nights
from console.pages.admin import page as admin
from console.pages.analytics import page as analytics
from console.pages.arena import page as arena
from console.pages.checks import page as checks
from console.pages.forensics import page as forensics
from console.pages.inspector import live, queue, rejected, single
from console.pages.knowledge import page as knowledge
from console.security import sessions as auth
from console.security.guard import Guard
from console.services.blocking import InspectionPool
from console.services.case_keeper import CaseKeeper, FollowsReviews
from console.services.inspection import InspectionService, InspectorLike
from console.services.warm_up import WarmUp
from console.ui import closed_pages, palette, quick_signatures, theme

_STOP_WITHIN = 5
"""Seconds open pages get to finish when the console is stopped."""
_KEEP_PAGES = 15
"""Seconds a page outlives its connection: enough for a blink of the network, and not a heap of old pages."""


def create_app(desk: InspectionService) -> WarmUp:
    """Register pages, routes and the guard on NiceGUI's app. Nothing is served yet.

    Returns:
        What loads the models; it starts by itself once the app has started.
    """
    metrics, pool, warm_up = Metrics(desk.store), InspectionPool(), WarmUp(desk)
    _keep_sessions_in(desk.settings.home / "console" / "sessions")
    quick_signatures.install()
    closed_pages.install()
    app.add_middleware(Guard, desk=desk)
    theme.register()
    media.register(desk)
    api.register(desk, metrics, pool, warm_up)
    docs.register(desk)
    palette.register(desk)
    news.register(desk)
    errors.register(desk, missing.draw)
    for page in (
        login,
        queue,
        rejected,
        single,
        forensics,
        analytics,
        arena,
        knowledge,
        admin,
        nights,
        checks,
    ):
        page.register(desk)
    live.register(desk, metrics, pool)
    # after the pages: registering a page drops every earlier route with its address, POST /login too
    auth.register(desk)
    app.on_startup(warm_up.start)
    app.on_shutdown(warm_up.stop)
    app.on_shutdown(pool.close)
    return warm_up


def _keep_sessions_in(folder: Path) -> None:
    """Who is signed in survives a restart; only the console's own account may read it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Storage.path = folder


def serve(settings: Settings) -> None:
    """Start NiceGUI's server on the configured address and block until it is told to stop."""
    # a page is some ten thousand objects that die when it is closed, most without the collector's help: small
    # young generations are searched quickly, and all open pages, which takes a second, rarely
    gc.set_threshold(10_000, 5, 200)
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


def make_desk(settings: Settings) -> InspectionService:
    """The desk over the real store and inspector; the latter is loaded on first use."""

    def inspector() -> InspectorLike:
        return get_inspector()

    def heatmap(store: Store, inspection: Inspection) -> bytes:
        return render_heatmap(store, inspection)

    store = open_store(settings)

    def library() -> FollowsReviews:
        return get_case_library(settings, store)

    keeper = CaseKeeper(library)
    app.on_shutdown(keeper.stop)
    return InspectionService(settings, store, inspector, heatmap, keeper.follow)


def main() -> None:
    """Check the settings, bring the database up to date, serve until SIGTERM or SIGINT."""
    settings = get_settings()
    try:
        settings.check_production()
        desk = make_desk(settings)
        desk.store.upgrade()
        create_app(desk)
    except AnomalyOSError as error:
        sys.exit(str(error))
    address = f"http://{settings.console_host}:{settings.console_port}"
    sys.stderr.write(f"AnomalyOS console on {address}\n")
    serve(settings)


if __name__ == "__main__":
    main()
