"""Known defects with vectors, causes and documents for the large home."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func
from sqlmodel import col, select

from anomalyos.cases.tables import CaseOrigin, CaseVector, DefectCase
from anomalyos.inspection.tables import Decision, Image, Inspection, Review
from anomalyos.knowledge.grammar import defect_key
from anomalyos.knowledge.tables import CauseEvidence, KnowledgeEdge, Relation
from anomalyos.models.tables import Category
from anomalyos.products.sample import CATEGORIES, DEFECTS

if TYPE_CHECKING:
    from anomalyos.core.settings import Settings
    from anomalyos.db.engine import Store

PLACES = ("at the rim", "near the edge", "in the middle", "along one side")
SEEN = ("small", "deep", "barely visible", "two of them", "like yesterday's")
EVIDENCE = 600


def phrase(rng: np.random.Generator) -> str:
    """What people write beside a decision; few different ones, because each is embedded with each defect."""
    return f"{rng.choice(SEEN)}, {rng.choice(PLACES)}"


def seed(settings: Settings, store: Store, count: int, shown: list[Inspection]) -> None:
    """``count`` cases, those of confirmed defects first; ``shown`` are the inspections they look like."""
    from anomalyos.knowledge.search import get_search
    from anomalyos.knowledge.seeds import ensure_seeded
    from tests.benchmarks.console_seed import advance, write

    ensure_seeded(store, settings)
    rng = np.random.default_rng(20260102)
    with store.session(read_only=True) as session:
        first = (session.exec(select(func.max(col(DefectCase.id)))).one() or 0) + 1
    rows = _cases(store, first, count, shown, rng)
    write(store, DefectCase, rows)
    write(store, CaseVector, _vectors(settings, rows, rng))
    advance(store, DefectCase)
    write(store, CauseEvidence, _evidence(store, rows, rng))
    # embedded once and kept, as a console does over the months
    get_search(settings, store).prepare()


def _cases(
    store: Store, first: int, count: int, shown: list[Inspection], rng: np.random.Generator
) -> list[dict[str, Any]]:
    confirmed = _confirmed(store, count)
    with store.session(read_only=True) as session:
        ids = [row.image_id for row in shown]
        images = {image.id: image for image in session.exec(select(Image).where(col(Image.id).in_(ids)))}
    rows = []
    for index in range(count):
        image = images[shown[index % len(shown)].image_id]
        if index < len(confirmed):
            number, category, defect = confirmed[index]
        else:
            number, category = None, CATEGORIES[index % len(CATEGORIES)]
            defect = str(rng.choice(DEFECTS[category]))
        side = int(rng.integers(40, 90))
        rows.append(
            {
                "id": first + index,
                "content_key": hashlib.sha256(f"benchmark case {index}".encode()).hexdigest(),
                "category": category,
                "defect_type": defect,
                "severity": "",
                "origin": str(CaseOrigin.REVIEW if number is not None else CaseOrigin.IMPORT),
                "synthetic": True,
                "source": f"inspection:{number}"
                if number is not None
                else f"{category}/test/{defect}/{index}.png",
                "inspection_id": number,
                "image_sha256": image.sha256,
                "image_path": image.object_path,
                "crop_path": image.object_path,
                "box": {
                    "x": int(rng.integers(150)),
                    "y": int(rng.integers(150)),
                    "width": side,
                    "height": side,
                },
                "area_share": round(float(rng.uniform(0.002, 0.04)), 4),
                "note": phrase(rng) if rng.random() < 0.3 else "",
                "added_by": "mia",
                "added_at": datetime.now(UTC) - timedelta(minutes=count - index),
                "removed_by": "",
                "removed_at": None,
                "change": first + index,
            }
        )
    return rows


def _confirmed(store: Store, most: int) -> list[tuple[int, str, str]]:
    """Inspection, product and defect type of confirmed defects."""
    query = (
        select(Inspection.id, Category.name, Review.defect_type)
        .join(Category, col(Category.id) == col(Inspection.category_id))
        .join(Review, col(Review.inspection_id) == col(Inspection.id))
        .where(
            Inspection.decision == Decision.DEFECT.value,
            col(Review.version) == col(Inspection.review_version),
        )
        .order_by(col(Inspection.id))
        .limit(most)
    )
    with store.session(read_only=True) as session:
        return [(number or 0, category, defect) for number, category, defect in session.exec(query)]


def _vectors(
    settings: Settings, rows: list[dict[str, Any]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Unit vectors, those of one defect type of a product near each other."""
    from anomalyos.cases.appearance import Appearance
    from anomalyos.features.embedders import get_image_embedder

    appearance = Appearance(get_image_embedder(settings))
    centres: dict[tuple[str, str], np.ndarray] = {}
    found = []
    for row in rows:
        key = (row["category"], row["defect_type"])
        if key not in centres:
            centres[key] = rng.normal(size=appearance.dims)
        vector = centres[key] + 0.6 * rng.normal(size=appearance.dims)
        vector /= np.linalg.norm(vector)
        found.append(
            {"case_id": row["id"], "embedder": appearance.digest, "vector": vector.astype("<f4").tobytes()}
        )
    return found


def _evidence(store: Store, rows: list[dict[str, Any]], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Causes people established for some of the cases, among those the graph lists."""
    with store.session(read_only=True) as session:
        edges = session.exec(select(KnowledgeEdge).where(KnowledgeEdge.relation == Relation.CAUSED_BY))
        causes: dict[str, list[str]] = {}
        for edge in edges:
            causes.setdefault(edge.source, []).append(edge.target)
    found = []
    for row in rows[-EVIDENCE:]:
        defect = defect_key(row["category"], row["defect_type"])
        if defect in causes:
            found.append(
                {
                    "case_id": row["id"],
                    "defect": defect,
                    "cause": str(rng.choice(causes[defect])),
                    "actor": "erik",
                    "note": "",
                    "created_at": row["added_at"],
                    "withdrawn_by": "",
                    "withdrawn_at": None,
                }
            )
    return found
