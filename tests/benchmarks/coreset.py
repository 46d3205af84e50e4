"""The lazily batched coreset against the naive loop: same picks, time and memory as ratios."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.record import write_result

ROWS, DIMS, PICKS = 100_000, 152, 1000

MEMORY_PROBE = """
import json, resource, torch
from anomalyos.features.recipes import get_recipe
from anomalyos.patchcore.model import PatchCoreModel
torch.set_num_threads(2)
images = {images}
patches = torch.randn(images, 26, 26, 152, generator=torch.Generator().manual_seed(0))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
PatchCoreModel.fit(patches, get_recipe("lite"))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
features = patches.numel() * 4 / 2**20
print(json.dumps({{"features_mib": features, "peak_above_features_mib": (after - before) / 1024}}))
"""


def naive(features: Any, count: int) -> list[int]:
    """One pick at a time, all distances updated after each."""
    import torch

    picked, gaps = [0], torch.full((features.shape[0],), torch.inf)
    while True:
        gaps = torch.minimum(gaps, (features - features[picked[-1]]).square().sum(dim=1))
        gaps[picked[-1]] = -1
        if len(picked) == count:
            return picked
        picked.append(int(gaps.argmax()))


def memory(images: int) -> dict[str, float]:
    """Peak memory of building a bank in a fresh process, beyond the features and what the imports take."""
    script = MEMORY_PROBE.format(images=images)
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(output)
    features = figures["features_mib"]
    # the features themselves were there before: twice the features plus 400 MB is what is allowed in all
    figures["allowed_above_features_mib"] = features + 400
    return {key: round(value, 1) for key, value in figures.items()}


def main() -> Path:
    import torch

    from anomalyos.patchcore.coreset import greedy_coreset

    torch.set_num_threads(2)
    features = torch.randn(ROWS, DIMS, generator=torch.Generator().manual_seed(0))
    start = time.perf_counter()
    ours = greedy_coreset(features, PICKS).tolist()
    lazily = time.perf_counter() - start
    start = time.perf_counter()
    theirs = naive(features, PICKS)
    naively = time.perf_counter() - start
    return write_result(
        "coreset",
        {
            "rows": ROWS,
            "dims": DIMS,
            "picks": PICKS,
            "same_picks": ours == theirs,
            "lazily_batched_s": round(lazily, 2),
            "naive_s": round(naively, 2),
            "times_faster": round(naively / lazily, 1),
            "memory": memory(images=766),
        },
    )
