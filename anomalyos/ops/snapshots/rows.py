"""Rows that travel with published artifacts: models, pointers, cases, evidence. Images and people stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import CaseVector, DefectCase
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import cause_evidence
from anomalyos.knowledge.tables import CauseEvidence
from anomalyos.models import promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import Category, ModelVersion

IMPORTED = "artifacts.import"
_OWN = {"id", "category_id"}
_LOCAL = {"id", "inspection_id", "change", "removed_at", "removed_by"}
"""Fields that mean something in one database only."""


@dataclass(frozen=True)
class Evidence:
    """What caused one case, the case told by its content."""

    case: str
    defect: str
    cause: str
    actor: str
    note: str


def categories_out(session: Session) -> list[dict[str, Any]]:
    """name, synthetic, champion (content key or None) and versions of every category, by name."""
    found = []
    for category in session.exec(select(Category).order_by(col(Category.name))):
        versions = sorted(model_versions.list_versions(session, category.name), key=lambda row: row.version)
        champion = next((v.content_key for v in versions if v.id == category.champion_id), None)
        rows = [version.model_dump(mode="json", exclude=_OWN) for version in versions]
        found.append(
            {
                "name": category.name,
                "synthetic": category.synthetic,
                "champion": champion,
                "versions": rows,
            }
        )
    return found


def cases_out(session: Session) -> Sequence[DefectCase]:
    """Every case that stands, by its content key."""
    query = select(DefectCase).where(col(DefectCase.removed_at).is_(None))
    return session.exec(query.order_by(col(DefectCase.content_key))).all()


def case_row(case: DefectCase) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude=_LOCAL)


def embedders(session: Session) -> list[str]:
    """Digests of the embedders that cases have vectors of."""
    return sorted(session.exec(select(CaseVector.embedder).distinct()))


def evidence_out(session: Session) -> list[Evidence]:
    """Evidence that stands, of cases that stand."""
    query = (
        select(DefectCase.content_key, CauseEvidence)
        .join(DefectCase, col(DefectCase.id) == col(CauseEvidence.case_id))
        .where(col(CauseEvidence.withdrawn_at).is_(None), col(DefectCase.removed_at).is_(None))
        .order_by(col(DefectCase.content_key))
    )
    return [
        Evidence(key, row.defect, row.cause, row.actor, row.note) for key, row in session.exec(query).all()
    ]


def was_imported(session: Session, digest: str) -> bool:
    """Whether the artifacts of this digest were taken in before."""
    return bool(audit.recent(session, limit=1, action=IMPORTED, subject=f"artifacts:{digest}"))


def mark_imported(session: Session, digest: str, actor: str, counts: dict[str, int]) -> None:
    audit.write(session, actor=actor, action=IMPORTED, subject=f"artifacts:{digest}", detail=dict(counts))


def take_version(session: Session, category_id: int, facts: dict[str, Any]) -> tuple[ModelVersion, bool]:
    """The version of these inputs, added when it is new, under its own number where that is free."""
    known = model_versions.find_by_content(session, category_id, facts["content_key"])
    if known is not None:
        return known, False
    taken = select(ModelVersion.id).where(
        ModelVersion.category_id == category_id, ModelVersion.version == facts["version"]
    )
    row = ModelVersion(**{**facts, "created_at": datetime.fromisoformat(facts["created_at"])})
    row.category_id = category_id
    if session.exec(taken).first() is not None:
        row.version = model_versions.next_version(session, category_id)
    return model_versions.add(session, row), True


def take_pointer(session: Session, category: Category, content_key: str, actor: str, reason: str) -> bool:
    """Make the version of ``content_key`` the champion; False when it is already."""
    wanted = model_versions.find_by_content(session, stored_id(category.id), content_key)
    session.refresh(category)
    if wanted is None or wanted.id == category.champion_id:
        return False
    promotions.promote(
        session,
        category_id=stored_id(category.id),
        version_id=stored_id(wanted.id),
        expected_pointer=category.pointer_version,
        actor=actor,
        reason=reason,
    )
    return True


def take_case(session: Session, facts: dict[str, Any], actor: str) -> tuple[DefectCase, bool]:
    """The case of this content, added when it is new. One that was removed here stays removed."""
    added = datetime.fromisoformat(facts["added_at"])
    return case_repository.add(session, DefectCase(**{**facts, "added_at": added}), actor)


def take_evidence(session: Session, case: DefectCase, evidence: Evidence) -> bool:
    """Record what caused a case unless somebody here has said so, or has taken it back, already."""
    case_id = stored_id(case.id)
    if case.removed_at is not None or cause_evidence.of_case(session, case_id):
        return False
    cause_evidence.confirm(
        session,
        case_id=case_id,
        defect=evidence.defect,
        cause=evidence.cause,
        actor=evidence.actor,
        note=evidence.note,
    )
    return True
