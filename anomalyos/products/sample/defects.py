"""Flaws that many materials share, cut into height and material of a surface.

Each takes the surface, the shot, and ``inside`` (n, n; above 0.5 where the flaw may begin), changes
the surface in place and returns its own coverage, (n, n) in 0..1, from which the mask is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import SPAN, Point, blob, spot, step, stroke, wander
from anomalyos.products.sample.shading import Colour, Surface
from anomalyos.products.sample.shot import Shot

Span = tuple[float, float]
"""A quantity of a subtle and of a plain defect."""
Flaw = Callable[[Surface, Shot, Field], Field]


def strike(flaws: Mapping[str, Flaw], s: Surface, shot: Shot, inside: Field) -> Field | None:
    """Cut in the shot's defect and return its coverage; None without a defect, or one made elsewhere."""
    flaw = flaws.get(shot.defect) if shot.defect else None
    return flaw(s, shot, inside) if flaw else None


def _patch(shot: Shot, at: Point, radius: Span, *, stretch: float, ragged: float) -> Field:
    """``blob`` of the defect's own randomness, ``radius`` by severity."""
    return blob(shot.flaw, shot.n, at, shot.between(*radius), stretch=stretch, ragged=ragged)


def _path(
    shot: Shot,
    inside: Field,
    length: float,
    *,
    bend: float,
    steps: int,
    start: Point | None = None,
    angle: float | None = None,
    loose: float = 0.0,
) -> list[Point]:
    """A random path that mostly lies inside; from ``start`` and along ``angle`` when given."""
    draw, best, best_share = shot.flaw, [], -1.0
    per_unit = shot.n / SPAN
    for _ in range(14):
        heading = draw.span(0, 2 * math.pi) if angle is None else angle + draw.bell(loose)
        path = wander(draw, start or spot(draw, inside), heading, length, bend=bend, steps=steps)
        pixels = (np.array(path) * per_unit).astype(np.intp)
        there = ((pixels >= 0) & (pixels < shot.n)).all(axis=1)
        kept = inside[pixels[there, 1], pixels[there, 0]] > 0.5
        share = float(kept.sum()) / len(path)
        if share > best_share:
            best, best_share = path, share
        if share > 0.85:
            break
    return best


def scratch(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    length: Span = (50, 150),
    width: float = 1.8,
    depth: float = 1.6,
    bare: Colour,
    angle: float | None = None,
) -> Field:
    """A groove with raised lips; ``bare`` is the colour of the material it lays open."""
    path = _path(shot, inside, shot.between(*length), bend=0.05, steps=14, angle=angle, loose=0.25)
    ratio = stroke(shot.n, path, width * shot.between(0.7, 1.15))
    groove = step(1.3, 0.2, ratio) * inside
    lips = np.exp(-np.square((ratio - 1.6) / 0.5)) * inside
    power = shot.between(0.45, 1.0)
    s.height = s.height + power * depth * (0.45 * lips - groove)
    s.paint(groove * (0.75 * power), bare, rough=0.4)
    return step(2.3, 1.5, ratio) * inside


def crack(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    length: Span = (60, 180),
    width: float = 2.0,
    depth: float = 5.0,
    colour: Colour = (0.02, 0.02, 0.02),
    start: Point | None = None,
    angle: float | None = None,
) -> Field:
    """A jagged dark gap with a lit edge, sometimes branching."""
    draw = shot.flaw
    run = shot.between(*length)
    path = _path(shot, inside, run, bend=0.34, steps=22, start=start, angle=angle)
    ratio = stroke(shot.n, path, width * shot.between(0.6, 1.1))
    if draw.chance(0.6):
        fork = draw.whole(6, 14)
        onward = math.atan2(path[fork + 1][1] - path[fork][1], path[fork + 1][0] - path[fork][0])
        branch = wander(draw, path[fork], onward + draw.span(0.5, 1.0), run * 0.4, bend=0.4)
        ratio = np.minimum(ratio, stroke(shot.n, branch, width * 0.6))
    gap = step(1.2, 0.5, ratio) * inside
    s.height = s.height - depth * gap + 0.7 * np.exp(-np.square((ratio - 1.7) / 0.6)) * inside
    s.paint(gap * shot.between(0.65, 0.95), colour, rough=0.9, spec=0.02)
    return step(2.9, 2.1, ratio) * inside


def stain(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    radius: Span = (20, 55),
    colour: Colour = (0.25, 0.16, 0.08),
    strength: Span = (0.25, 0.7),
    rough: float | None = None,
    ring: float = 0.35,
) -> Field:
    """A dried liquid: multiplies the albedo by ``colour``, darker towards its rim."""
    draw = shot.flaw
    patch = _patch(shot, spot(shot.flaw, inside), radius, stretch=1.7, ragged=0.35)
    rim = np.exp(-np.square((patch - 0.9) / 0.1)) * ring
    mottle = 0.8 + 0.2 * noise.smooth(draw, shot.n, 24)
    soaked = step(1.06, 0.9, patch) * np.clip(mottle, 0.3, 1.2) * inside
    amount = np.clip((soaked + rim * inside) * shot.between(*strength), 0, 0.95)
    s.albedo *= 1 + amount[..., None] * (np.array(colour, dtype=np.float32) - 1)
    if rough is not None:
        s.paint(soaked, rough=rough)
    return step(1.1, 1.0, patch) * inside


def dent(s: Surface, shot: Shot, inside: Field, *, radius: Span, depth: float) -> Field:
    """A smooth hollow with a slight rim; seen only in how it bends the light."""
    patch = _patch(shot, spot(shot.flaw, inside), radius, stretch=1.8, ragged=0.12)
    bowl = step(1.0, 0.0, patch)
    rim = np.exp(-np.square((patch - 1.05) / 0.16))
    s.height = s.height + (0.16 * rim - bowl) * (depth * shot.between(0.45, 1.0)) * inside
    return step(1.12, 0.98, patch) * inside


def hole(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    radius: Span = (5, 16),
    depth: float = 20.0,
    colour: Colour = (0.01, 0.01, 0.01),
    ragged: float = 0.3,
    stretch: float = 1.3,
    lip: float = 0.8,
) -> Field:
    """Missing material: a dark floor far below, with a torn or drilled edge."""
    patch = _patch(shot, spot(shot.flaw, inside), radius, stretch=stretch, ragged=ragged)
    gone = step(1.04, 0.9, patch) * inside
    s.height = s.height - depth * gone + lip * np.exp(-np.square((patch - 1.12) / 0.12)) * inside
    s.paint(gone, colour, rough=0.95, spec=0.01, metal=0.0)
    return step(1.2, 1.06, patch) * inside


def fibre(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    length: Span = (50, 190),
    width: float = 1.6,
    colour: Colour = (0.03, 0.03, 0.035),
    lift: float = 4.0,
) -> Field:
    """A hair or thread lying on top, with the shadow it throws."""
    draw = shot.flaw
    path = wander(
        draw, spot(draw, inside), draw.span(0, 2 * math.pi), shot.between(*length), bend=0.28, steps=26
    )
    ratio = stroke(shot.n, path, width * shot.between(0.75, 1.1), taper=False)
    body = step(1.15, 0.85, ratio)
    top = noise.blur(s.height, 5) + lift
    round_ = np.sqrt(np.maximum(1 - ratio * ratio, 0)) * width
    s.height = s.height + body * (np.maximum(top, s.height) + round_ - s.height)
    s.paint(body, colour, rough=0.5, spec=0.04, metal=0.0)
    return step(1.9, 1.2, ratio)


def crumb(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    radius: Span = (4, 11),
    colour: Colour = (0.12, 0.08, 0.05),
    rise: float = 0.8,
    metal: float = 0.0,
    rough: float = 0.7,
    at: Point | None = None,
) -> Field:
    """A foreign particle on top: lumpy, with a contact shadow."""
    draw = shot.flaw
    size = shot.between(*radius)
    patch = blob(draw, shot.n, at or spot(draw, inside), size, stretch=1.6, ragged=0.4)
    body = step(1.05, 0.92, patch)
    lumps = 0.75 + 0.25 * noise.smooth(draw, shot.n, 70)
    s.height = s.height + np.sqrt(np.maximum(1 - patch * patch, 0)) * lumps * (size * rise)
    s.paint(body, colour, rough=rough, spec=0.05, metal=metal)
    return step(1.35, 1.1, patch)


def chip(
    s: Surface,
    shot: Shot,
    inside: Field,
    at: Point,
    *,
    radius: Span = (10, 26),
    depth: float = 7.0,
    colour: Colour | None = None,
    rough: float = 0.85,
) -> Field:
    """Broken-out material around ``at``: a rough, facetted fracture."""
    draw = shot.flaw
    patch = _patch(shot, at, radius, stretch=1.5, ragged=0.45)
    gone = step(1.02, 0.86, patch) * inside
    facets = noise.fractal(draw, shot.n, 40, octaves=2, gain=0.7)
    bowl = np.clip(1.15 - patch, 0, 1)
    s.height = s.height - gone * (depth * (0.35 + bowl) + 0.16 * depth * facets)
    if colour is not None:
        tone = np.clip(1 + 0.12 * facets, 0.5, 1.4)
        s.paint(gone, np.array(colour, dtype=np.float32) * tone[..., None], rough=rough)
    return step(1.12, 1.0, patch) * inside


def rust(
    s: Surface, shot: Shot, inside: Field, *, radius: Span, colour: Colour = (0.21, 0.075, 0.025)
) -> Field:
    """Corrosion: a spreading patch of brown scale with pits and outliers."""
    draw = shot.flaw
    patch = _patch(shot, spot(shot.flaw, inside), radius, stretch=1.8, ragged=0.5)
    mottle = noise.fractal(draw, shot.n, 26, octaves=4, gain=0.7)
    eaten = step(0.05, 0.5, 1.0 - patch + 0.3 * mottle) * step(1.5, 1.15, patch) * inside
    eaten = eaten * shot.between(0.55, 0.95)
    tone = np.clip(1 + 0.35 * mottle, 0.3, 2.0)[..., None]
    s.paint(eaten, np.array(colour, dtype=np.float32) * tone, rough=0.95, spec=0.02, metal=0.0)
    s.height = s.height + eaten * (0.5 * mottle + 0.25 * noise.white(draw, shot.n))
    return (eaten > 0.12).astype(np.float32)


def smear(
    s: Surface,
    shot: Shot,
    inside: Field,
    *,
    radius: Span = (16, 44),
    thickness: float = 2.4,
    colour: Colour | None = None,
    rough: float = 0.12,
    opacity: Span = (0.1, 0.5),
) -> Field:
    """A drop of glue or grease: a clear, glossy cushion with a rounded edge."""
    draw = shot.flaw
    patch = _patch(shot, spot(shot.flaw, inside), radius, stretch=2.2, ragged=0.4)
    cushion = step(1.04, 0.7, patch) * inside
    ripple = noise.smooth(draw, shot.n, 14)
    buried = cushion * 0.75
    s.height = s.height + buried * (noise.blur(s.height, 4) - s.height)
    s.height = s.height + cushion * (thickness + 0.5 * ripple)
    s.paint(step(1.04, 0.92, patch) * inside * 0.9, rough=rough, spec=0.05)
    if colour is not None:
        s.paint(cushion * shot.between(*opacity), colour)
    return step(1.12, 1.0, patch) * inside


def dust(s: Surface, shot: Shot, *, count: int = 6, colour: Colour = (0.55, 0.53, 0.5)) -> None:
    """Specks and lint too small to matter; on normal and defective parts alike."""
    draw = shot.draw("dust")
    scale = shot.n / 512
    for _ in range(draw.whole(count // 3, count)):
        px, py = draw.whole(4, shot.n - 5), draw.whole(4, shot.n - 5)
        reach = max(1, round(draw.span(0.6, 1.6) * scale))
        rows, columns = slice(py - reach, py + reach), slice(px - reach, px + reach)
        amount = np.float32(draw.span(0.08, 0.35))
        target = np.array(colour, dtype=np.float32) * np.float32(draw.span(0.4, 1.2))
        patch = s.albedo[rows, columns]
        s.albedo[rows, columns] = patch + amount * (target - patch)
