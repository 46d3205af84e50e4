"""What to ask each address of the console for, and what its answer is to those who may use it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import BaseRoute

from anomalyos.accounts.tables import Role, Scope
from console.routes import ROUTES, Kind, Route


@dataclass(frozen=True)
class Example:
    """One thing to ask of an address."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Path parameters; ``inspection_id`` is always known."""
    rest: str = ""
    """What follows the path."""
    send: Mapping[str, Any] = field(default_factory=dict)
    """``data`` or ``json``."""
    fine: tuple[int, ...] = (200,)
    """What somebody who may use it is answered."""
    drawn: bool = True
    """Of a page: something to look at, not a way to another page."""


_FILES = (200, 404)
"""A public address of files; the example names none that is there."""
_MISSING: dict[str, Any] = {"fine": (404,)}

EXAMPLES: Mapping[str, Example] = {
    "GET /_nicegui_ws": Example(rest="/socket.io/", fine=(400,)),
    "GET /_nicegui/{version}/static": Example(rest="/x.js", fine=_FILES),
    "GET /_nicegui/{version}/libraries/{key:path}": Example(fine=_FILES),
    "GET /_nicegui/{version}/components/{key:path}": Example(fine=_FILES),
    "GET /_nicegui/{version}/resources/{key}/{path:path}": Example(fine=_FILES),
    "GET /_nicegui/{version}/dynamic_resources/{name}": Example(fine=_FILES),
    "GET /_nicegui/{version}/esm/{key}/{path:path}": Example(fine=_FILES),
    "GET /assets/{version}/{path:path}": Example(fine=_FILES),
    "GET /assets/swagger/{path:path}": Example({"path": "swagger-ui.css"}),
    "GET /login": Example(fine=(200, 303)),
    "POST /login": Example(send={"data": {"name": "nobody"}}, fine=(303,)),
    "POST /logout": Example(fine=(303,)),
    "GET /arena/round/{token}": Example(**_MISSING),
    "GET /arena/picture/{token}": Example(**_MISSING),
    "GET /arena/thumb/{token}": Example(**_MISSING),
    "GET /arena/heat/{token}": Example(**_MISSING),
    "GET /arena/truth/{token}": Example(**_MISSING),
    "GET /knowledge/node/{key:path}": Example({"key": "defect:dots/stain"}),
    # leads on to its first tab, which refuses
    "GET /admin": Example(fine=(303,), drawn=False),
    "POST /inspect": Example(send={"data": {"category": "dots"}}, fine=(400,)),
    "POST /api/inspections/{inspection_id}/review": Example(
        send={"json": {"decision": "unsure", "expected_version": 0}}, fine=(200, 409)
    ),
    "POST /api/retrain": Example(send={"json": {}}, fine=(202, 404, 503)),
    "GET /api/retrain/{run_id}": Example({"run_id": "none"}, fine=(404, 503)),
    "GET /media/quarantine/{image_id}": Example({"image_id": "99"}, **_MISSING),
    "GET /media/overlay/{inspection_id}/{method}": Example(**_MISSING),
    "GET /media/trace/{inspection_id}/{pair}/own": Example({"pair": "1"}, **_MISSING),
    "GET /media/trace/{inspection_id}/{pair}/{neighbour}": Example(
        {"pair": "1", "neighbour": "1"}, **_MISSING
    ),
    "GET /export/check/{check_id:int}.html": Example({"check_id": "99"}, **_MISSING),
    "GET /export/report/{report_id:int}.html": Example({"report_id": "99"}, **_MISSING),
    "GET /export/report/{report_id:int}.pdf": Example({"report_id": "99"}, **_MISSING),
    "GET /api/analytics/{table}.csv": Example({"table": "volumes"}, fine=(200, 404)),
    "GET /api/analytics/drift/{category}/{day}": Example(**_MISSING),
    "GET /api/console/search": Example(rest="?q=stripes"),
}
"""By the name of the address; what is not here is asked for as it stands, and there."""


@dataclass(frozen=True)
class Rule:
    """One address of the table with its example."""

    route: Route
    example: Example

    @property
    def name(self) -> str:
        return self.route.name

    @property
    def path(self) -> str:
        return self.route.path

    @property
    def method(self) -> str:
        return self.route.method

    @property
    def role(self) -> Role | None:
        return self.route.role

    @property
    def scope(self) -> Scope | None:
        return self.route.scope

    @property
    def page(self) -> bool:
        """A stranger is led to the sign-in page and tokens count for nothing."""
        return self.role is not None and self.scope is None and self.method == "GET"

    @property
    def drawn(self) -> bool:
        """A page to look at."""
        return self.route.kind is Kind.PAGE and self.example.drawn

    @property
    def fine(self) -> tuple[int, ...]:
        return self.example.fine

    @property
    def send(self) -> Mapping[str, Any]:
        return self.example.send

    def address(self, known: Mapping[str, object]) -> str:
        """The address to ask for."""

        def value(match: re.Match[str]) -> str:
            key = match.group(1).partition(":")[0]
            return str(self.example.values.get(key, known.get(key, "x")))

        return re.sub(r"\{([^}]+)\}", value, self.path) + self.example.rest


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (Rule(route, EXAMPLES.get(route.name, Example())) for route in ROUTES),
        key=lambda rule: rule.path == "/logout",  # ends the session, so it stands last
    )
)


def as_registered(routes: list[BaseRoute]) -> set[str]:
    """``METHOD path`` of every route, written as the table writes them."""
    found = set()
    for route in routes:
        path = re.sub(r"^/_nicegui/\d[^/]*/", "/_nicegui/{version}/", str(getattr(route, "path", "")))
        path = re.sub(r"^/assets/[0-9a-f]{12}/", "/assets/{version}/", path)
        # a mounted application answers to any method; its rule asks with GET
        methods = getattr(route, "methods", None) or {"GET"}
        found |= {f"{method} {path}" for method in methods if method not in {"HEAD", "OPTIONS"}}
    return found
