"""Shards and loads: nothing is lost, the work is even, and a process starts only where it pays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.inbox import InboxFile
from anomalyos.inspection.reading import AT_ONCE
from anomalyos.inspection.shards import (
    ENOUGH,
    LOAD_SECONDS,
    USUAL_SECONDS,
    Pace,
    Shard,
    cut,
    load_name,
    measured_pace,
    parts,
    share_out,
    workers,
)
from anomalyos.models.tables import Category, ModelVersion
from tests.support.rows import category_with_versions, inspection

DAY = "2026-11-24"
EVEN = Pace({}, 0.05)


def night(**images: int) -> list[InboxFile]:
    """So many files of each product; ``loose`` ones name none."""
    return sorted(
        InboxFile(f"{number:05}.png") if name == "loose" else InboxFile(f"{name}/{number:05}.png", name)
        for name, count in images.items()
        for number in range(count)
    )


def loads(files: list[InboxFile], settings: Settings, pace: Pace = EVEN) -> list[list[Shard]]:
    return share_out(cut(DAY, files, settings, pace), settings)


def work(load: list[Shard]) -> float:
    return sum(shard["seconds"] for shard in load)


def with_slots(settings: Settings, folder: Path, slots: int) -> Settings:
    (folder / "pools.json").write_text(f'{{"inspection": {{"slots": {slots}}}}}')
    return settings.model_copy(update={"include_dir": folder})


@given(
    st.dictionaries(st.sampled_from(["loose", "a", "b", "c", "d"]), st.integers(1, 400)),
    st.integers(1, 90),
    st.sampled_from([0.001, 0.05, 1.0, 40.0]),
)
def test_every_file_is_in_one_load_of_at_most_the_limit(
    images: dict[str, int], most: int, seconds: float
) -> None:
    settings = Settings(shard_size=most, _env_file=None)
    files = night(**images)
    shared = loads(files, settings, Pace({"a": 3 * seconds}, seconds))
    found = Counter(path for load in shared for shard in load for path in shard["paths"])
    assert found == Counter(file.path for file in files)
    assert all(0 < sum(len(shard["paths"]) for shard in load) <= most for load in shared)
    for load in shared:
        assert len({shard["category"] for shard in load}) == len(load)
        for shard in load:
            assert shard["paths"] == sorted(shard["paths"])


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_a_night_of_many_products_is_one_even_load_a_slot(
    settings: Settings, tmp_path: Path, slots: int
) -> None:
    settings = with_slots(settings, tmp_path, slots)
    shared = loads(night(**{f"p{number}": 97 for number in range(15)}), settings)
    assert len(shared) == slots
    assert max(map(work, shared)) <= 1.1 * 15 * 97 * 0.05 / slots


def test_a_slow_product_counts_for_what_it_takes(settings: Settings) -> None:
    pace = Pace({"slow": 1.0, "quick": 0.01})
    shared = loads(night(slow=100, quick=1000), settings, pace)
    assert [round(work(load)) for load in shared] == pytest.approx([55, 55], abs=4)


def test_no_load_takes_much_longer_than_ten_minutes(settings: Settings, tmp_path: Path) -> None:
    settings = with_slots(settings, tmp_path, 3)
    shared = loads(night(a=20_000, b=15_000), settings)
    assert len(shared) % 3 == 0
    assert max(map(work, shared)) <= 1.1 * LOAD_SECONDS
    assert len(shared) <= 2 * 35_000 * 0.05 / LOAD_SECONDS


def test_a_small_product_is_not_cut(settings: Settings) -> None:
    shared = loads(night(loose=1, nut=50), settings)
    assert [[shard["category"] for shard in load] for load in shared] == [[None], ["nut"]]


@given(st.integers(1, 300), st.integers(1, 120), st.sampled_from([0.001, 0.2, 3.0, 50.0]))
def test_the_same_images_are_inspected_together_whatever_was_measured(
    images: int, most: int, seconds: float
) -> None:
    settings = Settings(shard_size=most, _env_file=None)

    def groups(pace: Pace) -> set[tuple[str, ...]]:
        shared = loads(night(nut=images, cap=images // 2), settings, pace)
        return {
            tuple(group)
            for load in shared
            for shard in load
            for group in parts(shard["paths"], min(AT_ONCE, most))
        }

    assert groups(Pace({}, seconds)) == groups(Pace({"nut": 0.1}, 0.01))


def test_an_empty_night_has_no_load(settings: Settings) -> None:
    assert loads([], settings) == []


def test_loads_have_names_people_know(settings: Settings) -> None:
    only, *_ = cut(DAY, night(nut=3), settings, EVEN)
    assert load_name([only]) == "nut: 00000.png … 00002.png"
    other, *_ = cut(DAY, night(loose=2), settings, EVEN)
    assert load_name([only, other]) == "nut (3), to be routed (2)"


@pytest.mark.parametrize("text", ["", "[]", '{"training": {"slots": 1}}', '{"inspection": {"slots": "x"}}'])
def test_pools_that_cannot_be_read_mean_one_slot(settings: Settings, tmp_path: Path, text: str) -> None:
    settings = settings.model_copy(update={"include_dir": tmp_path})
    assert workers(settings) == 1
    (tmp_path / "pools.json").write_text(text)
    assert workers(settings) == 1


def test_the_slots_are_those_airflow_is_given(settings: Settings) -> None:
    assert workers(settings) == 2


def champion(session: Session, name: str, milliseconds: float | None) -> int:
    """Id of the present model of a new product, whose evaluation took so long an image."""
    category_id, (version_id,) = category_with_versions(session, name, 1)
    version = session.get_one(ModelVersion, version_id)
    version.metrics = {"latency_ms": {"p50": milliseconds}} if milliseconds else {}
    session.get_one(Category, category_id).champion_id = version_id
    session.flush()
    return version_id


def seen(session: Session, source: str, version_id: int, milliseconds: float, given: str | None) -> None:
    timings = {"decode": 1.0, "total": milliseconds}
    inspection(
        session,
        source,
        given_category=given,
        model_version_id=version_id,
        score=1.0,
        timings_ms=timings,
    )


def test_the_pace_is_the_median_of_what_was_measured(settings: Settings, store: Store) -> None:
    assert measured_pace(store).seconds("nut", 10) == 10 * USUAL_SECONDS
    with store.session() as session:
        nut, cap = champion(session, "nut", 100.0), champion(session, "cap", 80.0)
        champion(session, "gear", None)
        for number in range(ENOUGH):
            # the first of a process also loads the models
            seen(session, f"n{number}", nut, 9000.0 if number < 3 else 40.0, "nut")
            seen(session, f"r{number}", nut if number % 2 else cap, 60.0, None)
        seen(session, "one", cap, 5.0, "cap")
        inspection(session, "rejected", given_category="cap", verdict="rejected", timings_ms={"total": 1.0})
        inspection(session, "untimed", given_category="cap", model_version_id=cap, score=1.0)
    pace = measured_pace(store)
    assert pace.seconds("nut", 10) == pytest.approx(0.4)
    assert pace.seconds(None, 10) == pytest.approx(0.6)
    # too few of their own yet: what evaluations of this recipe took
    assert pace.seconds("cap", 10) == pytest.approx(0.9)
    assert pace.seconds("gear", 10) == pytest.approx(0.9)
    # a product without a model
    assert pace.seconds("new", 10) == pytest.approx(0.75)


def test_the_pace_is_that_of_the_present_champion(settings: Settings, store: Store) -> None:
    with store.session() as session:
        category_id, (old, new) = category_with_versions(session, "nut", 2)
        for number in range(ENOUGH):
            seen(session, f"n{number}", old, 40.0, "nut")
        session.get_one(ModelVersion, new).metrics = {"latency_ms": {"p50": 300.0}}
        session.get_one(Category, category_id).champion_id = new
    assert measured_pace(store).seconds("nut", 10) == pytest.approx(3.0)
