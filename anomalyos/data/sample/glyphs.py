"""Lettering for imprints and labels: a 5 x 7 dot alphabet, smoothed into rounded strokes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from anomalyos.data.sample.draws import Field
from anomalyos.data.sample.geometry import step

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
_FINE = 4


def lettering(text: str, u: Field, v: Field, height: float, weight: float = 0.5) -> Field:
    """Ink coverage 0..1 of one centred line of text ``height`` units tall, at coordinates (u, v).

    ``weight`` is the level of the smoothed dots that counts as ink: lower is bolder.
    """
    dots = np.zeros((9, 6 * len(text) + 3), dtype=np.float32)
    for k, letter in enumerate(text):
        rows = _ROWS[letter].split()
        dots[1:8, 6 * k + 2 : 6 * k + 7] = [[float(bit) for bit in row] for row in rows]
    fine = ndimage.gaussian_filter(np.kron(dots, np.ones((_FINE, _FINE), dtype=np.float32)), 0.55 * _FINE)
    per_unit = 7 * _FINE / height
    column = u * per_unit + fine.shape[1] / 2
    row = v * per_unit + fine.shape[0] / 2
    near = (column > 0) & (column < fine.shape[1] - 1) & (row > 0) & (row < fine.shape[0] - 1)
    ink = np.zeros_like(u)
    sampled = ndimage.map_coordinates(
        fine, np.stack((row[near], column[near])) - 0.5, order=1, mode="nearest"
    )
    ink[near] = step(weight - 0.14, weight + 0.14, sampled)
    return ink
