"""Asks the services whether they are ready."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from anomalyos.core.settings import Settings

TIMEOUT_SECONDS = 3.0
AIRFLOW_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


@dataclass(frozen=True)
class Health:
    """How far a service has come: ``ready`` of ``parts`` answer, ``waiting_for`` names the rest."""

    ready: int
    parts: int
    waiting_for: str = ""

    @property
    def healthy(self) -> bool:
        return self.ready == self.parts


def local_url(host: str, port: int, path: str) -> str:
    """Address of a service as this machine reaches it, also when it listens on every interface."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}{path}"


def airflow_health(settings: Settings) -> Health:
    """Health of Airflow's four parts and its web server."""
    url = local_url(settings.airflow_host, settings.airflow_port, "/api/v2/monitor/health")
    document = _get_json(url)
    if document is None:
        return Health(0, len(AIRFLOW_PARTS) + 1, "web server")
    missing = [part for part in AIRFLOW_PARTS if (document.get(part) or {}).get("status") != "healthy"]
    waiting_for = ", ".join(part.replace("_", " ") for part in missing)
    return Health(len(AIRFLOW_PARTS) + 1 - len(missing), len(AIRFLOW_PARTS) + 1, waiting_for)


def console_health(settings: Settings) -> Health:
    """Whether the console answers and reaches its database."""
    document = _get_json(local_url(settings.console_host, settings.console_port, "/health"))
    if document is None:
        return Health(0, 1, "web server")
    if document.get("status") != "ok":
        return Health(0, 1, str(document.get("database")))
    return Health(1, 1)


def _get_json(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - built from settings
            document = json.load(answer)
    except urllib.error.HTTPError as error:
        return _unwell(error)
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _unwell(error: urllib.error.HTTPError) -> dict[str, Any] | None:
    """What a service that answers with an error says about itself."""
    try:
        document = json.load(error)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
