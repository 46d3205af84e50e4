"""Search among 100,000 documents: how long an answer takes, what building and adding cost."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sqlmodel import col, delete, func, select

from anomalyos.cases.tables import CaseOrigin, DefectCase, Severity
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.embedders.text import get_text_embedder
from anomalyos.inspection.tables import Batch, Decision, Inspection, Review
from anomalyos.knowledge.search import KnowledgeSearch
from anomalyos.knowledge.seeds import ensure_seeded
from anomalyos.knowledge.tables import KnowledgeNode
from anomalyos.products.sample import DEFECTS
from tests.benchmarks.record import write_result

DOCUMENTS = 100_000
CASES = 70_000
QUERIES = 200
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
MODES = ("hybrid", "bm25", "embedding")
FILTERS: dict[str, Any] = {
    "category": "sample_hazelnut",
    "severity": "functional",
    "since": FIRST_DAY + timedelta(days=60),
}
PLACES = ("at the rim", "near the edge", "in the middle", "on the left", "under the light", "along one side")
LINES = ("line 1", "line 2", "line 3", "press 4", "oven B", "cell 7", "packing", "the night shift")
ASKED = ("why {}", "{} how to fix", "what to check {}", "{}", "{} on {}", "keeps getting {} at {}")


def main() -> Path:
    os.environ.setdefault("ANOMALYOS_THREADS", "2")
    home = Path(os.environ.get("ANOMALYOS_BENCH_HOME", PROJECT_ROOT / "var" / "bench")) / "search_scale"
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}")
    store = Store(settings)
    store.upgrade()
    names = fill(store, settings)
    engine = KnowledgeSearch(settings, store)
    building = build(engine, settings, store)
    asking = questions(names, Random(7))
    answers = {
        f"{mode}, {'filtered' if filters else 'unfiltered'}": ask(engine, asking, mode, filters)
        for mode in MODES
        for filters in ({}, FILTERS)
    }
    return write_result(
        "search_scale",
        {
            "documents": len(engine.document_ids()),
            "made_of": f"{CASES} cases and {DOCUMENTS - CASES} less the knowledge nodes as review notes, "
            "texts drawn with a fixed seed from the words of the knowledge, no two alike",
            "threads": {"torch": settings.threads, "faiss": 1},
            "filters": {key: str(value) for key, value in FILTERS.items()},
            "building": building,
            "answer_ms": answers,
            "change_ms": changes(engine, store),
            "note": "no question is asked twice, so each is embedded; milliseconds are of the whole call: "
            "looking for changes, mending, embedding, both indexes, fusion, marking words. Documents are "
            "embedded once and their vectors kept in the benchmark's home: texts and seconds are those of "
            "the runs that did it",
        },
    )


def fill(store: Store, settings: Settings) -> list[str]:
    """The documents, written once: a second run finds them. Returns what causes and defects are called."""
    ensure_seeded(store, settings)
    with store.session(read_only=True) as session:
        nodes = session.exec(select(KnowledgeNode).where(col(KnowledgeNode.removed_at).is_(None))).all()
        there = session.exec(select(func.count()).select_from(DefectCase)).one()
    causes = [node for node in nodes if node.kind == "cause"]
    names = [node.name.lower() for node in nodes if node.kind in ("cause", "defect") and len(node.name) > 3]
    if there == 0:
        rng = Random(20260101)
        texts = sentences(causes, rng)
        with store.session() as session:
            session.add_all(cases(texts, rng))
        with store.session() as session:
            add_notes(session, texts, rng, DOCUMENTS - CASES - len(nodes))
    return names


def sentences(causes: list[KnowledgeNode], rng: Random) -> Iterator[str]:
    """Distinct notes as people leave them: what, where, how large."""
    seen: set[str] = set()
    while True:
        clause = rng.choice([part.strip(" .") for part in rng.choice(causes).text.split(",")])
        text = f"{clause} {rng.choice(PLACES)}, {rng.choice(LINES)}, {rng.randrange(2, 60)} mm"
        if text not in seen:
            seen.add(text)
            yield text


def cases(texts: Iterator[str], rng: Random) -> Iterator[DefectCase]:
    categories = sorted(DEFECTS)
    for i in range(CASES):
        category = rng.choice(categories)
        yield DefectCase(
            content_key=f"{i:064x}",
            category=category,
            defect_type=rng.choice(DEFECTS[category]),
            severity=rng.choice(list(Severity)).value,
            origin=CaseOrigin.IMPORT.value,
            synthetic=True,
            source=f"scale/{i}.png",
            image_sha256=f"{i:064x}",
            image_path="none",
            crop_path="none",
            note=next(texts),
            added_by="benchmark",
            added_at=FIRST_DAY + timedelta(minutes=rng.randrange(300 * 24 * 60)),
            change=i + 1,
        )


def add_notes(session: Any, texts: Iterator[str], rng: Random, count: int) -> None:
    batch = Batch(key="scale", kind="nightly", day="2026-01-01", expected=count)
    session.add(batch)
    session.flush()
    categories = sorted(DEFECTS)
    inspections = []
    for i in range(count):
        category = rng.choice(categories)
        inspections.append(
            Inspection(
                work_key=f"{i:064x}",
                batch_id=stored_id(batch.id),
                source=f"{i}.png",
                content_sha256=f"{i:064x}",
                verdict="anomalous",
                given_category=category,
                review_version=1,
                decision=Decision.DEFECT.value,
            )
        )
    session.add_all(inspections)
    session.flush()
    session.add_all(
        Review(
            inspection_id=stored_id(row.id),
            version=1,
            decision=Decision.DEFECT.value,
            defect_type=rng.choice(DEFECTS[str(row.given_category)]),
            note=next(texts),
            reviewer="benchmark",
            created_at=FIRST_DAY + timedelta(minutes=rng.randrange(300 * 24 * 60)),
        )
        for row in inspections
    )


def build(engine: KnowledgeSearch, settings: Settings, store: Store) -> dict[str, Any]:
    """Seconds and megabytes of the word index and of the vectors, embedded and read back."""
    get_text_embedder(settings).texts(["warm"])
    before = megabytes()
    start = time.perf_counter()
    engine.refresh()
    words = time.perf_counter() - start
    with_words = megabytes()
    embedding = embed_once(engine, settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    again = KnowledgeSearch(settings, store)
    again.prepare()
    spent = time.perf_counter() - start - words
    return {
        "words_s": round(words, 1),
        "words_mb": round(with_words - before),
        "embedding": embedding,
        "vectors_from_store_s": round(spent, 1),
        "vectors_mb": round(DOCUMENTS * get_text_embedder(settings).dims * 4 / 2**20),
        "process_peak_mb": round(peak),
    }


def embed_once(engine: KnowledgeSearch, settings: Settings) -> dict[str, Any]:
    """Embed what the store does not hold yet; texts and seconds of all runs together, kept beside it."""
    record = settings.home / "embedding.json"
    so_far = json.loads(record.read_text()) if record.exists() else {"texts": 0, "seconds": 0.0}
    start = time.perf_counter()

    def note(done: int, total: int) -> None:
        seconds = round(so_far["seconds"] + time.perf_counter() - start, 1)
        record.write_text(json.dumps({"texts": so_far["texts"] + done, "seconds": seconds}))
        sys.stderr.write(f"\r{done}/{total}")

    engine.prepare(note)
    total: dict[str, Any] = json.loads(record.read_text())
    return total | {"texts_per_second": round(total["texts"] / total["seconds"], 1)}


def megabytes() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def questions(names: list[str], rng: Random) -> Iterator[str]:
    """Distinct questions; in every second one a letter is lost or two are swapped."""
    seen: set[str] = set()
    while True:
        text = rng.choice(ASKED).format(rng.choice(names), rng.choice(LINES))
        if rng.random() < 0.5:
            at = rng.randrange(1, len(text) - 2)
            swapped = text[at + 1] + text[at]
            text = text[:at] + (swapped if rng.random() < 0.5 else text[at]) + text[at + 2 :]
        if text not in seen:
            seen.add(text)
            yield text


def ask(
    engine: KnowledgeSearch, asking: Iterator[str], mode: str, filters: dict[str, Any]
) -> dict[str, float]:
    """Percentiles in milliseconds over questions never asked before."""
    for text in islice(asking, 5):
        engine.search(text, mode=mode, **filters)
    took = []
    for text in islice(asking, QUERIES):
        start = time.perf_counter()
        engine.search(text, mode=mode, **filters)
        took.append((time.perf_counter() - start) * 1000)
    return {f"p{p}": round(float(np.percentile(took, p)), 1) for p in (50, 95, 99)}


def changes(engine: KnowledgeSearch, store: Store) -> dict[str, float]:
    """One document added, edited and removed: the first search afterwards, all its work included."""
    took: dict[str, list[float]] = {"added": [], "removed": []}
    for i in range(10):
        word = f"zyxgrit{i}{time.time_ns()}"
        with store.session() as session:
            newest = session.exec(select(func.max(DefectCase.change))).one()
            case = next(cases(iter([f"a brand new finding called {word}"]), Random(i)))
            case.content_key, case.change = word[:64], (newest or 0) + 1
            session.add(case)
        took["added"].append(first_search(engine, word, expect=1))
        with store.session() as session:
            row = session.get_one(DefectCase, case.id)
            row.removed_at, row.change = datetime.now(UTC), row.change + 1
        took["removed"].append(first_search(engine, word, expect=0))
    with store.session() as session:
        session.execute(delete(DefectCase).where(col(DefectCase.content_key).startswith("zyxgrit")))
    return {f"{name}_p50": round(float(np.median(values)), 1) for name, values in took.items()}


def first_search(engine: KnowledgeSearch, word: str, *, expect: int) -> float:
    start = time.perf_counter()
    hits = engine.search(word, kinds=["case"], correct_spelling=False)
    spent = (time.perf_counter() - start) * 1000
    if sum(word in hit.text for hit in hits) != expect:
        raise AssertionError("the change was not seen")
    return spent
