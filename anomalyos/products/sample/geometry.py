"""Where things are: the unit grid, poses, signed distances and strokes.

All lengths are in units; ``SPAN`` units make the width of every picture whatever its pixels.
Signed distances are negative inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from anomalyos.products.sample.draws import Draw, Field

SPAN = 512.0
Point = tuple[float, float]
Window = tuple[slice, slice]
"""Rows and columns of a rectangle of pixels."""


@lru_cache(maxsize=4)
def grid(n: int) -> tuple[Field, Field]:
    """(x, y) of the pixel centres, both (n, n), in units from the upper left corner. Read-only."""
    line = (np.arange(n, dtype=np.float32) + 0.5) * np.float32(SPAN / n)
    x, y = np.meshgrid(line, line)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


@dataclass(frozen=True)
class Pose:
    """A part's place: its centre in units, its turn in radians, its scale."""

    cx: float
    cy: float
    angle: float = 0.0
    scale: float = 1.0

    def local(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Coordinates in the part's own frame."""
        c, s = math.cos(self.angle) / self.scale, math.sin(self.angle) / self.scale
        dx, dy = x - self.cx, y - self.cy
        return c * dx + s * dy, c * dy - s * dx

    def place(self, u: float, v: float) -> Point:
        """Picture coordinates of a point of the part."""
        c, s = math.cos(self.angle) * self.scale, math.sin(self.angle) * self.scale
        return self.cx + c * u - s * v, self.cy + s * u + c * v


def window(n: int, centre: Point, reach: float) -> Window:
    """The pixels of an n x n picture within ``reach`` units of a point, along x and along y."""
    per_unit = n / SPAN
    rows, columns = (
        slice(max(0, int((c - reach) * per_unit)), max(0, int((c + reach) * per_unit) + 1))
        for c in (centre[1], centre[0])
    )
    return rows, columns


def cover(distance: Field, soft: float = 1.2) -> Field:
    """Coverage 0..1 of a signed distance with an antialiased edge ``soft`` units wide."""
    coverage: Field = np.clip(0.5 - distance / soft, 0, 1)
    return coverage


def step(low: float | Field, high: float | Field, value: Field) -> Field:
    """Smoothstep from 0 at ``low`` to 1 at ``high``; falls when ``low`` > ``high``."""
    t: Field = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def disc(u: Field, v: Field, radius: float) -> Field:
    return np.sqrt(u * u + v * v) - radius


def box(u: Field, v: Field, half_width: float, half_height: float, corner: float = 0.0) -> Field:
    """Rounded rectangle."""
    du = np.abs(u) - (half_width - corner)
    dv = np.abs(v) - (half_height - corner)
    outside: Field = np.sqrt(np.square(np.maximum(du, 0)) + np.square(np.maximum(dv, 0)))
    distance: Field = outside + np.minimum(np.maximum(du, dv), 0) - corner
    return distance


def polygon(u: Field, v: Field, sides: int, inner_radius: float) -> Field:
    """Regular polygon by its inner radius; exact along the edges, a little short at the corners."""
    distance = np.full_like(u, -1e6)
    for k in range(sides):
        angle = 2 * math.pi * k / sides
        distance = np.maximum(distance, u * math.cos(angle) + v * math.sin(angle))
    return distance - inner_radius


def wander(
    draw: Draw, start: Point, angle: float, length: float, *, bend: float, steps: int = 14
) -> list[Point]:
    """A path that keeps turning a little: ``bend`` is the spread of the turn at each step, radians."""
    points = [start]
    for _ in range(steps):
        angle += draw.bell(bend)
        x, y = points[-1]
        points.append((x + math.cos(angle) * length / steps, y + math.sin(angle) * length / steps))
    return points


def stroke(n: int, points: list[Point], width: float, taper: bool = True) -> Field:
    """(n, n) distance to a path divided by its local half width: below 1 on the stroke, 9 far away."""
    x, y = grid(n)
    ratio = np.full((n, n), 9, dtype=np.float32)
    per_unit = n / SPAN
    count = len(points) - 1
    for k in range(count):
        (ax, ay), (bx, by) = points[k], points[k + 1]
        t_mid = (k + 0.5) / count
        half = width * (0.35 + 0.65 * math.sin(math.pi * t_mid) ** 0.7 if taper else 1.0)
        reach = 4 * half + 2
        rows, columns = (
            slice(
                max(0, int((min(p, q) - reach) * per_unit)), max(0, int((max(p, q) + reach) * per_unit) + 1)
            )
            for p, q in ((ay, by), (ax, bx))
        )
        px, py = x[rows, columns] - ax, y[rows, columns] - ay
        dx, dy = bx - ax, by - ay
        t = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
        distance = np.sqrt(np.square(px - t * dx) + np.square(py - t * dy)) / half
        ratio[rows, columns] = np.minimum(ratio[rows, columns], distance)
    return ratio


def blob(
    draw: Draw, n: int, centre: Point, radius: float, *, stretch: float = 1.4, ragged: float = 0.3
) -> Field:
    """(n, n) distance from an irregular patch's centre over its local radius: below 1 inside, 9 far away."""
    x, y = grid(n)
    reach = radius * stretch * (1 + 2 * ragged) * 2 + 2
    rows, columns = window(n, centre, reach)
    pose = Pose(centre[0], centre[1], draw.span(0, math.pi))
    long = 1 + (stretch - 1) * draw.span(0.3, 1)
    u, v = pose.local(x[rows, columns], y[rows, columns])
    u, v = u / long, v * math.sqrt(long)
    theta = np.arctan2(v, u)
    edge = np.ones_like(theta)
    for wave in range(2, 9):
        edge += ragged * draw.bell(0.55) / wave**0.8 * np.cos(wave * theta + draw.span(0, 2 * math.pi))
    out = np.full((n, n), 9, dtype=np.float32)
    out[rows, columns] = np.sqrt(u * u + v * v) / (radius * np.clip(edge, 0.35, 2))
    return out


def spot(draw: Draw, inside: Field, margin: float = 0.5, tries: int = 400) -> Point:
    """A random point, in units, where ``inside`` exceeds ``margin``; the best one seen when none does."""
    n = inside.shape[0]
    best, best_value = (SPAN / 2, SPAN / 2), -math.inf
    for _ in range(tries):
        px, py = draw.whole(0, n - 1), draw.whole(0, n - 1)
        value = float(inside[py, px])
        point = ((px + 0.5) * SPAN / n, (py + 0.5) * SPAN / n)
        if value > margin:
            return point
        if value > best_value:
            best, best_value = point, value
    return best
