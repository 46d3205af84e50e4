"""What a region is called, and which of its places speak for that name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.crops import centre, cut
from anomalyos.classifier.crops import place_box
from anomalyos.classifier.network import CAM_LAYER
from anomalyos.classifier.predict import DefectClassifier, Prediction, predict
from anomalyos.core.arrays import Float32Array
from anomalyos.core.geometry import Box
from anomalyos.explain.gradcam import CamHeat, explain_class
from anomalyos.inspection.context import InspectionContext


def name_region(context: InspectionContext, namer: DefectClassifier) -> tuple[Prediction, CamHeat]:
    """The name of the strongest region, and Grad-CAM++ of its logit where it lies in the photograph.

    The heat is (input_size, input_size) over the whole photograph, as that of a score; it is 0 outside the
    square that is all the classifier saw. It explains the likeliest class, also where the classifier is
    too unsure to name it.

    Raises:
        NotFound: no classifier of the category is in use.
        BundleError: the one in use is damaged.
    """
    height, width = context.rgb.shape[:2]
    box = place_box(centre(context.strongest_box()), width, height)
    crop = cut(context.rgb, box)
    with namer.held() as (version, classifier):
        prediction = predict(classifier, crop, version.version)
        label = prediction.likeliest
        heat = explain_class(
            "gradcam_pp",
            classifier.batch(crop),
            classifier.network,
            classifier.classes.index(label),
            layer=CAM_LAYER,
            label=label,
        )
        classifier.network.zero_grad(set_to_none=True)
    values = placed(heat.values, box, (width, height), context.heat.shape[0])
    return prediction, CamHeat(heat.method, heat.target, heat.layer, values)


def placed(heat: Float32Array, box: Box, image_size: tuple[int, int], side: int) -> Float32Array:
    """``heat`` (S, S) of the crop ``box`` on a map (side, side) of the photograph, 0 around it.

    Args:
        image_size: width and height of the photograph.
    """
    from PIL import Image

    canvas = np.zeros((side, side), dtype=np.float32)
    left, right = _span(box.x, box.width, image_size[0], side)
    top, bottom = _span(box.y, box.height, image_size[1], side)
    picture = Image.fromarray(np.ascontiguousarray(heat, dtype=np.float32))
    resized: NDArray[np.float32] = np.asarray(
        picture.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
    )
    canvas[top:bottom, left:right] = np.clip(resized, 0, 1)
    return canvas


def _span(start: int, length: int, whole: int, side: int) -> tuple[int, int]:
    """Cells of a map that ``length`` pixels from ``start`` on cover: one at least."""
    first = min(round(start / whole * side), side - 1)
    return first, max(round((start + length) / whole * side), first + 1)
