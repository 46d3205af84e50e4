"""``python -m tests.benchmarks [NAME ...]``: run the named benchmarks, or all of them."""

from __future__ import annotations

import importlib
import subprocess
import sys

NAMES = (
    "coreset",
    "accuracy",
    "latency",
    "explanations",
    "search",
    "search_scale",
    "retrieval",
    "index_scale",
    "data_checks",
    "ablation",
    "review_loop",
    "classifier",
    "drift",
    "console_load",
    "night",
    "tune",
    "profile",
    "versus_anomalib",
)


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        sys.stderr.write(f"No benchmark named {', '.join(unknown)}. There are: {', '.join(NAMES)}.\n")
        return 2
    names = arguments or list(NAMES)
    if len(names) > 1:
        # one process each: peak memory, threads and load are those of one benchmark
        return max(
            subprocess.run([sys.executable, "-m", "tests.benchmarks", name]).returncode for name in names
        )
    sys.stderr.write(f"== {names[0]}\n")
    path = importlib.import_module(f"tests.benchmarks.{names[0]}").main()
    sys.stderr.write(f"wrote {path.name}; `make measurements` writes the tables again\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
