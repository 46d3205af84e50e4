"""``POST /inspect`` as a client sees it: a 224 x 224 PNG, one at a time, warm."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result

CALLS = 200
CATEGORY = "sample_hazelnut"


def main() -> Path:
    import httpx

    from anomalyos.accounts import tokens, users
    from anomalyos.images.decoding import encode_png
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.products.sample import render

    settings, store = prepare(real=False)
    rebuild_category(CATEGORY, settings, store, actor="benchmark")
    with store.session() as session:
        name = f"bench-{time.time_ns()}"
        user = users.create(session, name=name, password=name + "-secret", role="engineer", actor="benchmark")
        assert user.id is not None
        _, token = tokens.create(
            session, user_id=user.id, name="latency", scopes=["inspect"], expires_in_days=1, actor="benchmark"
        )
    images = [encode_png(render(CATEGORY, None, 900_000 + i, 224)[0]) for i in range(CALLS + 10)]
    port = free_port()
    server = start_console(port)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until_warm(client)
            client.headers["Authorization"] = f"Bearer {token}"
            milliseconds, stages = call(client, images)
    finally:
        server.terminate()
        server.wait(timeout=30)
    steady = np.array(milliseconds[10:])
    return write_result(
        "latency",
        {
            "calls": len(steady),
            "image": "224 x 224 PNG",
            "recipe": settings.recipe,
            "http_ms": percentiles(steady),
            "stages_ms_p50": {key: round(float(np.median(values)), 2) for key, values in stages.items()},
        },
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_console(port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "ANOMALYOS_CONSOLE_PORT": str(port),
        "ANOMALYOS_CONSOLE_URL": f"http://127.0.0.1:{port}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "console.main"], env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )


def wait_until_warm(client: Any, seconds: float = 180) -> None:
    """Until /health answers that the models are loaded."""
    import httpx

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if client.get("/health").json()["models"] == "ready":
                return
        except httpx.TransportError:
            sys.stderr.write("waiting for the console\n")
        time.sleep(1)
    raise TimeoutError("the console did not get warm")


def call(client: Any, images: list[bytes]) -> tuple[list[float], dict[str, list[float]]]:
    milliseconds: list[float] = []
    stages: dict[str, list[float]] = {}
    for i, image in enumerate(images):
        start = time.perf_counter()
        answer = client.post("/inspect", files={"file": (f"{i}.png", image)}, data={"category": CATEGORY})
        milliseconds.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
        for key, value in answer.json()["timings_ms"].items():
            stages.setdefault(key, []).append(value)
    return milliseconds, stages


def percentiles(values: Any) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(values, p)), 1) for p in (50, 95, 99)}
