"""A small model of the anomaly score that only knows the five readable figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.writing import draft
from anomalyos.core.progress import Progress
from anomalyos.explain.corruptions import KINDS, corrupt
from anomalyos.explain.readable import NAMES, DepthDeviation, Normality, measure
from anomalyos.features.patches import PatchExtractor
from anomalyos.patchcore.bundle import Bundle
from anomalyos.patchcore.memory_bank import MemoryBank

SURROGATE_VERSION = 1
"""Counts up whenever the same bundle and photographs would give another surrogate."""
IMAGES = 40
FEWEST_IMAGES = 5
DAMAGED_EACH = 5
FOLDS = 5
ReadImage = Callable[[dict[str, str]], NDArray[np.uint8]]
"""``{"path", "sha256"}`` of a training image -> its pixels (H, W, 3)."""


@dataclass(frozen=True)
class Surrogate:
    """A training table, and the trees that follow from it: the table is kept, the trees are grown anew."""

    normality: Normality
    features: NDArray[np.float64]
    """(N, 5), on the grid of :func:`on_grid`."""
    scores: NDArray[np.float64]
    """(N,) the real score, held against a bank without the photograph's own patches."""
    images: NDArray[np.int64]
    """(N,) the part each row's photograph shows; rows of one part stay on one side of a split."""
    clean: NDArray[np.bool_]
    """(N,) whether the photograph was left undamaged."""

    @cached_property
    def model(self) -> Any:
        """Trees fitted to every row; the same table gives the same trees."""
        return grow(self.features, self.scores)

    @cached_property
    def explainer(self) -> Any:
        """shap.TreeExplainer with the undamaged photographs as background."""
        import shap

        return shap.TreeExplainer(
            self.model, data=self.background, feature_perturbation="interventional", model_output="raw"
        )

    @property
    def background(self) -> NDArray[np.float64]:
        """(n, 5) figures of the undamaged photographs."""
        return self.features[self.clean]

    @property
    def typical(self) -> NDArray[np.float64]:
        """(5,) median of the undamaged photographs."""
        return np.asarray(np.median(self.background, axis=0), dtype=np.float64)

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores (n,) for figures (n, 5)."""
        return np.asarray(self.model.predict(on_grid(features)), dtype=np.float64)

    @cached_property
    def fidelity(self) -> dict[str, float]:
        """r2, spearman and n over photographs the trees that judged them had not seen, damaged or not."""
        folds = fold_numbers(self.images)
        guessed = np.empty_like(self.scores)
        for fold in np.unique(folds):
            held = folds == fold
            trees = grow(self.features[~held], self.scores[~held])
            guessed[held] = trees.predict(self.features[held])
        return agreement(self.scores, guessed)


def fit_surrogate(
    bundle: Bundle,
    extractor: PatchExtractor,
    read: ReadImage,
    depth_deviation: DepthDeviation,
    progress: Progress | None = None,
) -> Surrogate:
    """Learn what the score depends on from normal photographs and damaged copies of them.

    No label is used. Up to ``IMAGES`` training photographs (fewer at large input sizes, where each costs
    more), spread evenly, are scored as they are and with ``DAMAGED_EACH`` kinds of drawn damage. A
    training photograph would find its own patches in the memory bank and score about 0, so the vectors
    that came from it, and from other pictures of the same part, are left out of the bank while its copies
    are scored.

    Args:
        progress: called with (photographs done, photographs in all).

    Raises:
        AnomalyOSError: for a bundle of fewer than ``FEWEST_IMAGES`` training images.
    """
    entries, groups = bundle.training_images, part_numbers(bundle)
    if len(entries) < FEWEST_IMAGES:
        raise AnomalyOSError(
            f"{bundle.category} was learned from {len(entries)} images: too few to explain its score.",
            f"Rebuild it with at least {FEWEST_IMAGES}.",
        )
    numbers = spread_images(len(entries), bundle.recipe.input_size)
    pictures = [read(entries[i]) for i in numbers]
    normality = Normality.learn(pictures)
    rows: list[NDArray[np.float64]] = []
    scores: list[float] = []
    for done, (i, rgb) in enumerate(zip(numbers, pictures, strict=True), start=1):
        copies = [rgb, *damaged_copies(rgb, int(i), done)]
        bank = without_parts(bundle.model.bank, groups == groups[i])
        for figures, score in _measure_all(copies, bank, bundle, extractor, normality, depth_deviation):
            rows.append(figures)
            scores.append(score)
        if progress is not None:
            progress(done, len(numbers))
    each = 1 + DAMAGED_EACH
    return Surrogate(
        normality=normality,
        features=on_grid(np.stack(rows)),
        scores=np.array(scores, dtype=np.float64),
        images=np.repeat(groups[numbers], each),
        clean=np.tile(np.arange(each) == 0, len(numbers)),
    )


def _measure_all(
    copies: list[NDArray[np.uint8]],
    bank: MemoryBank,
    bundle: Bundle,
    extractor: PatchExtractor,
    normality: Normality,
    depth_deviation: DepthDeviation,
) -> list[tuple[NDArray[np.float64], float]]:
    model, limit = replace(bundle.model, bank=bank), bundle.calibration.map_threshold
    patches, _ = extractor.extract(copies)
    measured = []
    for rgb, result in zip(copies, model.score_many(patches), strict=True):
        figures = measure(rgb, model.heat(result), limit, normality, depth_deviation)
        measured.append((figures, result.score))
    return measured


def damaged_copies(rgb: NDArray[np.uint8], number: int, turn: int) -> list[NDArray[np.uint8]]:
    """``DAMAGED_EACH`` copies, the kinds taking turns from photograph to photograph."""
    kinds = list(KINDS)
    return [corrupt(rgb, kinds[(turn + j) % len(kinds)], [number, j]) for j in range(DAMAGED_EACH)]


def spread_images(count: int, input_size: int) -> NDArray[np.int64]:
    """Numbers of the photographs to use, spread evenly over ``count``."""
    affordable = max(16, round(IMAGES * min(1.0, (224 / input_size) ** 1.5)))
    return np.unique(np.linspace(0, count - 1, min(count, affordable)).round().astype(np.int64))


def part_numbers(bundle: Bundle) -> NDArray[np.int64]:
    """(images,) number of the part each training image shows; calibration grouped them already."""
    groups = bundle.calibration.groups
    count = len(bundle.training_images)
    return groups if len(groups) == count else np.arange(count, dtype=np.int64)


def without_parts(bank: MemoryBank, left_out: NDArray[np.bool_]) -> MemoryBank:
    """The bank without vectors of the training images marked in ``left_out`` (images,).

    The whole bank when nothing would remain.
    """
    import faiss

    keep = ~left_out[bank.origin[:, 0]]
    if not keep.any():
        return bank
    index = faiss.IndexFlatL2(bank.dims)
    index.add(np.ascontiguousarray(bank.vectors[keep]))
    return MemoryBank(index, bank.origin[keep])


def grow(features: NDArray[np.float64], scores: NDArray[np.float64]) -> Any:
    """Boosted regression trees, deterministic."""
    from sklearn.ensemble import GradientBoostingRegressor

    trees = GradientBoostingRegressor(
        n_estimators=120, max_depth=3, learning_rate=0.08, min_samples_leaf=4, random_state=0
    )
    return trees.fit(features, scores)


def on_grid(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """``features`` rounded to a 1024th, within ±8192.

    Thresholds lie half way between two such values and are exact in single precision. Otherwise a value
    a rounding error away from a threshold could go left in scikit-learn and right in shap, and the SHAP
    values would not add up.
    """
    return np.asarray(np.clip(np.round(features * 1024) / 1024, -8192, 8192), dtype=np.float64)


def fold_numbers(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) fold of each row; rows of one group share a fold, whatever their number."""
    order = np.unique(groups, return_inverse=True)[1]
    shuffled = np.random.default_rng(0).permutation(int(order.max()) + 1)
    return np.asarray(shuffled[order] % min(FOLDS, len(shuffled)), dtype=np.int64)


def agreement(real: NDArray[np.float64], guessed: NDArray[np.float64]) -> dict[str, float]:
    """r2, Spearman's rank correlation and n; 0 for a correlation of what does not vary."""
    from scipy import stats

    spread = float(np.square(real - real.mean()).sum())
    r2 = 1 - float(np.square(real - guessed).sum()) / spread if spread > 0 else 0.0
    varies = len(real) > 1 and np.ptp(real) > 0 and np.ptp(guessed) > 0
    rank = float(stats.spearmanr(real, guessed).statistic) if varies else 0.0
    return {"r2": round(r2, 4), "spearman": round(rank, 4), "n": float(len(real))}


def surrogate_path(folder: Path, bundle_sha256: str, depth_method: str) -> Path:
    """Where the table of one bundle lies: another bundle, depth estimator or version is another file."""
    text = f"{bundle_sha256}\0{depth_method}\0{SURROGATE_VERSION}"
    return folder / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"


def save_surrogate(surrogate: Surrogate, path: Path) -> None:
    """Write the table in one step; what another process wrote meanwhile is replaced by the same."""
    with draft(path, mode=0o600) as part, part.open("wb") as file:
        np.savez(
            file,
            features=surrogate.features,
            scores=surrogate.scores,
            images=surrogate.images,
            clean=surrogate.clean,
            edge_threshold=np.float64(surrogate.normality.edge_threshold),
            textures=surrogate.normality.textures,
        )


def load_surrogate(path: Path) -> Surrogate | None:
    """What :func:`save_surrogate` wrote, None when there is nothing or it is damaged: it can be refitted."""
    import zipfile

    try:
        with np.load(path, allow_pickle=False) as table:
            found = Surrogate(
                normality=Normality(float(table["edge_threshold"]), table["textures"]),
                features=table["features"],
                scores=table["scores"],
                images=table["images"],
                clean=table["clean"],
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    count = len(found.scores)
    whole = found.features.shape == (count, len(NAMES)) and len(found.images) == len(found.clean) == count
    return found if whole and found.clean.any() else None
