"""Pictures, all served alike: who may see one is known by then, and it is made off the event loop.

What is served where stands in ``console.routes``; every picture is re-encoded from decoded pixels.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, Request
from starlette.responses import Response

from anomalyos.core.errors import NotFound
from console.services.blocking import run_blocking

FOREVER = "private, max-age=31536000, immutable"
"""What never changes under its address; private, because only signed-in people may see it."""
A_DAY = "private, max-age=86400, immutable"
NOT_KEPT = "private, no-cache"
LARGEST_ID = 2**31 - 1
"""What the database can be asked for."""


def served(
    make: Callable[..., tuple[bytes, str]], cache: str, *, secret: bool = False
) -> Callable[..., Awaitable[Response]]:
    """A handler that answers with what ``make`` gives for the numbers and names in the address.

    The parameter ``person`` of ``make`` is whoever asks; ``v`` in the query only tells a browser's cache one
    computation from another.

    Args:
        cache: what browsers are told to do with it.
        secret: what may not be seen yet is answered exactly like what does not exist.
    """
    wanted = inspect.signature(make, eval_str=True).parameters
    named = {name: parameter for name, parameter in wanted.items() if name != "person"}

    async def picture(request: Request, **found: Any) -> Response:
        headers = {"Cache-Control": cache}
        if cache == FOREVER:
            headers["ETag"] = _tag(request)
            if request.headers.get("if-none-match") == headers["ETag"]:
                return Response(status_code=304, headers=headers)
        if any(isinstance(value, int) and not 0 <= value <= LARGEST_ID for value in found.values()):
            raise HTTPException(404, "There is nothing here.")
        if "person" in wanted:
            found["person"] = request.state.caller
        try:
            body, media_type = await run_blocking(make, **found)
        except NotFound:
            if not secret:
                raise
            gone = {"Cache-Control": "no-store"}
            raise HTTPException(404, "There is no such picture.", headers=gone) from None
        return Response(body, media_type=media_type, headers=headers)

    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    picture.__signature__ = inspect.Signature([asked, *named.values()])  # type: ignore[attr-defined]
    return picture


def _tag(request: Request) -> str:
    asked = f"{request.url.path}?{request.query_params.get('v', '')[:16]}"
    return f'"{hashlib.sha256(asked.encode()).hexdigest()[:16]}"'
