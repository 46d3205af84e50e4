from __future__ import annotations

import io
import queue
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import batches
from anomalyos.ops.supervisor import first_start
from anomalyos.ops.supervisor.first_start import FirstStart, prepare
from anomalyos.ops.supervisor.up import read_events
from tests.support.products import picture, write_product


def test_models_and_a_night_once(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes", good=2, flawed=2)
    night = settings.inbox_dir / "2026-11-23"
    night.mkdir(parents=True)
    (night / "1.png").write_bytes(picture("stripes", 7000))
    events: list[dict[str, Any]] = []
    prepare(settings, store, events.append, sample=False)
    assert {"Models", "Known defects", "Night 2026-11-23"} <= {event["stage"] for event in events}
    with store.session() as session:
        batch = batches.by_key(session, "night-2026-11-23")
        assert batch.finished_at is not None
        assert case_repository.count(session, "stripes") == 2
    again: list[dict[str, Any]] = []
    prepare(settings, store, again.append, sample=True)
    assert again == []


def test_a_category_that_cannot_be_learned_is_a_warning(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes", train=1, good=1, flawed=1)
    events: list[dict[str, Any]] = []
    prepare(settings, store, events.append, sample=False)
    warnings = [event["warning"] for event in events if "warning" in event]
    assert len(warnings) == 1
    assert "stripes has no model" in warnings[0]


def test_interrupted_pictures_are_continued(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def write(root: Path, *, categories: object, progress: object) -> None:
        calls.append(root)
        (root / "half" / "train" / "good").mkdir(parents=True, exist_ok=True)
        if len(calls) == 1:
            raise AnomalyOSError("killed")

    monkeypatch.setattr("anomalyos.ops.supervisor.first_start.write_dataset", write)
    state = FirstStart(settings.home / "first_start.json")
    with pytest.raises(AnomalyOSError):
        first_start.write_sample_pictures(settings, state, lambda event: None)
    state = FirstStart(settings.home / "first_start.json")
    first_start.write_sample_pictures(settings, state, lambda event: None)
    first_start.write_sample_pictures(settings, state, lambda event: None)
    assert len(calls) == 2


def test_the_first_products_are_there_before_the_others(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_start, "FIRST", ("dots",))
    monkeypatch.setattr(first_start, "ALL", ("dots", "stripes"))

    def write(root: Path, *, categories: tuple[str, ...], progress: object) -> None:
        for name in categories:
            if not (root / name).exists():
                write_product(root, name, good=2, flawed=2)

    def night(folder: Path, day: str, *, categories: tuple[str, ...], progress: object) -> None:
        for name in categories:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / "1.png").write_bytes(picture(name, 7000))

    monkeypatch.setattr(first_start, "write_dataset", write)
    monkeypatch.setattr(first_start, "write_night", night)
    events: list[dict[str, Any]] = []
    recorded: list[int] = []

    def report(event: dict[str, Any]) -> None:
        events.append(event)
        if "usable" in event:
            with store.session() as session:
                batch = batches.by_key(session, f"night-{date.today().isoformat()}")
                assert batch.id is not None
                recorded.append(batches.summary(session, batch.id).expected)

    prepare(settings, store, report, sample=True)
    learned = [event["detail"] for event in events if event.get("stage") == "Models" and event["detail"]]
    usable = events.index({"usable": True})
    assert recorded == [1], "the night of the first product is there when the queue can be used"
    assert any("dots" in detail for detail in learned)
    assert all("stripes" not in str(event) for event in events[:usable])
    assert FirstStart(settings.home / "first_start.json").done
    with store.session() as session:
        assert batches.by_key(session, f"night-{date.today().isoformat()}").expected == 2


def test_pictures_of_ones_own_keep_the_samples_away(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "stripes")
    state = FirstStart(settings.home / "first_start.json")
    first_start.write_sample_pictures(settings, state, lambda event: None)
    assert [path.name for path in settings.data_dir.iterdir()] == ["stripes"]


def test_events_are_told_from_what_libraries_print() -> None:
    events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    read_events(io.BytesIO(b'hello\n{"stage": "a"}\n[1]\n\xff\n{"warning": "w"}\n'), events)
    assert [events.get_nowait(), events.get_nowait()] == [{"stage": "a"}, {"warning": "w"}]
    assert events.empty()
