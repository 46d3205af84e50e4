"""How well defects are named: the classifier against the most frequent name and the nearest cases."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.db.rows import stored_id
from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result

if TYPE_CHECKING:
    from anomalyos.classifier.dataset import DefectSet
    from anomalyos.classifier.views import Views

CATEGORY = "magnetic_tile"
OUTER, TRIALS = 3, 4
REPEATS = {"part": 2, "photograph": 1}
"""By what stays together; each repeat splits anew."""
NEIGHBOURS = (1, 5)
METHODS = ("classifier", "nearest_case", "majority_of_5_cases", "most_frequent_name")
GUIDE = {
    "protocol": f"{OUTER} outer folds, split anew in each repeat. Search, temperature and threshold see the "
    "training side alone; every case is named once a repeat by what was learned without its part.",
    "part": "Tiles were shot at up to six exposures; here all photographs of a tile stay together (told by "
    "runs of rising exposures in the file names: a heuristic). The headline.",
    "photograph": "Only the photograph itself stays together, so other exposures of the same tile are "
    "learned from: what a plain split would report.",
    "mask": "asked with the middle of the labelled defect, as cases are learned and filed: what a perfect "
    "region would give",
    "region": "asked with the middle of the strongest region the champion finds, as in use. The headline.",
    "chosen_on": "The size of the square the classifier looks at was chosen by figures on these images (with "
    "frozen features), as the squares of retrieval were; both are somewhat kinder here than on a new "
    "product.",
    "macro_f1": "mean F1 over the five defect types, averaged over the repeats; interval: 95 % bootstrap "
    "over what stays together, 1000 replicates. Of the classifier the likeliest name counts, whether it "
    "would have been given or not.",
    "nearest_case": "name of the most similar known case, under the vectors similar cases are found with",
    "majority_of_5_cases": "most frequent name among the five most similar; of equally many the nearest",
    "gap": "classifier minus nearest_case or majority_of_5_cases on the same draws",
    "dont_know": "below the threshold, chosen on the training side for at least 90 % of given names right",
    "ece": "expected calibration error in 15 bins, on the outer test sides",
}


@dataclass
class Names:
    """What each method called each case, one row a repeat, and the classifier's calibrated answers."""

    given: dict[str, list[Any]] = field(default_factory=dict)
    named: list[Any] = field(default_factory=list)
    raw: list[Any] = field(default_factory=list)
    calibrated: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Material:
    """Everything about the cases that does not depend on a split."""

    data: DefectSet
    views: dict[str, Views]
    """By kind of crop."""
    looks: dict[str, Any]
    """(N, D) retrieval vectors by kind of question."""


def main() -> Path:
    from anomalyos.cases.library import get_case_library

    settings, store = prepare(real=True)
    get_case_library(settings, store).import_labelled(CATEGORY)
    begun = time.monotonic()
    material = gather(settings, store)
    say(f"{len(material.data.examples)} cases read after {time.monotonic() - begun:.0f} s")
    groupings = {
        "part": material.data.parts,
        "photograph": [example.photograph for example in material.data.examples],
    }
    figures: dict[str, Any] = {}
    for grouping, groups in groupings.items():
        names = {kind: Names() for kind in material.views}
        chosen: list[dict[str, Any]] = []
        for repeat in range(REPEATS[grouping]):
            one_repeat(material, groups, repeat, settings, names, chosen)
        figures[grouping] = {
            kind: summarise(found, material.data, groups) for kind, found in names.items()
        } | {"groups": len(set(groups)), "repeats": REPEATS[grouping], "chosen": chosen}
    return write_result(
        "classifier",
        {
            "guide": GUIDE,
            "category": CATEGORY,
            "cases": dict(sorted(Counter(e.label for e in material.data.examples).items())),
            "left_out": material.data.left_out,
            "trials": TRIALS,
            "headline": figures["part"]["region"]["macro_f1"],
            **figures,
            "minutes": round((time.monotonic() - begun) / 60, 1),
        },
    )


def gather(settings: Any, store: Any) -> Material:
    """Frozen features and retrieval vectors of the labelled places, and of those the champion finds."""
    from anomalyos.classifier.crops import pictures_of
    from anomalyos.classifier.dataset import load_defects
    from anomalyos.classifier.options import TrainingOptions
    from anomalyos.classifier.views import compute_views, views_for
    from anomalyos.learning.rebuild import rebuild_category

    rebuild_category(CATEGORY, settings, store, actor="benchmark")
    data = load_defects(CATEGORY, settings, store)
    size = TrainingOptions().input_size
    count = len(data.examples)
    pictures = pictures_of(data, size, views_for(count), settings, store)
    regions, looks = look_as_in_use(data, size, settings, store)
    say("regions found")
    views = {
        "mask": compute_views(pictures, count, settings, quarters("features")),
        "region": compute_views(lambda place: [regions[place]], count, settings),
    }
    return Material(data, views, looks)


def look_as_in_use(data: DefectSet, size: int, settings: Any, store: Any) -> tuple[Any, dict[str, Any]]:
    """Squares (size, size, 3) around the strongest region of each photograph, and the vectors cases are filed
    with (``mask``) and asked for with (``region``)."""
    from anomalyos.cases import repository as case_repository
    from anomalyos.cases.appearance import Appearance, FocusedImage
    from anomalyos.cases.crops import centre
    from anomalyos.cases.evaluation import strongest
    from anomalyos.classifier.crops import look
    from anomalyos.classifier.network import resized
    from anomalyos.features.embedders import get_image_embedder
    from anomalyos.images.decoding import decode_image
    from anomalyos.inspection.inspector import Inspector

    inspector = Inspector(settings, store)
    appearance = Appearance(get_image_embedder(settings))
    with store.session(read_only=True) as session:
        rows = {row.content_key: row for row in case_repository.list_cases(session, CATEGORY, limit=100_000)}
        filed = case_repository.vectors(
            session, appearance.digest, [stored_id(row.id) for row in rows.values()]
        )
    squares, asked = [], []
    for example in data.examples:
        image = decode_image(store.objects.read(rows[example.key].image_path), settings)
        region = strongest(inspector.examine(image), image.width, image.height)
        focus = None if region is None else centre(region)
        squares.append(resized(look(image.rgb, focus), size))
        asked.append(appearance.vectors([FocusedImage(image.rgb, focus)])[0])
    vectors = np.stack([filed[stored_id(rows[example.key].id)] for example in data.examples])
    return squares, {"mask": vectors, "region": np.stack(asked)}


def one_repeat(
    material: Material,
    groups: Sequence[str],
    repeat: int,
    settings: Any,
    names: dict[str, Names],
    chosen: list[dict[str, Any]],
) -> None:
    """Split, learn each training side and name each test side; adds one row to every method."""
    from anomalyos.classifier.dataset import fold_numbers

    labels = material.data.labels
    outer = fold_numbers([e.label for e in material.data.examples], groups, OUTER, repeat)
    for found in names.values():
        for method in METHODS:
            found.given.setdefault(method, []).append(np.full(len(labels), -1))
        for rows in (found.raw, found.calibrated):
            rows.append(np.zeros((len(labels), len(material.data.classes))))
        found.named.append(np.zeros(len(labels), dtype=bool))
    for fold in range(OUTER):
        start = time.monotonic()
        learned = learn(material, groups, np.flatnonzero(outer != fold), settings)
        for kind, found in names.items():
            name_side(found, kind, material, np.flatnonzero(outer == fold), outer != fold, learned)
        chosen.append({**learned["chosen"], "seconds": round(time.monotonic() - start, 1)})
        say(f"repeat {repeat}, fold {fold}: {chosen[-1]}")


def learn(material: Material, groups: Sequence[str], side: Any, settings: Any) -> dict[str, Any]:
    """What ``train_classifier`` does, on one training side, in a home that is gone afterwards."""
    from anomalyos.classifier import calibration
    from anomalyos.classifier.dataset import fold_numbers
    from anomalyos.classifier.fitting import fit
    from anomalyos.classifier.options import TrainingOptions
    from anomalyos.classifier.search import Task, search

    options = TrainingOptions(trials=TRIALS)
    data, labels = material.data, material.data.labels[side]
    own = [groups[place] for place in side]
    folds = fold_numbers([data.classes[label] for label in labels], own, options.folds, options.seed)
    views = material.views["mask"].subset(side)
    with tempfile.TemporaryDirectory() as home:
        apart = settings.model_copy(update={"home": Path(home)})
        found = search("outer", Task(views, labels, len(data.classes), folds), options, apart)
    temperature = calibration.fit_temperature(found.logits, labels)
    inner = calibration.softmax(found.logits, temperature)
    right = inner.argmax(axis=1) == labels
    threshold = calibration.choose_threshold(inner.max(axis=1), right, options.least_accuracy)
    return {
        "fitted": fit(views, labels, len(data.classes), found.chosen, settings, seed=options.seed),
        "temperature": temperature,
        "threshold": threshold.value,
        "chosen": found.chosen.to_json() | {"inner_macro_f1": best(found.trials)},
    }


def best(trials: list[dict[str, Any]]) -> float:
    return max(float(trial["macro_f1"]) for trial in trials if trial["state"] == "complete")


def name_side(
    found: Names, kind: str, material: Material, test: Any, known: Any, learned: dict[str, Any]
) -> None:
    """Every method's names of one outer test side, in the newest row."""
    from anomalyos.classifier.calibration import softmax

    labels = material.data.labels
    logits = learned["fitted"].logits(material.views[kind].subset(test))
    probabilities = softmax(logits, learned["temperature"])
    found.raw[-1][test] = softmax(logits)
    found.calibrated[-1][test] = probabilities
    found.named[-1][test] = probabilities.max(axis=1) >= learned["threshold"]
    found.given["classifier"][-1][test] = logits.argmax(axis=1)
    found.given["most_frequent_name"][-1][test] = np.bincount(labels[known]).argmax()
    cases = np.flatnonzero(known)
    similarity = material.looks[kind][test] @ material.looks["mask"][cases].T
    ranked = labels[cases][np.argsort(-similarity, axis=1, kind="stable")]
    found.given["nearest_case"][-1][test] = ranked[:, 0]
    found.given["majority_of_5_cases"][-1][test] = [most_frequent(row[: NEIGHBOURS[1]]) for row in ranked]


def most_frequent(ranked: Any) -> int:
    """Of equally frequent names the one that comes first."""
    return int(Counter(ranked.tolist()).most_common(1)[0][0])


def summarise(found: Names, data: DefectSet, groups: Sequence[str]) -> dict[str, Any]:
    from anomalyos.classifier import scores
    from anomalyos.classifier.calibration import expected_calibration_error

    labels, classes = data.labels, len(data.classes)
    draws = scores.part_draws(groups)
    drawn = {
        method: np.mean([scores.replicates(labels, given, classes, draws) for given in rows], axis=0)
        for method, rows in found.given.items()
    }
    repeats = range(len(found.named))
    right = [found.given["classifier"][r] == labels for r in repeats]
    answered = sum(int(found.named[r].sum()) for r in repeats)
    named_right = sum(int(right[r][found.named[r]].sum()) for r in repeats)
    return {
        "macro_f1": {
            method: {
                "value": mean(scores.macro_f1(labels, given, classes) for given in rows),
                **ends(drawn[method]),
                "by_repeat": [round(scores.macro_f1(labels, given, classes), 4) for given in rows],
            }
            for method, rows in found.given.items()
        },
        "accuracy": {
            method: mean(np.mean(given == labels) for given in rows) for method, rows in found.given.items()
        },
        "gap": {
            method: {
                "value": mean(drawn["classifier"] - drawn[method]),
                **ends(drawn["classifier"] - drawn[method]),
            }
            for method in ("nearest_case", "majority_of_5_cases")
        },
        "dont_know": {
            "coverage": round(answered / (len(labels) * len(right)), 4),
            "accuracy_of_named": round(named_right / answered, 4) if answered else None,
            "accuracy_of_all": mean(np.mean(row) for row in right),
        },
        "ece": {
            "before": mean(expected_calibration_error(rows, labels) for rows in found.raw),
            "after": mean(expected_calibration_error(rows, labels) for rows in found.calibrated),
        },
        "by_class": scores.by_class(
            np.tile(labels, len(right)), np.concatenate(found.given["classifier"]), data.classes
        ),
    }


def ends(values: Any) -> dict[str, float]:
    from anomalyos.classifier.scores import interval

    low, high = interval(values)
    return {"low95": round(low, 4), "high95": round(high, 4)}


def mean(values: Any) -> float:
    return round(float(np.mean(list(values))), 4)


def quarters(what: str) -> Callable[[float], None]:
    told: set[int] = set()

    def show(share: float) -> None:
        if int(share * 4) not in told:
            told.add(int(share * 4))
            say(f"{what}: {share:.0%}")

    return show


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
