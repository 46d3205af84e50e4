"""The ``anomalyos`` command, which belongs to the platform: the library alone says how to get it."""

from __future__ import annotations

import os
import sys


def main() -> None:
    # Threads of a network that wait for each other must not burn the core another process needs: with the
    # default spin, work beside a night took up to ten times as long. Read when torch loads, and inherited.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        from anomalyos.cli import app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("anomalyos"):
            raise
        sys.exit(
            f"The command line needs the platform ({error.name} is missing). "
            "Install it with: pip install 'anomalyos[platform,console,report]'"
        )
    app()


if __name__ == "__main__":
    main()
