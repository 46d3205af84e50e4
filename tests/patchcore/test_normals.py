"""Pictures to features: in their order, a few at a time, and refused when they cannot be held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.runtime import Runtime
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import get_recipe
from anomalyos.patchcore import normals
from anomalyos.patchcore.normals import ahead, extract_normals
from tests.support.products import draw

RUNTIME = Runtime(device="cpu", threads=1)


def test_pictures_come_in_their_order_and_no_more_than_two_lists_are_read() -> None:
    taken: list[int] = []

    def pictures() -> Iterator[np.ndarray]:
        for number in range(11):
            taken.append(number)
            yield np.full((2, 2, 3), number, np.uint8)

    seen: list[int] = []
    for batch in ahead(pictures(), size=3):
        seen += [int(picture[0, 0, 0]) for picture in batch]
        assert len(taken) <= len(seen) + 3
    assert seen == list(range(11))


def test_what_reading_raises_is_raised() -> None:
    def pictures() -> Iterator[np.ndarray]:
        yield np.zeros((2, 2, 3), np.uint8)
        raise AnomalyOSError("a torn file")

    with pytest.raises(AnomalyOSError, match="a torn file"):
        list(ahead(pictures(), size=4))


def test_features_are_those_of_each_picture_alone() -> None:
    extractor = PatchExtractor(get_recipe("lite", input_size=64, border=0), RUNTIME)
    pictures = [draw("dots", number)[0] for number in range(11)]
    seen: list[tuple[int, int]] = []
    found = extract_normals(
        pictures, 11, extractor, RUNTIME, name="dots", progress=lambda *at: seen.append(at)
    )
    assert seen == [(8, 11), (11, 11)]
    alone, _ = extractor.extract([pictures[9]])
    assert torch.allclose(found.patches[9], alone[0], atol=1e-3)
    assert found.embeddings.shape[0] == 11


def test_what_does_not_fit_into_memory_is_refused_with_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normals, "available_memory", lambda: 2**30)
    extractor = PatchExtractor(get_recipe("lite", input_size=64, border=0), RUNTIME)
    each = 8 * 8 * 152 * 4 * normals.COPIES
    pictures = [draw("dots", number)[0] for number in range(5)]
    with pytest.raises(
        AnomalyOSError, match=r"20,000 images at 64 pixels a side needs about 1\.8 GiB"
    ) as told:
        extract_normals(pictures, 20_000, extractor, RUNTIME, name="dots")
    assert f"About {int(2**30 / each):,} images fit" in told.value.hint
    assert extract_normals(pictures, 5, extractor, RUNTIME, name="dots").patches.shape[0] == 5
