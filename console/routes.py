"""Every address of the console in one table, how it is registered, and what the guard lets in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import wraps
from operator import attrgetter
from typing import Any

from fastapi import APIRouter, Depends, Request
from nicegui import app, ui

from anomalyos.accounts.tables import Role, Scope
from console.api.v1 import analytics as tables
from console.api.v1 import audit, docs, errors, exports, inspections, media, news, retraining, sign_in
from console.api.v1 import palette as palette_api
from console.api.v1.caller import identify
from console.components.visitor import current_visitor
from console.container import Services
from console.pages import login, missing, nights
from console.pages.admin import audit_page, models_page, people_page, retraining_page, tabs, tokens_page
from console.pages.analytics import page as analytics
from console.pages.arena import page as arena
from console.pages.checks import page as checks
from console.pages.forensics import page as forensics
from console.pages.inspector import live, queue, rejected, single
from console.pages.knowledge import page as knowledge
from console.security.guard import Doors
from console.ui import theme

VIEWER, REVIEWER, ENGINEER, ADMIN = Role


class Kind(Enum):
    """What stands behind an address."""

    PAGE = auto()
    """For people: a stranger is led to the sign-in page, tokens count for nothing."""
    REST = auto()
    """For programs, and described at /docs."""
    MEDIA = auto()
    """A picture: the handler picks what makes it out of the services."""
    DOWNLOAD = auto()
    """Anything else that answers with data and is not described."""
    FILES = auto()
    """Served by NiceGUI or as static files, without a handler of ours."""


@dataclass(frozen=True)
class Route:
    """One address: who may use it, and what answers."""

    kind: Kind
    path: str
    """As registered, with ``{version}`` where it changes with the content."""
    handler: Callable[..., Any] | None = None
    """Takes the services first; a page also takes its visitor."""
    role: Role | None = VIEWER
    """The least role; None lets everybody in, signed in or not."""
    scope: Scope | None = None
    """What a bearer token must be for; None when tokens are not accepted."""
    method: str = "GET"
    before: Callable[[Services, Request], Awaitable[None]] | None = None
    """Decides, before a page is begun, whether there is one."""
    timeout: float = 30
    """Seconds a page may take to be built."""
    cache: str = media.FOREVER
    """Of a picture."""
    secret: bool = False
    """Of a picture: what may not be seen yet does not exist."""
    local: bool = False
    """Programs on this machine need no token."""
    upload: bool = False
    """Takes a whole image."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What FastAPI is told of it besides, or NiceGUI of a page."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def _page(path: str, handler: Callable[..., Any], role: Role | None = VIEWER, **more: Any) -> Route:
    return Route(Kind.PAGE, path, handler, role, **more)


def _picture(path: str, made_by: str, **more: Any) -> Route:
    return Route(Kind.MEDIA, path, attrgetter(made_by), **{"scope": Scope.READ, **more})


def _secret_picture(path: str, made_by: str) -> Route:
    return _picture(path, made_by, scope=None, cache=media.A_DAY, secret=True)


def _download(path: str, handler: Callable[..., Any], **more: Any) -> Route:
    return Route(Kind.DOWNLOAD, path, handler, **{"scope": Scope.READ, **more})


def _rest(path: str, handler: Callable[..., Any], **more: Any) -> Route:
    return Route(Kind.REST, path, handler, **{"scope": Scope.READ, **more})


def _files(path: str) -> Route:
    return Route(Kind.FILES, path, role=None)


_INSPECTING: dict[str, Any] = {"role": REVIEWER, "scope": Scope.INSPECT, "method": "POST"}
_RETRAINING: dict[str, Any] = {"role": ENGINEER, "scope": Scope.RETRAIN}

ROUTES: tuple[Route, ...] = (
    _files("/_nicegui_ws"),
    _files("/_nicegui/{version}/static"),
    _files("/_nicegui/{version}/libraries/{key:path}"),
    _files("/_nicegui/{version}/components/{key:path}"),
    _files("/_nicegui/{version}/resources/{key}/{path:path}"),
    _files("/_nicegui/{version}/dynamic_resources/{name}"),
    _files("/_nicegui/{version}/esm/{key}/{path:path}"),
    _files("/assets/{version}/{path:path}"),
    _files("/assets/swagger/{path:path}"),
    _files("/favicon.ico"),
    # signing in and out
    _page("/login", login.login, None, options={"title": "Sign in · AnomalyOS"}),
    _download("/login", sign_in.login, role=None, scope=None, method="POST"),
    _download("/logout", sign_in.logout, scope=None, method="POST"),
    # pages
    _page("/", queue.queue),
    _page("/rejected", rejected.rejected),
    _page("/checks", checks.night_checks),
    _page("/checks/learning", checks.learning_checks),
    _page("/live", live.live),
    _page("/inspection/{inspection_id}", single.inspection),
    _page("/nights", nights.nights),
    _page("/forensics", forensics.search),
    _page("/forensics/{inspection_id}", forensics.inspection),
    _page("/analytics", analytics.analytics, timeout=60),
    _page("/arena", arena.lobby),
    _page("/arena/round/{token}", arena.one_round, before=arena.own_round),
    _page("/knowledge", knowledge.search),
    _page("/knowledge/node/{key:path}", knowledge.node),
    _page("/knowledge/case/{case_id}", knowledge.case),
    _page("/knowledge/graph", knowledge.graph),
    _page("/knowledge/changes", knowledge.changes),
    _page("/knowledge/exchange", knowledge.bring),
    _page("/tokens", tokens_page.own),
    _page("/admin", tabs.first_tab),
    _page("/admin/models", models_page.models, ENGINEER),
    _page("/admin/retraining", retraining_page.retraining, ENGINEER),
    _page("/admin/people", people_page.people, ADMIN),
    _page("/admin/tokens", tokens_page.all_tokens, ADMIN),
    _page("/admin/audit", audit_page.log, ENGINEER),
    # pictures
    _picture("/media/image/{inspection_id}", "pictures.image"),
    _picture("/media/thumb/{inspection_id}", "pictures.thumb"),
    _picture("/media/heatmap/{inspection_id}", "pictures.heatmap"),
    _picture("/media/case/{case_id}/crop", "pictures.case_crop"),
    _picture("/media/case/{case_id}/photo", "pictures.case_photo"),
    _picture("/media/case/{case_id}/thumb", "pictures.case_thumb"),
    _picture("/media/crop/{inspection_id}", "explanation_pictures.crop"),
    _picture("/media/overlay/{inspection_id}/{method}", "explanation_pictures.overlay"),
    _picture("/media/trace/{inspection_id}/{pair}/own", "explanation_pictures.own_patch"),
    _picture("/media/trace/{inspection_id}/{pair}/{neighbour}", "explanation_pictures.normal_patch"),
    _picture("/media/quarantine/{image_id}", "checks.picture", cache=media.NOT_KEPT),
    # nobody but its player learns that a picture exists
    _secret_picture("/arena/picture/{token}", "arena_pictures.photo"),
    _secret_picture("/arena/thumb/{token}", "arena_pictures.thumb"),
    _secret_picture("/arena/heat/{token}", "arena_pictures.heat"),
    _secret_picture("/arena/truth/{token}", "arena_pictures.truth"),
    # files, and what the console's own scripts ask
    _download("/export/report/{report_id:int}.html", exports.report_html),
    _download("/export/report/{report_id:int}.pdf", exports.report_pdf),
    _download("/export/check/{check_id:int}.html", exports.check_page),
    _download("/knowledge/export/knowledge.yaml", exports.knowledge_yaml, scope=None),
    _download("/knowledge/export/knowledge.graphml", exports.knowledge_graphml, scope=None),
    _download("/docs", docs.docs, scope=None),
    _download("/openapi.json", docs.schema),
    _download("/api/console/search", palette_api.search),
    _download("/api/console/news", news.news),
    _download("/api/console/audit.csv", audit.export, role=ENGINEER),
    # REST
    _rest("/health", inspections.health, role=None, scope=None, options=inspections.HEALTH),
    _rest("/inspect", inspections.inspect, upload=True, options=inspections.INSPECT, **_INSPECTING),
    _rest("/api/inspections/{inspection_id}", inspections.inspection, options=inspections.INSPECTION),
    _rest(
        "/api/inspections/{inspection_id}/review",
        inspections.review,
        options=inspections.REVIEW,
        **_INSPECTING,
    ),
    _rest("/metrics", inspections.prometheus, local=True, options=inspections.METRICS),
    _rest("/api/retrain", retraining.retrain, method="POST", options=retraining.RETRAIN, **_RETRAINING),
    _rest("/api/retrain/{run_id}", retraining.run, options=retraining.RUN, **_RETRAINING),
    _rest("/api/analytics/{table}.csv", tables.table, options=tables.ANY_FILE),
    _rest("/api/analytics/drift/{category}/{day}", tables.drift_report, options=tables.ANY_FILE),
)
"""Among addresses that could both be meant, the first one answers."""


# what the guard lets in -----------------------------------------------------------------------


def doors() -> Doors:
    """What the table says about the door. Uploads within a page go to addresses NiceGUI makes."""
    public = [_pattern(route) for route in ROUTES if route.role is None]
    own = sorted({_reach(route.path) for route in ROUTES if route.scope is not None})
    uploads = [_pattern(route) + "$" for route in ROUTES if route.upload]
    return Doors(_any(f"{one}$" for one in public), _any(own), _any([*uploads, "/_nicegui/client/"]))


def _any(patterns: Any) -> re.Pattern[str]:
    return re.compile(f"^(?:{'|'.join(patterns)})")


def _pattern(route: Route) -> str:
    """Of one address; files may lie anywhere below theirs."""
    parts = re.split(r"\{([^}]+)\}", route.path)
    inner = (".*" if part.endswith(":path") else "[^/]+" for part in parts[1::2])
    whole = re.escape(parts[0]) + "".join(
        one + re.escape(after) for one, after in zip(inner, parts[2::2], strict=True)
    )
    return whole + ("(?:/.*)?" if route.kind is Kind.FILES else "")


def _reach(path: str) -> str:
    """All that begins like an address that takes tokens: what is not there is answered in JSON, too."""
    first, _, rest = path[1:].partition("/")
    return re.escape(f"/{first}") + ("/" if rest else "$")


# registration ---------------------------------------------------------------------------------


def register(services: Services) -> None:
    """Put every address of the table on NiceGUI's app."""
    theme.serve_assets()
    docs.serve_swagger()
    # a page drops every earlier route with its address, POST /login too: all pages stand before the rest
    for route in ROUTES:
        if route.kind is Kind.PAGE:
            _register_page(services, route)
    router = APIRouter()
    for route in ROUTES:
        if route.kind not in (Kind.PAGE, Kind.FILES):
            _register_answer(services, router, route)
    app.include_router(router)
    errors.register(lambda request: missing.draw(services, request))


def _register_page(services: Services, route: Route) -> None:
    more = dict(route.options)
    if route.before is not None:
        more["dependencies"] = [Depends(_bound(route.before, services))]
    ui.page(route.path, response_timeout=route.timeout, **more)(_drawn(services, route))


def _drawn(services: Services, route: Route) -> Callable[..., Awaitable[Any]]:
    """The page's handler with who visits; another page for those whose role does not suffice."""
    handler = route.handler
    assert handler is not None
    signature = inspect.signature(handler, eval_str=True)
    ours = ("services", "visitor", "request")
    asked = [one for name, one in signature.parameters.items() if name not in ours]

    @wraps(handler)
    async def draw(request: Request, **given: Any) -> Any:
        if "request" in signature.parameters:
            given["request"] = request
        if route.role is not None:
            visitor = await current_visitor(request, services)
            if not visitor.person.may(route.role):
                return tabs.refused(visitor, route.path, route.role)
            if "visitor" in signature.parameters:
                given["visitor"] = visitor
        return await handler(services, **given)

    first = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    draw.__signature__ = inspect.Signature([first, *asked])  # type: ignore[attr-defined]
    return draw


def _register_answer(services: Services, router: APIRouter, route: Route) -> None:
    handler = route.handler
    assert handler is not None
    if route.kind is Kind.MEDIA:
        answer = media.served(handler(services), route.cache, secret=route.secret)
    else:
        answer = _bound(handler, services)
    who = []
    if route.role is not None:
        who = [Depends(identify(services.sessions, role=route.role, scope=route.scope, local=route.local))]
    router.add_api_route(
        route.path,
        answer,
        methods=[route.method],
        dependencies=who,
        include_in_schema=route.kind is Kind.REST,
        tags=["AnomalyOS"] if route.kind is Kind.REST else None,
        **route.options,
    )


def _bound(handler: Callable[..., Awaitable[Any]], services: Services) -> Callable[..., Awaitable[Any]]:
    """``handler`` with its services filled in, and the rest of its signature for FastAPI to read."""
    signature = inspect.signature(handler, eval_str=True)

    @wraps(handler)
    async def answer(**given: Any) -> Any:
        return await handler(services, **given)

    asked = [one for one in signature.parameters.values() if one.name != "services"]
    answer.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined]
    return answer
