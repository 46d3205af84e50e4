"""Evidence for tests: one flagged part with everything known about it, to be varied."""

from __future__ import annotations

from typing import Any

from anomalyos.cases.similar import SimilarCase
from anomalyos.core.geometry import Box
from anomalyos.explain.evidence import (
    Evidence,
    Note,
    PatchLocation,
    ShapExplanation,
    ShapValue,
    TraceNeighbour,
    TracePair,
)
from anomalyos.features.depth.statistics import DepthStatistics
from anomalyos.knowledge.causes import KnowledgeItem, PathStep, RankedCause

SHA = "a" * 64


def case(number: int, similarity: float, kind: str = "crack", **more: Any) -> SimilarCase:
    fields: dict[str, Any] = {
        "case_id": number,
        "similarity": similarity,
        "category": "hazelnut",
        "defect_type": kind,
        "origin": "imported",
        "source": f"test/{kind}/{number:03d}.png",
        "image_sha256": SHA,
        "image_path": "",
        "crop_path": "",
        "box": Box(x=60, y=70, width=40, height=30),
    }
    return SimilarCase(**{**fields, **more})


def cause(slug: str, name: str, probability: float, confirmed: int = 3, **more: Any) -> RankedCause:
    fields: dict[str, Any] = {
        "key": f"cause:{slug}",
        "name": name,
        "text": "Shells split when they dry faster outside than inside.",
        "probability": probability,
        "low": probability * 0.7,
        "high": min(1.0, probability * 1.25),
        "prior": 0.3,
        "confirmed": confirmed,
        "confirmed_all": 8,
        "path": (
            PathStep(key="defect:hazelnut/crack", kind="defect", name="crack"),
            PathStep(key=f"cause:{slug}", kind="cause", name=name, relation="caused by"),
        ),
        "steps": (KnowledgeItem(key="step:drying", name="Drying"),),
        "remedies": (
            KnowledgeItem(
                key=f"remedy:{slug}-slower", name="Dry more slowly", text="Lower the inlet to 45 °C."
            ),
        ),
        "checks": (
            KnowledgeItem(key=f"check:{slug}-humidity", name="Measure the humidity", text="Aim for 6 %."),
        ),
    }
    return RankedCause(**{**fields, **more})


def shap() -> ShapExplanation:
    rows = [
        ("peak_score", "peak score", 9.1, "", 4.2, 8.4),
        ("anomalous_area", "anomalous area", 3.4, "%", 0.2, 4.1),
        ("edge_density", "edge density", 0.31, "", 0.22, 1.2),
        ("texture_deviation", "texture deviation", 0.08, "", 0.05, -0.6),
        ("depth_deviation", "depth deviation", 1.9, "", 0.7, 0.3),
    ]
    values = tuple(
        ShapValue(feature=f, label=n, value=v, unit=u, typical=t, contribution=c) for f, n, v, u, t, c in rows
    )
    return ShapExplanation(
        base=24.0,
        output=37.4,
        score=41.2,
        values=values,
        fidelity={"r2": 0.83, "spearman": 0.9, "n": 120},
    )


def trace(rank: int) -> TracePair:
    box = Box(x=60 + 10 * rank, y=80, width=16, height=16)
    normal = PatchLocation(image=f"train/good/{rank:03d}.png", image_sha256=SHA, box=box)
    return TracePair(
        place=PatchLocation(image="", image_sha256=SHA, box=box),
        score=41.2 - rank,
        neighbours=(TraceNeighbour(place=normal, distance=12.7 + rank, bank_position=rank),),
    )


def inspection(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "source": "file:hazelnut_007.png",
        "category": "hazelnut",
        "verdict": "anomalous",
        "reject_reason": "",
        "score": 41.234,
        "threshold": 30.5,
        "alpha": 0.05,
        "p_value": 0.02,
        "p_value_in_words": "higher than all of the 50 normal parts it was held against",
        "calibration_groups": 50,
        "model_version": 3,
        "recipe": "lite",
        "routed_category": "hazelnut",
        "routed_similarity": 0.97,
        "route_mismatch": False,
        "decision": None,
        "defect_type": "",
        "synthetic": False,
        "width": 256,
        "height": 256,
        "created_at": "2026-11-24T05:58:12",
        **changes,
    }


def evidence(facts: dict[str, Any] | None = None, **changes: Any) -> Evidence:
    """A cracked hazelnut; ``facts`` change its inspection, ``changes`` whole parts."""
    depth = DepthStatistics(
        method="shape_from_shading",
        mean=-1.3,
        spread=0.4,
        skew=0.2,
        gradient_energy=0.9,
        range=0.5,
        deviation=0.8,
    )
    region = {
        "x": 64,
        "y": 80,
        "width": 50,
        "height": 34,
        "peak": 41.2,
        "area_share": 0.021,
    }
    parts: dict[str, Any] = {
        "inspection": inspection(**(facts or {})),
        "regions": (region,),
        "similar": (case(17, 0.91), case(18, 0.88), case(23, 0.84)),
        "causes": (
            cause("fast-drying", "Drying too fast", 0.62),
            cause("impact", "Impact on the belt", 0.21),
        ),
        "shap": shap(),
        "trace": (trace(1), trace(2)),
        "depth": depth,
        "notes": (Note(id="review:12", author="mia", text="Third one from this tray tonight."),),
    }
    return Evidence(**{**parts, **changes})


def bare(verdict: str, **facts: Any) -> Evidence:
    """An inspection about which nothing else is known."""
    return Evidence(inspection=inspection(verdict=verdict, **facts))
