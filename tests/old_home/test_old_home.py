"""A home made by the code before the domains (commit 60a7d23) goes on with the code of today.

``home.tar.xz`` holds two drawn products with three model versions, a night of nine files, decisions, cases,
an edit of the knowledge graph, an explanation with its report, and people. ``expected.json`` is what the
code of then read from it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from anomalyos.accounts import users
from anomalyos.accounts.tables import AuditEvent
from anomalyos.cases.tables import DefectCase
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain.explainer import Explainer
from anomalyos.inspection.inspector import Inspector, live_batch
from anomalyos.inspection.tables import Image, Inspection, Review
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models.pointer import roll_back
from anomalyos.models.tables import Category, ModelVersion

HERE = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))


def rows(store: Store, table: type[SQLModel], fields: dict[str, Any]) -> list[dict[str, Any]]:
    with store.session(read_only=True) as session:
        found = session.exec(select(table).order_by(table.id)).all()
        return [{name: getattr(row, name) for name in fields} for row in found]


def test_every_row_is_read_as_before(old: Store) -> None:
    for name, table in (("inspections", Inspection), ("cases", DefectCase), ("reviews", Review)):
        assert rows(old, table, EXPECTED[name][0]) == EXPECTED[name]
    with old.session(read_only=True) as session:
        for name, table in (("nodes", KnowledgeNode), ("edges", KnowledgeEdge), ("audit", AuditEvent)):
            assert len(session.exec(select(table)).all()) == EXPECTED[name]
        champions = {
            row.name: session.get(ModelVersion, row.champion_id)
            for row in session.exec(select(Category)).all()
        }
        assert {name: row.version for name, row in champions.items() if row} == EXPECTED["champions"]
        assert users.authenticate(session, "mia", "an-old-password-1") is not None


def test_old_models_give_the_same_scores(old: Store, settings: Settings) -> None:
    inspector = Inspector(settings, old)
    with old.session(read_only=True) as session:
        seen = [row for row in session.exec(select(Inspection)).all() if row.image_id is not None]
        files = {row.id: row.object_path for row in session.exec(select(Image)).all()}
    compared = 0
    for row in seen:
        product = row.source.split("/")[1]
        if product != "dots":  # stripes has a newer champion since that night
            continue
        again = inspector.inspect(
            old.objects.read(files[row.image_id]),
            source="again.png",
            batch_key=live_batch(old),
            category=product,
        )
        assert again.score == pytest.approx(row.score, rel=1e-5)
        assert again.verdict == row.verdict
        compared += 1
    assert compared == 4


def test_nothing_is_learned_again_and_a_rollback_finds_its_bundle(old: Store, settings: Settings) -> None:
    settings.alpha = 0.1
    result = rebuild_category("dots", settings, old, tracked=True)
    assert (result["created"], result["version"]) == (False, EXPECTED["champions"]["dots"])
    roll_back(old, settings, category="stripes", actor="ada", reason="as before")
    with old.session(read_only=True) as session:
        stripes = session.exec(select(Category).where(Category.name == "stripes")).one()
        champion = session.get(ModelVersion, stripes.champion_id)
    assert champion is not None
    assert champion.version == 1


def test_the_same_cases_are_similar(old: Store, settings: Settings) -> None:
    inspector = Inspector(settings, old)
    evidence = Explainer(settings, old, inspector.champions).explain(1)
    found = [{"case_id": case.case_id, "similarity": round(case.similarity, 4)} for case in evidence.similar]
    assert found == EXPECTED["similar"]
