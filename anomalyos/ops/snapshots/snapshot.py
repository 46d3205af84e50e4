"""Everything a console needs to inspect, as one folder: what is versioned with DVC and taken in elsewhere.

``registry.json`` holds categories, versions, champions, cases and evidence; ``knowledge.yaml`` and
``knowledge.graphml`` the graph; ``vectors-EMBEDDER.npz`` the embeddings of the cases; ``bundles`` and
``objects`` files as they lie under ``home``; ``classifiers.json`` and ``classifiers`` what names defects.
Images that were inspected, reviews and people are not in it: they belong to one plant, and to its backup.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.knowledge.exchange import export
from anomalyos.knowledge.graph import load_graph
from anomalyos.ops.snapshots import rows as snapshot_rows
from anomalyos.ops.snapshots import snapshot_classifiers
from anomalyos.patchcore.bundle import verify_bundle

if TYPE_CHECKING:
    from sqlmodel import Session

FORMAT = "anomalyos-artifacts-1"
REGISTRY = "registry.json"
GRAPH = "knowledge.yaml"


def export_snapshot(
    settings: Settings, store: Store, folder: Path, progress: Progress | None = None
) -> dict[str, int]:
    """Write the snapshot to ``folder``, replacing an older one in one step.

    The same state gives the same bytes, so that versioning it again makes no new version.

    Returns:
        How many ``versions``, ``cases``, ``nodes``, ``files`` and ``classifiers``.

    Raises:
        BundleError: a champion's files are damaged. A version that does not inspect and is damaged or gone
            is left out.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        counts = _write(settings, store, draft, progress)
        draft.chmod(0o755)
        old = folder.with_name(f"{draft.name}-old")
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return counts


def _write(settings: Settings, store: Store, draft: Path, progress: Progress | None) -> dict[str, int]:
    with store.session(read_only=True) as session:
        categories = snapshot_rows.categories_out(session)
        cases = [snapshot_rows.case_row(case) for case in snapshot_rows.cases_out(session)]
        evidence = [vars(row) for row in snapshot_rows.evidence_out(session)]
        graph = load_graph(session)
        _write_vectors(session, draft)
        named = snapshot_classifiers.write(session, settings, draft)
    for category in categories:
        category["versions"] = list(_intact(settings, category))
    versions = [version for category in categories for version in category["versions"]]
    copies = _copies(settings, versions, cases)
    for done, (source, relative) in enumerate(copies, start=1):
        target = draft / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        if progress is not None:
            progress(done, len(copies))
    document = {"format": FORMAT, "categories": categories, "cases": cases, "evidence": evidence}
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    (draft / REGISTRY).write_text(text, encoding="utf-8")
    (draft / GRAPH).write_text(export(graph, "yaml"), encoding="utf-8")
    (draft / "knowledge.graphml").write_text(export(graph, "graphml"), encoding="utf-8")
    nodes = len(list(graph.nodes()))
    counts = {"versions": len(versions), "cases": len(cases), "nodes": nodes, "files": len(copies)}
    return {**counts, "classifiers": named}


def _intact(settings: Settings, category: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for version in category["versions"]:
        try:
            verify_bundle(settings.bundles_dir / version["bundle_path"], version["bundle_sha256"])
        except BundleError:
            if version["content_key"] == category["champion"]:
                raise
            continue
        yield version


def _copies(
    settings: Settings, versions: list[dict[str, Any]], cases: list[dict[str, Any]]
) -> list[tuple[Path, str]]:
    """(file, path in the snapshot) of all that is copied."""
    found: list[tuple[Path, str]] = []
    for version in versions:
        root = settings.bundles_dir / version["bundle_path"]
        found += [(file, f"bundles/{version['bundle_path']}/{file.name}") for file in sorted(root.iterdir())]
    names = sorted({case[name] for case in cases for name in ("image_path", "crop_path")})
    # a photograph that is gone takes nothing but its picture along: its vector still answers
    found += [(settings.objects_dir / name, f"objects/{name}") for name in names]
    return [(file, relative) for file, relative in found if file.is_file()]


def _write_vectors(session: Session, draft: Path) -> None:
    keys = {stored_id(case.id): case.content_key for case in snapshot_rows.cases_out(session)}
    for embedder in snapshot_rows.embedders(session):
        vectors = case_repository.vectors(session, embedder, keys)
        known = sorted(vectors, key=lambda case_id: keys[case_id])
        if known:
            names = np.array([keys[case_id] for case_id in known])
            stacked = np.stack([vectors[case_id] for case_id in known]).astype("<f4")
            np.savez(draft / f"vectors-{embedder}.npz", keys=names, vectors=stacked)


def snapshot_digest(folder: Path) -> str:
    """SHA-256 over registry, graph and classifiers, which name all other files by their content."""
    digest = hashlib.sha256()
    classifiers = folder / snapshot_classifiers.CLASSIFIERS
    try:
        for name in (REGISTRY, GRAPH):
            digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
        if classifiers.is_file():  # not there in snapshots that are older than they
            digest.update(hashlib.sha256(classifiers.read_bytes()).digest())
    except OSError as error:
        raise AnomalyOSError(
            f"{folder} holds no published artifacts.", "Fetch them with 'anomalyos artifacts pull'."
        ) from error
    return digest.hexdigest()
