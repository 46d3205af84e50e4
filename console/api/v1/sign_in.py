"""Signing in and out by plain forms; the sign-in page itself is ``console.pages.login``."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from console.container import Services
from console.security.sessions import safe_next, sign_out


async def login(
    services: Services,
    request: Request,
    name: str = Form("", max_length=64),
    password: str = Form("", max_length=1024),
    next: str = Form("/", max_length=2000),
) -> Response:
    wait = await services.sessions.sign_in(request, name, password)
    if wait is None:
        return RedirectResponse(safe_next(next), status_code=303)
    said = {"wait": str(wait)} if wait else {"failed": "1"}
    return RedirectResponse("/login?" + urlencode({"next": safe_next(next), **said}), status_code=303)


async def logout(services: Services, request: Request) -> Response:
    sign_out(request)
    return RedirectResponse("/login?signed_out=1", status_code=303)
