"""Moving a champion pointer as people do it: what is to inspect is verified before it may.

A damaged bundle must not become the pointer's target: every inspection would fail.
"""

from __future__ import annotations

import json
from pathlib import Path

from anomalyos.core.errors import Conflict
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import plain_text, stored_id
from anomalyos.models import aliases, categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion, Promotion
from anomalyos.patchcore.bundle import verify_bundle


def promote_version(
    store: Store,
    settings: Settings,
    *,
    category: str,
    version: int,
    actor: str,
    reason: str,
    expected_pointer: int | None = None,
) -> Promotion:
    """Let a version inspect from now on.

    Args:
        expected_pointer: ``Category.pointer_version`` as the actor saw it; None takes it as it is now.

    Raises:
        NotFound: no such category or version.
        BundleError: the version's files are not what was written.
        Conflict: somebody moved the pointer in between, or the version is the champion already.
        AnomalyOSError: the reason is missing or cannot be stored.
    """
    reason = plain_text(reason, "reason", 500, required=True)
    with store.session(read_only=True) as session:
        row = categories.by_name(session, category)
        chosen = model_versions.by_version(session, category, version)
    # outside the writing transaction: reading a large bundle must not make others wait
    verify(settings, chosen)
    with store.session() as session:
        moved = promotions.promote(
            session,
            category_id=stored_id(row.id),
            version_id=stored_id(chosen.id),
            expected_pointer=row.pointer_version if expected_pointer is None else expected_pointer,
            actor=actor,
            reason=reason,
        )
    aliases.follow_soon(settings, category)
    return moved


def roll_back(
    store: Store,
    settings: Settings,
    *,
    category: str,
    actor: str,
    reason: str,
    expected_pointer: int | None = None,
) -> Promotion:
    """Return to the champion before the present one; raises as ``promote_version`` does."""
    reason = plain_text(reason, "reason", 500, required=True)
    with store.session(read_only=True) as session:
        pointer = categories.by_name(session, category).pointer_version
        target = promotions.rollback_target(session, category)
        earlier = model_versions.get(session, target) if target is not None else None
    if expected_pointer is not None and expected_pointer != pointer:
        raise Conflict(
            f"The champion of {category} was changed by somebody else in the meantime.",
            "Look at the present champion and decide again.",
        )
    if earlier is not None:
        verify(settings, earlier)
    with store.session() as session:
        # without an earlier champion this says so
        moved = promotions.rollback(
            session, category_name=category, actor=actor, reason=reason, expected_pointer=pointer
        )
    aliases.follow_soon(settings, category)
    return moved


def verify(settings: Settings, version: ModelVersion) -> None:
    """Raises ``BundleError`` unless every file of the version is as it was written."""
    verify_bundle(settings.bundles_dir / version.bundle_path, version.bundle_sha256)


def stored_bytes(settings: Settings, version: ModelVersion) -> int | None:
    """Bytes of a version's files as its manifest lists them; None when that cannot be read."""
    folder: Path = settings.bundles_dir / version.bundle_path
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        return sum(int(entry["bytes"]) for entry in manifest["files"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
