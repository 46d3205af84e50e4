"""A word to whoever watches from outside: one JSON document to a configured address."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from anomalyos.core.settings import Settings

log = logging.getLogger(__name__)
PATIENCE_S = 10
LONGEST = 1000
"""Characters of a text that are sent; a reason may hold a whole traceback."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is told stays between us and the configured address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def tell_webhook(settings: Settings, event: dict[str, Any]) -> bool:
    """POST ``event`` to ``settings.webhook_url``; whether it was taken.

    ``text`` is added, one line that chat programs show. A webhook that is out of reach is logged without its
    address, which may hold a secret, and never raises: the failure it tells of must not be hidden by its own.
    """
    if settings.webhook_url is None or not settings.webhook_url.get_secret_value():
        return False
    facts = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in event.items()}
    text = f"AnomalyOS: {facts.get('dag')} {facts.get('task')} failed. {facts.get('reason')}".strip()
    body = json.dumps({"source": "anomalyos", "text": text[:LONGEST], **facts}).encode()
    url = settings.webhook_url.get_secret_value()
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        log.warning("ANOMALYOS_WEBHOOK_URL is not an http address; nobody was told")
        return False
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked
    try:
        with urllib.request.build_opener(_NoRedirect()).open(request, timeout=PATIENCE_S) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, ValueError) as error:
        status = error.code if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        log.warning("the webhook did not take the message: %s", status)
        return False
