"""The door: signed-in people only, same-origin changes only, bodies of bounded size, safe headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anomalyos.core.settings import Settings
from console.security.sessions import Sessions, login_url

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_SMALL_BODY = 256 * 1024
_MULTIPART_OVERHEAD = 64 * 1024


@dataclass(frozen=True)
class Doors:
    """Which addresses need what at the door; every other one is for signed-in people."""

    public: re.Pattern[str]
    """Anybody may come in."""
    self_guarded: re.Pattern[str]
    """REST, media and exports decide themselves, because bearer tokens are welcome there."""
    uploads: re.Pattern[str]
    """Takes a whole image."""


def content_security_policy(settings: Settings) -> str:
    """Everything from this server; frames only for Airflow, which shows the console in its navigation.

    NiceGUI ships its pages as inline scripts and Vue compiles templates in the browser, hence
    'unsafe-inline' and 'unsafe-eval'; no other host may serve a script.
    """
    airflow = urlsplit(settings.airflow_url)
    framers = ["'self'"] + ([f"{airflow.scheme}://{airflow.netloc}"] if airflow.netloc else [])
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' ws: wss:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {' '.join(framers)}",
        )
    )


class Guard:
    """ASGI middleware inside the session middleware, so cookies are already read."""

    def __init__(self, app: ASGIApp, settings: Settings, sessions: Sessions, doors: Doors) -> None:
        self.app = app
        self._settings = settings
        self._sessions = sessions
        self._doors = doors
        self._headers = {
            "Content-Security-Policy": content_security_policy(settings),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if settings.https_only:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if self._foreign(Headers(scope=scope)):
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = self._with_headers(send)
        refusal = await self._refuse(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self.app(scope, self._limited(scope, receive), send)

    async def _refuse(self, request: Request) -> Response | None:
        path = request.url.path
        changes = request.method not in _SAFE_METHODS
        if (changes or path.startswith("/_nicegui_ws/")) and self._foreign(request.headers):
            return JSONResponse({"detail": "This request comes from another site."}, 403)
        if changes and self._announced(request) > self._limit(path):
            return JSONResponse({"code": "too_large", "detail": self._too_large(path)}, 413)
        if self._doors.public.match(path) or self._doors.self_guarded.match(path):
            return None
        if await self._sessions.person(request):
            return None
        if request.method == "GET" and not path.startswith("/_nicegui/"):
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(login_url(path + query), status_code=303)
        return JSONResponse({"detail": "Sign in first."}, 401)

    def _foreign(self, headers: Headers) -> bool:
        """Whether a browser says the request was started by another site.

        Programs without an Origin header are let through: they hold no cookies of a person.
        """
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
        own = {headers.get("host", ""), urlsplit(self._settings.console_url).netloc}
        return urlsplit(origin).netloc not in own

    def _limit(self, path: str) -> int:
        if self._doors.uploads.match(path):
            return self._settings.max_image_bytes + _MULTIPART_OVERHEAD
        return _SMALL_BODY

    def _too_large(self, path: str) -> str:
        if self._doors.uploads.match(path):
            return f"The image is larger than {self._settings.max_image_bytes / 2**20:.0f} MiB."
        return "The request is too large."

    @staticmethod
    def _announced(request: Request) -> int:
        length = request.headers.get("content-length", "0")
        return int(length) if length.isdigit() else 0

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """``receive`` that stops a body whose announced length was missing or a lie."""
        limit, seen = self._limit(scope["path"]), 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, self._too_large(scope["path"]))
            return message

        return counted

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return wrapped
