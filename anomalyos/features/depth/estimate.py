"""One door to every way of estimating depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.runtime import Runtime, RuntimeSettings
from anomalyos.features.depth.dpt import Dpt
from anomalyos.features.depth.midas import MidasSmall
from anomalyos.features.depth.shading import METHOD, ShapeFromShading


@dataclass(frozen=True)
class DepthMap:
    """Relative height of the surface: larger is nearer to the camera. It has no unit and no zero."""

    values: Float32Array
    """(H, W) of the photograph, mean 0 and standard deviation 1; all zero for a blank picture."""
    method: str


class DepthEstimator(Protocol):
    @property
    def method(self) -> str: ...

    def __call__(self, rgb: NDArray[np.uint8]) -> Float32Array:
        """Nearness (H, W) of an RGB picture (H, W, 3), on any scale."""
        ...


def estimate_depth(rgb: NDArray[np.uint8], settings: RuntimeSettings) -> DepthMap:
    """Depth of one photograph (H, W, 3) with the estimator that ``settings.depth_model`` names.

    Raises:
        WeightsMissing: when that estimator's weights are not there or do not fit.
    """
    runtime = Runtime(
        device=settings.device,
        threads=settings.threads,
        weights_dir=settings.weights_dir,
        allow_hub=settings.allow_hub,
        depth_model=settings.depth_model,
    )
    estimator = _estimator(runtime)
    return DepthMap(standardise(estimator(rgb)), estimator.method)


@lru_cache(maxsize=2)
def _estimator(runtime: Runtime) -> DepthEstimator:
    if runtime.depth_model == METHOD:
        return ShapeFromShading()
    if runtime.depth_model == "midas_small":
        return MidasSmall(runtime)
    return Dpt(Path(runtime.depth_model), runtime)


def standardise(nearness: Float32Array) -> Float32Array:
    """Shifted and scaled to mean 0 and standard deviation 1: no estimator here knows a unit."""
    spread = float(nearness.std())
    if spread < 1e-12:
        return np.zeros_like(nearness, dtype=np.float32)
    return np.asarray((nearness - nearness.mean()) / spread, dtype=np.float32)
