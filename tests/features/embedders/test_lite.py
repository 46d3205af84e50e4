from __future__ import annotations

import numpy as np

from anomalyos.core.settings import Settings
from anomalyos.features.embedders import get_image_embedder
from tests.support.products import draw


def test_vectors_are_of_unit_length_whatever_the_size_and_the_company(settings: Settings) -> None:
    embedder = get_image_embedder(settings)
    pictures = [draw("dots", seed)[0][: 40 + seed, :50] for seed in range(18)]
    vectors = embedder.images(pictures)
    assert vectors.shape == (18, embedder.dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.images(pictures[3:4]), vectors[3:4], atol=1e-4)
    assert embedder.images([]).shape == (0, embedder.dims)


def test_what_looks_alike_is_near(settings: Settings) -> None:
    embedder = get_image_embedder(settings)
    a, b, other = embedder.images([draw("dots", 1)[0], draw("dots", 2)[0], draw("stripes", 3)[0]])
    assert a @ b > a @ other + 0.02


def test_the_embedder_is_loaded_once(settings: Settings) -> None:
    assert get_image_embedder(settings) is get_image_embedder(settings)
