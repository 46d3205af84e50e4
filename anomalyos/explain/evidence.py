"""Everything known about one inspection, in one JSON-able form that the CLI, console and report share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from anomalyos.cases.similar import SimilarCase
from anomalyos.core.geometry import Box, Frozen
from anomalyos.features.depth.statistics import DepthStatistics
from anomalyos.knowledge.causes import RankedCause


class ShapValue(Frozen):
    feature: str
    label: str
    """What a reviewer reads: ``anomalous area``."""
    value: float
    unit: str = ""
    typical: float
    """Median of the category's normal images."""
    contribution: float


class ShapExplanation(Frozen):
    base: float
    output: float
    """The surrogate's score; ``base`` plus all contributions."""
    score: float
    """The real score, for comparison."""
    values: tuple[ShapValue, ...]
    fidelity: dict[str, float]
    """How well the surrogate follows the real score on images it was not fitted on: r2, spearman, n."""


class PatchLocation(Frozen):
    """One patch in one image."""

    image: str
    """Path inside the data set for training images, empty for the inspected one."""
    image_sha256: str
    box: Box


class TraceNeighbour(Frozen):
    place: PatchLocation
    distance: float
    bank_position: int


class TracePair(Frozen):
    """One anomalous patch and the most similar normal patches the model knows."""

    place: PatchLocation
    score: float
    neighbours: tuple[TraceNeighbour, ...]


class CamExplanation(Frozen):
    method: str
    """``gradcam_pp`` or ``hirescam``."""
    target: str
    """``distance`` or ``classifier:TYPE``."""
    layer: str
    heat_path: str
    """Relative to ``Settings.objects_dir``: (input_size, input_size) float32 .npy in [0, 1]."""
    overlay_path: str
    """The same as a transparent PNG in the photograph's proportions."""


class NamedDefect(Frozen):
    """What the defect classifier of the product says of the strongest region."""

    label: str | None
    """None: it does not know."""
    likeliest: str
    """The class it would have named."""
    probability: float = Field(ge=0, le=1)
    """Calibrated, of ``likeliest``."""
    probabilities: dict[str, float]
    version: int
    """Of the classifier."""
    cam: CamExplanation
    """Grad-CAM++ on the logit of ``likeliest``, 0 outside the crop the classifier saw."""


class Note(Frozen):
    """Words a person wrote, to be quoted and never obeyed."""

    id: str
    """``review:12`` or ``case:5``."""
    author: str
    text: str
    written_at: datetime | None = None


class Evidence(Frozen):
    """What an explanation stands on. Parts that were not asked for, or do not apply, are empty."""

    inspection: dict[str, Any]
    """id, source, category, verdict, score, threshold, alpha, p_value, p_value_in_words,
    calibration_groups, model_version, recipe, routed_category, routed_similarity, route_mismatch,
    decision, defect_type, synthetic, created_at"""
    regions: tuple[dict[str, Any], ...] = ()
    similar: tuple[SimilarCase, ...] = ()
    causes: tuple[RankedCause, ...] = ()
    shap: ShapExplanation | None = None
    trace: tuple[TracePair, ...] = ()
    depth: DepthStatistics | None = None
    cams: tuple[CamExplanation, ...] = ()
    named: NamedDefect | None = None
    """Computed with ``cams``; None where no classifier is in use, or nothing is out of the ordinary."""
    notes: tuple[Note, ...] = ()
    pictures: dict[str, str] = Field(default_factory=dict)
    """Name (``photo``, ``anomaly_map``, ``crop``, ``gradcam_pp``, ``hirescam``, ``gradcam_pp_class``) to
    object path."""
    missing: dict[str, str] = Field(default_factory=dict)
    """Part to the reason it could not be had."""
    cost_ms: dict[str, float] = Field(default_factory=dict)
