"""Routing: to the nearest prototype, or nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from anomalyos.patchcore.router import CategoryRouter, Prototype, unit


def cloud(direction: int, seed: int, spread: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.zeros(16)
    base[direction] = 1
    return unit((base + rng.normal(0, spread, (30, 16))).astype(np.float32))


@pytest.fixture
def router() -> CategoryRouter:
    return CategoryRouter({name: Prototype.from_embeddings(cloud(i, i)) for i, name in enumerate("abc")})


def test_each_image_goes_to_its_own_category(router: CategoryRouter) -> None:
    for i, name in enumerate("abc"):
        for embedding in cloud(i, seed=50 + i):
            route = router.route(embedding)
            assert route.category == route.nearest == name
            assert 0.9 < route.similarity <= 1.001


def test_what_resembles_nothing_goes_nowhere(router: CategoryRouter) -> None:
    stranger = cloud(9, seed=1)[0] + 0.3 * cloud(1, seed=2)[0]
    route = router.route(unit(stranger[None])[0])
    assert route.category is None
    assert route.nearest == "b"


def test_the_floor_lies_below_every_training_image() -> None:
    embeddings = cloud(0, seed=4)
    prototype = Prototype.from_embeddings(embeddings)
    lowest = float((embeddings @ prototype.vector).min())
    assert prototype.floor(None) < lowest
    assert np.linalg.norm(prototype.vector) == pytest.approx(1)
    # a far category leaves room down to half way, a look-alike none beyond the spread
    assert prototype.floor(0.2) == pytest.approx((prototype.lowest + 0.2) / 2)
    assert prototype.floor(0.9999) == pytest.approx(prototype.floor(None))


def test_too_little_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Prototype.from_embeddings(np.ones((1, 4), np.float32))
    with pytest.raises(ValueError, match="at least one category"):
        CategoryRouter({})
