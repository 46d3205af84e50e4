"""The sign-in page: a plain form, so password managers work and the cookie is set by the answer itself."""

from __future__ import annotations

import math

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse, Response

from console.container import Services
from console.security.sessions import safe_next
from console.ui import kit, theme
from console.ui.kit import Text, box


async def login(
    services: Services,
    request: Request,
    next: str = "/",
    failed: str = "",
    wait: str = "",
    signed_out: str = "",
) -> Response | None:
    target = safe_next(next)
    if await services.sessions.person(request) is not None:
        return RedirectResponse(target, status_code=303)
    theme.head()
    with box("aos-login"):
        _art()
        with box("aos-login-side"), box("aos-login-form", "form", method="post", action="/login"):
            _brand()
            _message(failed=bool(failed), wait=wait, signed_out=bool(signed_out))
            _fields(target)
    return None


def _brand() -> None:
    with box("aos-login-brand"):
        theme.logo_image("")
        Text("AnomalyOS", "h1").style("font: inherit")


def _message(*, failed: bool, wait: str, signed_out: bool) -> None:
    if wait.isdigit():
        minutes = min(int(wait), 60)
        unit = "minute" if minutes == 1 else "minutes"
        kit.notice(f"Too many attempts. Try again in {minutes} {unit}.", "flagged", "hourglass_top")
    elif failed:
        kit.notice("The name or the password is not right.", "defect", "error")
    elif signed_out:
        kit.notice("You are signed out.", "normal", "check_circle")


def _fields(target: str) -> None:
    box("", "input", type="hidden", name="next", value=target)
    _field("Name", "name", "type=text autocomplete=username autofocus autocapitalize=none spellcheck=false")
    _field("Password", "password", "type=password autocomplete=current-password")
    with box("aos-button primary", "button", type="submit"):
        Text("Sign in")
    with box("aos-muted aos-small", "p"):
        Text("No account yet? An administrator creates one with ")
        Text("anomalyos users", "code", "aos-code")


def _field(label: str, name: str, props: str) -> None:
    with box("aos-field"):
        with box("", "label", for_=f"login-{name}"):
            Text(label)
        with box("", "input") as field:
            field.props(props + " required maxlength=1024")
            field.props["name"] = name
            field.props["id"] = f"login-{name}"


def _art() -> None:
    """A field of parts, all alike but one: what the platform is about."""
    dots = []
    for row in range(14):
        for column in range(12):
            x, y = 40 + column * 64, 40 + row * 64
            if (row, column) == (4, 7):
                dots.append(
                    f'<circle cx="{x}" cy="{y}" r="15" fill="#f5a351"/>'
                    f'<circle cx="{x}" cy="{y}" r="27" fill="none" stroke="#f5a351" stroke-opacity=".45"'
                    ' stroke-width="2"/>'
                )
                continue
            shade = 0.16 + 0.1 * math.sin(row * 1.3 + column * 0.7)
            dots.append(f'<circle cx="{x}" cy="{y}" r="13" fill="#8fb2d3" fill-opacity="{shade:.2f}"/>')
    with box("aos-login-art"):
        ui.html(
            '<svg viewBox="0 0 780 900" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
            f"{''.join(dots)}</svg>",
            sanitize=False,
        )
        Text("It knows what normal looks like. You decide about the rest.", "h2")
        Text("Every part is photographed, every oddity explained, every decision kept.", "p")
