"""People and products of the large home: two products are really learned, the others have rows only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from anomalyos.inspection.tables import BatchKind, Inspection, Verdict
from anomalyos.models.tables import ModelVersion
from anomalyos.products.sample import CATEGORIES, DEFECTS

if TYPE_CHECKING:
    from anomalyos.core.settings import Settings
    from anomalyos.db.engine import Store

PASSWORD = "correct-horse-battery"
REVIEWERS = ("mia", "sam", "lea", "tom", "ida", "ben")
PEOPLE = {"victor": "viewer", "erik": "engineer", "ada": "admin", **dict.fromkeys(REVIEWERS, "reviewer")}
LEARNED = ("sample_hazelnut", "sample_hex_nut")
"""Products with a real model, so that images can be inspected; the others have rows only."""
PICTURES = 24
"""Real images of each learned product, shared by all rows."""


@dataclass(frozen=True)
class Product:
    """A category's ids and the real inspections its rows are copies of."""

    name: str
    category_id: int
    version_id: int
    normal: list[Inspection]
    flagged: list[Inspection]


def newest_day() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def write_people(store: Store) -> None:
    from anomalyos.accounts import users

    with store.session() as session:
        for name, role in PEOPLE.items():
            if users.find(session, name) is None:
                users.create(session, name=name, password=PASSWORD, role=role, actor="benchmark")


def learn(settings: Settings, store: Store) -> list[Product]:
    """Learned products with their templates first, then the others, which borrow them."""
    from anomalyos.db.rows import stored_id
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.models import categories
    from anomalyos.models import versions as model_versions
    from anomalyos.products.sample import write_dataset

    write_dataset(settings.data_dir, categories=LEARNED)
    for name in LEARNED:
        rebuild_category(name, settings, store, actor="benchmark")
    templates = {name: _templates(settings, store, name) for name in LEARNED}
    products = []
    for index, name in enumerate((*LEARNED, *(name for name in CATEGORIES if name not in LEARNED))):
        rows = templates.get(name) or templates[LEARNED[index % len(LEARNED)]]
        with store.session() as session:
            category = categories.ensure(session, name, synthetic=True)
            category_id = stored_id(category.id)
            if category.champion_id is None:
                version = model_versions.add(session, _version(category_id, name))
                version_id = stored_id(version.id)
            else:
                version_id = category.champion_id
        normal = [row for row in rows if row.verdict == Verdict.NORMAL]
        flagged = [row for row in rows if row.verdict == Verdict.ANOMALOUS]
        products.append(Product(name, category_id, version_id, normal, flagged))
    return products


def _version(category_id: int, name: str) -> ModelVersion:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ModelVersion(
        category_id=category_id,
        version=1,
        content_key=digest,
        bundle_path=f"{name}/none",
        bundle_sha256=digest,
        recipe="lite",
        recipe_hash=digest,
        alpha=0.05,
        threshold=2.0,
        gate_passed=True,
    )


def _templates(settings: Settings, store: Store, name: str) -> list[Inspection]:
    """Real inspections of real images of a product, half of them with a defect."""
    from anomalyos.images.decoding import encode_png
    from anomalyos.inspection import batches
    from anomalyos.inspection.inspector import Inspector
    from anomalyos.products.sample import render

    day = (newest_day() - timedelta(days=365)).isoformat()
    key = f"night-{day}"
    with store.session() as session:
        batches.get_or_create(session, key=key, kind=BatchKind.NIGHTLY, day=day)
    inspector, rows = Inspector(settings, store), []
    for index in range(PICTURES):
        defect = DEFECTS[name][index % len(DEFECTS[name])] if index % 2 else None
        image = encode_png(render(name, defect, 700_000 + index)[0])
        source = f"{day}/{name}/cam1_{index:03}.png"
        rows.append(inspector.inspect(image, source=source, batch_key=key, category=name))
    return rows
