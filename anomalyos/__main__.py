"""The ``anomalyos`` command, which belongs to the platform: the library alone says how to get it."""

from __future__ import annotations

import sys


def main() -> None:
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
