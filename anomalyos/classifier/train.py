"""Training: a category's named defects become a classifier version, and, past the gate, the one in use."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomalyos.classifier import network
from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import (
    FORMAT,
    OutOfFold,
    classifiers_dir,
    read_out_of_fold,
    verify_classifier,
    write_classifier,
)
from anomalyos.classifier.crops import SCALES, SHARE, SHIFT, pictures_of
from anomalyos.classifier.dataset import DefectSet, fold_numbers, load_defects
from anomalyos.classifier.experiment import log_classifier
from anomalyos.classifier.fitting import Fitted, fit
from anomalyos.classifier.gate import judge
from anomalyos.classifier.measure import measure
from anomalyos.classifier.network import WEIGHTS
from anomalyos.classifier.options import TrainingOptions
from anomalyos.classifier.search import Found, Task, search
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.classifier.views import compute_views, views_for
from anomalyos.core.errors import BundleError
from anomalyos.core.files.locks import held
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.weights import weights_identity
from anomalyos.models.gate import GateResult

PROCEDURE = 1
"""Counts up whenever the same data and options would give another classifier."""


def train_classifier(
    category: str,
    settings: Settings,
    store: Store,
    *,
    trials: int = 10,
    run_id: str = "",
    actor: str = "airflow",
    options: TrainingOptions | None = None,
    progress: StageProgress | None = None,
) -> dict[str, Any]:
    """Search, fit, calibrate, gate, put in use, and record all of it in MLflow.

    The same defects and options never make a second version. Killed at any point and run again it goes
    on: finished trials are not tried again.

    Args:
        options: everything that is not to be the default; without it only ``trials`` is chosen.

    Returns:
        JSON-able: category, version, created, promoted, reason, metrics, classes, left_out, trials (done in
        this search), seconds, tracking (``run_id`` in MLflow, or the ``error``).

    Raises:
        NotEnoughDefects: too little to learn from.
        Conflict: another process trains this category's classifier.
        WeightsMissing: the embedded weights are absent or damaged.
    """
    begun = time.monotonic()
    data = load_defects(category, settings, store)
    lock = classifiers_dir(settings) / f"{category}.lock"
    with held(lock, f"The classifier of {category} is being trained"):
        plan = Plan(data, options or TrainingOptions(trials=trials), settings, store, run_id, actor, progress)
        version, created = ready_version(plan)
        judgement, promoted = pass_gate(version, settings, store, actor)
    tracking = log_classifier(settings, version, judgement.reason, seconds=time.monotonic() - begun)
    return {
        "category": category,
        "version": version.version,
        "created": created,
        "promoted": promoted,
        "reason": judgement.reason,
        "metrics": version.metrics,
        "classes": list(data.classes),
        "left_out": data.left_out,
        "trials": len(version.metrics["trials"]),
        "seconds": round(time.monotonic() - begun, 2),
        "tracking": tracking,
    }


@dataclass(frozen=True)
class Plan:
    """One training: what it learns from, how, and for whom."""

    data: DefectSet
    options: TrainingOptions
    settings: Settings
    store: Store
    run_id: str = ""
    actor: str = "airflow"
    progress: StageProgress | None = None
    """Told of the stages features, search and fit."""

    @property
    def key(self) -> str:
        return content_key(self.data, self.options, self.settings)

    @property
    def folder(self) -> Path:
        return classifiers_dir(self.settings) / self.data.category / self.key[:16]

    def stage(self, name: str) -> Callable[[float], None]:
        """StageProgress of one stage, that may be nobody's."""
        report = self.progress
        return (lambda share: None) if report is None else lambda share: report(name, share)


def ready_version(plan: Plan) -> tuple[ClassifierVersion, bool]:
    """The version of these inputs, its files whole, and whether it is new."""
    with plan.store.session(read_only=True) as session:
        version = classifier_versions.find_by_content(session, plan.data.category, plan.key)
    if version is not None and not remove_damaged(plan.folder, version.bundle_sha256):
        return version, False
    row = build_version(plan)
    with plan.store.session() as session:
        version, created = classifier_versions.add(session, row)
        if not created and version.bundle_sha256 != row.bundle_sha256:
            classifier_versions.replace_bundle(session, stored_id(version.id), row.bundle_sha256, plan.actor)
    return version, created


def content_key(data: DefectSet, options: TrainingOptions, settings: Settings) -> str:
    """SHA-256 over everything a version is made from."""
    return _key(data, options.to_json(), settings)


def study_name(data: DefectSet, options: TrainingOptions, settings: Settings) -> str:
    """Of the search over these inputs, however many trials are asked for."""
    return f"{data.category}:{_key(data, options.searched(), settings)}"


def _key(data: DefectSet, chosen: dict[str, Any], settings: Settings) -> str:
    parts = {
        "data": data.data_hash(),
        "options": chosen,
        "weights": weights_identity(WEIGHTS, settings),
        "procedure": [PROCEDURE, FORMAT, SHARE, SCALES, SHIFT],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()


def remove_damaged(folder: Path, expected_sha256: str | None = None) -> bool:
    """Whether no whole bundle lies at ``folder``; what is left of one is removed, to be made again."""
    try:
        verify_classifier(folder, expected_sha256)
    except BundleError:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    return False


def build_version(plan: Plan) -> ClassifierVersion:
    """Search, fit on everything and write the bundle; return the row that is to be stored."""
    data, options, settings = plan.data, plan.options, plan.settings
    count = len(data.examples)
    pictures = pictures_of(data, options.input_size, views_for(count), settings, plan.store, options.seed)
    views = compute_views(pictures, count, settings, plan.stage("features"))
    names = [example.label for example in data.examples]
    folds = fold_numbers(names, data.parts, min(options.folds, len(set(data.parts))), options.seed)
    task = Task(views, data.labels, len(data.classes), folds)
    found = search(study_name(data, options, settings), task, options, settings, plan.stage("search"))
    report = plan.stage("fit")
    report(0.0)
    fitted = fit(views, task.labels, task.classes, found.chosen, settings, seed=options.seed)
    report(1.0)
    return write_version(plan, found, fitted, measure(data, found.logits, folds, options))


def write_version(plan: Plan, found: Found, fitted: Fitted, figures: dict[str, Any]) -> ClassifierVersion:
    """Write the bundle, in place of what may be left of a damaged one."""
    data, classes = plan.data, plan.data.classes
    state = fitted.network.cpu().state_dict()
    tensors = {name: state[name].contiguous() for name in network.tuned_names(fitted.network, fitted.blocks)}
    seen = OutOfFold(
        keys=tuple(example.key for example in data.examples),
        parts=tuple(data.parts),
        truth=tuple(example.label for example in data.examples),
        given=tuple(classes[place] for place in found.logits.argmax(axis=1)),
    )
    facts = {
        "classes": list(classes),
        "hyperparameters": found.chosen.to_json(),
        "options": plan.options.to_json(),
        "data_hash": data.data_hash(),
    }
    manifest = {
        **facts,
        "category": data.category,
        "content_key": plan.key,
        "weights": weights_identity(network.WEIGHTS, plan.settings),
        "temperature": figures["temperature"],
        "threshold": figures["threshold"],
        "metrics": figures,
    }
    remove_damaged(plan.folder)
    sha256 = write_classifier(plan.folder, tensors, seen, manifest)
    return ClassifierVersion(
        category=data.category,
        version=0,
        content_key=plan.key,
        bundle_path=f"{data.category}/{plan.folder.name}",
        bundle_sha256=sha256,
        metrics={**figures, **facts, "trials": found.trials, "left_out": data.left_out},
        run_id=plan.run_id,
    )


def pass_gate(
    version: ClassifierVersion, settings: Settings, store: Store, actor: str
) -> tuple[GateResult, bool]:
    """Judge ``version`` once, and put it in use when it passes; returns whether the pointer was moved."""
    if version.gate_passed is not None:
        # judged before: a person may have moved the pointer since, and training again must not undo that
        return GateResult(version.gate_passed, version.gate_reason), False
    root = classifiers_dir(settings)
    with store.session(read_only=True) as session:
        present = classifier_versions.in_use(session, version.category)
        pointer = classifier_versions.pointer(session, version.category)
    ours = read_out_of_fold(root / version.bundle_path, version.bundle_sha256)
    theirs, note = None, ""
    if present is not None:
        try:
            theirs = read_out_of_fold(root / present.bundle_path, present.bundle_sha256)
        except BundleError as error:
            note = f" v{present.version} can name nothing any more: {error.message}"
    judgement = judge(version.metrics, ours, theirs)
    judgement = GateResult(judgement.passed, judgement.reason + note)
    with store.session() as session:
        number = stored_id(version.id)
        classifier_versions.record_judgement(session, number, judgement.passed, judgement.reason)
        if judgement.passed:
            classifier_versions.put_in_use(
                session,
                version_id=number,
                expected_pointer=pointer.pointer_version if pointer is not None else 0,
                actor=actor,
                reason=judgement.reason,
            )
    return judgement, judgement.passed
