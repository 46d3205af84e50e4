"""Fitting: what is frozen stays, what is free learns, and the same seed gives the same network."""

from __future__ import annotations

import numpy as np
import pytest

from anomalyos.classifier import network
from anomalyos.classifier.crops import turn
from anomalyos.classifier.fitting import Hyperparameters, class_weights, fit
from anomalyos.classifier.views import Views, compute_views, views_for
from anomalyos.core.settings import Settings
from tests.classifier import drawn


@pytest.fixture(scope="module")
def crops() -> tuple[np.ndarray, np.ndarray]:
    pictures = [network.resized(drawn.draw(kind, seed), 64) for seed in range(4) for kind in drawn.TYPES]
    return np.stack(pictures), np.arange(12) % 3


def eight(crop: np.ndarray) -> list[np.ndarray]:
    return [turn(crop, view) for view in range(8)]


@pytest.fixture(scope="module")
def views(crops: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Views:
    settings = Settings(home=tmp_path_factory.mktemp("views"), _env_file=None)
    return compute_views(lambda place: eight(crops[0][place]), 12, settings)


def test_views_are_what_the_whole_network_would_give(
    crops: tuple[np.ndarray, np.ndarray], views: Views, settings: Settings
) -> None:
    import torch

    assert [tuple(start.shape) for start in views.starts] == [
        (12, 8, 1280),
        (12, 8, 192, 2, 2),
        (12, 8, 112, 4, 4),
    ]
    trunk = network.load_trunk(settings)
    with torch.inference_mode():
        for view in (0, 5):
            whole = trunk(network.normalised(np.stack([turn(crop, view) for crop in crops[0]])))
            torch.testing.assert_close(views.starts[0][:, view], whole, rtol=1e-4, atol=1e-4)


def test_the_eight_views_are_all_different_and_few_where_crops_are_many() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert len({turn(picture, view).tobytes() for view in range(8)}) == 8
    np.testing.assert_array_equal(turn(picture, 0), picture)
    assert [views_for(count) for count in (10, 600, 601, 3000, 3001)] == [8, 8, 4, 4, 1]


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_only_what_is_free_changes_and_it_learns(
    crops: tuple[np.ndarray, np.ndarray], views: Views, settings: Settings, blocks: int
) -> None:
    import torch

    chosen = Hyperparameters(blocks=blocks, tail_epochs=2)
    fitted = fit(views, crops[1], 3, chosen, settings, seed=1)
    before, after = views.trunk.state_dict(), fitted.network.state_dict()
    free = set(network.tuned_names(fitted.network, blocks))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed <= free
    assert any(name.startswith(f"blocks.{network.BLOCKS - blocks}") for name in changed) == (blocks > 0)
    assert not any("running" in name for name in changed)
    logits = fitted.logits(views)
    np.testing.assert_array_equal(logits.argmax(axis=1), crops[1])
    with torch.inference_mode():
        whole = fitted.network.eval()(network.normalised(crops[0])).numpy()
    np.testing.assert_allclose(logits, whole, atol=0.02)
    again = fit(views, crops[1], 3, chosen, settings, seed=1)
    np.testing.assert_array_equal(again.logits(views), logits)


def test_fitting_leaves_the_seed_of_others_alone(
    crops: tuple[np.ndarray, np.ndarray], views: Views, settings: Settings
) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(views, crops[1], 3, Hyperparameters(blocks=0), settings, seed=1)
    torch.testing.assert_close(torch.rand(3), expected)


def test_balancing_gives_a_rare_class_more_say(views: Views, settings: Settings) -> None:
    labels = np.array([0] * 11 + [1])

    def say(**chosen: object) -> float:
        """How much the rare example speaks for its own class."""
        plan = Hyperparameters(blocks=0, head_rate=1e-3, **chosen)
        logits = fit(views, labels, 2, plan, settings).logits(views)
        return float(logits[11, 1] - logits[11, 0])

    plain = say(beta=0.0)
    assert say(beta=0.999) > plain + 0.5
    assert say(balance="sampling") > plain + 0.5


def test_class_weights_are_those_of_the_effective_number() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    np.testing.assert_allclose(class_weights(labels, 2, 0.0), [1, 1])
    effective = np.array([(1 - 0.99**90) / 0.01, (1 - 0.99**10) / 0.01])
    expected = 1 / effective
    np.testing.assert_allclose(class_weights(labels, 2, 0.99), expected * 2 / expected.sum())
    nearly = class_weights(labels, 3, 0.99999)
    assert nearly[1] / nearly[0] == pytest.approx(9, rel=1e-3)
    assert nearly[2] == 0
