"""anomalib's own environment under ``build/``, in the versions of ``anomalib.lock``; the second time at once.

``uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
--no-annotate anomalib.in -o anomalib.lock`` resolves ``anomalib.in`` again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from anomalyos.core.settings import PROJECT_ROOT

LOCK = Path(__file__).with_name("anomalib.lock")
VENV = PROJECT_ROOT / "build" / "anomalib" / "venv"
UV = PROJECT_ROOT / ".venv" / "uv" / "bin" / "uv"
SHOWN = ("anomalib", "torch", "timm", "openvino", "lightning", "numpy")


def install() -> Path:
    """The environment's interpreter. A stamp names the lock it was made from.

    Raises:
        FileNotFoundError: without uv, which ``make install`` puts beside the project's environment.
    """
    python, stamp = VENV / "bin" / "python", VENV / ".installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    if not UV.is_file():
        raise FileNotFoundError(f"There is no {UV}: run make install.")
    sys.stderr.write(f"installing anomalib into {VENV}\n")
    if not python.exists():
        run("venv", "--python", sys.executable, str(VENV))
    run("pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(python), str(LOCK))
    stamp.write_text(wanted, encoding="utf-8")
    return python


def run(*arguments: str) -> None:
    # the project's own environment would be taken for the one that is meant
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([str(UV), *arguments], check=True, env=environment)


def installed(lock: str | None = None) -> dict[str, str]:
    """Versions of the packages that make anomalib's figures, as the lock pins them."""
    text = LOCK.read_text(encoding="utf-8") if lock is None else lock
    pins = (line.split()[0].partition("==") for line in text.splitlines() if "==" in line)
    return {name: version for name, _, version in pins if name in SHOWN}
