"""Does tuning choose well? What drawn defects say of each recipe against what real ones say.

Test images decide nothing in the product; here they tell how good its choices were. For every real product at
hand: the candidates' AUROC on drawn defects and on the test images, the rank correlation of the two, and the
regret, which is what the chosen recipe lost against the best candidate. The one constant of the rule that has
no reason but measurement, how many standard errors are forgiven, is chosen anew without each product
(leave-one-product-out), and the regret is that of this choice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.home import SHARED, prepare
from tests.benchmarks.record import write_result

if TYPE_CHECKING:
    from anomalyos.core.settings import Settings
    from anomalyos.features.recipes import Recipe
    from anomalyos.products.dataset import CategoryData

ERRORS = (0.0, 1.0, 2.0, 3.0)
SEEDS = (0,)


def main() -> Path:
    from anomalyos.products.dataset import list_categories, load_category

    if not SHARED.is_dir():
        raise SystemExit("The real images are not here: ../shared/data.")
    settings, _ = prepare(real=True)
    found = []
    for name in list_categories(settings):
        data = load_category(settings, name)
        if data.synthetic:
            continue
        found.append(measure(name, data, settings))
        sys.stderr.write(f"{found[-1]}\n")
    return write_result("tune", {"products": found, "summary": summary(found)})


def measure(name: str, data: CategoryData, settings: Settings) -> dict[str, Any]:
    """Drawn and real figures of every candidate of one product."""
    from anomalyos.images.decoding import read_image
    from anomalyos.patchcore.tuning import candidate_recipes, tune

    samples = data.train
    recipes = candidate_recipes()
    choices = [
        tune(
            lambda number: read_image(samples[number].path, settings).rgb,
            [sample.group for sample in samples],
            settings,
            recipes,
            seed=seed,
        )
        for seed in SEEDS
    ]
    real = {recipe.name: real_auroc(recipe, data, settings) for recipe in recipes}
    return {
        "product": name,
        "candidates": [
            {
                "recipe": recipe.name,
                "drawn": [row_of(choice, recipe.name)["auroc"] for choice in choices],
                "behind": [row_of(choice, recipe.name)["behind"] for choice in choices],
                "error": [row_of(choice, recipe.name)["error"] for choice in choices],
                "real": round(real[recipe.name], 4),
            }
            for recipe in recipes
        ],
        "chosen": [choice.chosen for choice in choices],
    }


def row_of(choice: Any, recipe: str) -> dict[str, Any]:
    """What the choice knew of a recipe; nothing of one that was not worth trying."""
    rows = {row["recipe"]: row for row in choice.to_json()["candidates"]}
    return rows.get(recipe, {"auroc": None, "behind": None, "error": None})


def real_auroc(recipe: Recipe, data: CategoryData, settings: Settings) -> float:
    """Image AUROC on the test images of a bank of all training images."""
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.images.decoding import read_image
    from anomalyos.patchcore.metrics import image_auroc
    from anomalyos.patchcore.model import PatchCoreModel
    from anomalyos.patchcore.normals import ahead, extract_normals

    extractor = PatchExtractor(recipe, settings)
    normals = extract_normals(
        (read_image(sample.path, settings).rgb for sample in data.train),
        len(data.train),
        extractor,
        settings,
        name=data.name,
    )
    model = PatchCoreModel.fit(normals.patches, recipe)
    scores: list[float] = []
    for batch in ahead(read_image(sample.path, settings).rgb for sample in data.test):
        scores += [result.score for result in model.score_many(extractor.extract(batch)[0])]
    found = image_auroc(np.array([sample.defect != "good" for sample in data.test]), np.array(scores))
    assert found is not None
    return found


def pick(product: dict[str, Any], seed: int, errors: float) -> float:
    """Real AUROC of what the rule chooses when ``errors`` standard errors are forgiven."""
    rows = product["candidates"]
    tried = [row for row in rows if row["behind"][seed] is not None]
    if not tried:
        return float(rows[0]["real"])  # with so few parts the preferred one is taken untried
    return float(next(row["real"] for row in tried if row["behind"][seed] <= errors * row["error"][seed]))


def regret(products: list[dict[str, Any]], errors: float) -> float:
    """Mean over products and seeds of what was lost against the best candidate."""
    return fmean(
        max(row["real"] for row in product["candidates"]) - pick(product, seed, errors)
        for product in products
        for seed in range(len(SEEDS))
    )


def summary(products: list[dict[str, Any]]) -> dict[str, Any]:
    from scipy.stats import spearmanr

    ranks = {}
    for product in products:
        rows = [row for row in product["candidates"] if None not in row["drawn"]]
        real = [row["real"] for row in rows]
        if not rows or max(real) - min(real) < 0.005:
            continue  # untried, or all as good: there is no order to be found
        drawn = [fmean(row["drawn"]) for row in rows]
        ranks[product["product"]] = round(float(spearmanr(drawn, real).statistic), 3)
    left_out = []
    for product in products:
        others = [other for other in products if other is not product]
        errors = min(ERRORS, key=lambda each: (regret(others, each), -each))
        left_out.append(regret([product], errors))
    names = [row["recipe"] for row in products[0]["candidates"]]
    fixed = {
        name: fmean(
            row["real"] for product in products for row in product["candidates"] if row["recipe"] == name
        )
        for name in names
    }
    return {
        "rank_correlation": ranks,
        "rank_correlation_median": median(ranks.values()) if ranks else None,
        "regret": {f"{errors:g}": round(regret(products, errors), 4) for errors in ERRORS},
        "regret_left_out": round(fmean(left_out), 4),
        "mean_real_of_each": {name: round(value, 4) for name, value in fixed.items()},
        "mean_real_of_chosen": round(
            fmean(pick(product, seed, 2.0) for product in products for seed in range(len(SEEDS))), 4
        ),
    }
