"""Classifier versions and the pointer to the one in use."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.classifier.tables import ClassifierPointer, ClassifierVersion
from anomalyos.core.errors import Conflict
from anomalyos.db.rows import by_id, get_or_create, stored_id
from anomalyos.models.versions import add_numbered


def find_by_content(session: Session, category: str, content_key: str) -> ClassifierVersion | None:
    """The version made from exactly these inputs, if there is one."""
    query = select(ClassifierVersion).where(
        ClassifierVersion.category == category, ClassifierVersion.content_key == content_key
    )
    return session.exec(query).one_or_none()


def add(session: Session, version: ClassifierVersion) -> tuple[ClassifierVersion, bool]:
    """Store a version under the next number of its category, once.

    Returns:
        The stored row, and whether this call made it.

    Raises:
        Conflict: other processes keep taking the next number.
    """
    category, key = version.category, version.content_key
    newest = select(func.max(ClassifierVersion.version)).where(ClassifierVersion.category == category)
    return add_numbered(
        session,
        version,
        lambda: (session.exec(newest).one() or 0) + 1,
        lambda: find_by_content(session, category, key),
    )


def get(session: Session, version_id: int) -> ClassifierVersion:
    """Raises ``NotFound``."""
    return by_id(session, ClassifierVersion, version_id, "classifier version with the id")


def list_versions(session: Session, category: str | None = None) -> Sequence[ClassifierVersion]:
    """Of one category or of all, by category, the newest first."""
    query = select(ClassifierVersion).order_by(
        col(ClassifierVersion.category), col(ClassifierVersion.version).desc()
    )
    if category is not None:
        query = query.where(ClassifierVersion.category == category)
    return session.exec(query).all()


def pointer(session: Session, category: str) -> ClassifierPointer | None:
    """Read now, whatever this session has seen before; None when nothing was ever put in use."""
    return session.get(ClassifierPointer, category, populate_existing=True)


def in_use(session: Session, category: str) -> ClassifierVersion | None:
    """The version that gives names; None when there is none."""
    query = (
        select(ClassifierVersion)
        .join(ClassifierPointer, col(ClassifierPointer.version_id) == col(ClassifierVersion.id))
        .where(ClassifierPointer.category == category)
    )
    return session.exec(query).one_or_none()


def record_judgement(session: Session, version_id: int, passed: bool, reason: str) -> ClassifierVersion:
    """What the gate says of a version; the first judgement stands.

    Raises:
        NotFound: no such version.
        Conflict: it was judged before.
    """
    row = get(session, version_id)
    if row.gate_passed is not None:
        raise Conflict(f"{row.category} classifier v{row.version} was judged before.")
    row.gate_passed, row.gate_reason = passed, reason
    session.add(row)
    session.flush()
    return row


def replace_bundle(session: Session, version_id: int, sha256: str, actor: str) -> ClassifierVersion:
    """A version's files were damaged and have been made again; on another machine they may differ in the
    last digit.

    Raises:
        NotFound: no such version.
    """
    row = get(session, version_id)
    before, row.bundle_sha256 = row.bundle_sha256, sha256
    session.add(row)
    session.flush()
    audit.write(
        session,
        actor=actor,
        action="classifier.repair",
        subject=f"category:{row.category}",
        detail={"version": row.version, "from": before, "to": sha256},
    )
    return row


def put_in_use(
    session: Session, *, version_id: int, expected_pointer: int, actor: str, reason: str
) -> ClassifierPointer:
    """Let a version give the names of its category from now on.

    Args:
        expected_pointer: ``pointer_version`` as it was when the decision was made, 0 when there was none.

    Raises:
        NotFound: no such version.
        Conflict: somebody moved the pointer in between, or the version is in use already.
    """
    version = get(session, version_id)
    before = pointer(session, version.category)
    from_id = before.version_id if before is not None else None
    if before is not None and before.pointer_version == expected_pointer and from_id == version_id:
        raise Conflict(f"{version.category} classifier v{version.version} is in use already.")
    if not _moved(session, version, expected_pointer):
        raise Conflict(
            f"The classifier of {version.category} was changed by somebody else in the meantime.",
            "Look at the present one and decide again.",
        )
    audit.write(
        session,
        actor=actor,
        action="classifier.promote",
        subject=f"category:{version.category}",
        detail={
            "from_id": from_id,
            "to_id": version_id,
            "version": version.version,
            "pointer": expected_pointer + 1,
            "reason": reason,
        },
    )
    after = pointer(session, version.category)
    assert after is not None
    return after


def _moved(session: Session, version: ClassifierVersion, expected: int) -> bool:
    """The one statement that decides who wins."""
    if expected == 0:
        made = ClassifierPointer(category=version.category, version_id=stored_id(version.id))
        return get_or_create(session, made, lambda: pointer(session, version.category))[1]
    moved = session.connection().execute(
        update(ClassifierPointer)
        .where(
            col(ClassifierPointer.category) == version.category,
            col(ClassifierPointer.pointer_version) == expected,
        )
        .values(version_id=version.id, pointer_version=expected + 1)
    )
    return moved.rowcount == 1
