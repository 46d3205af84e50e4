"""A quick embedder that counts what it is given, and a small graph."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

from anomalyos.core.arrays import Float32Array
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge.search import KnowledgeSearch
from anomalyos.knowledge.search import engine as search_engine
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode, Relation

JANUARY = datetime(2026, 1, 10, tzinfo=UTC)


class BagOfWords:
    """A sentence's words, each a fixed random direction, summed: alike where words are shared."""

    name = "bag"
    digest = "bag-1"
    dims = 32

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def texts(self, sentences: list[str]) -> Float32Array:
        self.embedded += sentences
        rows = [sum((direction(word) for word in s.lower().split()), direction("")) for s in sentences]
        vectors = np.asarray(rows, np.float32).reshape(len(sentences), self.dims)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def direction(word: str) -> Float32Array:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
    return np.random.default_rng(seed).normal(size=BagOfWords.dims).astype(np.float32)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> BagOfWords:
    bag = BagOfWords()
    monkeypatch.setattr(search_engine, "get_text_embedder", lambda settings: bag)
    return bag


def node(key: str, name: str, text: str = "", **attributes: str) -> KnowledgeNode:
    kind = key.partition(":")[0]
    return KnowledgeNode(
        key=key, kind=kind, name=name, text=text, attributes=attributes, origin="seed", updated_at=JANUARY
    )


def edge(source: str, relation: Relation, target: str) -> KnowledgeEdge:
    return KnowledgeEdge(source=source, relation=relation, target=target, origin="seed", updated_at=JANUARY)


def plant(store: Store) -> None:
    """Two products with a cracked nut and a blowhole, their causes, remedies and checks."""
    with store.session() as session:
        session.add_all(
            [
                node("category:hazelnut", "Hazelnut"),
                node("category:magnet", "Magnet"),
                node("defect:hazelnut/crack", "Cracked shell", "The shell is split.", severity="functional"),
                node("defect:magnet/blowhole", "Blowhole", "A pore is open.", severity="critical"),
                node("cause:dried-too-fast", "Dried too fast", "Fast drying splits the shell."),
                node("cause:trapped-gas", "Gas trapped in the body", "Moisture opens as pores."),
                node("remedy:gentle-drying", "Dry more gently", "Lower the temperature."),
                node("check:moisture", "Measure moisture", "Measure at several places."),
                node("sign:dark-line", "Dark line", "A narrow line."),
                node("step:drying", "Drying", "Nuts are dried."),
            ]
        )
        session.flush()
        session.add_all(
            [
                edge("category:hazelnut", Relation.HAS_DEFECT, "defect:hazelnut/crack"),
                edge("category:magnet", Relation.HAS_DEFECT, "defect:magnet/blowhole"),
                edge("defect:hazelnut/crack", Relation.CAUSED_BY, "cause:dried-too-fast"),
                edge("defect:magnet/blowhole", Relation.CAUSED_BY, "cause:trapped-gas"),
                edge("defect:hazelnut/crack", Relation.SHOWS, "sign:dark-line"),
                edge("cause:dried-too-fast", Relation.ARISES_IN, "step:drying"),
                edge("cause:dried-too-fast", Relation.REMEDIED_BY, "remedy:gentle-drying"),
                edge("cause:dried-too-fast", Relation.VERIFIED_BY, "check:moisture"),
                edge("cause:trapped-gas", Relation.VERIFIED_BY, "check:moisture"),
            ]
        )


@pytest.fixture
def engine(settings: Settings, store: Store, embedder: BagOfWords) -> KnowledgeSearch:
    plant(store)
    return KnowledgeSearch(settings, store)
