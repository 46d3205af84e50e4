"""What a category gets to work with, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Draws, Field
from anomalyos.products.sample.geometry import SPAN, Pose, grid, step
from anomalyos.products.sample.shading import Light, Surface

_GOLDEN = 0.6180339887


class Shot:
    """One picture to be made: its seed's random streams, its grid of n x n pixels, its defect.

    ``severity`` in 0.2..1 spreads evenly over consecutive seeds, so a handful of test images
    holds both subtle and plain examples.
    """

    def __init__(self, category: str, defect: str | None, seed: int, n: int) -> None:
        self.defect = defect
        self.n = n
        self.x, self.y = grid(n)
        self._draws = Draws(category, seed)
        self.severity = 0.2 + 0.8 * ((seed * _GOLDEN + 0.11) % 1.0)
        self.flaw = self._draws.of("defect")

    def draw(self, purpose: str) -> Draw:
        return self._draws.of(purpose)

    def pose(self, *, shift: float, turn: float, scale: float = 0.02) -> Pose:
        """Where the part lies: centre within ``shift`` units, ``turn`` radians either way."""
        draw = self.draw("pose")
        return Pose(
            SPAN / 2 + draw.span(-shift, shift),
            SPAN / 2 + draw.span(-shift, shift),
            draw.span(-turn, turn),
            1 + draw.bell(scale / 2),
        )

    def zeros(self) -> Field:
        return np.zeros((self.n, self.n), dtype=np.float32)

    def ones(self) -> Field:
        return np.ones((self.n, self.n), dtype=np.float32)

    def middle(self, edge: float, full: float) -> Field:
        """0 within ``edge`` units of the picture's border, rising to 1 at ``full`` units from it."""
        return step(
            edge, full, np.minimum(np.minimum(self.x, SPAN - self.x), np.minimum(self.y, SPAN - self.y))
        )

    def between(self, subtle: float, plain: float) -> float:
        """A quantity of the defect at this shot's severity."""
        return subtle + (plain - subtle) * self.severity


@dataclass
class Scene:
    """A finished surface with its light and camera; ``mask`` is the defect's coverage, 0..1."""

    surface: Surface
    light: Light
    mask: Field | None = None
    camera: Camera = field(default_factory=Camera)
