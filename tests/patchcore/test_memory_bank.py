"""The memory bank: where vectors came from, and files that are not what they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from anomalyos.core.errors import BundleError
from anomalyos.patchcore import memory_bank
from anomalyos.patchcore.memory_bank import MemoryBank


def test_origin_names_image_row_and_column() -> None:
    features = torch.randn(3 * 4 * 5, 2)
    bank = MemoryBank.build(features, torch.tensor([0, 7, 39, 59]), (4, 5))
    assert bank.origin.tolist() == [[0, 0, 0], [0, 1, 2], [1, 3, 4], [2, 3, 4]]
    assert np.allclose(bank.vectors, features[[0, 7, 39, 59]].numpy())


def test_saved_and_loaded_banks_answer_alike(tmp_path: Path) -> None:
    features = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
    bank = MemoryBank.build(features, torch.arange(0, 40, 2), (5, 8))
    bank.save(tmp_path)
    again = MemoryBank.load(tmp_path)
    queries = np.random.default_rng(2).normal(size=(9, 6)).astype(np.float32)
    for ours, theirs in zip(bank.search(queries, 3), again.search(queries, 3), strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(bank.origin, again.origin)


def test_more_neighbours_than_vectors_gives_all_of_them() -> None:
    bank = MemoryBank.build(torch.eye(3), torch.arange(3), (1, 3))
    distances, found = bank.search(np.zeros((1, 3), np.float32), 10)
    assert distances.shape == (1, 3)
    assert sorted(found[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("size", "products"), [(1, 1), (50, 120), (700, 4_194_304)])
def test_the_nearest_is_the_one_of_the_naive_search(
    size: int, products: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_bank, "PRODUCTS", products)  # blocks of one row, of a few, and a single one
    generator = torch.Generator().manual_seed(size)
    vectors = torch.randn(size, 7, generator=generator)
    bank = MemoryBank.build(vectors, torch.arange(size), (1, size))
    queries = torch.cat([torch.randn(40, 7, generator=generator), vectors[:3]])
    distances, found = bank.nearest(queries)
    every = torch.cdist(queries.double(), vectors.double())
    assert found.tolist() == every.argmin(dim=1).tolist()
    assert torch.allclose(distances.double(), every.amin(dim=1), atol=1e-6)
    assert distances[-1] == 0, "a vector of the bank has no distance to it, to the last digit"


def test_the_nearest_of_another_width_is_refused() -> None:
    with pytest.raises(BundleError, match="width 3"):
        MemoryBank.build(torch.eye(3), torch.arange(3), (1, 3)).nearest(torch.zeros(2, 4))


@pytest.mark.parametrize("name", ["bank.faiss", "origin.npy"])
def test_truncated_files_are_refused(tmp_path: Path, name: str) -> None:
    MemoryBank.build(torch.randn(50, 8), torch.arange(50), (5, 10)).save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BundleError, match="cannot be read"):
        MemoryBank.load(tmp_path)


def test_an_origin_of_another_bank_is_refused(tmp_path: Path) -> None:
    MemoryBank.build(torch.randn(50, 8), torch.arange(50), (5, 10)).save(tmp_path)
    np.save(tmp_path / "origin.npy", np.zeros((7, 3), np.int32))
    with pytest.raises(BundleError, match="inconsistent"):
        MemoryBank.load(tmp_path)
