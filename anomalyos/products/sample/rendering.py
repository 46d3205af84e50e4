"""One picture and its mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError
from anomalyos.products.sample import noise
from anomalyos.products.sample.catalogue import sample_category
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.shading import shade
from anomalyos.products.sample.shot import Shot

SUPERSAMPLING = 2


def render(
    category: str, defect: str | None, seed: int, size: int = 256
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Photograph-like picture (size, size, 3) uint8 RGB and mask (size, size), all False without a defect.

    The same arguments give the same bytes on one machine. The same seed with and without a defect
    shows the same part under the same light, differing only by the flaw.

    Raises:
        NotFound: there is no such category.
        AnomalyOSError: the category does not know the defect, or the size is odd or below 32.
    """
    product = sample_category(category)
    if defect is not None and defect not in product.defects:
        raise AnomalyOSError(f"{category} has no defect {defect!r}.", f"Known: {', '.join(product.defects)}.")
    if size < 32 or size % 2:
        raise AnomalyOSError(f"A sample picture cannot be {size} pixels wide.", "Use an even number from 32.")
    shot = Shot(category, defect, seed, size * SUPERSAMPLING)
    scene = product.builder()(shot)
    radiance = shade(scene.surface, scene.light.varied(shot.draw("light")))
    picture = scene.camera.develop(radiance, shot.draw("camera"))
    if defect is None or scene.mask is None:
        return picture, np.zeros((size, size), dtype=np.bool_)
    return picture, _mask(scene.mask)


def _mask(coverage: Field) -> NDArray[np.bool_]:
    """Pixels at least half covered; for a flaw thinner than a pixel, those covered most."""
    share = noise.halve(coverage)
    return share > min(0.5, 0.6 * float(share.max()))
