"""What parts lie on while they are photographed."""

from __future__ import annotations

import numpy as np

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.shading import Colour, Surface, colour_field
from anomalyos.products.sample.shot import Shot


def belt(shot: Shot, colour: Colour = (0.06, 0.075, 0.08)) -> Surface:
    """A rubber conveyor belt with a fabric imprint, lint and wear."""
    draw, n = shot.draw("stage"), shot.n
    shift = draw.span(0, 7)
    ribs = np.sin((shot.x + shift) * 0.95) * np.sin((shot.y + shift * 2) * 0.95)
    wear = noise.fractal(draw, n, 5, octaves=4, gain=0.6)
    albedo = colour_field(n, colour) * np.clip(1 + 0.16 * wear + 0.05 * ribs, 0.4, 2)[..., None]
    return Surface(0.35 * ribs + 0.2 * wear, albedo, rough=0.7, spec=0.03)


def felt(shot: Shot, colour: Colour) -> Surface:
    """A matt cloth: fibres in all directions."""
    draw, n = shot.draw("stage"), shot.n
    fibres = noise.smooth(draw, n, 150) * 0.6 + noise.smooth(draw, n, 60) * 0.5
    broad = noise.fractal(draw, n, 4, octaves=2)
    albedo = colour_field(n, colour) * np.clip(1 + 0.14 * fibres + 0.05 * broad, 0.3, 2)[..., None]
    return Surface(0.3 * fibres, albedo, rough=0.95, spec=0.015)


def sheet(shot: Shot, colour: Colour = (0.62, 0.63, 0.64)) -> Surface:
    """A pale satin plate, lit from the station's dome."""
    draw, n = shot.draw("stage"), shot.n
    broad = noise.fractal(draw, n, 3, octaves=3)
    fine = noise.smooth(draw, n, 120)
    albedo = colour_field(n, colour) * (1 + 0.02 * broad + 0.012 * fine)[..., None]
    return Surface(0.06 * fine, albedo, rough=0.55, spec=0.04)


def rest(base: Surface, part: Surface, alpha: Field) -> Surface:
    """The part on its base; its own height counts from its underside."""
    keep = alpha[..., None]
    base.height = np.where(alpha > 0.5, part.height, base.height)
    base.albedo += keep * (part.albedo - base.albedo)
    base.rough += alpha * (part.rough - base.rough)
    base.spec += alpha * (part.spec - base.spec)
    base.metal += alpha * (part.metal - base.metal)
    return base
