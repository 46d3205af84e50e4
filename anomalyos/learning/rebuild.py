"""Rebuild: a category's normal images become a model version, and, past the gate, the champion."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.features.weights import weights_identity
from anomalyos.images.decoding import ImageRejected, read_image
from anomalyos.inspection.reviewed_normals import reviewed_normals
from anomalyos.learning.rebuild_options import RebuildOptions
from anomalyos.learning.reviewed import reviewed_samples
from anomalyos.models import categories, promotions
from anomalyos.models import versions as models
from anomalyos.models.evaluation import evaluate_category, evaluate_model
from anomalyos.models.gate import GateResult, Limits, judge
from anomalyos.models.pointer import stored_bytes
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import FORMAT, write_bundle
from anomalyos.patchcore.model import PatchCore, cross_calibrate
from anomalyos.patchcore.router import ROUTER_RECIPE, Prototype
from anomalyos.products.category_settings import CategorySettings, category_settings
from anomalyos.products.dataset import CategoryData, Sample, load_category
from anomalyos.products.groups import fold_groups
from anomalyos.quality.data_check import check_category, require_learnable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FEWEST_IMAGES = 5
FOLDS_FEW, FOLDS_MANY = 10, 5
"""Parts the training images are held out in: ten while they are few and each one is missed."""
MANY_IMAGES = 200
SEED = 0

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, in all); stages: check, learn, calibrate, coreset, evaluate."""


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


def rebuild_category(
    name: str,
    settings: Settings,
    store: Store,
    *,
    run_id: str = "",
    actor: str = "cli",
    force: bool = False,
    options: RebuildOptions | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Build, calibrate, evaluate, gate, promote.

    The same images, recipe and promise never make a second version: a rebuild of unchanged inputs, or
    one that was killed half way, continues where it stopped. ``force`` makes a new version anyway,
    one for each ``run_id``: a task that is retried continues its own.

    Args:
        options: what this rebuild does otherwise than the category's settings; part of the inputs.

    Returns:
        JSON-able: category, version, created, promoted, gate, metrics, set_aside, reviewed, seconds. Of a dry
        run version is None unless there is one of these inputs already, and gate and metrics are empty.

    Raises:
        NotFound: for an unknown category.
        DataStopped: when the category's suite says that nothing may be learned from its images.
        AnomalyOSError: when too few images can be learned from, or settings are off.
    """

    begun = time.monotonic()
    options = options or RebuildOptions()
    own = options.applied(category_settings(name, settings))
    recipe = own.build_recipe()
    data, category_id = learnable(name, settings, store, options, progress)
    key = content_key(
        data, recipe, own.alpha, settings, salt=(run_id or str(time.time_ns())) if force else ""
    )
    with store.session(read_only=True) as session:
        version = models.find_by_content(session, category_id, key)
    if options.dry_run:
        return planned(data, version, time.monotonic() - begun)
    created = version is None
    if version is None:
        row = build_version(data, own, recipe, settings, key, progress)
        row.category_id, row.run_id = category_id, run_id
        version = add_version(store, row)
    gate, promoted = pass_gate(name, version, data, settings, store, actor)
    return {
        "category": name,
        "version": version.version,
        "created": created,
        "promoted": promoted,
        "gate": gate.to_json(),
        "metrics": version.metrics,
        "set_aside": set_aside(data),
        "reviewed": len(data.reviewed),
        "seconds": round(time.monotonic() - begun, 2),
    }


def learnable(
    name: str, settings: Settings, store: Store, options: RebuildOptions, progress: Progress | None
) -> tuple[CategoryData, int]:
    """The category less what its data check sets aside, plus reviewed normals if wanted, and its id."""

    data = load_category(settings, name)
    check = check_category(name, settings, store, data=data, progress=stage(progress, "check"))
    require_learnable(check)
    data = data.without(check.left_out())
    with store.session() as session:
        category_id = stored_id(categories.ensure(session, name, synthetic=data.synthetic).id)
        normals = reviewed_normals(session, category_id) if options.use_reviewed else []
    return data.with_reviewed(reviewed_samples(data, normals, settings)), category_id


def planned(data: CategoryData, version: ModelVersion | None, seconds: float) -> dict[str, Any]:
    """What a rebuild would work on, and the version its inputs have made already."""
    return {
        "category": data.name,
        "dry_run": True,
        "version": version.version if version else None,
        "created": False,
        "promoted": False,
        "gate": {"passed": None, "reason": ""},
        "metrics": {},
        "images": len(data.train),
        "set_aside": set_aside(data),
        "reviewed": len(data.reviewed),
        "seconds": round(seconds, 2),
    }


def content_key(data: CategoryData, recipe: Recipe, alpha: float, settings: Settings, salt: str = "") -> str:
    """SHA-256 over everything a version is made from."""

    parts = {
        "data": data.content_hash(),
        "recipe": recipe.digest(),
        "weights": weights_identity(recipe.weights, settings),
        "alpha": alpha,
        "format": FORMAT,
        "folds": [FOLDS_FEW, FOLDS_MANY, MANY_IMAGES],
        "salt": salt,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def build_version(
    data: CategoryData,
    own: CategorySettings,
    recipe: Recipe,
    settings: Settings,
    key: str,
    progress: Progress | None,
) -> ModelVersion:
    """Learn, calibrate and evaluate; write the bundle; return the row that is to be stored."""

    extractor = PatchExtractor(recipe, settings)
    learned = learn(data, extractor, settings, stage(progress, "learn"))
    groups = [sample.group for sample in learned.samples]
    folds_wanted = FOLDS_MANY if len(groups) > MANY_IMAGES else FOLDS_FEW
    parts = fold_groups(learned.samples, folds=min(folds_wanted, len(set(groups))), seed=SEED)
    fold_of = {sample.path: fold for fold, part in enumerate(parts) for sample in part}
    numbers = np.array([fold_of[sample.path] for sample in learned.samples])
    folds = [numbers == fold for fold in range(len(parts))]
    calibration = cross_calibrate(
        learned.patches, groups, folds, recipe, own.alpha, stage(progress, "calibrate")
    )
    model = PatchCore.fit(learned.patches, recipe, progress=stage(progress, "coreset"))
    figures = evaluate_model(model, calibration, data, extractor, settings, stage(progress, "evaluate"))
    figures |= {"test_hash": test_hash(data), "data_hash": data.content_hash()}
    figures["trained_on"] = {"images": len(learned.samples), "reviewed": len(data.reviewed)}
    folder = f"{data.name}/{key[:16]}"
    sha256 = write_bundle(
        settings.bundles_dir / folder,
        model=model,
        calibration=calibration,
        prototype=Prototype.from_embeddings(learned.embeddings),
        facts={
            "category": data.name,
            "content_key": key,
            "weights": weights_identity(recipe.weights, settings),
            "training_images": learned.images,
            "rejected_images": learned.rejected + set_aside(data),
        },
    )
    return ModelVersion(
        category_id=0,
        version=0,
        content_key=key,
        bundle_path=folder,
        bundle_sha256=sha256,
        recipe=recipe.name,
        recipe_hash=recipe.digest(),
        alpha=calibration.effective_alpha(),
        threshold=calibration.threshold(),
        metrics=figures,
    )


def set_aside(data: CategoryData) -> list[dict[str, str]]:
    """Training images a data check left out, as ``Learned.rejected`` names those that cannot be read."""
    return [{"file": file.rsplit("/", 1)[-1], **why} for file, why in sorted(data.left_out.items())]


def learn(
    data: CategoryData,
    extractor: PatchExtractor,
    settings: Settings,
    progress: Callable[[int, int], None] | None,
) -> Learned:
    """Features of every readable training image.

    Raises:
        AnomalyOSError: when fewer than ``FEWEST_IMAGES`` can be read.
    """
    import torch

    router_recipe = get_recipe(ROUTER_RECIPE)
    same = router_recipe.feature_key() == extractor.recipe.feature_key()
    router = extractor if same else PatchExtractor(router_recipe, settings)
    samples: list[Sample] = []
    images: list[dict[str, str]] = []
    rejected: list[dict[str, str]] = []
    patches: Tensor | None = None
    embeddings = []
    for done, sample in enumerate(data.train, start=1):
        try:
            image = read_image(sample.path, settings)
        except ImageRejected as error:
            rejected.append({"file": sample.path.name, "code": error.code, "reason": error.message})
            continue
        features, whole = extractor.extract([image.rgb])
        if patches is None:
            patches = torch.empty((len(data.train), *features.shape[1:]), device=features.device)
        patches[len(samples)] = features[0]
        embeddings.append((whole if same else router.extract([image.rgb])[1])[0].cpu().numpy())
        samples.append(sample)
        entry = {"path": data.path_of(sample), "sha256": image.sha256}
        if sample in data.reviewed:
            entry["object"] = sample.path.relative_to(settings.objects_dir).as_posix()
        images.append(entry)
        if progress is not None:
            progress(done, len(data.train))
    if patches is None or len(samples) < FEWEST_IMAGES:
        raise AnomalyOSError(
            f"{data.name} has {len(samples)} readable normal images.",
            f"At least {FEWEST_IMAGES} are needed to learn what normal looks like; 50 or more are better.",
        )
    return Learned(samples, patches[: len(samples)], np.stack(embeddings), images, rejected)


def test_hash(data: CategoryData) -> str:
    """SHA-256 over the test images: two evaluations compare only on the same ones."""

    lines = [f"{s.path.relative_to(data.root).as_posix()}\0{file_sha256(s.path)}\n" for s in data.test]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def add_version(store: Store, row: ModelVersion) -> ModelVersion:
    """Store the row under the next free version number; another process may take one meanwhile."""
    from sqlalchemy.exc import IntegrityError

    for _ in range(10):
        candidate = ModelVersion(**row.model_dump(exclude={"id", "version"}), version=0)
        try:
            with store.session() as session:
                candidate.version = models.next_version(session, row.category_id)
                return models.add(session, candidate)
        except IntegrityError:
            continue
    raise Conflict("Other processes keep adding versions of this category.", "Try again in a moment.")


def pass_gate(
    name: str, version: ModelVersion, data: CategoryData, settings: Settings, store: Store, actor: str
) -> tuple[GateResult, bool]:
    """Judge ``version`` against the champion and promote it when it passes.

    Returns the judgement and whether the pointer was moved.
    """

    with store.session(read_only=True) as session:
        category = categories.by_name(session, name)
        champion = models.champion(session, name)
    if champion is not None and champion.id == version.id:
        return GateResult(True, version.gate_reason or "Champion already."), False
    if version.gate_passed is not None:
        # judged before: a person may have rolled it back since, and a rebuild must not undo that
        return GateResult(version.gate_passed, version.gate_reason), False
    gate = judge(
        version.metrics,
        comparable_metrics(champion, version, name, settings, store),
        limits=Limits.of(settings),
        bundle_bytes=stored_bytes(settings, version),
    )
    with store.session() as session:
        stored = models.get(session, stored_id(version.id))
        stored.gate_passed, stored.gate_reason = gate.passed, gate.reason
        session.add(stored)
        if gate.passed:
            promotions.promote(
                session,
                category_id=stored_id(category.id),
                version_id=stored_id(version.id),
                expected_pointer=category.pointer_version,
                actor=actor,
                reason=gate.reason,
            )
    return gate, gate.passed


def comparable_metrics(
    champion: ModelVersion | None, challenger: ModelVersion, name: str, settings: Settings, store: Store
) -> dict[str, Any] | None:
    """The champion's figures on the challenger's test images, measured anew when those changed."""
    if champion is None:
        return None
    if champion.metrics.get("test_hash") == challenger.metrics.get("test_hash"):
        return champion.metrics

    # both were measured on the images there are now, in the same order: their replicates are pairs
    return {**evaluate_category(name, settings, store), "test_hash": challenger.metrics.get("test_hash")}


def stage(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)
