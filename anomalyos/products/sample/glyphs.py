"""Lettering for imprints and labels: a 5 x 7 dot alphabet, drawn with a round pen."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import step

_ROWS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "01110 10001 00001 00110 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "7": "11111 00001 00010 00100 00100 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "C": "01110 10001 10000 10000 10000 10001 01110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "I": "01110 00100 00100 00100 00100 00100 01110",
    "K": "10001 10010 10100 11000 10100 10010 10001",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "N": "10001 11001 10101 10011 10001 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "Q": "01110 10001 10001 10001 10101 10010 01101",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    "W": "10001 10001 10001 10101 10101 11011 10001",
    "-": "00000 00000 00000 11111 00000 00000 00000",
    "*": "00000 00100 10101 01110 10101 00100 00000",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}
_FINE = 10
"""Fine pixels between two dots."""


@lru_cache(maxsize=64)
def _depth(text: str) -> Field:
    """Distance of every fine pixel to the pen's path, in dots: neighbouring dots are joined by lines."""
    from scipy import ndimage

    dots = np.zeros((9, 6 * len(text) + 3), dtype=bool)
    for k, letter in enumerate(text):
        rows = _ROWS[letter].split()
        dots[1:8, 6 * k + 2 : 6 * k + 7] = [[bit == "1" for bit in row] for row in rows]
    path = np.ones((dots.shape[0] * _FINE, dots.shape[1] * _FINE), dtype=bool)
    along = np.arange(_FINE + 1)
    for y, x in np.argwhere(dots):
        cy, cx = y * _FINE + _FINE // 2, x * _FINE + _FINE // 2
        path[cy, cx] = False
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            # a diagonal is drawn only where the pen cannot have gone round the corner
            corner = dy and dx and (dots[y, x + dx] or dots[y + dy, x])
            if dots[y + dy, x + dx] and not corner:
                path[cy + dy * along, cx + dx * along] = False
    depth: Field = (ndimage.distance_transform_edt(path) / _FINE).astype(np.float32)
    return depth


def lettering(text: str, u: Field, v: Field, height: float, weight: float = 0.42) -> Field:
    """Ink coverage 0..1 of one centred line of text ``height`` units tall, at coordinates (u, v).

    ``weight`` is half the width of the pen, in sevenths of the height.
    """
    depth = _depth(text)
    per_unit = 7 * _FINE / height
    reach_u, reach_v = (side / 2 / per_unit - 0.1 for side in (depth.shape[1], depth.shape[0]))
    near = (np.abs(u) < reach_u) & (np.abs(v) < reach_v)
    column = (u[near] * per_unit + depth.shape[1] / 2).astype(np.intp)
    row = (v[near] * per_unit + depth.shape[0] / 2).astype(np.intp)
    ink = np.zeros_like(u)
    soft = 7 * 0.6 / height
    ink[near] = step(weight + soft, weight - soft, depth[row, column])
    return ink
