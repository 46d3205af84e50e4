"""AnomalyOS: learns what normal looks like, finds what is not, and lets people review it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anomalyos.patchcore.estimator import PatchCore, Result

__all__ = ["PatchCore", "Result", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The library's face, imported when it is asked for: a command must not wait for NumPy."""
    if name in ("PatchCore", "Result"):
        from anomalyos.patchcore import estimator

        return getattr(estimator, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
