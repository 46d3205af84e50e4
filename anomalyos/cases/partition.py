"""One category's vectors in one FAISS index, whatever its factory string makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError

FLAT = "Flat"
TRAINING_POINTS = 39
"""Vectors FAISS wants per k-means centre before it stops warning."""
PROBED_SHARE = 0.1
"""Share of an inverted file's lists that a search looks into."""
LEAST_EF_SEARCH = 128
"""Candidates an HNSW search keeps, whatever k is."""


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS on the calling thread alone.

    A process forked after its parent searched with several threads hangs in its first search, and
    Airflow's executor forks. A category's search is short enough for one thread.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)  # torch may share the setting


class Partition:
    """Unit vectors with ids; exact until there are enough of them to train the wanted recipe.

    An index that cannot delete (HNSW) keeps the vector and leaves its id out of every answer.
    """

    def __init__(self, dims: int, factory: str) -> None:
        """Raises ``AnomalyOSError`` for a factory string FAISS does not know."""
        self.dims = dims
        self.factory = factory
        self.trains_at = points_to_train(dims, factory)
        self.waiting = self.trains_at > 0
        """Whether it is still exact because there are too few vectors to train ``factory``."""
        self.index = make_index(dims, FLAT if self.waiting else factory)
        self.live: set[int] = set()
        self.hidden: set[int] = set()

    def __len__(self) -> int:
        return len(self.live)

    @one_thread()
    def add(self, ids: NDArray[np.int64], vectors: Float32Array) -> None:
        """Add (N,) ids, none of them present, with their vectors (N, D)."""
        if not self.hidden.isdisjoint(ids.tolist()):
            # an index that cannot delete cannot replace either: only a fresh one forgets a vector
            self._refill()
        self.index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)
        self.live.update(ids.tolist())
        if self.waiting and len(self) >= self.trains_at:
            self.waiting = False
            self._refill()

    @one_thread()
    def remove(self, ids: Iterable[int]) -> None:
        """Take ids out that are present."""
        import faiss

        gone = sorted(ids)
        self.live.difference_update(gone)
        try:
            self.index.remove_ids(faiss.IDSelectorBatch(np.array(gone, np.int64)))
        except RuntimeError:  # this kind of index cannot delete
            self.hidden.update(gone)

    @one_thread()
    def search(
        self, queries: Float32Array, k: int, without: Iterable[int] = ()
    ) -> tuple[Float32Array, NDArray[np.int64]]:
        """Similarities (N, k) and ids (N, k), best first; a missing hit has the id -1.

        Args:
            queries: (N, D) float32, contiguous.
            without: ids that must not be answered.
        """
        import faiss

        left_out = np.array(sorted(self.hidden.union(without)), np.int64)
        batch = faiss.IDSelectorBatch(left_out) if len(left_out) else None
        selector = faiss.IDSelectorNot(batch) if batch is not None else None
        similarities, ids = self.index.search(queries, k, params=search_parameters(self.index, selector, k))
        return similarities, ids

    def _refill(self) -> None:
        """A fresh index of what can be answered, trained when its recipe asks for it."""
        kept = np.array(sorted(self.live), np.int64)
        vectors = np.empty((len(kept), self.dims), np.float32)
        for row, number in enumerate(kept.tolist()):
            vectors[row] = self.index.reconstruct(number)
        self.index = make_index(self.dims, FLAT if self.waiting else self.factory)
        self.hidden = set()
        if len(kept):
            if not self.index.is_trained:
                self.index.train(vectors)
            self.index.add_with_ids(vectors, kept)


def make_index(dims: int, factory: str) -> Any:
    """Inner-product index that takes ids.

    An inverted file keeps ids itself, and would be mixed up by a map around it once something is
    deleted; every other kind numbers its vectors in order, and needs the map.

    Raises:
        AnomalyOSError: FAISS does not know the recipe, or it does not fit these vectors.
    """
    import faiss

    try:
        index = faiss.index_factory(dims, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise AnomalyOSError(
            f"{factory!r} is not an index recipe for {dims} dimensions.",
            "Set ANOMALYOS_CASE_INDEX to a FAISS factory string such as Flat, IVF1024,Flat or HNSW32,Flat.",
        ) from error
    ivf = inverted_file(index)
    if ivf is None:
        return index if isinstance(index, faiss.IndexIDMap) else faiss.IndexIDMap2(index)
    ivf.nprobe = max(1, round(PROBED_SHARE * ivf.nlist))
    return index


@lru_cache(maxsize=64)
def points_to_train(dims: int, factory: str) -> int:
    """Vectors a recipe needs before it can be trained, 0 when it needs no training."""
    index = make_index(dims, factory)
    if index.is_trained:
        return 0
    ivf = inverted_file(index)
    centres = int(ivf.nlist) if ivf is not None else 0
    # product quantisers learn 256 centres in each sub-space
    return TRAINING_POINTS * (centres if factory.endswith(FLAT) and centres else max(256, centres))


def search_parameters(index: Any, selector: Any, k: int) -> Any:
    """The parameter object this kind of index wants, None when its defaults do."""
    faiss: Any = import_module("faiss")  # its type stubs do not know these classes

    options: Mapping[str, Any] = {} if selector is None else {"sel": selector}
    ivf = inverted_file(index)
    if ivf is not None:
        own = faiss.SearchParametersIVF(nprobe=ivf.nprobe, **options)
        wrapped = isinstance(index, faiss.IndexPreTransform)
        return faiss.SearchParametersPreTransform(index_params=own) if wrapped else own
    inner = faiss.downcast_index(index.index)
    if isinstance(inner, faiss.IndexPreTransform):
        inner = faiss.downcast_index(inner.index)
    if isinstance(inner, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(efSearch=max(LEAST_EF_SEARCH, 2 * k), **options)
    return faiss.SearchParameters(**options) if options else None


def inverted_file(index: Any) -> Any:
    """The IndexIVF inside, None when there is none."""
    import faiss

    return faiss.try_extract_index_ivf(index)
