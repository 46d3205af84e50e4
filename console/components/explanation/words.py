"""Words of explanations: parts, where cases come from, how far a figure can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from anomalyos.cases.similar import SimilarCase
from anomalyos.reports.words import number
from console.texts import links

PART_NAMES: dict[str, str] = {
    "similar": "Similar cases",
    "causes": "Likely causes",
    "trace": "Nearest normal parts",
    "cams": "Gradient maps",
    "depth": "Depth",
    "shap": "What moved the score",
    "anomaly_map": "Anomaly map",
}
MAP_NAMES: dict[str, str] = {"gradcam_pp": "Grad-CAM++", "hirescam": "HiResCAM"}
_FAITHFUL, _ROUGH = 0.8, 0.5
"""Rank agreement with the real score, on photographs the stand-in has not seen."""


def part_name(part: str) -> str:
    return PART_NAMES.get(part, part.replace("_", " ").capitalize())


def defect_name(defect_type: str) -> str:
    """A defect type for reading: ``broken_large`` as ``Broken large``."""
    words = defect_type.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words and words != "unnamed" else "Unnamed defect"


def origin(case: SimilarCase) -> str:
    return "from a review" if _reviewed(case) is not None else "imported"


def case_address(case: SimilarCase) -> str:
    """Where a case came from: the inspection whose review made it, else its page among the cases."""
    inspection = _reviewed(case)
    return links.forensics(inspection) if inspection is not None else links.case_page(case.case_id)


def _reviewed(case: SimilarCase) -> int | None:
    kind, _, rest = case.source.partition(":")
    return int(rest) if case.origin == "review" and kind == "inspection" and rest.isdigit() else None


def fidelity_words(fidelity: Mapping[str, float]) -> str:
    """How far the stand-in that SHAP explains can be trusted to speak for the model."""
    rank, images = fidelity.get("spearman"), fidelity.get("n")
    if rank is None:
        return "How well the stand-in follows the real score was not measured."
    seen = f" on {round(images)} photographs it was not fitted on" if images else ""
    figure = f"rank agreement {number(rank)}{seen}" if rank > 0 else f"no rank agreement{seen}"
    if rank >= _FAITHFUL:
        return f"The stand-in follows the real score closely ({figure})."
    if rank >= _ROUGH:
        return f"The stand-in follows the real score roughly ({figure}): read the order, not the figures."
    return f"The stand-in follows the real score poorly ({figure}): take this as a hint at most."
