"""Taking in a snapshot: files first, rows after, and a second time nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import DefectCase
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.core.files.immutable import install
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.knowledge.exchange import import_content, parse
from anomalyos.models import categories
from anomalyos.models.tables import ModelVersion
from anomalyos.ops.snapshots import rows as snapshot_rows
from anomalyos.ops.snapshots import snapshot_classifiers
from anomalyos.ops.snapshots.snapshot import GRAPH, REGISTRY, snapshot_digest
from anomalyos.patchcore.bundle import verify_bundle

if TYPE_CHECKING:
    from sqlmodel import Session

_NAME = r"[A-Za-z0-9][A-Za-z0-9_. -]{0,63}"


class _Category(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=rf"^{_NAME}$")
    synthetic: bool
    champion: str | None
    versions: list[dict[str, Any]]


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["anomalyos-artifacts-1"]
    categories: list[_Category]
    cases: list[dict[str, Any]]
    evidence: list[dict[str, str]]


def import_snapshot(
    settings: Settings, store: Store, folder: Path, *, actor: str, progress: Progress | None = None
) -> dict[str, Any]:
    """Bring models, champions, cases and the graph of a snapshot into this home.

    Versions, cases and evidence that are known stay as they are, and so does what was removed here. A
    champion moves to that of the snapshot the first time this snapshot is taken in, never again: a rollback
    made here afterwards holds. A killed import is finished by the next one.

    Returns:
        ``digest``, ``known`` (taken in before) and counts of what was added or moved.

    Raises:
        AnomalyOSError: not a snapshot, or made by another version; nothing was changed then.
        BundleError: a bundle in it is damaged; no row was written then.
    """
    digest = snapshot_digest(folder)
    registry = _read(folder)
    _copy_bundles(settings, folder, registry, progress)
    _copy_objects(store, folder)
    named = snapshot_classifiers.copy_in(settings, folder)
    counts: Counter[str] = Counter(versions=0, promoted=0, cases=0, evidence=0, nodes=0, classifiers=0)
    with store.session() as session:
        known = snapshot_rows.was_imported(session, digest)
        _take_graph(session, folder, actor, counts, known)
        _take_models(session, registry, digest, actor, counts, known)
        _take_cases(session, folder, registry, actor, counts)
        for row in named:
            counts["classifiers"] += snapshot_classifiers.take(session, row, digest, actor, known)
        if not known:
            snapshot_rows.mark_imported(session, digest, actor, dict(counts))
    return {"digest": digest, "known": known, **counts}


def _read(folder: Path) -> _Registry:
    from pydantic import TypeAdapter

    try:
        registry = _Registry.model_validate_json((folder / REGISTRY).read_bytes())
        paths = TypeAdapter(list[tuple[str, str]])
        for category in registry.categories:
            for version in category.versions:
                if unknown := set(version) - set(ModelVersion.model_fields):
                    raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
                place = Path(version["bundle_path"])
                if place.is_absolute() or ".." in place.parts or len(place.parts) != 2:
                    raise ValueError(f"{place} is not the path of a bundle")
        paths.validate_python([(case["image_path"], case["crop_path"]) for case in registry.cases])
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise AnomalyOSError(
            f"The artifacts in {folder} cannot be read: {reason}.",
            "Use the version of AnomalyOS that published them, or a newer one.",
        ) from error
    return registry


def _copy_bundles(settings: Settings, folder: Path, registry: _Registry, progress: Progress | None) -> None:
    versions = [version for category in registry.categories for version in category.versions]
    for done, version in enumerate(versions, start=1):
        source = folder / "bundles" / version["bundle_path"]
        sha256 = verify_bundle(source, version["bundle_sha256"])
        found = _intact(settings.bundles_dir / version["bundle_path"])
        if found not in {None, sha256}:
            # the same inputs learned on two machines may differ in the last bits: both versions are sound
            version["bundle_path"] += f"-{sha256[:8]}"
            found = _intact(settings.bundles_dir / version["bundle_path"])
        if found is None:
            install(source, settings.bundles_dir / version["bundle_path"])
        if progress is not None:
            progress(done, len(versions))


def _intact(folder: Path) -> str | None:
    """SHA-256 of the bundle in ``folder``; None when there is none, or a damaged one."""
    try:
        return verify_bundle(folder)
    except BundleError:
        return None


def _copy_objects(store: Store, folder: Path) -> None:
    """Put every file under the name its content gives it, whatever the snapshot calls it."""
    for file in sorted((folder / "objects").rglob("*")):
        if file.is_file():
            store.objects.put(file.read_bytes(), file.suffix)


def _take_graph(session: Session, folder: Path, actor: str, counts: Counter[str], known: bool) -> None:
    """Once for each snapshot: what people edit here afterwards is theirs."""
    if known:
        return
    content = parse((folder / GRAPH).read_bytes(), "yaml")
    if content.nodes:
        written = import_content(session, content, actor=actor)
        counts["nodes"] += written["nodes"]["added"] + written["nodes"]["updated"]


def _take_models(
    session: Session, registry: _Registry, digest: str, actor: str, counts: Counter[str], known: bool
) -> None:
    for entry in registry.categories:
        category = categories.ensure(session, entry.name, synthetic=entry.synthetic)
        for facts in entry.versions:
            counts["versions"] += snapshot_rows.take_version(session, stored_id(category.id), facts)[1]
        if entry.champion and not known:
            reason = f"Champion of the artifacts {digest[:12]}."
            counts["promoted"] += snapshot_rows.take_pointer(session, category, entry.champion, actor, reason)


def _take_cases(
    session: Session, folder: Path, registry: _Registry, actor: str, counts: Counter[str]
) -> None:
    taken: dict[str, DefectCase] = {}
    for facts in registry.cases:
        row, created = snapshot_rows.take_case(session, facts, actor)
        counts["cases"] += created
        taken[row.content_key] = row
    for file in sorted(folder.glob("vectors-*.npz")):
        embedder = file.stem.removeprefix("vectors-")
        with np.load(file, allow_pickle=False) as arrays:
            for key, vector in zip(arrays["keys"].tolist(), arrays["vectors"], strict=True):
                if key in taken:
                    case_repository.put_vector(session, stored_id(taken[key].id), embedder, vector)
    for fact in registry.evidence:
        evidence = snapshot_rows.Evidence(**fact)
        if evidence.case in taken:
            counts["evidence"] += snapshot_rows.take_evidence(session, taken[evidence.case], evidence)
