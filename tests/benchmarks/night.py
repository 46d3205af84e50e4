"""A night of many images: how many a second by ``anomalyos nightly``, and by the DAG in a real Airflow.

Both start from the same home and inspect the same files, one after the other; each image's content is its
own. ``NIGHT_IMAGES`` says how many there are (1,000), ``NIGHT_RECIPE`` how the products are learned
(``lite``), and ``NIGHT_DAG=0`` leaves the DAG out, which takes two minutes to start. Run it alone: a busy
machine slows two processes down more than one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import numpy as np

from anomalyos.core.settings import PROJECT_ROOT, Settings
from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result
from tests.e2e.whole import Platform

IMAGES = int(os.environ.get("NIGHT_IMAGES", "1000"))
RECIPE = os.environ.get("NIGHT_RECIPE", "lite")
WITH_DAG = os.environ.get("NIGHT_DAG", "1") != "0"
PRODUCTS = ("sample_hazelnut", "sample_screw", "sample_carpet", "sample_pill")
DRAWN = 240
"""Pictures that are drawn; the others are those again under new sensor noise, which is much quicker."""
ROUTED = 8
"""Every so many files name no product, and the router decides."""
FLAWED = 20
"""Every so many pictures show a defect."""
SIDE = 224
DAY = "2026-11-24"
DAG_SECONDS = 3600


def main() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="night-", dir=learned().home.parent))
    try:
        images = draw_night(folder / "night")
        figures: dict[str, Any] = {
            "images": images,
            "image": f"{SIDE} x {SIDE} PNG",
            "products": len(PRODUCTS),
            "recipe": RECIPE,
            "command": by_command(furnish(folder / "command", folder / "night"), images),
        }
        if WITH_DAG:
            figures["dag"] = by_dag(furnish(folder / "dag"), folder / "night", images)
            figures["dag"]["times_the_command"] = round(
                figures["dag"]["seconds"] / figures["command"]["seconds"], 2
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return write_result("night", figures)


def learned() -> Settings:
    """A home of its own with the products learned; what an earlier run prepared is used again."""
    from anomalyos.learning.rebuild import rebuild_category

    os.environ.setdefault("ANOMALYOS_BENCH_HOME", str(PROJECT_ROOT / "var" / f"bench-night-{RECIPE}"))
    os.environ["ANOMALYOS_RECIPE"] = RECIPE
    settings, store = prepare(real=False, products=PRODUCTS)
    for name in PRODUCTS:
        rebuild_category(name, settings, store, actor="benchmark")
    store.close()
    return settings


def furnish(home: Path, night: Path | None = None) -> Settings:
    """A copy of what was learned, with no inspection in it, and the night in its inbox."""
    source = Settings(home=Path(os.environ["ANOMALYOS_HOME"]), _env_file=None)
    home.mkdir()
    shutil.copytree(source.bundles_dir, home / "bundles")
    if source.compiled_dir.is_dir():
        shutil.copytree(source.compiled_dir, home / "compiled")
    shutil.copy(source.home / "anomalyos.db", home / "anomalyos.db")
    settings = Settings(home=home, _env_file=None)
    if night is not None:
        deliver(night, settings)
    return settings


def deliver(night: Path, settings: Settings) -> None:
    shutil.copytree(night, settings.inbox_dir / DAY)


def draw_night(folder: Path) -> int:
    """Write the files of the night; how many there are."""
    from anomalyos.images.decoding import encode_png
    from anomalyos.products.sample import render, sample_category

    drawn: list[Any] = []
    noise = np.random.default_rng(0)
    for number in range(IMAGES):
        product = PRODUCTS[number % len(PRODUCTS)]
        if number < DRAWN:
            defect = sample_category(product).defects[0] if number % FLAWED == FLAWED - 1 else None
            drawn.append(render(product, defect, 2_000_000 + number, SIDE)[0])
        rgb = drawn[number % len(drawn)]
        if number >= DRAWN:
            rgb = np.clip(rgb + noise.normal(0, 1, rgb.shape).round(), 0, 255).astype(np.uint8)
        name = f"{number:06}.png" if number % ROUTED == ROUTED - 1 else f"{product}/{number:06}.png"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(rgb))
        # left alone for long enough to be taken for complete
        os.utime(path, (time.time() - 60, time.time() - 60))
    return IMAGES


def by_command(settings: Settings, images: int) -> dict[str, Any]:
    """``anomalyos nightly`` in a process of its own, from its start to its end."""
    program = [sys.executable, "-c", "from anomalyos.cli import app; app()"]
    command = [*program, "nightly", "--json", "--date", DAY]
    begun = time.perf_counter()
    done = subprocess.run(command, env=environment(settings), stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - begun
    summary = json.loads(done.stdout)
    assert summary["total"] == images, summary
    return {
        "seconds": round(seconds, 1),
        "images_per_s": round(images / seconds, 1),
        "verdicts": {name: summary[name] for name in ("normal", "anomalous", "unknown_category")},
        **stages(settings),
    }


def stages(settings: Settings) -> dict[str, Any]:
    """Milliseconds an image of each stage at the median, and images a second once the models are loaded."""
    from sqlmodel import select

    from anomalyos.db.engine import Store
    from anomalyos.inspection.tables import Inspection

    store = Store(settings)
    with store.session(read_only=True) as session:
        rows = session.exec(select(Inspection.created_at, Inspection.timings_ms)).all()
    store.close()
    spent: dict[str, list[float]] = defaultdict(list)
    for _, timings in rows:
        for name, milliseconds in timings.items():
            spent[name].append(milliseconds)
    times = sorted(created for created, _ in rows)
    span = (times[-1] - times[0]).total_seconds()
    return {
        "while_inspecting_images_per_s": round(len(rows) / span, 1) if span else None,
        "stages_ms_p50": {name: round(float(median(values)), 2) for name, values in spent.items()},
    }


def by_dag(settings: Settings, night: Path, images: int) -> dict[str, Any]:
    """The DAG run in a whole platform, from the moment its run starts to its end."""
    with platform_on(settings) as platform:
        # after the first start, which would inspect it
        deliver(night, settings)
        token = platform.token("engineer")
        path = "/api/v2/dags/nightly_inspection/dagRuns"
        status, run = platform.call(path, {"logical_date": None, "conf": {"date": DAY}}, token)
        assert status == 200, run
        own = f"{path}/{quote(run['dag_run_id'])}"

        def ended() -> Any:
            now = platform.call(own, token=platform.token("engineer"))[1]
            return now if now["state"] in {"success", "failed"} else None

        found = platform.wait_for(ended, "the end of the night", DAG_SECONDS)
        assert found["state"] == "success", found
        tasks = platform.call(f"{own}/taskInstances?limit=1000", token=platform.token("engineer"))[1]
    seconds = between(found["start_date"], found["end_date"])
    spans: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for task in tasks["task_instances"]:
        spans[task["task_id"]].append((task["start_date"], task["end_date"]))
    return {
        "seconds": round(seconds, 1),
        "images_per_s": round(images / seconds, 1),
        "loads": len(spans["inspect"]),
        "task_seconds": {
            name: round(between(min(own)[0], max(end for _, end in own)), 1) for name, own in spans.items()
        },
        **stages(settings),
    }


@contextmanager
def platform_on(settings: Settings) -> Iterator[Platform]:
    """A platform that is up, with the threads it has by default; it is stopped at the end."""
    platform = Platform(settings.home, {"ANOMALYOS_THREADS": str(Settings().threads)})
    try:
        platform.wait_until_up()
        yield platform
    finally:
        if platform.process.poll() is None:
            platform.process.send_signal(signal.SIGINT)
            try:
                platform.process.wait(120)
            except subprocess.TimeoutExpired:
                platform.process.kill()


def between(start: str, end: str) -> float:
    """Seconds between two moments as Airflow writes them."""
    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (start, end))
    return (last - first).total_seconds()


def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "ANOMALYOS_HOME": str(settings.home), "PYTHONPATH": str(PROJECT_ROOT)}
