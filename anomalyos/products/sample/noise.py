"""Smooth random fields: small grids of random knots, interpolated by separable cubic B-splines.

No matrix products: their threads would fight over the processors and could change the last bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import SPAN

_SPLINE_VARIANCE = 0.479
"""Mean over phase of the squared B-spline weights, both axes."""


@lru_cache(maxsize=128)
def _spline(n: int, cells: int) -> tuple[NDArray[np.intp], Field]:
    """First of the four knots (of ``cells + 3``) behind each of n pixels, and their weights, (4, n, 1)."""
    position = (np.arange(n) + 0.5) * cells / n
    first = np.minimum(position.astype(np.intp), cells - 1)
    t = position - first
    weights = np.stack(
        ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    )
    return first, weights.astype(np.float32)[..., None]


def _rows(knots: Field, n: int) -> Field:
    """(cells + 3, w) knots to (n, w) smooth rows."""
    first, weights = _spline(n, knots.shape[0] - 3)
    total: Field = knots[first] * weights[0]
    for k in (1, 2, 3):
        total += knots[first + k] * weights[k]
    return total


def _knotted(draw: Draw, n: int, rows: int, columns: int) -> Field:
    knots = draw.bells(columns + 3, rows + 3) / np.float32(_SPLINE_VARIANCE)
    return _rows(np.ascontiguousarray(_rows(knots, n).T), n)


def _enough(n: int, cells: int) -> int:
    """The smallest halving of n that still gives each bump four pixels."""
    while n % 2 == 0 and n > 64 and n // 2 >= 4 * cells:
        n //= 2
    return n


def white(draw: Draw, n: int) -> Field:
    """(n, n) independent standard normals."""
    return draw.bells(n, n)


def smooth(draw: Draw, n: int, rows: int, columns: int | None = None) -> Field:
    """(n, n) smooth noise with about ``rows`` x ``columns`` bumps, mean 0 and variance about 1."""
    columns = rows if columns is None else columns
    rows, columns = min(rows, n), min(columns, n)
    return enlarge(_knotted(draw, _enough(n, max(rows, columns)), rows, columns), n)


def fractal(
    draw: Draw, n: int, rows: int, octaves: int = 4, gain: float = 0.5, stretch: float = 1.0
) -> Field:
    """(n, n) sum of octaves of ``smooth``, variance about 1, built from coarse to fine.

    Args:
        gain: amplitude of an octave relative to the one before.
        stretch: columns per row; above 1 makes the pattern run along y.
    """
    total = np.zeros((1, 1), dtype=np.float32)
    weight, power = 1.0, 0.0
    for _ in range(octaves):
        columns = max(1, round(rows * stretch))
        if max(rows, columns) > n // 2:
            break
        octave = _knotted(draw, _enough(n, max(rows, columns)), rows, columns)
        total = weight * octave + (enlarge(total, octave.shape[0]) if power else np.float32(0))
        power += weight**2
        weight *= gain
        rows *= 2
    return enlarge(total, n) / np.float32(np.sqrt(max(power, 1e-9)))


def streaks(draw: Draw, across: Field, along: Field, *, width: float, length: float) -> Field:
    """Noise in lines of ``width`` and ``length`` units that follow the given coordinates; standard normal.

    Used where a direction turns with the part: brushed metal, lathe marks, yarn.
    """
    table = draw.bells(256, 64)
    row = (across / width).astype(np.int32) & 255
    place = along / length
    column = np.floor(place).astype(np.int32)
    t = (place - column).astype(np.float32)
    flat = table.ravel()
    here = flat.take((row << 6) + (column & 63))
    there = flat.take((row << 6) + ((column + 1) & 63))
    woven: Field = here + (there - here) * t
    return woven


def cells(
    draw: Draw, n: int, columns: int, jitter: float = 0.9, squeeze: float = 1.0
) -> tuple[Field, Field, Field]:
    """Worley cells over an n x n picture.

    Returns (f1, f2, tone): distance to the nearest and second nearest seed, in cells, and a
    uniform random number for each cell, all (n, n).
    """
    half = max(32, n // 2)
    rows = max(2, round(columns * squeeze))
    seeds_x = draw.spans(0.5 - jitter / 2, 0.5 + jitter / 2, rows + 4, columns + 4)
    seeds_y = draw.spans(0.5 - jitter / 2, 0.5 + jitter / 2, rows + 4, columns + 4)
    tones = draw.spans(0, 1, rows + 4, columns + 4)
    px = (np.arange(half, dtype=np.float32) + 0.5) * (columns / half) + 2
    py = (np.arange(half, dtype=np.float32) + 0.5) * (rows / half) + 2
    ix, iy = px.astype(np.int32), py.astype(np.int32)
    fx, fy = (px - ix)[None, :], (py - iy)[:, None]
    f1 = np.full((half, half), 9, dtype=np.float32)
    f2, tone = f1.copy(), np.zeros_like(f1)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            where = np.ix_(iy + dy, ix + dx)
            distance = np.square(seeds_x[where] + dx - fx) + np.square(seeds_y[where] + dy - fy)
            closer = distance < f1
            f2 = np.where(closer, f1, np.minimum(f2, distance))
            tone = np.where(closer, tones[where], tone)
            f1 = np.minimum(f1, distance)
    return enlarge(np.sqrt(f1), n), enlarge(np.sqrt(f2), n), enlarge(tone, n)


def enlarge(field: Field, n: int) -> Field:
    """(m, m) to (n, n) by repeated doubling with linear interpolation; n / m is a power of two."""
    while field.shape[0] < n:
        rows = _double(field)
        wide = np.concatenate((rows[:, :1], rows, rows[:, -1:]), axis=1)
        quarter, rest = wide * np.float32(0.25), wide * np.float32(0.75)
        field = np.empty((rows.shape[0], 2 * rows.shape[1]), dtype=np.float32)
        np.add(quarter[:, :-2], rest[:, 1:-1], out=field[:, 0::2])
        np.add(rest[:, 1:-1], quarter[:, 2:], out=field[:, 1::2])
    return field


def _double(field: Field) -> Field:
    """Twice the rows, linearly interpolated."""
    padded = np.concatenate((field[:1], field, field[-1:]))
    quarter, rest = padded * np.float32(0.25), padded * np.float32(0.75)
    out = np.empty((2 * field.shape[0], field.shape[1]), dtype=np.float32)
    np.add(quarter[:-2], rest[1:-1], out=out[0::2])
    np.add(rest[1:-1], quarter[2:], out=out[1::2])
    return out


def halve(field: Field) -> Field:
    """Mean over 2 x 2 pixels; (n, n[, 3]) to (n/2, n/2[, 3])."""
    rows = field[0::2] + field[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)


def blur(field: Field, sigma: float) -> Field:
    """Gaussian blur of an (n, n) field, ``sigma`` in units (``SPAN`` units make the picture).

    Wide blurs work on a halved copy: the result is smooth anyway.
    """
    n = field.shape[0]
    pixels = sigma * n / SPAN
    if pixels > 3 and n % 2 == 0:
        return enlarge(blur(halve(field), sigma), n)
    if pixels < 0.2:
        return field
    from scipy import ndimage  # takes a second

    blurred: Field = ndimage.gaussian_filter(field, pixels, mode="nearest", truncate=2.6)
    return blurred
