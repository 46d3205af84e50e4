"""Who may use which address of the console: the whole list, and what to ask each address for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute

from anomalyos.accounts.tables import Role, Scope

ANYONE = None
VIEWER, REVIEWER, ENGINEER, ADMIN = Role


@dataclass(frozen=True)
class Rule:
    """What one address wants of a caller."""

    path: str
    """As registered, with ``{version}`` where the address changes with the content."""
    role: Role | None
    """The least role; None lets everybody in, signed in or not."""
    scope: Scope | None = None
    """What a bearer token must be for; None when tokens are not accepted."""
    method: str = "GET"
    page: bool = False
    """For people: a stranger is led to the sign-in page and tokens count for nothing."""
    drawn: bool = True
    """Of a page: something to look at, not a file or a way to another page."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Path parameters of the example that is asked for; ``inspection_id`` is always known."""
    rest: str = ""
    """What follows the path in the example."""
    send: Mapping[str, Any] = field(default_factory=dict)
    """``data`` or ``json`` of the example."""
    fine: tuple[int, ...] = (200,)
    """What somebody who may use it is answered."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def example(self, known: Mapping[str, object]) -> str:
        """The address to ask for."""

        def value(match: re.Match[str]) -> str:
            key = match.group(1).partition(":")[0]
            return str(self.values.get(key, known.get(key, "x")))

        return re.sub(r"\{([^}]+)\}", value, self.path) + self.rest


def page(path: str, role: Role | None = VIEWER, **more: Any) -> Rule:
    return Rule(path, role, page=True, **more)


def media(path: str, **more: Any) -> Rule:
    return Rule(path, VIEWER, Scope.READ, **more)


_FILES = (200, 404)
"""A public address of files; the example names none that is there."""

RULES: tuple[Rule, ...] = (
    Rule("/_nicegui_ws", ANYONE, rest="/socket.io/", fine=(400,)),
    Rule("/_nicegui/{version}/static", ANYONE, rest="/x.js", fine=_FILES),
    Rule("/_nicegui/{version}/libraries/{key:path}", ANYONE, fine=_FILES),
    Rule("/_nicegui/{version}/components/{key:path}", ANYONE, fine=_FILES),
    Rule("/_nicegui/{version}/resources/{key}/{path:path}", ANYONE, fine=_FILES),
    Rule("/_nicegui/{version}/dynamic_resources/{name}", ANYONE, fine=_FILES),
    Rule("/_nicegui/{version}/esm/{key}/{path:path}", ANYONE, fine=_FILES),
    Rule("/assets/{version}/{path:path}", ANYONE, fine=_FILES),
    Rule("/assets/swagger/{path:path}", ANYONE, values={"path": "swagger-ui.css"}),
    Rule("/favicon.ico", ANYONE),
    Rule("/health", ANYONE),
    page("/login", ANYONE, fine=(200, 303)),
    Rule("/login", ANYONE, method="POST", send={"data": {"name": "nobody"}}, fine=(303,)),
    # pages
    page("/"),
    page("/rejected"),
    page("/checks"),
    page("/checks/learning"),
    page("/live"),
    page("/inspection/{inspection_id}"),
    page("/nights"),
    page("/forensics"),
    page("/forensics/{inspection_id}"),
    page("/analytics"),
    page("/arena"),
    # nobody but its player learns that a round or a picture exists
    page("/arena/round/{token}", fine=(404,)),
    page("/arena/picture/{token}", fine=(404,), drawn=False),
    page("/arena/thumb/{token}", fine=(404,), drawn=False),
    page("/arena/heat/{token}", fine=(404,), drawn=False),
    page("/arena/truth/{token}", fine=(404,), drawn=False),
    page("/knowledge"),
    page("/knowledge/node/{key:path}", values={"key": "defect:dots/stain"}),
    page("/knowledge/case/{case_id}"),
    page("/knowledge/graph"),
    page("/knowledge/changes"),
    page("/knowledge/exchange"),
    page("/knowledge/export/knowledge.yaml", drawn=False),
    page("/knowledge/export/knowledge.graphml", drawn=False),
    page("/tokens"),
    # leads on to its first tab, which refuses
    page("/admin", fine=(303,), drawn=False),
    page("/admin/models", ENGINEER),
    page("/admin/retraining", ENGINEER),
    page("/admin/people", ADMIN),
    page("/admin/tokens", ADMIN),
    page("/admin/audit", ENGINEER),
    page("/docs", drawn=False),
    # data and pictures
    Rule("/inspect", REVIEWER, Scope.INSPECT, "POST", send={"data": {"category": "dots"}}, fine=(400,)),
    media("/api/inspections/{inspection_id}"),
    Rule(
        "/api/inspections/{inspection_id}/review",
        REVIEWER,
        Scope.INSPECT,
        "POST",
        send={"json": {"decision": "unsure", "expected_version": 0}},
        fine=(200, 409),
    ),
    Rule("/api/retrain", ENGINEER, Scope.RETRAIN, "POST", send={"json": {}}, fine=(202, 404, 503)),
    Rule("/api/retrain/{run_id}", ENGINEER, Scope.RETRAIN, values={"run_id": "none"}, fine=(404, 503)),
    media("/metrics"),
    media("/openapi.json"),
    media("/media/image/{inspection_id}"),
    media("/media/thumb/{inspection_id}"),
    media("/media/heatmap/{inspection_id}"),
    media("/media/crop/{inspection_id}"),
    media("/media/quarantine/{image_id}", values={"image_id": "99"}, fine=(404,)),
    media("/export/check/{check_id:int}.html", values={"check_id": "99"}, fine=(404,)),
    media("/media/overlay/{inspection_id}/{method}", fine=(404,)),
    media("/media/trace/{inspection_id}/{pair}/own", values={"pair": "1"}, fine=(404,)),
    media(
        "/media/trace/{inspection_id}/{pair}/{neighbour}", values={"pair": "1", "neighbour": "1"}, fine=(404,)
    ),
    media("/media/case/{case_id}/crop"),
    media("/media/case/{case_id}/photo"),
    media("/media/case/{case_id}/thumb"),
    media("/export/report/{report_id:int}.html", values={"report_id": "99"}, fine=(404,)),
    media("/export/report/{report_id:int}.pdf", values={"report_id": "99"}, fine=(404,)),
    media("/api/analytics/{table}.csv", values={"table": "volumes"}, fine=(200, 404)),
    media("/api/analytics/drift/{category}/{day}", fine=(404,)),
    media("/api/console/search", rest="?q=stripes"),
    media("/api/console/news"),
    Rule("/api/console/audit.csv", ENGINEER, Scope.READ),
    # ends the session, so it stands last
    Rule("/logout", VIEWER, method="POST", fine=(303,)),
)


def as_registered(routes: list[BaseRoute]) -> set[str]:
    """``METHOD path`` of every route, written as the rules write them."""
    found = set()
    for route in routes:
        path = re.sub(r"^/_nicegui/\d[^/]*/", "/_nicegui/{version}/", str(getattr(route, "path", "")))
        path = re.sub(r"^/assets/[0-9a-f]{12}/", "/assets/{version}/", path)
        # a mounted application answers to any method; its rule asks with GET
        methods = getattr(route, "methods", None) or {"GET"}
        found |= {f"{method} {path}" for method in methods if method not in {"HEAD", "OPTIONS"}}
    return found
