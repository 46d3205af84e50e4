"""`anomalyos smoke` against a real server: the console itself, and ones that answer wrongly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.errors import AnomalyOSError
from anomalyos.ops.smoke import picture, smoke

HEALTH = {
    "status": "ok",
    "database": "ok",
    "models": "ready",
    "categories": ["stripes"],
    "versions": {"anomalyos": "0.1.0"},
}
INSPECTION = {
    "id": 7,
    "verdict": "normal",
    "width": 224,
    "height": 224,
    "timings_ms": {"score": 3.0},
    "score": 1.0,
    "threshold": 2.0,
    "p_value": 0.4,
}
METRICS = """# TYPE anomalyos_inspections_total counter
anomalyos_inspections_total{verdict="normal"} 1.0
# TYPE anomalyos_review_decisions_total counter
anomalyos_review_decisions_total{decision="defect"} 0.0
# TYPE anomalyos_queue_depth gauge
anomalyos_queue_depth 0.0
# TYPE anomalyos_inspection_stage_seconds histogram
anomalyos_inspection_stage_seconds_bucket{stage="score",le="+Inf"} 1.0
anomalyos_inspection_stage_seconds_count{stage="score"} 1.0
anomalyos_inspection_stage_seconds_sum{stage="score"} 0.003
"""

Answers = dict[str, tuple[int, str]]


@contextmanager
def answering(answers: Answers, seen: list[tuple[str, str, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.path, self.headers.get("Authorization") or "", body))
            status, text = answers[self.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def good() -> Answers:
    return {
        "/health": (200, json.dumps(HEALTH)),
        "/inspect": (200, json.dumps(INSPECTION)),
        "/metrics": (200, METRICS),
    }


def test_a_sound_console_passes_and_is_sent_a_224_pixel_image() -> None:
    seen: list[tuple[str, str, bytes]] = []
    with answering(good(), seen) as url:
        done = CliRunner().invoke(app, ["smoke", url, "--token", "t0k", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["passed"] is True
    assert [check["name"] for check in document["checks"]] == ["GET /health", "POST /inspect", "GET /metrics"]
    upload = next(entry for entry in seen if entry[0] == "/inspect")
    assert upload[1] == "Bearer t0k"
    assert picture() in upload[2]


def wrong(path: str, code: int = 200, text: str | None = None, **changes: Any) -> Callable[[Answers], None]:
    def change(answers: Answers) -> None:
        before = answers[path][1]
        answers[path] = (code, text if text is not None else json.dumps(json.loads(before) | changes))

    return change


@pytest.mark.parametrize(
    ("change", "failed", "finding"),
    [
        (wrong("/health", 503, status="failing"), 0, "status 503"),
        (wrong("/health", models="none"), 0, "models are 'none'"),
        (wrong("/health", categories=[]), 0, "no product"),
        (wrong("/health", text="<html>"), 0, "not JSON"),
        (wrong("/inspect", 401, detail="Sign in."), 1, "--token"),
        (wrong("/inspect", verdict="fine"), 1, "verdict is 'fine'"),
        (wrong("/inspect", width=100), 1, "100 x 224"),
        (wrong("/inspect", score=3.0), 1, "yet normal"),
        (wrong("/inspect", score=None), 1, "score is None"),
        (wrong("/inspect", p_value=0), 1, "p-value"),
        (wrong("/metrics", text="hello there"), 2, "Prometheus"),
        (wrong("/metrics", text="anomalyos_queue_depth 1.0\n"), 2, "lacks anomalyos_inspections_total"),
        (wrong("/metrics", text=METRICS.replace(" 1.0", " 0.0")), 2, "not counted"),
    ],
)
def test_a_wrong_answer_fails_its_check_alone(
    change: Callable[[Answers], None], failed: int, finding: str
) -> None:
    answers = good()
    change(answers)
    with answering(answers, []) as url:
        checks = smoke(url, wait_s=0)
        done = CliRunner().invoke(app, ["smoke", url, "--wait", "0"])
    assert [number for number, check in enumerate(checks) if not check.passed] == [failed]
    assert finding in checks[failed].finding
    assert done.exit_code == 1
    assert "✗" in done.stdout


def test_models_that_are_still_loading_are_waited_for() -> None:
    answers = good()
    answers["/health"] = (200, json.dumps(HEALTH | {"models": "loading"}))
    timer = threading.Timer(1.5, lambda: answers.update(good()))
    with answering(answers, []) as url:
        timer.start()
        assert all(check.passed for check in smoke(url, wait_s=20))


def test_nobody_there_is_exit_code_2() -> None:
    with answering(good(), []) as url:
        pass
    assert CliRunner().invoke(app, ["smoke", url]).exit_code == 2
    with pytest.raises(AnomalyOSError, match="Nothing answers"):
        smoke("not an address")
