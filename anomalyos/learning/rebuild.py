"""Rebuild: a category's normal images become a model version, and, past the gate, the champion.

One path for the command, both DAGs and the first start: gather, learn, calibrate, evaluate, record, judge,
promote, track.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress, StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.patches import PatchExtractor
from anomalyos.images.decoding import ImageRejected, read_image
from anomalyos.learning.job import LearningJob
from anomalyos.learning.options import RebuildOptions
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.evaluation import evaluate_model, evaluate_version
from anomalyos.models.experiment_log import log_version
from anomalyos.models.gate import GateResult, Limits, judge
from anomalyos.models.pointer import stored_bytes
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import ALGORITHM, write_bundle
from anomalyos.patchcore.calibration import Calibration
from anomalyos.patchcore.folds import hold_out
from anomalyos.patchcore.model import PatchCoreModel, cross_calibrate
from anomalyos.patchcore.normals import extract_normals
from anomalyos.patchcore.router import Prototype
from anomalyos.patchcore.tuning import spared
from anomalyos.products.dataset import CategoryData, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def rebuild_category(
    category: str,
    settings: Settings,
    store: Store,
    options: RebuildOptions | None = None,
    *,
    run_id: str = "",
    actor: str = "cli",
    tracked: bool = False,
    progress: StepProgress | None = None,
) -> dict[str, Any]:
    """Build, calibrate, evaluate, gate, promote.

    The same images, recipe and promise never make a second version: a rebuild of unchanged inputs, or
    one that was killed half way, continues where it stopped. ``options.force`` makes a new version anyway,
    one for each ``run_id``: a task that is retried continues its own.

    Args:
        options: what this rebuild does otherwise than the category's settings; part of the inputs.
        tracked: whether the version is recorded in MLflow, whose import takes seconds.

    Returns:
        JSON-able: category, version, created, promoted, gate, metrics, set_aside, reviewed, tracking
        (``run_id`` in MLflow, the ``error``, or empty), seconds. A dry run adds ``dry_run`` and ``images``;
        its version is None unless there is one of these inputs already, its gate and metrics are empty.

    Raises:
        NotFound: for an unknown category.
        DataStopped: when the category's suite says that nothing may be learned from its images.
        AnomalyOSError: when too few images can be learned from, or settings are off.
    """
    begun = time.monotonic()
    job = LearningJob(category, settings, store, options or RebuildOptions(), run_id, actor, progress)
    key, dry_run = job.key, job.options.dry_run
    with store.session(read_only=True) as session:
        version = model_versions.find_by_content(session, job.category_id, key)
    result: dict[str, Any] = {
        "category": category,
        "version": version.version if version else None,
        "created": version is None and not dry_run,
        "promoted": False,
        "gate": {"passed": None, "reason": ""},
        "metrics": {},
        "tracking": {},
        "set_aside": job.set_aside(),
        "reviewed": len(job.data.reviewed),
    }
    if dry_run:
        result |= {"dry_run": True, "images": len(job.data.train)}
    else:
        version = version or record(job, build_version(job))
        gate, promoted = pass_gate(job, version)
        result |= {"version": version.version, "promoted": promoted, "gate": gate.to_json()}
        result["metrics"] = version.metrics
    seconds = round(time.monotonic() - begun, 2)
    if tracked and version is not None and not dry_run:
        result["tracking"] = log_version(settings, store, category, version.version, seconds=seconds)
    return {**result, "seconds": seconds}


@dataclass(frozen=True)
class Learned:
    """Training images as features, and what became of the others."""

    samples: list[Sample]
    patches: Tensor
    """(N, rows, cols, D) float32"""
    embeddings: NDArray[np.float32]
    """(N, C), unit length, under the router's recipe"""
    images: list[dict[str, str]]
    rejected: list[dict[str, str]]


def learn(
    data: CategoryData,
    extractor: PatchExtractor,
    settings: Settings,
    progress: Progress | None,
) -> Learned:
    """Features of every readable training image.

    Raises:
        AnomalyOSError: when too few can be read.
    """
    samples: list[Sample] = []
    images: list[dict[str, str]] = []
    rejected: list[dict[str, str]] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for sample in data.train:
            try:
                image = read_image(sample.path, settings)
            except ImageRejected as error:
                rejected.append({"file": sample.path.name, "code": error.code, "reason": error.message})
                continue
            samples.append(sample)
            entry = {"path": data.path_of(sample), "sha256": image.sha256}
            if sample in data.reviewed:
                entry["object"] = sample.path.relative_to(settings.objects_dir).as_posix()
            images.append(entry)
            yield image.rgb

    features = extract_normals(
        pictures(), len(data.train), extractor, settings, name=data.name, progress=progress
    )
    return Learned(samples, features.patches, features.embeddings, images, rejected)


def calibrate(job: LearningJob, learned: Learned) -> Calibration:
    """The threshold, from scores of normal images that were held out.

    Raises:
        AnomalyOSError: all images are of one part or lot.
    """
    groups = [sample.group for sample in learned.samples]
    if len(set(groups)) < 2:
        raise AnomalyOSError(
            f"The {len(groups)} normal images of {job.category} are all of one group.",
            "Add images of other parts, or correct groups.csv.",
        )
    tuned = job.tuned()
    return cross_calibrate(
        learned.patches,
        groups,
        hold_out(groups),
        job.recipe,
        job.own.alpha,
        job.step("calibrate"),
        counted=spared(tuned["groups"] if tuned else (), groups, job.own.alpha),
    )


def build_version(job: LearningJob) -> ModelVersion:
    """Learn, calibrate and evaluate; write the bundle; return the row that is to be stored."""
    data = job.data
    learned = learn(data, job.extractor, job.settings, job.step("learn"))
    calibration = calibrate(job, learned)
    model = PatchCoreModel.fit(learned.patches, job.recipe, progress=job.step("coreset"))
    figures = evaluate_model(model, calibration, data, job.extractor, job.settings, job.step("evaluate"))
    figures |= {"test_hash": job.test_hash, "data_hash": job.data_hash}
    figures["trained_on"] = {"images": len(learned.samples), "reviewed": len(data.reviewed)}
    tuned = job.tuned()
    if tuned is not None:
        figures["tuning"] = tuned
    folder = f"{data.name}/{job.key[:16]}"
    sha256 = write_bundle(
        job.settings.bundles_dir / folder,
        model=model,
        calibration=calibration,
        prototype=Prototype.from_embeddings(learned.embeddings),
        facts={
            "category": data.name,
            "content_key": job.key,
            "algorithm": ALGORITHM,
            "weights": job.weights,
            "training_images": learned.images,
            "rejected_images": learned.rejected + job.set_aside(),
            **({"tuning": tuned} if tuned is not None else {}),
        },
    )
    return ModelVersion(
        category_id=job.category_id,
        version=0,
        content_key=job.key,
        bundle_path=folder,
        bundle_sha256=sha256,
        recipe=job.recipe.name,
        recipe_hash=job.recipe.digest(),
        alpha=calibration.effective_alpha(),
        threshold=calibration.threshold(),
        metrics=figures,
        run_id=job.run_id,
    )


def record(job: LearningJob, version: ModelVersion) -> ModelVersion:
    """Store the row under the category's next number, once."""
    with job.store.session() as session:
        return model_versions.add_next(session, version)


def pass_gate(job: LearningJob, version: ModelVersion) -> tuple[GateResult, bool]:
    """Judge ``version`` against the champion and promote it when it passes.

    Returns the judgement and whether the pointer was moved.
    """
    with job.store.session(read_only=True) as session:
        category = categories.by_name(session, job.category)
        champion = model_versions.champion(session, job.category)
    if champion is not None and champion.id == version.id:
        return GateResult(True, version.gate_reason or "Champion already."), False
    if version.gate_passed is not None:
        # judged before: a person may have rolled it back since, and a rebuild must not undo that
        return GateResult(version.gate_passed, version.gate_reason), False
    gate = judge(
        version.metrics,
        comparable_metrics(job, champion, version.metrics),
        limits=Limits.of(job.settings),
        bundle_bytes=stored_bytes(job.settings, version),
    )
    with job.store.session() as session:
        stored = model_versions.get(session, stored_id(version.id))
        stored.gate_passed, stored.gate_reason = gate.passed, gate.reason
        session.add(stored)
        if gate.passed:
            promotions.promote(
                session,
                category_id=job.category_id,
                version_id=stored_id(version.id),
                expected_pointer=category.pointer_version,
                actor=job.actor,
                reason=gate.reason,
            )
    return gate, gate.passed


def comparable_metrics(
    job: LearningJob, champion: ModelVersion | None, challenger: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The champion's figures on the challenger's test images, measured anew when those changed."""
    if champion is None:
        return None
    tested = challenger.get("test_hash")
    if champion.metrics.get("test_hash") == tested:
        return champion.metrics

    # both were measured on the images there are now, in the same order: their replicates are pairs
    return {**evaluate_version(champion, job.data, job.settings), "test_hash": tested}
