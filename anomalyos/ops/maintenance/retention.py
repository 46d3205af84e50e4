"""Letting go of what the policy in the settings no longer keeps."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops.maintenance import retention_rows as retention

AT_ONCE = 500
"""Inspections changed in one transaction: a page waits no longer than that takes."""
EXPIRED = ".expired-"


def apply_retention(
    settings: Settings, store: Store, *, dry_run: bool = False, now: datetime | None = None
) -> dict[str, Any]:
    """Photographs of old normal parts, and files of model versions that have been left behind.

    Rows of inspections and versions stay, so figures over years do; their files become orphans, which
    :func:`anomalyos.ops.maintenance.orphans.sweep_orphans` removes. Killed anywhere, the next run goes on.

    Returns:
        ``photographs`` and ``images`` dropped, ``versions`` whose files went (as ``category vN``); of a dry
        run what would be.
    """
    now = now or datetime.now(UTC)
    return {
        **_photographs(settings, store, now, dry_run),
        "versions": _versions(settings, store, dry_run),
    }


def _photographs(settings: Settings, store: Store, now: datetime, dry_run: bool) -> dict[str, int]:
    if settings.keep_normal_days == 0:
        return {"photographs": 0, "images": 0}
    before = now - timedelta(days=settings.keep_normal_days)
    if dry_run:
        with store.session(read_only=True) as session:
            return {"photographs": len(retention.expired_normals(session, before)), "images": 0}
    dropped = images = 0
    while True:
        with store.session() as session:
            chosen = retention.expired_normals(session, before, AT_ONCE)
            if not chosen:
                images = retention.drop_unused_images(session, before)
                break
            retention.drop_photographs(session, chosen)
            dropped += len(chosen)
    return {"photographs": dropped, "images": images}


def _versions(settings: Settings, store: Store, dry_run: bool) -> list[str]:
    with store.session(read_only=True) as session:
        expired = retention.expired_versions(session, settings.keep_versions)
    gone: list[str] = []
    for category, version in expired:
        folder = settings.bundles_dir / version.bundle_path
        if not folder.is_dir():
            continue
        gone.append(f"{category} v{version.version}")
        if dry_run:
            continue
        with store.session() as session:
            # asked again in a writing transaction: somebody may have promoted it in the meantime
            still = {row.id for _, row in retention.expired_versions(session, settings.keep_versions)}
            if version.id not in still:
                gone.pop()
                continue
            # moved in one step, so that a kill leaves a whole bundle or none under its name
            aside = folder.with_name(f"{EXPIRED}{secrets.token_hex(8)}")
            folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    return gone
