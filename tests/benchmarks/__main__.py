"""``python -m tests.benchmarks [NAME ...]``: run the named benchmarks, or all of them."""

from __future__ import annotations

import importlib
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
)


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        sys.stderr.write(f"No benchmark named {', '.join(unknown)}. There are: {', '.join(NAMES)}.\n")
        return 2
    for name in arguments or NAMES:
        sys.stderr.write(f"== {name}\n")
        path = importlib.import_module(f"tests.benchmarks.{name}").main()
        sys.stderr.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
