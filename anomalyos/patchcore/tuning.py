"""Tune: which recipe suits a product, decided on its normal pictures and on defects drawn into them.

No recipe suits every product: fine lines want early layers at a large size, textures want a transformer's
middle blocks. Pictures of defects decide nothing here, so what is found on test images afterwards is honest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.patchcore.bootstrap import auroc_replicates
from anomalyos.patchcore.folds import fold_numbers, rank
from anomalyos.patchcore.metrics import image_auroc
from anomalyos.patchcore.model import BATCH, PatchCoreModel
from anomalyos.patchcore.synthesis import KINDS, Synthetic, add_defect

if TYPE_CHECKING:
    import torch

Rgb = NDArray[np.uint8]

AUTO = "auto"
"""What stands for a recipe where tuning is to choose one."""
CANDIDATES = ("dinov2_s", "lite", "lite_448", "dinov2_s_448")
"""Recipes that are compared, the preferred first: it takes more than noise to leave one for a later one."""
ONLY_IF = {"dinov2_s_448": ("lite_448", "lite")}
"""A candidate that takes most of the time, tried only where the first of the other two beats the second by
more than a standard error: the quick recipe has gained from the size, so the slow one may."""
PICTURES = 60
"""Normal pictures the choice is made on, at most: the error of the comparison falls with their root."""
FEWEST_GROUPS = 6
"""With fewer parts the first candidate is taken untried: drawn defects in so few pictures decide by luck."""
FOLDS = 3
DEFECTS_EACH = 3
"""Drawn defects for each normal picture."""
LONGEST = 1024
"""Pixels of a picture's longer side while the choice is made; every candidate looks at fewer."""
REPLICATES = 200
ERRORS = 2.0
"""Standard errors that a candidate may lie behind the best one and still be taken for as good. Drawn defects
are local changes, which early layers see best; real ones are more than that, so it takes clear evidence."""
SPARE_FROM = 60
"""From this many parts on the choice is made on a third of them, and the threshold learned on the others."""
LEAST_UNSEEN = SPARE_FROM * 2 // 3
"""The fewest other parts a threshold is learned on alone."""


@dataclass(frozen=True)
class Candidate:
    """How one recipe told drawn defects from normal pictures."""

    recipe: str
    auroc: float
    """Of held-out normal pictures against drawn defects."""
    behind: float
    """How far it lies behind the best candidate."""
    error: float
    """Standard error of that difference, over parts (paired bootstrap)."""
    kinds: dict[str, float]
    """AUROC of each kind of drawn defect alone."""
    ms: float
    """Milliseconds a picture, from pixels to score, in batches."""


@dataclass(frozen=True)
class Tuning:
    """A choice and what it rests on."""

    chosen: str
    reason: str
    candidates: tuple[Candidate, ...] = ()
    pictures: int = 0
    groups: tuple[str, ...] = ()
    """Parts the choice was made on; where others are enough, the threshold is not learned on these."""
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        lists = {"candidates": [asdict(row) for row in self.candidates], "groups": list(self.groups)}
        return asdict(self) | lists


def candidate_recipes(**changes: object) -> list[Recipe]:
    """The recipes to compare, each with ``changes``; one that they do not fit is left out."""
    found: dict[str, Recipe] = {}
    refusals = []
    for name in CANDIDATES:
        try:
            recipe = get_recipe(name, **changes)
        except ValidationError as error:
            first = error.errors()[0]
            refusals.append(f"{name}: {'.'.join(map(str, first['loc']))} {first['msg']}")
            continue
        # two sizes of a recipe are one when the changes name the size
        found.setdefault(recipe.model_copy(update={"name": ""}).digest(), recipe)
    if not found:
        raise AnomalyOSError(
            f"No recipe that is compared takes the changes {', '.join(sorted(changes))}.",
            f"Correct them or name a recipe. {refusals[0]}.",
        )
    return list(found.values())


def tune(
    read: Callable[[int], Rgb | None],
    groups: Sequence[str],
    settings: RuntimeSettings,
    candidates: Sequence[Recipe] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuning:
    """Choose the recipe for a product from normal pictures of the parts ``groups``.

    Held-out pictures and drawn defects are scored by banks of the other pictures. The first candidate that
    lies no more than :data:`ERRORS` standard errors behind the best one is chosen.

    Args:
        read: gives picture number i, (H, W, 3) uint8, or None when it cannot be read; asked only for those
            the choice is made on.
        groups: (N) part or lot of each picture.
        candidates: :func:`candidate_recipes` by default, the preferred first.
        progress: called with (pictures scored, in all).
    """
    recipes = list(candidates or candidate_recipes())
    taken = [(groups[number], read(number)) for number in spread(groups, PICTURES, seed)]
    pictures = [(group, shrunk(rgb)) for group, rgb in taken if rgb is not None]
    if len({group for group, _ in pictures}) < FEWEST_GROUPS or len(recipes) == 1:
        why = f"fewer than {FEWEST_GROUPS} parts decide by luck" if len(recipes) > 1 else "no other candidate"
        return Tuning(recipes[0].name, f"Taken untried: {why}.")
    trial = Trial([rgb for _, rgb in pictures], [group for group, _ in pictures], seed)
    scores: dict[str, NDArray[np.float64]] = {}
    costs: dict[str, float] = {}
    total = len(recipes) * len(trial.defective)
    for number, (_, same) in enumerate(groupby(recipes, key=Recipe.feature_key)):
        alike = [recipe for recipe in same if trial.worth_trying(recipe.name, scores)]
        before = number * len(trial.defective)
        for name, found, ms in trial.score(alike, settings, before, total, progress) if alike else ():
            scores[name], costs[name] = found, ms
    if progress is not None:
        progress(total, total)
    return trial.decide(scores, costs)


class Trial:
    """Normal pictures and the defects drawn into them, the same for every candidate."""

    def __init__(self, normals: list[Rgb], groups: list[str], seed: int) -> None:
        self.normals, self.groups, self.seed = normals, groups, seed
        self.folds = np.array(fold_numbers(self.groups, min(FOLDS, len(set(self.groups))), seed))
        self.parts = np.unique(self.groups, return_inverse=True)[1]
        self.synthetic = list(self._draw(seed))
        self.parent = np.repeat(np.arange(len(self.normals)), DEFECTS_EACH)
        self.kinds = np.array([drawn.kind for drawn in self.synthetic])
        self.defective = np.r_[np.zeros(len(self.normals), bool), np.ones(len(self.synthetic), bool)]

    def _draw(self, seed: int) -> Iterator[Synthetic]:
        kinds = list(KINDS)
        for number, rgb in enumerate(self.normals):
            rng = np.random.default_rng([seed, number])
            for turn in range(DEFECTS_EACH):
                other = self.normals[int(rng.integers(len(self.normals)))]
                yield add_defect(rgb, other, rng, kinds[(number * DEFECTS_EACH + turn) % len(kinds)])

    def score(
        self,
        recipes: list[Recipe],
        settings: RuntimeSettings,
        before: int,
        total: int,
        progress: Progress | None,
    ) -> Iterator[tuple[str, NDArray[np.float64], float]]:
        """Scores (normals, then drawn defects) and milliseconds a picture of recipes with equal features."""
        begun = time.perf_counter()
        extractor = PatchExtractor(recipes[0], settings)
        normals = _extracted(extractor, self.normals)
        scores = {recipe.name: np.empty(len(self.defective)) for recipe in recipes}
        offset = len(self.normals)
        done = 0
        for fold in np.unique(self.folds):
            held = self.folds == fold
            models = [PatchCoreModel.fit(normals, recipe, keep=~held) for recipe in recipes]
            mine = np.flatnonzero(held)
            drawn = np.flatnonzero(np.isin(self.parent, mine))
            work = [(mine[part], normals[mine[part]]) for part in _parts(len(mine))]
            for numbers, patches in [*work, *self._drawn(extractor, drawn, offset)]:
                for model in models:
                    found = [result.score for result in model.score_many(patches)]
                    scores[model.recipe.name][numbers] = found
                done += len(numbers) * len(models)
                if progress is not None:
                    progress(before + done, total)
        ms = (time.perf_counter() - begun) * 1000 / len(self.defective) / len(recipes)
        for recipe in recipes:
            yield recipe.name, scores[recipe.name], round(ms, 1)

    def _drawn(
        self, extractor: PatchExtractor, numbers: NDArray[np.int64], offset: int
    ) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        for part in _parts(len(numbers)):
            chosen = numbers[part]
            yield chosen + offset, extractor.extract([self.synthetic[number].rgb for number in chosen])[0]

    def decide(self, scores: dict[str, NDArray[np.float64]], costs: dict[str, float]) -> Tuning:
        """The first of ``scores`` that is as good as the best of them."""
        aurocs = {name: _auroc(self.defective, found) for name, found in scores.items()}
        best = max(aurocs, key=aurocs.__getitem__)
        rows = tuple(
            Candidate(
                name,
                round(aurocs[name], 4),
                round(aurocs[best] - aurocs[name], 4),
                round(self.error(scores[best], scores[name]), 4),
                self._by_kind(scores[name]),
                costs[name],
            )
            for name in scores
        )
        chosen = next(row for row in rows if row.behind <= ERRORS * row.error)
        reason = (
            f"{chosen.recipe} told drawn defects apart best."
            if chosen.recipe == best
            else (
                f"{best} was better by {chosen.behind:.3f} on drawn defects, which is within {ERRORS:g} "
                f"standard errors of {chosen.error:.3f}: {chosen.recipe} is preferred."
            )
        )
        return Tuning(
            chosen.recipe, reason, rows, len(self.normals), tuple(sorted(set(self.groups))), self.seed
        )

    def worth_trying(self, name: str, scores: dict[str, NDArray[np.float64]]) -> bool:
        """Whether a candidate of :data:`ONLY_IF` has what it waits for; every other one is."""
        larger, smaller = (scores.get(other) for other in ONLY_IF.get(name, ("", "")))
        if larger is None or smaller is None:
            return True
        gain = _auroc(self.defective, larger) - _auroc(self.defective, smaller)
        return gain > self.error(larger, smaller)

    def error(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        """Standard error of the difference of two AUROCs (paired bootstrap over parts)."""
        first, second = (auroc_replicates(self.defective, each, self._weights) for each in (one, other))
        return float(np.std(first - second))

    @cached_property
    def _weights(self) -> NDArray[np.int64]:
        """(B, N) how often each picture counts in each replicate: parts are drawn with all that is theirs."""
        rng = np.random.default_rng(self.seed)
        count = int(self.parts.max()) + 1
        drawn = rng.multinomial(count, np.full(count, 1 / count), REPLICATES).astype(np.int64)
        return drawn[:, np.r_[self.parts, self.parts[self.parent]]]

    def _by_kind(self, found: NDArray[np.float64]) -> dict[str, float]:
        normal, drawn = found[~self.defective], found[self.defective]
        result = {}
        for kind in sorted(set(self.kinds.tolist())):
            one = drawn[self.kinds == kind]
            marks = np.r_[np.zeros(len(normal), bool), np.ones(len(one), bool)]
            result[kind] = round(_auroc(marks, np.r_[normal, one]), 3)
        return result


def _auroc(defective: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    found = image_auroc(defective, scores)
    assert found is not None, "both kinds are there"
    return found


def spread(groups: Sequence[str], most: int, seed: int) -> list[int]:
    """Numbers of at most ``most`` pictures, in turn of each part, of as many parts as there are.

    From :data:`SPARE_FROM` parts on they come from a third of the parts only, so that the others are left to
    learn the threshold from.
    """
    parts = sorted(set(groups), key=lambda group: rank(group, seed))
    if len(parts) >= SPARE_FROM:
        parts = parts[: len(parts) // 3]
    waiting = {part: [number for number, group in enumerate(groups) if group == part] for part in parts}
    chosen: list[int] = []
    while len(chosen) < most and any(waiting.values()):
        for part in parts:
            if waiting[part] and len(chosen) < most:
                chosen.append(waiting[part].pop(0))
    return sorted(chosen)


def spared(seen: Collection[str], groups: Sequence[str], alpha: float) -> NDArray[np.bool_]:
    """(N,) which pictures the threshold is learned on: of parts the choice did not see, if those are enough.

    A threshold learned on the very parts that a recipe was chosen on promises a little more than it keeps.
    The others are enough when they can promise ``alpha``, or when all parts together could not.

    Args:
        seen: parts the choice was made on.
        groups: (N) part of each picture.
        alpha: the promise that is asked for.
    """
    every, unseen = set(groups), set(groups) - set(seen)
    enough = 1 / (len(unseen) + 1) <= alpha or 1 / (len(every) + 1) > alpha
    if len(unseen) < LEAST_UNSEEN or not enough:
        return np.ones(len(groups), dtype=bool)
    return np.array([group in unseen for group in groups])


def shrunk(rgb: Rgb, longest: int = LONGEST) -> Rgb:
    """``rgb`` (H, W, 3) with a longer side of at most ``longest`` pixels."""
    from PIL import Image

    scale = longest / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def _extracted(extractor: PatchExtractor, pictures: Sequence[Rgb]) -> torch.Tensor:
    import torch

    return torch.cat([extractor.extract(list(pictures[part]))[0] for part in _parts(len(pictures))])


def _parts(count: int) -> Iterable[slice]:
    return (slice(start, start + BATCH) for start in range(0, count, BATCH))
