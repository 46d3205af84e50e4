"""Look at the sample products: ``python -m tests.support.contact_sheet OUT.png [CATEGORY ...]``.

One row a category: three normal pictures, then one of each defect with its mask outlined.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anomalyos.products.sample import CATEGORIES, DEFECTS, render

NORMALS = 3
OUTLINE = (255, 40, 160)


def contact_sheet(categories: tuple[str, ...], size: int = 256, first_seed: int = 0) -> NDArray[np.uint8]:
    """(rows * size, columns * size, 3) uint8."""
    columns = NORMALS + max(len(DEFECTS[name]) for name in categories)
    sheet = np.full((len(categories) * size, columns * size, 3), 255, dtype=np.uint8)
    for row, name in enumerate(categories):
        cases: list[str | None] = [None] * NORMALS + list(DEFECTS[name])
        for column, defect in enumerate(cases):
            picture, mask = render(name, defect, first_seed + column, size)
            picture[_outline(mask)] = OUTLINE
            sheet[row * size : (row + 1) * size, column * size : (column + 1) * size] = picture
    return sheet


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The ring of pixels two steps outside the mask."""
    from scipy import ndimage

    near = ndimage.binary_dilation(mask, iterations=3)
    outline: NDArray[np.bool_] = near & ~ndimage.binary_dilation(mask, iterations=2)
    return outline


def main(arguments: list[str]) -> int:
    from PIL import Image

    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    names = tuple(arguments[1:]) or CATEGORIES
    Image.fromarray(contact_sheet(names)).save(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
