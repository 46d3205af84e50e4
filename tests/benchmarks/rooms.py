"""Rooms of a walk: which modules of the project run during one job, and how often it comes back to one.

    python tests/benchmarks/rooms.py [CHECKOUT ...]

Each checkout (this one, unless others are named) runs the same walks: a rebuild and a night from the command
line, and a retraining asked for in the browser. A module is a *room*; a first call from one module into
another is a *door*, however often it is used; a door into a room that was visited before is a *return*. Calls
made while modules are imported do not count. Nothing is written into the checkouts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from PIL import Image

PACKAGES = ("anomalyos", "console", "dags", "plugins")
PRODUCT = "dots"
DAY = "2026-11-24"
BROWSER_TEST = "tests/console/test_retraining.py::test_an_engineer_starts_a_run_and_watches_it_to_its_end"
CO_OPTIMIZED = 1
"""Set for functions alone: the bodies of modules and classes lack it."""


class Walk:
    """Notes rooms and doors while it is on: a profile function for every thread."""

    def __init__(self, root: Path) -> None:
        self.on = False
        self.doors: dict[tuple[str, str], None] = {}
        """Every pair (from, to) in the order of its first use."""
        self._root = f"{root}{os.sep}"
        self._imports = threading.local()
        self._names: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        depth = getattr(self._imports, "depth", 0)
        if code.co_name == "<module>":
            self._imports.depth = max(0, depth + (1 if event == "call" else -1))
        elif self.on and event == "call" and not depth and code.co_flags & CO_OPTIMIZED:
            self._enter(self._caller(frame), self._room(code.co_filename))

    def _room(self, filename: str) -> str:
        """Module of the project that ``filename`` is, empty for any other."""
        if filename not in self._names:
            parts: tuple[str, ...] = ()
            if filename.startswith(self._root):
                parts = Path(filename).relative_to(self._root).with_suffix("").parts
            ours = parts[:1] and parts[0] in PACKAGES
            self._names[filename] = ".".join(parts).removesuffix(".__init__") if ours else ""
        return self._names[filename]

    def _caller(self, frame: FrameType) -> str:
        before = frame.f_back
        while before is not None:
            if room := self._room(before.f_code.co_filename):
                return room
            before = before.f_back
        return ""

    def _enter(self, before: str, room: str) -> None:
        if room and before != room:
            self.doors.setdefault((before, room))

    def write(self, path: Path) -> None:
        """Keep what was noted as JSON."""
        path.write_text(json.dumps(list(self.doors)), encoding="utf-8")


def folder(room: str) -> str:
    """First-level unit a room belongs to: ``anomalyos.inspection``, ``console.pages``, ``dags``."""
    return ".".join(room.split(".")[:2])


def count(doors: list[tuple[str, str]]) -> tuple[list[str], int]:
    """Rooms in the order of their first visit, and how many doors lead back into one."""
    distinct = [(before, room) for before, room in dict.fromkeys(doors) if before != room]
    rooms = list(dict.fromkeys(room for _, room in distinct))
    return rooms, len(distinct) - len(rooms)


def profile(root: Path) -> Walk:
    """A walk that is told of every call in this process from now on."""
    walk = Walk(root)
    threading.setprofile(walk)
    sys.setprofile(walk)
    return walk


def pytest_configure(config: Any) -> None:
    """As a plugin (``-p``): the rooms of the tests themselves, not of their set-up."""
    walk = profile(Path.cwd())

    class Plugin:
        @staticmethod
        def pytest_pyfunc_call(pyfuncitem: Any) -> None:
            walk.on = True

        @staticmethod
        def pytest_runtest_teardown(item: Any) -> None:
            walk.on = False

        @staticmethod
        def pytest_sessionfinish(session: Any) -> None:
            walk.write(Path(os.environ["ROOMS"]))

    config.pluginmanager.register(Plugin())


def run_command(arguments: list[str], rooms: Path) -> None:
    """One ``anomalyos`` command in this process."""
    from anomalyos.cli import app

    walk = profile(Path.cwd())
    walk.on = True
    try:
        app(arguments, standalone_mode=False)
    finally:
        walk.on = False
        walk.write(rooms)


def draw(folder: Path) -> None:
    """A small product in the layout of MVTec AD: which rooms are visited does not hang on the images."""
    rng = np.random.default_rng(0)
    for part, number in (("train/good", 16), ("test/good", 4), ("test/hole", 4)):
        (folder / part).mkdir(parents=True)
        for i in range(number):
            pixels = rng.integers(90, 110, (128, 128, 3), np.uint8)
            pixels[::16] = 200
            if part == "test/hole":
                pixels[40:70, 40 + i : 70 + i] = 0
            Image.fromarray(pixels).save(folder / part / f"{i}.png")
    masks = folder / "ground_truth" / "hole"
    masks.mkdir(parents=True)
    for i in range(4):
        mask = np.zeros((128, 128), np.uint8)
        mask[40:70, 40 + i : 70 + i] = 255
        Image.fromarray(mask).save(masks / f"{i}_mask.png")


def visit(checkout: Path) -> dict[str, list[tuple[str, str]]]:
    """Every walk in ``checkout``, each in a process of its own on one home that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, "PYTHONPATH": str(checkout), "ANOMALYOS_HOME": str(home / "home")}
        # this very file, whichever code it walks through, and away from the modules beside it
        plugin = Path(shutil.copy(__file__, home / "rooms_of_a_walk.py"))
        script = [sys.executable, str(plugin), "--command"]

        def doors(name: str) -> list[tuple[str, str]]:
            found = json.loads((home / f"{name}.json").read_text(encoding="utf-8"))
            return [(before, room) for before, room in found]

        def ask(name: str, *arguments: str) -> list[tuple[str, str]]:
            environment["ROOMS"] = str(home / f"{name}.json")
            subprocess.run(
                [*script, *arguments], cwd=checkout, env=environment, check=True, stdout=sys.stderr
            )
            return doors(name)

        draw(home / PRODUCT)
        ask("import", "data", "import", str(home / PRODUCT))
        walks = {"rebuild": ask("rebuild", "rebuild", "--category", PRODUCT)}
        inbox = home / "home" / "inbox" / DAY / PRODUCT
        inbox.mkdir(parents=True)
        shutil.copy(home / PRODUCT / "test" / "hole" / "0.png", inbox)
        walks["night"] = ask("night", "nightly", "--date", DAY)
        environment["ROOMS"] = str(home / "browser.json")
        environment["PYTHONPATH"] = f"{checkout}{os.pathsep}{home}"
        tests = [sys.executable, "-m", "pytest", "-q", "-p", plugin.stem, BROWSER_TEST]
        subprocess.run(tests, cwd=checkout, env=environment, check=True, stdout=sys.stderr)
        walks["asked for in the browser"] = doors("browser")
        walks["carried out by Airflow"] = ask(
            "retrain", "rebuild", "--category", PRODUCT, "--use-reviewed", "--coreset-ratio", "0.05"
        )
        return walks


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--command"]:
        run_command(arguments[1:], Path(os.environ["ROOMS"]))
        return 0
    here = Path(__file__).resolve().parents[2]
    for checkout in [Path(each).resolve() for each in arguments] or [here]:
        for name, doors in visit(checkout).items():
            rooms, returns = count(doors)
            folders, back = count([(folder(before), folder(room)) for before, room in doors])
            sys.stdout.write(f"{checkout.name}: {name}: {len(rooms)} rooms, {returns} returns; ")
            sys.stdout.write(f"{len(folders)} folders, {back} returns\n  {' > '.join(rooms)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
