"""What a CPU has learned must hold on CUDA: a threshold is of no use where scores are others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anomalyos.core.settings import Settings
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import get_recipe
from anomalyos.patchcore.model import PatchCoreModel
from tests.support.products import draw

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def scores(
    settings: Settings, device: str, recipe: str, model: PatchCoreModel | None = None
) -> tuple[list[float], PatchCoreModel]:
    """Scores of six parts on ``device``, by ``model`` or by one learned there."""
    extractor = PatchExtractor(
        get_recipe(recipe), settings.model_copy(update={"device": device, "threads": 2})
    )
    if model is None:
        good = [extractor.extract([draw("dots", number)[0]])[0] for number in range(12)]
        model = PatchCoreModel.fit(torch.cat(good).cpu(), extractor.recipe)
    parts = [draw("dots", 900 + number, flawed=number % 2 == 1)[0] for number in range(6)]
    return [float(model.score(extractor.extract([part])[0][0]).score) for part in parts], model


@pytest.mark.parametrize(("recipe", "apart"), [("lite", 1e-5), ("dinov2_s", 1e-4)])
def test_a_model_scores_alike_on_both(settings: Settings, recipe: str, apart: float) -> None:
    on_cpu, model = scores(settings, "cpu", recipe)
    on_cuda, _ = scores(settings, "cuda", recipe, model)
    assert np.allclose(on_cuda, on_cpu, rtol=apart), "TF32 moves them by some hundredths"
    assert min(on_cuda[1::2]) > max(on_cuda[::2])


def test_a_model_learned_on_cuda_tells_defects_apart(settings: Settings) -> None:
    found, _ = scores(settings, "cuda", "lite")
    assert min(found[1::2]) > max(found[::2])
