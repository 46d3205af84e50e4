"""Airflow's database at its newest schema, with the pools of include/pools.json.

Runs as a process of its own in Airflow's environment
(``python -m anomalyos.ops.supervisor.airflow_setup``), so that both steps pay for one import of Airflow.
A task of a pool that does not exist would wait for ever. Running it again sets the pools to the file's sizes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from anomalyos.core.settings import INCLUDE


def main() -> None:
    from airflow.__main__ import main as airflow

    for arguments in (["db", "migrate"], ["pools", "import", str(pools_file())]):
        sys.argv = ["airflow", *arguments]
        airflow()  # type: ignore[no-untyped-call]


def pools_file() -> Path:
    """The file of the include folder in use."""
    return Path(os.environ.get("ANOMALYOS_INCLUDE_DIR") or INCLUDE) / "pools.json"


if __name__ == "__main__":
    main()
