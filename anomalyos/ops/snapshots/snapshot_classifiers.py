"""The classifiers in use, as part of a snapshot: ``classifier_versions.json`` and their bundles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import classifiers_dir, verify_classifier
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.core.files.immutable import install
from anomalyos.core.settings import Settings
from anomalyos.db.rows import stored_id

if TYPE_CHECKING:
    from sqlmodel import Session

CLASSIFIERS = "classifiers.json"
FOLDER = "classifiers"
_PART = r"[A-Za-z0-9][A-Za-z0-9_. -]{0,63}"


class TravellingClassifier(BaseModel):
    """One classifier as it travels."""

    model_config = ConfigDict(extra="forbid")

    category: str = Field(pattern=rf"^{_PART}$")
    content_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    bundle_path: str = Field(pattern=rf"^{_PART}/{_PART}$")
    bundle_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    metrics: dict[str, Any]
    gate_passed: bool | None
    gate_reason: str
    run_id: str


def write(session: Session, settings: Settings, draft: Path) -> int:
    """Copy the classifiers in use into ``draft``; returns how many there are.

    Raises:
        BundleError: one of them is damaged.
    """
    rows = []
    for category in sorted({row.category for row in classifier_versions.list_versions(session)}):
        row = classifier_versions.in_use(session, category)
        if row is None:
            continue
        source = classifiers_dir(settings) / row.bundle_path
        verify_classifier(source, row.bundle_sha256)
        shutil.copytree(source, draft / FOLDER / row.bundle_path)
        rows.append(TravellingClassifier(**row.model_dump(include=set(TravellingClassifier.model_fields))))
    text = json.dumps([row.model_dump() for row in rows], indent=1, sort_keys=True, allow_nan=False)
    (draft / CLASSIFIERS).write_text(text, encoding="utf-8")
    return len(rows)


def copy_in(settings: Settings, folder: Path) -> list[TravellingClassifier]:
    """Put the snapshot's classifiers where they belong; none in a snapshot that is older than them.

    Raises:
        AnomalyOSError: the list cannot be read.
        BundleError: a bundle is damaged.
    """
    try:
        rows = TypeAdapter(list[TravellingClassifier]).validate_json((folder / CLASSIFIERS).read_bytes())
    except FileNotFoundError:
        return []
    except (ValidationError, OSError) as error:
        raise AnomalyOSError(
            f"The classifiers in {folder} cannot be read: {str(error).splitlines()[0]}.",
            "Use the version of AnomalyOS that published them, or a newer one.",
        ) from error
    for row in rows:
        source, target = folder / FOLDER / row.bundle_path, classifiers_dir(settings) / row.bundle_path
        verify_classifier(source, row.bundle_sha256)
        try:
            verify_classifier(target, row.bundle_sha256)
        except BundleError:
            install(source, target)
    return rows


def take(session: Session, row: TravellingClassifier, digest: str, actor: str, known: bool) -> int:
    """Add the version, and put it in use the first time its snapshot is taken in; 1 when it is new here."""
    version, created = classifier_versions.add(session, ClassifierVersion(version=0, **row.model_dump()))
    present = classifier_versions.pointer(session, row.category)
    if not known and (present is None or present.version_id != version.id):
        classifier_versions.put_in_use(
            session,
            version_id=stored_id(version.id),
            expected_pointer=present.pointer_version if present is not None else 0,
            actor=actor,
            reason=f"Classifier of the artifacts {digest[:12]}.",
        )
    return int(created)
