"""The library's face: learn from pictures of normal parts, inspect new ones, save and load.

from anomalyos import PatchCore

model = PatchCore.fit("bottle/train/good", alpha=0.01)
result = model.inspect("new.png")
model.save("bottle.bundle")
model = PatchCore.load("bottle.bundle")
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError, BundleError, Conflict, NotFound
from anomalyos.core.progress import Progress, StepProgress
from anomalyos.core.runtime import Device, Runtime
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.features.weights import weights_identity
from anomalyos.patchcore.bundle import ALGORITHM, check_weights, load_bundle, write_bundle
from anomalyos.patchcore.calibration import Calibration
from anomalyos.patchcore.folds import hold_out
from anomalyos.patchcore.model import PatchCoreModel, cross_calibrate
from anomalyos.patchcore.normals import extract_normals
from anomalyos.patchcore.pictures import (
    Normals,
    Picture,
    StrPath,
    list_pictures,
    read_picture,
    read_pictures,
)
from anomalyos.patchcore.regions import Region, flagged_regions
from anomalyos.patchcore.router import Prototype
from anomalyos.patchcore.tuning import AUTO, Tuning, spared, tune


@dataclass(frozen=True, eq=False)
class Result:
    """What a model says of one picture."""

    verdict: Literal["normal", "anomalous"]
    p_value: float
    """Share of normal parts that would score at least as high, in (0, 1]; see ``Calibration``."""
    score: float
    """Anomaly score, in units of feature distance: comparable between pictures of one model only."""
    threshold: float
    """The picture is anomalous when its score lies above."""
    regions: tuple[Region, ...]
    """Boxes in pixels of the picture, strongest first; at least one of an anomalous picture."""
    map_threshold: float
    """The value of ``map`` that regions lie above."""
    heat: Float32Array = field(repr=False)
    """(S, S) float32: the anomaly map at the size the model looks at, S its ``recipe.input_size``."""
    size: tuple[int, int]
    """(width, height) of the picture, upright."""

    @cached_property
    def map(self) -> Float32Array:
        """(H, W) float32: ``heat`` at the size of the picture, made when it is first asked for."""
        from PIL import Image

        return np.asarray(Image.fromarray(self.heat).resize(self.size, Image.Resampling.BILINEAR))


class PatchCore:
    """A model of what normal looks like, made by :meth:`fit` or :meth:`load`."""

    def __init__(
        self,
        model: PatchCoreModel,
        calibration: Calibration,
        prototype: Prototype,
        facts: Mapping[str, Any],
        runtime: Runtime,
    ) -> None:
        self._model = model
        self.calibration = calibration
        self._prototype = prototype
        self._facts = facts
        self._runtime = runtime

    @classmethod
    def fit(
        cls,
        normals: Normals,
        *,
        alpha: float = 0.05,
        recipe: str | Recipe = AUTO,
        groups: Sequence[str] | None = None,
        device: Device = "auto",
        threads: int | None = None,
        weights_dir: StrPath | None = None,
        progress: StepProgress | None = None,
    ) -> PatchCore:
        """Learn from pictures of normal parts alone.

        Args:
            normals: a folder, paths, or arrays (see ``Picture``), of any sizes; 50 or more are good.
            alpha: promised share of normal parts that will be called anomalous. With K parts the strictest
                promise is 1 / (K + 1); a smaller ``alpha`` is warned of, and that promise made instead.
            recipe: ``auto`` compares :data:`tuning.CANDIDATES` on defects drawn into the pictures, which
                takes a minute or two; or a registered name (``lite``, ``dinov2_s``, ...), or one of your own.
            groups: the part or lot each picture shows, when some show the same; pictures in the order given,
                those of a folder in the order of their names.
            device: ``auto`` takes a GPU when there is one.
            threads: CPU threads of torch in this process; None leaves them as they are.
            weights_dir: folder with weights that no package ships.
            progress: called with (``tune``, ``learn``, ``calibrate`` or ``coreset``, done, in all).

        Raises:
            AnomalyOSError: no or too few pictures, one that cannot be read (which is named), no such recipe,
                no weights, or numbers that cannot be.
        """
        if not 0 < alpha < 1:
            raise AnomalyOSError(f"alpha is {alpha}.", "It is a share between 0 and 1, such as 0.01.")
        runtime = _runtime(device, threads, weights_dir)
        name, pictures = list_pictures(normals)
        parts = _parts(pictures, groups)
        chosen, tuning = _choose(recipe, pictures, parts, runtime, _step(progress, "tune"))
        extractor = PatchExtractor(chosen, runtime)
        images: list[dict[str, str]] = []
        features = extract_normals(
            read_pictures(pictures, runtime, images),
            len(pictures),
            extractor,
            runtime,
            name=name,
            progress=_step(progress, "learn"),
        )
        calibration = cross_calibrate(
            features.patches,
            parts,
            hold_out(parts),
            chosen,
            alpha,
            _step(progress, "calibrate"),
            counted=spared(tuning.groups if tuning else (), parts, alpha),
        )
        if calibration.effective_alpha() > alpha:
            few, instead = calibration.group_count, calibration.effective_alpha()
            warnings.warn(f"{few} parts cannot promise alpha {alpha:g}; {instead:.3g} it is.", stacklevel=2)
        model = PatchCoreModel.fit(features.patches, chosen, progress=_step(progress, "coreset"))
        facts: dict[str, Any] = {
            "category": name,
            "algorithm": ALGORITHM,
            "weights": weights_identity(chosen.weights, runtime),
            "training_images": images,
            "rejected_images": [],
        }
        if tuning is not None:
            facts["tuning"] = tuning.to_json()
        learned = cls(model, calibration, Prototype.from_embeddings(features.embeddings), facts, runtime)
        learned._extractor = extractor
        return learned

    @classmethod
    def load(
        cls,
        path: StrPath,
        *,
        device: Device = "auto",
        threads: int | None = None,
        weights_dir: StrPath | None = None,
    ) -> PatchCore:
        """A model that :meth:`save` or the platform wrote; every file is held against its hash.

        Raises:
            NotFound: nothing is there.
            BundleError: it is not whole, or was made with other weights.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise NotFound(f"There is no bundle {folder}.", "Give the folder that PatchCore.save wrote.")
        runtime = _runtime(device, threads, weights_dir)
        try:
            bundle = load_bundle(folder)
        except BundleError as error:
            raise BundleError(error.message, "Fetch another copy, or fit and save it again.") from error
        check_weights(bundle, runtime)
        # what is left of the manifest is written by whoever writes a bundle
        own = ("format", "files", "recipe", "recipe_sha256")
        facts = {name: value for name, value in bundle.manifest.items() if name not in own}
        return cls(bundle.model, bundle.calibration, bundle.prototype, facts, runtime)

    def save(self, path: StrPath) -> None:
        """Write the model to the folder ``path``, whole or not at all. Nothing else is written.

        Raises:
            Conflict: something is there already; a bundle never changes.
        """
        target = Path(path)
        if target.exists():
            raise Conflict(f"{target} exists already.", "Give another name, or remove it first.")
        write_bundle(
            target,
            model=self._model,
            calibration=self.calibration,
            prototype=self._prototype,
            facts=dict(self._facts),
        )

    def inspect(self, picture: Picture) -> Result:
        """Hold one picture against what normal looks like.

        Raises:
            NotFound: there is no such file.
            ImageRejected: it cannot be read, or is too small or too large.
        """
        rgb = read_picture(picture, self._runtime)[0]
        patches, _ = self._extractor.extract([rgb])
        scores = self._model.score(patches[0])
        heat = self._model.heat(scores)
        calibration = self.calibration
        size = (rgb.shape[1], rgb.shape[0])
        return Result(
            verdict="anomalous" if scores.score > self.threshold else "normal",
            p_value=calibration.p_value(scores.score),
            score=scores.score,
            threshold=self.threshold,
            regions=tuple(flagged_regions(heat, calibration, scores.score, size)),
            map_threshold=calibration.map_threshold,
            heat=heat,
            size=size,
        )

    @property
    def recipe(self) -> Recipe:
        return self._model.recipe

    @property
    def tuning(self) -> dict[str, Any] | None:
        """The comparison the recipe was chosen by (see :class:`tuning.Tuning`); None when it was named."""
        found: dict[str, Any] | None = self._facts.get("tuning")
        return found

    @property
    def alpha(self) -> float:
        """The promise the model makes: what was asked for, or the strictest its parts can give."""
        return self.calibration.effective_alpha()

    @cached_property
    def threshold(self) -> float:
        """The score above which a picture is anomalous."""
        return self.calibration.threshold()

    @cached_property
    def _extractor(self) -> PatchExtractor:
        return PatchExtractor(self.recipe, self._runtime)

    def __repr__(self) -> str:
        count = len(self.calibration.scores)
        return f"<PatchCore {self.recipe.name}: {count} normal images, alpha {self.alpha:.3g}>"


def _runtime(device: Device, threads: int | None, weights_dir: StrPath | None) -> Runtime:
    if device not in ("auto", "cpu", "cuda"):
        raise AnomalyOSError(f"There is no device '{device}'.", "Give auto, cpu or cuda.")
    if threads is not None and threads < 1:
        raise AnomalyOSError(f"{threads} threads cannot compute anything.", "Give 1 or more, or None.")
    return Runtime(device, threads, None if weights_dir is None else Path(weights_dir))


def _choose(
    recipe: str | Recipe,
    pictures: Sequence[Picture],
    parts: Sequence[str],
    runtime: Runtime,
    progress: Progress | None,
) -> tuple[Recipe, Tuning | None]:
    """The recipe that is named, or the one chosen for these pictures and why."""
    if isinstance(recipe, Recipe):
        return recipe, None
    if recipe != AUTO:
        return get_recipe(recipe), None
    tuning = tune(
        lambda number: read_picture(pictures[number], runtime)[0], parts, runtime, progress=progress
    )
    return get_recipe(tuning.chosen), tuning


def _parts(pictures: Sequence[Picture], groups: Sequence[str] | None) -> list[str]:
    """The part each picture shows, by default one of its own."""
    if groups is None:
        return [str(number) for number in range(len(pictures))]
    if len(groups) != len(pictures):
        raise AnomalyOSError(f"{len(pictures)} pictures have {len(groups)} groups.", "Give one for each.")
    if len(set(groups)) < 2:
        raise AnomalyOSError("All pictures show one part.", "Pictures of at least two parts are needed.")
    return list(groups)


def _step(progress: StepProgress | None, name: str) -> Progress | None:
    return None if progress is None else partial(progress, name)
