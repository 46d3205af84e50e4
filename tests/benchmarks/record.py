"""What every result file carries beside its figures: commit, machine, threads, load, versions, command."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anomalyos.core.settings import PROJECT_ROOT, get_settings

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "timm", "faiss-cpu", "numpy", "nicegui")

LOAD_BEFORE = round(os.getloadavg()[0], 2)
"""Load of the last minute when this process began: what else the machine was doing."""


def processor() -> str:
    """The processor's name as the kernel gives it, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> dict[str, Any]:
    """The commit that was measured, and whether files differed from it; empty outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return {}

    def ask(*arguments: str) -> str:
        answer = subprocess.run(
            [git, *arguments], cwd=PROJECT_ROOT, check=True, capture_output=True, text=True
        )
        return answer.stdout.strip()

    try:
        # results are written while others are measured, and change no figure
        changed = ask("status", "--porcelain", "-uno", "--", ".", ":!tests/benchmarks/results")
        return {"id": ask("rev-parse", "HEAD"), "changed": bool(changed)}
    except subprocess.CalledProcessError:
        return {}


def threads() -> dict[str, int]:
    """Threads the product is set to, and those torch and FAISS have in this process if they are loaded."""
    found = {"setting": get_settings().threads}
    if torch := sys.modules.get("torch"):
        found["torch"] = torch.get_num_threads()
    if faiss := sys.modules.get("faiss"):
        found["faiss"] = faiss.omp_get_max_threads()
    return found


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """Write ``results/NAME.json`` and return its path."""
    document = {
        "command": f"make bench ARGS={name}",
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "threads": threads(),
            # the second holds the benchmark itself
            "load": {"before": LOAD_BEFORE, "after": round(os.getloadavg()[0], 2)},
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {package: version(package) for package in PACKAGES},
        "figures": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path
