"""The memory bank: the normal patches every new patch is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import BundleError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PRODUCTS = 4_194_304
"""Patch-vector products held at once: 16 MiB, which stays in a processor's cache better than more."""


@dataclass(frozen=True)
class MemoryBank:
    """Coreset vectors in an exact FAISS index, with the place each one came from.

    ``origin`` is (M, 3) int32: training image number, patch row, patch column.
    """

    index: Any
    origin: NDArray[np.int32]
    _placed: dict[torch.device, tuple[Tensor, Tensor]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Vectors and their squared lengths on each device that has asked."""

    @classmethod
    def build(cls, features: Tensor, chosen: Tensor, grid: tuple[int, int]) -> MemoryBank:
        """Index the rows ``chosen`` of ``features`` (N * rows * cols, D), patches in image order."""
        import faiss

        vectors = features[chosen.to(features.device)].cpu().numpy().astype(np.float32)
        index = faiss.IndexFlatL2(vectors.shape[1])
        index.add(vectors)
        rows, cols = grid
        places = chosen.cpu().numpy()
        image, patch = np.divmod(places, rows * cols)
        row, col = np.divmod(patch, cols)
        return cls(index, np.stack([image, row, col], axis=1).astype(np.int32))

    @property
    def size(self) -> int:
        return int(self.index.ntotal)

    @property
    def dims(self) -> int:
        return int(self.index.d)

    def search(self, patches: Float32Array, k: int = 1) -> tuple[Float32Array, NDArray[np.int64]]:
        """Euclidean distances and bank positions of the ``k`` nearest, both (N, k), nearest first.

        Raises:
            BundleError: when the patches have another width than the bank.
        """
        self._check_width(patches.shape)
        squared, found = self.index.search(np.ascontiguousarray(patches, np.float32), min(k, self.size))
        # expanded squares can come out a rounding error below zero
        return np.sqrt(np.maximum(squared, 0)), found

    def nearest(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Euclidean distance to the nearest vector and its bank position, (N,) float32 and int64 on the
        device of ``patches`` (N, D).

        A matrix product on torch's own threads, block by block, finds the vector; its distance is then taken
        from the difference itself, which expanded squares lose digits of. FAISS took up to twice as long for
        the same bank, and up to four times for narrow ones.

        Raises:
            BundleError: when the patches have another width than the bank.
        """
        import torch

        self._check_width(tuple(patches.shape))
        vectors, lengths = self._on(patches.device)
        distances, found = [], []
        with torch.inference_mode():
            for rows in torch.split(patches, max(1, PRODUCTS // self.size)):
                best = torch.addmm(lengths, rows, vectors.T, alpha=-2).argmin(dim=1)
                distances.append(torch.linalg.vector_norm(rows - vectors[best], dim=1))
                found.append(best)
            return torch.cat(distances), torch.cat(found)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        import torch

        if device not in self._placed:
            vectors = torch.from_numpy(self.vectors).to(device)
            self._placed[device] = (vectors, vectors.square().sum(dim=1))
        return self._placed[device]

    def _check_width(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or shape[1] != self.dims:
            raise BundleError(
                f"Patches of shape {shape} do not fit a memory bank of width {self.dims}.",
                "The bundle was made with another recipe; rebuild the category.",
            )

    @cached_property
    def vectors(self) -> Float32Array:
        """(M, D) float32."""
        return np.asarray(self.index.reconstruct_n(0, self.size), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write ``bank.faiss`` and ``origin.npy``."""
        import faiss

        faiss.write_index(self.index, str(folder / "bank.faiss"))
        np.save(folder / "origin.npy", self.origin, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> MemoryBank:
        """Read what :meth:`save` wrote.

        Raises:
            BundleError: for a truncated or foreign file.
        """
        import faiss

        try:
            index = faiss.read_index(str(folder / "bank.faiss"))
            origin = np.load(folder / "origin.npy", allow_pickle=False)
        except (RuntimeError, OSError, ValueError) as error:
            raise BundleError(
                f"The memory bank in {folder.name} cannot be read.", "Rebuild the category or roll back."
            ) from error
        if origin.shape != (index.ntotal, 3):
            raise BundleError(f"The memory bank in {folder.name} is inconsistent.", "Rebuild the category.")
        return cls(index, origin)
