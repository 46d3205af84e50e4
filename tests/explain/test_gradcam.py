"""Gradient explanations: the differentiable score is the real one, and its heat lies on the flaw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.explain.gradcam import METHODS, explain_class, explain_distance
from anomalyos.models.champions import Champions
from tests.support.products import draw

if TYPE_CHECKING:
    import torch

    from anomalyos.db.engine import Store
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.patchcore.bundle import Bundle


def champion(settings: Settings, store: Store) -> tuple[Bundle, PatchExtractor]:
    champions = Champions(settings, store)
    bundle = champions.load(champions.pointers()["stripes"])
    return bundle, champions.extractor(bundle.recipe)


def test_the_differentiable_distances_equal_those_of_the_detector(settings: Settings, built: Store) -> None:
    from anomalyos.explain.distance_model import distance_model

    bundle, extractor = champion(settings, built)
    rgb, _ = draw("stripes", 7, flawed=True)
    network, batch = distance_model(rgb, bundle.model, extractor)
    scores = bundle.model.score(extractor.extract([rgb])[0][0])
    ours = network(batch)[0].detach().sqrt().numpy()
    assert ours.shape == scores.distances.shape
    np.testing.assert_allclose(ours, scores.distances, rtol=1e-4)


@pytest.mark.parametrize("changes", [{"neighbourhood": 3, "border": 0}, {"reduced_dims": 16, "border": 2}])
def test_they_also_agree_under_other_recipes(settings: Settings, changes: dict[str, int]) -> None:
    from anomalyos.explain.distance_model import distance_model
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.features.recipes import get_recipe
    from anomalyos.patchcore.model import PatchCoreModel

    recipe = get_recipe("lite", input_size=96, whitening=0.25, **changes)
    extractor = PatchExtractor(recipe, settings)
    patches, _ = extractor.extract([draw("stripes", seed)[0] for seed in range(3)])
    model = PatchCoreModel.fit(patches, recipe)
    rgb, _ = draw("stripes", 9, flawed=True)
    network, batch = distance_model(rgb, model, extractor)
    expected = model.score(extractor.extract([rgb])[0][0]).distances
    np.testing.assert_allclose(network(batch)[0].detach().sqrt().numpy(), expected, rtol=1e-4)
    for method in METHODS:
        assert explain_distance(method, rgb, model, extractor).values.shape == (96, 96)


@pytest.mark.parametrize("method", METHODS)
def test_the_heat_lies_on_the_flaw_and_comes_out_the_same_again(
    settings: Settings, built: Store, method: str
) -> None:
    bundle, extractor = champion(settings, built)
    rgb, mask = draw("stripes", 11, flawed=True)
    found = explain_distance(method, rgb, bundle.model, extractor)
    again = explain_distance(method, rgb, bundle.model, extractor)
    assert found.target == "distance"
    assert found.values.dtype == np.float32
    assert found.values.min() >= 0
    assert found.values.max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(found.values, again.values)
    row, col = np.unravel_index(found.values.argmax(), found.values.shape)
    scale = mask.shape[0] / found.values.shape[0]
    rows, cols = np.nonzero(mask)
    assert rows.min() - 4 <= row * scale <= rows.max() + 4
    assert cols.min() - 4 <= col * scale <= cols.max() + 4


def test_explaining_leaves_the_shared_backbone_as_it_was(settings: Settings, built: Store) -> None:
    bundle, extractor = champion(settings, built)
    rgb, _ = draw("stripes", 3, flawed=True)
    before = extractor.extract([rgb])[0].clone()
    explain_distance("hirescam", rgb, bundle.model, extractor)
    assert not any(module._forward_hooks for module in extractor.network.backbone.modules())
    assert not any(parameter.requires_grad for parameter in extractor.network.backbone.parameters())
    assert bool((extractor.extract([rgb])[0] == before).all())


def classifier() -> torch.nn.Module:
    """Class 0 sees the left half bright, class 1 the right half."""
    import torch
    from torch import nn

    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 16 * 16, 2))
    with torch.no_grad():
        network[0].weight.fill_(1 / 3)
        network[0].bias.zero_()
        weight = torch.zeros(2, 2, 16, 16)
        weight[0, :, :, :8], weight[1, :, :, 8:] = 1, 1
        network[3].weight.copy_(weight.reshape(2, -1))
    return network


@pytest.mark.parametrize(("method", "index"), [(m, i) for m in METHODS for i in (0, 1)])
def test_a_class_is_explained_by_what_speaks_for_it(method: str, index: int) -> None:
    import torch

    batch = torch.zeros(1, 3, 16, 16)
    batch[0, :, 4, 4] = batch[0, :, 10, 12] = 1
    found = explain_class(method, batch, classifier(), index, layer="1", label="crack")
    assert (found.target, found.layer) == ("classifier:crack", "1")
    if method == "hirescam":
        assert np.unravel_index(found.values.argmax(), (16, 16)) == ((4, 4), (10, 12))[index]
    assert found.values.max() == pytest.approx(1, abs=1e-5)


def test_what_does_not_exist_is_refused_by_name(settings: Settings, built: Store) -> None:
    import torch

    bundle, extractor = champion(settings, built)
    rgb, _ = draw("stripes", 3)
    with pytest.raises(NotFound, match=r"no layer 'blocks\.99'"):
        explain_distance("hirescam", rgb, bundle.model, extractor, layer="blocks.99")
    with pytest.raises(NotFound, match="no method 'smile'"):
        explain_distance("smile", rgb, bundle.model, extractor)
    with pytest.raises(ValueError, match="one image"):
        explain_class("hirescam", torch.zeros(2, 3, 16, 16), classifier(), 0, layer="1")
    with pytest.raises(ValueError, match="class 5"):
        explain_class("hirescam", torch.zeros(1, 3, 16, 16), classifier(), 5, layer="1")
