from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from anomalyos.core.settings import Settings
from anomalyos.ops.supervisor.health import airflow_health, console_health, local_url

PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class Answers(BaseHTTPRequestHandler):
    status = 200
    body = b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Silence."""


@pytest.fixture
def server(settings: Settings) -> Iterator[type[Answers]]:
    class Own(Answers):
        pass

    http = HTTPServer(("127.0.0.1", 0), Own)
    settings.airflow_port = settings.console_port = http.server_port
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield Own
    http.shutdown()
    thread.join()
    http.server_close()


def test_nobody_answers(settings: Settings) -> None:
    settings.airflow_port = settings.console_port = 1
    assert airflow_health(settings).waiting_for == "web server"
    assert not console_health(settings).healthy


def test_airflow_is_healthy_when_every_part_is(settings: Settings, server: type[Answers]) -> None:
    server.body = json.dumps({part: {"status": "healthy"} for part in PARTS}).encode()
    assert airflow_health(settings).healthy
    server.body = json.dumps({"metadatabase": {"status": "healthy"}, "triggerer": None}).encode()
    health = airflow_health(settings)
    assert (health.ready, health.waiting_for) == (2, "scheduler, dag processor, triggerer")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_another_program_on_the_port_is_not_healthy(
    settings: Settings, server: type[Answers], body: bytes
) -> None:
    server.body = body
    assert not airflow_health(settings).healthy
    assert not console_health(settings).healthy


def test_the_console_says_what_it_lacks(settings: Settings, server: type[Answers]) -> None:
    server.status, server.body = 503, json.dumps({"status": "failing", "database": "out of reach"}).encode()
    assert console_health(settings).waiting_for == "out of reach"
    server.status, server.body = 200, json.dumps({"status": "ok"}).encode()
    assert console_health(settings).healthy


@pytest.mark.parametrize(
    ("host", "start"),
    [
        ("0.0.0.0", "http://127.0.0.1:1/"),  # noqa: S104 - nothing listens here
        ("::", "http://[::1]:1/"),
        ("plant.lan", "http://plant.lan:1/"),
    ],
)
def test_addresses_this_machine_can_reach(host: str, start: str) -> None:
    assert local_url(host, 1, "/") == start
