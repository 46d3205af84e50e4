"""The parts of an explanation, each computed from the context and from the parts before it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from anomalyos.cases.crops import crop_box, cut
from anomalyos.cases.library import get_case_library
from anomalyos.cases.similar import SimilarCase
from anomalyos.classifier.predict import get_defect_classifier
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.explain.evidence import CamExplanation, NamedDefect, ShapExplanation, TracePair
from anomalyos.explain.findings import Findings, Made, kept
from anomalyos.explain.gradcam import GRADCAM_VERSION, METHODS, CamHeat, explain_distance
from anomalyos.explain.naming import name_region
from anomalyos.explain.readable import DepthDeviation, depth_by, measure
from anomalyos.explain.shapley import explain_score
from anomalyos.explain.surrogate import (
    SURROGATE_VERSION,
    Surrogate,
    fit_surrogate,
    load_surrogate,
    save_surrogate,
    surrogate_path,
)
from anomalyos.explain.trace import TRACE_VERSION
from anomalyos.explain.trace import trace as find_trace
from anomalyos.features.depth import DepthStatistics, estimate_depth, region_statistics
from anomalyos.images.decoding import DecodedImage, encode_png, read_image
from anomalyos.inspection.anomaly_map import encode_overlay, render_heatmap
from anomalyos.inspection.context import InspectionContext
from anomalyos.inspection.tables import Decision, Verdict
from anomalyos.knowledge.causes import PathStep, RankedCause
from anomalyos.knowledge.grammar import defect_key
from anomalyos.knowledge.graph import load_graph
from anomalyos.knowledge.likelihood import root_causes

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 5
"""Similar cases and causes that are given."""
DEPTH_VERSION = 1
"""Counts up whenever the same photograph and map would get other depth statistics."""
CLASS_CAM = "gradcam_pp_class"
"""How the heat of a name is kept and its picture called."""
Tick = Callable[[float], None]
"""Called with the share of the part that is done."""


def pictures(context: InspectionContext) -> dict[str, str]:
    """``photo`` and ``anomaly_map`` as object paths, as far as there are any."""
    found: dict[str, str] = {}
    if context.image is not None:
        found["photo"] = context.image.object_path
    if context.inspection.map_path:
        overlay = render_heatmap(context.store, context.inspection)
        found["anomaly_map"] = context.store.objects.put(overlay, ".png")
    return found


def similar(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """The known defects of the same product that look most like the strongest region.

    Raises:
        NotFound: no defect of this product is known.
        IndexMismatch: the cases were embedded otherwise.
    """
    region = context.strongest_box()
    height, width = context.rgb.shape[:2]
    crop = cut(context.rgb, crop_box(region, width, height))
    found.pictures["crop"] = context.store.objects.put(encode_png(crop), ".png")
    own = context.inspection.content_sha256
    library = get_case_library(context.settings, context.store)
    found.similar = library.similar(context.rgb, region, context.category, SHOWN, frozenset([own]))
    if not found.similar:
        raise NotFound(
            f"No other defect of {context.category} is known yet.",
            "Confirm defects in the console, or take labelled ones in with 'anomalyos cases import'.",
        )


def causes(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """Root causes from the knowledge graph, for the defect types that are in question.

    Raises:
        NotFound: nothing is known of this product's causes.
    """
    if context.standing is not None and context.standing.decision == Decision.FALSE_ALARM:
        raise NotFound("A reviewer found nothing wrong with this part.")
    with context.store.session(read_only=True) as session:
        ranked = root_causes(load_graph(session), session, suspects(context, found.similar), SHOWN)
    if not ranked:
        raise NotFound(
            f"The knowledge graph says nothing of {context.category}.",
            "Fill it with 'anomalyos knowledge seed', or add the product to include/knowledge.",
        )
    decided = bool(context.standing and context.standing.defect_type)
    found.causes = ranked if decided else tuple(by_case(cause, found.similar) for cause in ranked)


def suspects(context: InspectionContext, alike: tuple[SimilarCase, ...]) -> list[tuple[str, float]]:
    """Defect keys in question with their weights.

    What a reviewer named is certain. Otherwise the similar cases vote, each with its similarity divided by
    its rank: the first one is right more often than the others together. Without any, every defect type
    of the product is in question.
    """
    if context.standing is not None and context.standing.defect_type:
        return [(defect_key(context.category, context.standing.defect_type), 1.0)]
    if not alike:
        return [(defect_key(context.category, "unnamed"), 1.0)]
    return [
        (defect_key(case.category, case.defect_type), case.similarity / rank)
        for rank, case in enumerate(alike, start=1)
    ]


def by_case(cause: RankedCause, alike: tuple[SimilarCase, ...]) -> RankedCause:
    """``cause`` with a path that begins at the most similar case of its defect type, if there is one."""
    defect, last = cause.path[-2], cause.path[-1]
    for case in alike:
        if defect_key(case.category, case.defect_type) == defect.key:
            first = PathStep(key=f"case:{case.case_id}", kind="case", name=f"case {case.case_id}")
            second = defect.model_copy(update={"relation": "shows"})
            return cause.model_copy(update={"path": (first, second, last)})
    return cause


def trace(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """The most anomalous patches beside the normal ones they were held against.

    Raises:
        NotFound: training images are gone or have changed.
    """

    def size_of(entry: dict[str, str]) -> tuple[int, int]:
        image = training_image(context, entry)
        return image.width, image.height

    def make() -> Made:
        bundle = context.bundle
        pairs = find_trace(
            context.rgb,
            bundle,
            context.champions.extractor(bundle.recipe),
            image_sha256=context.inspection.content_sha256,
            size_of=size_of,
        )
        return Made({"pairs": [pair.model_dump(mode="json") for pair in pairs]})

    made = kept(context, "trace", {"version": TRACE_VERSION}, make)
    found.trace = tuple(TracePair.model_validate(pair) for pair in made.content["pairs"])


def cams(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """Grad-CAM++ and HiResCAM of the score, as heat and as pictures to lay over the photograph; and, where a
    classifier of the product is in use, what it calls the region and Grad-CAM++ of that name.

    Raises:
        BundleError: the classifier in use is damaged; the maps of the score are there nevertheless.
    """
    made: list[CamExplanation] = []
    for done, method in enumerate(METHODS):
        tick(done / len(METHODS))

        def make(method: str = method) -> Made:
            bundle = context.bundle
            extractor = context.champions.extractor(bundle.recipe)
            return keep_heat(context, explain_distance(method, context.rgb, bundle.model, extractor))  # type: ignore[arg-type]

        content = kept(context, method, {"version": GRADCAM_VERSION}, make)
        cam = CamExplanation.model_validate({**content.content, **content.files})
        found.pictures[method] = cam.overlay_path
        made.append(cam)
    found.cams = tuple(made)
    found.named = named(context)
    if found.named is not None:
        found.pictures[CLASS_CAM] = found.named.cam.overlay_path


def named(context: InspectionContext) -> NamedDefect | None:
    """The name of the strongest region; None where no classifier is in use or nothing is to be named.

    Raises:
        BundleError: the classifier in use is damaged, or stands on other weights.
    """
    if context.inspection.verdict == Verdict.NORMAL and context.standing is None:
        return None
    namer = get_defect_classifier(context.category, context.settings, context.store)
    version = namer.in_use()
    if version is None:
        return None

    def make() -> Made:
        prediction, heat = name_region(context, namer)
        cam = keep_heat(context, heat)
        facts = asdict(prediction) | {"likeliest": prediction.likeliest}
        return Made({"facts": facts, "cam": cam.content}, cam.files)

    inputs = {"version": GRADCAM_VERSION, "classifier": version.bundle_sha256}
    made = kept(context, CLASS_CAM, inputs, make)
    cam = CamExplanation.model_validate({**made.content["cam"], **made.files})
    return NamedDefect(**made.content["facts"], cam=cam)


def keep_heat(context: InspectionContext, heat: CamHeat) -> Made:
    buffer = io.BytesIO()
    np.save(buffer, heat.values, allow_pickle=False)
    height, width = context.rgb.shape[:2]
    # a gradient has no limit to be held against, and may peak in a single cell: the hottest hundredth is
    # the end of the scale, or a map could look empty
    end = max(float(np.quantile(heat.values, 0.99)), 1e-3)
    overlay = encode_overlay(heat.values, 0.0, end / 2, (width, height))
    files = {
        "heat_path": context.store.objects.put(buffer.getvalue(), ".npy"),
        "overlay_path": context.store.objects.put(overlay, ".png"),
    }
    return Made({"method": heat.method, "target": heat.target, "layer": heat.layer}, files)


def depth(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """Depth of the anomalous region against that around it.

    Raises:
        WeightsMissing: the configured estimator's weights are not at hand.
        AnomalyOSError: the region is too small, or leaves nothing around itself.
    """

    def make() -> Made:
        statistics = region_statistics(estimate_depth(context.small, context.settings), context.mask)
        if statistics is None:
            raise AnomalyOSError("The region is too small or too large to be held against its surroundings.")
        return Made(statistics.model_dump(mode="json"))

    inputs = {"version": DEPTH_VERSION, "depth_model": context.settings.depth_model}
    found.depth = DepthStatistics.model_validate(kept(context, "depth", inputs, make).content)


def shap(context: InspectionContext, found: Findings, tick: Tick) -> None:
    """How much each of five readable figures moved the score.

    Raises:
        NotFound: training images, which the surrogate is fitted with, are gone or have changed.
        WeightsMissing: the configured depth estimator's weights are not at hand.
    """

    def make() -> Made:
        deviation = depth_by(context.settings)
        surrogate = surrogate_of(context, deviation, tick)
        limit = float(context.inspection.map_facts["threshold"])
        figures = measure(context.rgb, context.heat, limit, surrogate.normality, deviation)
        assert context.inspection.score is not None
        return Made(explain_score(surrogate, figures, context.inspection.score).model_dump(mode="json"))

    inputs = {"version": SURROGATE_VERSION, "depth_model": context.settings.depth_model}
    found.shap = ShapExplanation.model_validate(kept(context, "shap", inputs, make).content)


def surrogate_of(context: InspectionContext, deviation: DepthDeviation, tick: Tick) -> Surrogate:
    """The surrogate of the model that judged: read where it was kept, else fitted, which takes a while."""
    bundle = context.bundle
    path = surrogate_path(context.settings.surrogates_dir, bundle.sha256, context.settings.depth_model)
    surrogate = load_surrogate(path)
    if surrogate is None:

        def read(entry: dict[str, str]) -> NDArray[np.uint8]:
            return training_image(context, entry).rgb

        extractor = context.champions.extractor(bundle.recipe)
        surrogate = fit_surrogate(bundle, extractor, read, deviation, lambda done, total: tick(done / total))
        save_surrogate(surrogate, path)
    return surrogate


def training_image(context: InspectionContext, entry: dict[str, str]) -> DecodedImage:
    """The very file the model learned from.

    Raises:
        NotFound: it is gone, or has changed since.
        ImageRejected: it cannot be read.
    """
    own, stored = context.settings.data_dir / context.category / entry["path"], entry.get("object")
    path = context.settings.objects_dir / stored if stored else own
    hint = f"Import the images {context.category} was learned from again, or rebuild it."
    if not path.is_file():
        raise NotFound(f"The training image {entry['path']} is gone.", hint)
    image = read_image(path, context.settings)
    if image.sha256 != entry["sha256"]:
        raise NotFound(f"The training image {entry['path']} is not the one the model learned from.", hint)
    return image


COMPUTE: dict[str, Callable[[InspectionContext, Findings, Tick], None]] = {
    "similar": similar,
    "causes": causes,
    "trace": trace,
    "cams": cams,
    "depth": depth,
    "shap": shap,
}
"""In the order they are computed: what answers first stands first."""
