"""Recipes: everything that makes a score, under one name and one hash."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anomalyos.core.errors import NotFound

PATCH_SIDES = {"vit_small_patch14_dinov2": 14, "vit_small_patch16_dinov3": 16}
"""Backbones that are transformers, and the side of their patches in pixels."""


class Recipe(BaseModel):
    """How an image becomes patch features and patch distances become an image score.

    Two bundles with equal ``digest()`` and equal training data hold the same numbers. The recipe is
    written into each bundle; a bundle refuses to score under another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    backbone: str
    """timm architecture."""
    weights: str
    """Key of the weight source in :mod:`anomalyos.features.weights`."""
    layers: tuple[int, ...]
    """Feature levels (timm ``out_indices``), finest first: their strides are 2, 4, 8, 16, 32. Of a
    transformer the numbers of its blocks, from 0."""
    input_size: int = Field(ge=32, le=2048)
    """Images are resized to this many pixels a side, without cropping: defects sit at edges too."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    neighbourhood: Literal[1, 3, 5] = 3
    """Side p of the window averaged around each patch (paper, Eq. 1-3); 1 leaves patches alone."""
    zero_padded: bool = False
    """Whether that window counts zeros beyond the edge, as anomalib has it: patches there move towards the
    origin, and so count for less, where a ring that is cut off would not count at all."""
    unit_levels: bool = False
    """Whether each level's vectors are scaled to unit length, so that none drowns the others."""
    centred: bool = False
    """Whether the image's own mean patch is taken off: what lamp and lot change everywhere goes with it."""
    reduced_dims: int | None = None
    """Principal components kept, None for raw features."""
    whitening: float = Field(default=0.0, ge=0.0, le=0.5)
    """Components are scaled by eigenvalue ** -whitening: 0 none, 0.25 half, 0.5 full whitening."""
    border: int = Field(default=0, ge=0, le=4)
    """Outermost rings of the patch grid that are left out: zero padding makes them look odd."""
    coreset_ratio: float = Field(default=0.1, gt=0, le=1)
    coreset_max: int = Field(default=2000, ge=1)
    reweight_neighbours: int = Field(default=9, ge=0)
    """Size b of the neighbourhood in the paper's re-weighting (Eq. 7); 0 takes the plain maximum."""
    score_share: float = Field(default=0.0, ge=0.0, le=0.5)
    """Share of the farthest patches whose mean distance is the image score, at least one patch; 0 takes the
    farthest alone, re-weighted as above."""
    smoothing_sigma: float = Field(default=4.0, ge=0)
    """Gaussian smoothing of the anomaly map, in pixels of the resized input."""

    @model_validator(mode="after")
    def _whole_patches(self) -> Recipe:
        side = PATCH_SIDES.get(self.backbone)
        if side is not None and self.input_size % side:
            raise ValueError(f"input_size must be a multiple of {side} for {self.backbone}")
        return self

    def digest(self) -> str:
        """SHA-256 over every field, independent of field order.

        A field that was added later counts where it differs from its default: what older bundles were made
        with is still the same recipe.
        """
        fields = self.model_dump(mode="json")
        for name in ADDED:
            if fields[name] == type(self).model_fields[name].default:
                del fields[name]
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def feature_key(self) -> tuple[object, ...]:
        """What patch features depend on: recipes with equal keys can share one extraction."""
        return (
            self.backbone,
            self.weights,
            self.layers,
            self.input_size,
            self.mean,
            self.std,
            self.neighbourhood,
            self.border,
            self.zero_padded,
            self.unit_levels,
            self.centred,
        )


ADDED = ("zero_padded", "unit_levels", "centred", "score_share")
HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _lite(name: str, version: int, size: int) -> Recipe:
    return Recipe(
        name=name,
        backbone=f"tf_efficientnet_lite{version}",
        weights=f"efficientnet_lite{version}",
        layers=(2, 3),
        input_size=size,
        mean=HALF,
        std=HALF,
        neighbourhood=1,
        border=1,
    )


def _transformer(name: str, backbone: str, weights: str, size: int = 224) -> Recipe:
    return Recipe(
        name=name,
        backbone=backbone,
        weights=weights,
        layers=(5, 8),
        input_size=size,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        neighbourhood=1,
        unit_levels=True,
        score_share=0.01,
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _lite("lite", 0, 224),
        _lite("lite_448", 0, 448),
        _lite("lite2", 2, 256),
        _transformer("dinov2_s", "vit_small_patch14_dinov2", "dinov2_s"),
        _transformer("dinov2_s_448", "vit_small_patch14_dinov2", "dinov2_s", 448),
        _transformer("dinov2_s_original", "vit_small_patch14_dinov2", "dinov2_s_original"),
        _transformer("dinov3_s", "vit_small_patch16_dinov3", "dinov3_s"),
        Recipe(
            name="wide_resnet50",
            backbone="wide_resnet50_2",
            weights="wide_resnet50_2",
            layers=(2, 3),
            input_size=224,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            neighbourhood=3,
            coreset_ratio=0.1,
            coreset_max=20000,
        ),
    )
}
"""Registered recipes by name. ``lite`` is plain PatchCore on a small convolutional network, ``dinov2_s``
reads a transformer's middle blocks; a number at the end is the input size."""


def get_recipe(name: str, **changes: object) -> Recipe:
    """The registered recipe ``name`` with ``changes`` applied and validated.

    Raises:
        NotFound: for a name outside the registry, listing the known ones.
        pydantic.ValidationError: for a change that is no field or out of range.
    """
    if name not in RECIPES:
        raise NotFound(f"There is no recipe '{name}'.", f"Known recipes: {', '.join(sorted(RECIPES))}.")
    return Recipe.model_validate(RECIPES[name].model_dump() | changes)
