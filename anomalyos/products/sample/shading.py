"""From a surface and a light to linear RGB.

A picture is one height field seen straight from above. Its normals are lit by a directional key
light (Lambert), a sky dome (with occlusion), and mirrored into a room with one softbox and a strip
light, wider the rougher the material (an environment-map stand-in for a microfacet lobe).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import SPAN, Window, grid

Colour = tuple[float, float, float]


def colour_field(n: int, colour: Colour) -> Field:
    """(n, n, 3) of one linear colour."""
    return np.broadcast_to(np.array(colour, dtype=np.float32), (n, n, 3)).copy()


class Surface:
    """Height (units) and material of every pixel.

    ``albedo`` is linear RGB, ``rough`` 0 (mirror) to 1 (matt), ``spec`` the reflectance head on
    (0.04 for plastics), ``metal`` 0 or 1: metals mirror in their own colour and scatter nothing.
    """

    def __init__(
        self,
        height: Field,
        albedo: Field,
        *,
        rough: float | Field = 0.6,
        spec: float | Field = 0.04,
        metal: float | Field = 0.0,
    ) -> None:
        n = height.shape[0]
        self.n = n
        self.height = height
        self.albedo = albedo
        self.rough = _filled(rough, n)
        self.spec = _filled(spec, n)
        self.metal = _filled(metal, n)

    def paint(
        self,
        coverage: Field,
        colour: Colour | Field | None = None,
        *,
        rough: float | None = None,
        spec: float | None = None,
        metal: float | None = None,
    ) -> None:
        """Lay a material over the surface where ``coverage`` (0..1) says."""
        rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
        if not len(rows):
            return
        # most paint is a small patch: the rest of the arrays is not touched
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        amount = coverage[window]
        if colour is not None:
            target = np.asarray(colour, dtype=np.float32)
            if target.ndim == 3:
                target = target[window]
            patch = self.albedo[window]
            patch += amount[..., None] * (target - patch)
        for layer, value in ((self.rough, rough), (self.spec, spec), (self.metal, metal)):
            if value is not None:
                patch = layer[window]
                patch += amount * (np.float32(value) - patch)

    def part(self, window: Window) -> Surface:
        """A view of a rectangle of this surface: what is written to its arrays is written here."""
        return Surface(
            self.height[window],
            self.albedo[window],
            rough=self.rough[window],
            spec=self.spec[window],
            metal=self.metal[window],
        )

    def tint(self, factor: Field) -> None:
        """Multiply the albedo by an (n, n) field."""
        self.albedo *= factor[..., None]


def _filled(value: float | Field, n: int) -> Field:
    if isinstance(value, np.ndarray):
        return value
    return np.full((n, n), value, dtype=np.float32)


@dataclass
class Light:
    """One lighting set-up. Angles in degrees; azimuth 0 is from the right, 90 from below."""

    azimuth: float = 235.0
    elevation: float = 50.0
    key: float = 0.9
    fill: float = 0.45
    warmth: float = 0.0
    box: tuple[float, float] = (0.35, 0.25)
    box_power: float = 2.2
    room: float = 0.32
    perspective: float = 0.35
    occlusion: float = 1.0
    occlusion_reach: float = 7.0
    shadow_soft: float = 2.0
    direction: tuple[float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        self.direction = (math.cos(a) * math.cos(e), math.sin(a) * math.cos(e), math.sin(e))

    def varied(self, draw: Draw, turn: float = 9.0) -> Light:
        """The same set-up as it drifts from one shot to the next."""
        return replace(
            self,
            azimuth=self.azimuth + draw.bell(turn / 2),
            elevation=self.elevation + draw.bell(2),
            key=self.key * (1 + draw.bell(0.035)),
            fill=self.fill * (1 + draw.bell(0.04)),
            warmth=self.warmth + draw.bell(0.02),
            box=(self.box[0] * (1 + draw.bell(0.1)), self.box[1] * (1 + draw.bell(0.1))),
            box_power=self.box_power * (1 + draw.bell(0.08)),
            room=self.room * (1 + draw.bell(0.08)),
        )


def shade(surface: Surface, light: Light) -> Field:
    """(n, n, 3) linear radiance of the surface under the light."""
    nx, ny, nz = normals(surface.height)
    lx, ly, lz = light.direction
    direct = np.maximum(nx * lx + ny * ly + nz * lz, 0) * (light.key * cast_shadow(surface.height, light))
    # the dome is a little brighter on the light's side
    dome = (0.42 + 0.58 * nz + 0.15 * (nx * lx + ny * ly)) * (light.fill * occlusion(surface.height, light))
    warm = np.array([1 + light.warmth, 1.0, 1 - light.warmth], dtype=np.float32)
    cool = np.array([0.97, 1.0, 1.05], dtype=np.float32)
    mirrored = environment(nx, ny, nz, surface.rough, light) * _unblocked(dome, nz, light)
    matt = 1 - surface.metal
    out = np.empty_like(surface.albedo)
    fresnel = surface.spec + (1 - surface.spec) * (0.3 * (1 - nz) ** 3)
    gloss_plain = mirrored * fresnel * matt
    gloss_metal = mirrored * surface.metal
    direct *= matt
    dome *= matt
    for channel in range(3):
        received = direct * warm[channel] + dome * cool[channel] + gloss_metal
        out[..., channel] = surface.albedo[..., channel] * received + gloss_plain
    return out


def bow_tie(theta: Field, light: Light, strength: float = 0.3) -> Field:
    """Factor on a lathe-turned face: its circular grooves smear the highlight along the light's direction.

    ``theta`` is the direction from the turning centre, radians in the picture.
    """
    off = np.sin(theta - math.radians(light.azimuth))
    factor: Field = 1 + strength * (np.exp(-np.square(off / 0.33)) - 0.3)
    return factor


def normals(height: Field) -> tuple[Field, Field, Field]:
    """Unit normals of a height field; slopes are capped so that silhouettes stay gentle."""
    per_unit = np.float32(height.shape[0] / SPAN / 2)
    gx, gy = np.zeros_like(height), np.zeros_like(height)
    gx[:, 1:-1] = (height[:, 2:] - height[:, :-2]) * per_unit
    gy[1:-1] = (height[2:] - height[:-2]) * per_unit
    np.clip(gx, -2.5, 2.5, out=gx)
    np.clip(gy, -2.5, 2.5, out=gy)
    nz = 1 / np.sqrt(1 + gx * gx + gy * gy)
    return -gx * nz, -gy * nz, nz


def occlusion(height: Field, light: Light) -> Field:
    """Share of the dome that is seen: hollows are darker, measured against the blurred height."""
    reach = light.occlusion_reach
    hollow = noise.blur(height, reach) - height
    return np.clip(1 - hollow * (0.5 * light.occlusion / reach), 0.25, 1.12)


def cast_shadow(height: Field, light: Light) -> Field:
    """1 in the light, 0 in full shadow: marches towards the light on a halved height field."""
    small = noise.halve(height)
    n = small.shape[0]
    lx, ly, lz = light.direction
    flat = math.hypot(lx, ly)
    rise = lz / max(flat, 1e-3)
    blocked = np.zeros_like(small)
    for distance in (3, 6, 10, 16, 24, 34, 46):
        dx = round(lx / flat * distance * n / SPAN)
        dy = round(ly / flat * distance * n / SPAN)
        seen = _moved(small, dx, dy)
        np.maximum(blocked, seen - small - distance * rise, out=blocked)
    lit = 1 - np.clip(blocked / 5, 0, 1)
    return 0.12 + 0.88 * noise.enlarge(noise.blur(lit, light.shadow_soft), height.shape[0])


def _moved(field_: Field, dx: int, dy: int) -> Field:
    """out[y, x] = field[y + dy, x + dx], edges repeated."""
    line = np.arange(len(field_))
    rows, columns = (np.clip(line + shift, 0, len(line) - 1) for shift in (dy, dx))
    moved: Field = field_[rows][:, columns]
    return moved


def environment(nx: Field, ny: Field, nz: Field, rough: Field, light: Light) -> Field:
    """Brightness of the room in the mirrored view direction."""
    x, y = grid(nx.shape[0])
    k = light.perspective / SPAN
    rx = 2 * nz * nx + (x - SPAN / 2) * k
    ry = 2 * nz * ny + (y - SPAN / 2) * k
    lx, ly, _ = light.direction
    soft = 0.06 + 1.3 * rough
    (half_u, half_v), flat = light.box, max(math.hypot(lx, ly), 1e-3)
    du = np.abs((rx - lx) * (lx / flat) + (ry - ly) * (ly / flat))
    dv = np.abs((ry - ly) * (lx / flat) - (rx - lx) * (ly / flat))
    inside = np.clip(0.5 + (half_u - du) / soft, 0, 1) * np.clip(0.5 + (half_v - dv) / soft, 0, 1)
    # a rough lobe spreads the same light over more directions
    power = light.box_power * (half_u + 0.12) / (half_u + 0.12 + 0.55 * rough)
    strip = np.clip(0.5 + (0.1 - np.abs(rx + 0.75 * lx + 0.25)) / (soft + 0.1), 0, 1)
    wall = light.room * (1 - 0.35 * ry - 0.2 * rx)
    return power * inside + 0.6 * (1 - 0.6 * rough) * strip + np.maximum(wall, 0.04)


def _unblocked(dome: Field, nz: Field, light: Light) -> Field:
    """Occlusion of mirrored light, recovered from the dome term without a second blur."""
    return np.clip(dome / (light.fill * (0.42 + 0.58 * nz) + 1e-6), 0.3, 1.1)
