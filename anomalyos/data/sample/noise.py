"""Smooth random fields, built from small grids by separable cubic B-splines (one matrix product each)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

from anomalyos.data.sample.draws import Draw, Field
from anomalyos.data.sample.geometry import SPAN

_SPLINE_VARIANCE = 0.479
"""Mean over phase of the squared B-spline weights, both axes."""


@lru_cache(maxsize=128)
def _spline(n: int, cells: int) -> Field:
    """(n, cells + 3) weights that interpolate a row of ``cells + 3`` knots at n pixel centres."""
    position = (np.arange(n) + 0.5) * cells / n
    first = np.minimum(position.astype(int), cells - 1)
    t = position - first
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    matrix = np.zeros((n, cells + 3), dtype=np.float32)
    for offset, weight in enumerate(weights):
        matrix[np.arange(n), first + offset] = weight
    return matrix


def white(draw: Draw, n: int) -> Field:
    """(n, n) independent standard normals."""
    return draw.bells(n, n)


def smooth(draw: Draw, n: int, rows: int, columns: int | None = None) -> Field:
    """(n, n) smooth noise with about ``rows`` x ``columns`` bumps, mean 0 and variance about 1."""
    columns = rows if columns is None else columns
    rows, columns = min(rows, n), min(columns, n)
    knots = draw.bells(rows + 3, columns + 3)
    return (_spline(n, rows) @ knots @ _spline(n, columns).T) / _SPLINE_VARIANCE


def fractal(
    draw: Draw, n: int, rows: int, octaves: int = 4, gain: float = 0.5, stretch: float = 1.0
) -> Field:
    """(n, n) sum of octaves of ``smooth``, variance about 1.

    Args:
        gain: amplitude of an octave relative to the one before.
        stretch: columns per row; above 1 makes the pattern run along y.
    """
    total = np.zeros((n, n), dtype=np.float32)
    weight, power = 1.0, 0.0
    for _ in range(octaves):
        if rows > n // 2:
            break
        total += weight * smooth(draw, n, max(1, rows), max(1, round(rows * stretch)))
        power += weight**2
        weight *= gain
        rows *= 2
    return total / np.float32(np.sqrt(max(power, 1e-9)))


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


@lru_cache(maxsize=32)
def _linear(n: int, small: int) -> Field:
    """(n, small) weights of linear interpolation between pixel centres."""
    position = np.clip((np.arange(n) + 0.5) * small / n - 0.5, 0, small - 1)
    first = np.minimum(position.astype(int), max(small - 2, 0))
    t = (position - first).astype(np.float32)
    matrix = np.zeros((n, small), dtype=np.float32)
    matrix[np.arange(n), first] += 1 - t
    matrix[np.arange(n), np.minimum(first + 1, small - 1)] += t
    return matrix


def enlarge(field: Field, n: int) -> Field:
    """(m, m) to (n, n) by linear interpolation; doubling takes a path without matrix products."""
    small = field.shape[0]
    if small == n:
        return field
    if 2 * small == n:
        return _double(_double(field).T).T
    return _linear(n, small) @ field @ _linear(n, small).T


def _double(field: Field) -> Field:
    """Twice the rows, linearly interpolated."""
    padded = np.concatenate((field[:1], field, field[-1:]))
    quarter, rest = padded * np.float32(0.25), padded * np.float32(0.75)
    out = np.empty((2 * field.shape[0], field.shape[1]), dtype=np.float32)
    out[0::2] = quarter[:-2] + rest[1:-1]
    out[1::2] = rest[1:-1] + quarter[2:]
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
    blurred: Field = ndimage.gaussian_filter(field, pixels, mode="nearest", truncate=2.6)
    return blurred
