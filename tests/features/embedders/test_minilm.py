"""MiniLM: known properties of its sentence vectors, and refusals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from anomalyos.core.settings import Settings
from anomalyos.features.embedders import minilm
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.features.embedders.text import get_text_embedder
from anomalyos.features.weights import WeightsMissing


@pytest.fixture
def embedder(settings: Settings) -> TextEmbedder:
    settings.device = "cpu"
    return get_text_embedder(settings)


# First four of 384 values, and their inner product: from the transformers package's own BertModel with
# mean pooling, run once by hand on these sentences.
REFERENCE = {
    "a crack in the shell": [-0.020328, 0.081063, 0.078072, 0.00232],
    "the shell is split": [0.047423, 0.087695, 0.03108, -0.019935],
}


def test_agrees_with_the_reference_implementation(embedder: TextEmbedder) -> None:
    vectors = embedder.texts(list(REFERENCE))
    assert np.allclose(vectors[:, :4], list(REFERENCE.values()), atol=1e-5)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(0.637815, abs=1e-5)


def test_vectors_have_unit_length_whatever_the_sentence(embedder: TextEmbedder) -> None:
    odd = ["", "   ", "\x00\x07", "\ud800", "💥 cracked", "word " * 2000, "a"]
    vectors = embedder.texts(odd)
    assert vectors.shape == (7, embedder.dims) == (7, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_sentence_gives_no_vector(embedder: TextEmbedder) -> None:
    assert embedder.texts([]).shape == (0, 384)


def test_neighbours_in_a_batch_change_nothing(embedder: TextEmbedder) -> None:
    """Padding is masked, and the order of the answer is the order of the question."""
    sentences = ["blowhole in a casting " * 30, "crack", "the fabric has a hole in it", ""]
    alone = np.concatenate([embedder.texts([sentence]) for sentence in sentences])
    assert np.allclose(embedder.texts(sentences), alone, atol=1e-5)


def test_meaning_is_nearer_than_wording(embedder: TextEmbedder) -> None:
    question, same, other = embedder.texts(
        ["why did the nut shell break", "cause of a cracked hazelnut", "the solder paste was smeared"]
    )
    assert question @ same > question @ other + 0.2


def test_batches_hold_every_sentence_once_and_not_too_many_tokens() -> None:
    lengths = sorted([3, 3, 7, 12, 256, 256, 90, 2, 2])
    bounds = minilm.batch_bounds(lengths)
    assert bounds[0] == 0
    assert bounds[-1] == len(lengths)
    assert bounds == sorted(set(bounds))
    for start, stop in pairwise(bounds):
        assert (stop - start) * lengths[stop - 1] <= max(minilm.BATCH_TOKENS, lengths[stop - 1])
    assert minilm.batch_bounds([]) == [0]


def test_other_files_than_the_pinned_ones_are_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    with pytest.raises(WeightsMissing, match="tokeniser"):
        minilm.MiniLmEmbedder(settings)


def test_loaded_once_a_process(settings: Settings) -> None:
    assert get_text_embedder(settings) is get_text_embedder(settings)
