"""Where the Arena's pictures come from, and that the AI is asked about each of them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from anomalyos.accounts.tables import User
from anomalyos.arena import material_rows as arena_material
from anomalyos.arena import repository as arena
from anomalyos.arena.rounds import COMFORTABLE, FRESH, RoundMaker, TooFewPictures, daily_seed
from anomalyos.arena.tables import ArenaMaterial, ArenaRound
from anomalyos.core.errors import Conflict
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import DecodedImage
from anomalyos.inspection import images, inspections, reviews
from anomalyos.inspection.examination import Examination
from anomalyos.inspection.tables import Inspection
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.router import Route
from tests.support.products import picture, write_product
from tests.support.rows import batch, model_version

DAY = "2026-11-25"


@dataclass
class RedIsWrong:
    """An AI that takes red for a defect, and remembers what it was asked."""

    version: ModelVersion
    asked: list[str] = field(default_factory=list)

    def examine(self, image: DecodedImage, category: str | None = None) -> Examination:
        self.asked.append(image.sha256)
        red = int(((image.rgb[..., 0] > 200) & (image.rgb[..., 1] < 80)).sum())
        calibration = SimpleNamespace(
            threshold=lambda: 2.0,
            effective_alpha=lambda: 0.05,
            p_value=lambda score: 0.5,
            group_count=60,
            map_median=1.0,
            map_threshold=2.0,
        )
        recipe = SimpleNamespace(input_size=224, border=0, smoothing_sigma=4.0)
        bundle: Any = SimpleNamespace(calibration=calibration, recipe=recipe, sha256="b" * 64)
        score = 1.0 + min(2.0, red / 50) + len(self.asked) / 1000
        return Examination(
            Route(category, category or "", 0.9), category, self.version, bundle, score, np.ones((4, 4)), ()
        )


@dataclass
class Table:
    maker: RoundMaker
    ai: RedIsWrong
    store: Store
    settings: Settings
    mia: int
    sam: int

    def material(self, row: ArenaRound) -> list[ArenaMaterial]:
        with self.store.session(read_only=True) as session:
            return [arena.material_of(session, call) for call in arena.calls(session, stored_id(row.id))]

    def play(self, row: ArenaRound) -> None:
        """Show every picture and end the round."""
        with self.store.session() as session:
            for call in arena.calls(session, stored_id(row.id)):
                arena.show_next(session, stored_id(row.id))
                arena.answer(session, stored_id(call.id), arena.Call.NORMAL)

    def free(self, **more: Any) -> ArenaRound:
        return self.maker.free_round(self.mia, "mia", **more)


@pytest.fixture
def table(settings: Settings, store: Store) -> Table:
    """The product ``stripes`` with a champion, 8 good and 8 flawed test images, and two people."""
    write_product(settings.data_dir, "stripes", train=1, good=8, flawed=8)
    with store.session() as session:
        category = categories.ensure(session, "stripes")
        version = model_versions.add(session, model_version(stored_id(category.id), 1))
        category.champion_id = version.id
        session.add(category)
        people = [User(name=name, password_hash="x", role="viewer") for name in ("mia", "sam")]
        session.add_all(people)
        session.flush()
        ids = [stored_id(person.id) for person in people]
    ai = RedIsWrong(version)
    return Table(RoundMaker(settings, store, lambda: ai), ai, store, settings, *ids)


def test_a_round_is_drawn_from_test_images_with_truth_and_answer(table: Table) -> None:
    said: list[tuple[int, int]] = []
    row = table.free(progress=lambda done, total: said.append((done, total)))
    items = table.material(row)
    assert len({item.content_sha256 for item in items}) == 10
    for item in items:
        assert item.source.startswith("stripes/test/")
        assert item.defective == ("/stain/" in item.source) == item.ai_defective
        assert bool(item.truth_path) == item.defective
        assert table.store.objects.read(item.object_path)
        assert table.store.objects.read(item.map_path)
    assert said[-1][0] == len(table.ai.asked) == 16
    assert all(done <= total for done, total in said)


def test_the_ai_is_asked_about_a_picture_once(table: Table) -> None:
    table.play(table.free())
    table.play(table.free())
    assert len(table.ai.asked) == len(set(table.ai.asked)) == 16


def test_a_large_stock_is_looked_at_little_by_little(table: Table) -> None:
    write_product(table.settings.data_dir / "more", "stripes", train=1, good=40, flawed=40)
    for path in (table.settings.data_dir / "more/stripes").rglob("*.png"):
        target = (
            table.settings.data_dir / "stripes" / path.relative_to(table.settings.data_dir / "more/stripes")
        )
        target.write_bytes(path.read_bytes())
    table.play(table.free())
    assert len(table.ai.asked) == 2 * COMFORTABLE
    table.play(table.free())
    assert len(table.ai.asked) == 2 * COMFORTABLE + 2 * FRESH


def test_an_inspection_of_the_same_picture_answers_for_the_ai(table: Table) -> None:
    inspected(table, lambda index: None)
    row = table.free()
    assert len(table.material(row)) == 10
    assert table.ai.asked == []


def inspected(table: Table, decision: Callable[[int], str | None], count: int = 16) -> list[int]:
    """Inspections of all test images, decided by sam as ``decision`` says by place."""
    ids = []
    paths = sorted((table.settings.data_dir / "stripes/test").rglob("*.png"))[:count]
    for index, path in enumerate(paths):
        ids.append(inspect(table, path.read_bytes(), path.name + str(index), decision(index)))
    return ids


def inspect(table: Table, data: bytes, source: str, decision: str | None) -> int:
    import hashlib

    with table.store.session() as session:
        sha256 = hashlib.sha256(data).hexdigest()
        image = images.get_or_create(
            session,
            sha256=sha256,
            object_path=table.store.objects.put(data, ".png"),
            format="png",
            width=96,
            height=96,
            size_bytes=len(data),
        )
        row = Inspection(
            work_key=inspections.work_key("night", source, sha256),
            batch_id=stored_id(batch(session).id),
            source=source,
            content_sha256=sha256,
            verdict="anomalous",
            image_id=image.id,
            model_version_id=table.ai.version.id,
            score=2.5,
            threshold=2.0,
            map_path="m",
            regions=[{"x": 24, "y": 48, "width": 48, "height": 24}],
        )
        row_id = stored_id(inspections.record(session, row)[0].id)
        if decision is not None:
            reviews.decide(session, inspection_id=row_id, decision=decision, actor="sam", expected_version=0)
        return row_id


def test_decided_inspections_are_material_too(table: Table) -> None:
    for path in (table.settings.data_dir / "stripes/test").rglob("*.png"):
        path.unlink()
    with pytest.raises(TooFewPictures, match="0 defects and 0 normal parts"):
        table.free()
    for index in range(12):
        decision = "defect" if index % 2 else "false_alarm"
        inspect(table, picture("stripes", 500 + index), f"{index}.png", decision)
    supply = table.maker.supplies()[0]
    assert (supply.category, supply.defective, supply.normal, supply.enough) == ("stripes", 6, 6, True)
    items = table.material(table.free())
    assert all(item.ai_defective for item in items)
    boxes = {item.defective: item.truth_boxes for item in items}
    assert boxes[True] == [{"x": 0.25, "y": 0.5, "width": 0.5, "height": 0.25}]
    assert boxes[False] == []


def test_what_a_person_reviewed_is_not_in_their_round_nor_in_anybodys_challenge(table: Table) -> None:
    ids = inspected(table, lambda index: "unsure" if index in (0, 9) else None)
    with table.store.session(read_only=True) as session:
        known = {inspections.get(session, ids[index]).content_sha256 for index in (0, 9)}
    sams = table.maker.free_round(table.sam, "sam")
    assert not known & {item.content_sha256 for item in table.material(sams)}
    daily = table.maker.daily_round(table.mia, DAY)
    assert not known & {item.content_sha256 for item in table.material(daily)}


def test_pictures_not_met_before_come_first(table: Table) -> None:
    for index in range(60):
        decision = "defect" if index % 2 else "false_alarm"
        inspect(table, picture("stripes", 500 + index), f"{index}.png", decision)
    rounds = []
    for _ in range(3):
        row = table.free()
        rounds.append({item.content_sha256 for item in table.material(row)})
        table.play(row)
    assert len(set.union(*rounds)) == 30
    with table.store.session(read_only=True) as session:
        assert set(arena_material.met(session, table.mia).values()) == {1}


def test_a_second_round_at_the_same_time_is_refused(table: Table) -> None:
    table.free()
    with pytest.raises(Conflict, match="not ended"):
        table.free()


def test_the_challenge_is_one_for_all_and_once_for_each(table: Table) -> None:
    mine, theirs = table.maker.daily_round(table.mia, DAY), table.maker.daily_round(table.sam, DAY)
    order = [item.id for item in table.material(mine)]
    assert [item.id for item in table.material(theirs)] == order
    assert mine.seed == daily_seed(DAY, [table.ai.version.bundle_sha256])
    with pytest.raises(Conflict, match="played today's"):
        table.maker.daily_round(table.mia, DAY)
    following = table.maker.daily_round(table.mia, "2026-11-26")
    assert following.seed != mine.seed


def test_the_seed_of_a_day_depends_on_the_set_of_champions_only() -> None:
    assert daily_seed(DAY, ["a", "b"]) == daily_seed(DAY, ["b", "a"])
    assert daily_seed(DAY, ["a", "b"]) != daily_seed(DAY, ["a", "c"])
    assert daily_seed(DAY, ["a"]) != daily_seed("2026-11-26", ["a"])
    assert len(daily_seed(DAY, ["a"])) <= 80


def test_unreadable_pictures_are_passed_over(table: Table) -> None:
    broken = sorted((table.settings.data_dir / "stripes/test/good").glob("*.png"))[:2]
    for path in broken:
        path.write_bytes(b"no picture")
    sources = {item.source for item in table.material(table.free())}
    assert not sources & {f"stripes/test/good/{path.name}" for path in broken}


def test_a_new_champion_answers_anew(table: Table) -> None:
    table.play(table.free())
    with table.store.session() as session:
        category = categories.by_name(session, "stripes")
        version = model_versions.add(session, model_version(stored_id(category.id), 2))
        category.champion_id = version.id
        session.add(category)
    table.ai.version = version
    items = table.material(table.free())
    assert {item.model_version_id for item in items} == {version.id}
    assert len(table.ai.asked) == 32


def test_a_mask_drawn_later_is_taken_in(table: Table) -> None:
    mask = sorted((table.settings.data_dir / "stripes/ground_truth/stain").glob("*.png"))[0]
    kept = mask.read_bytes()
    mask.unlink()
    table.play(table.free())
    mask.write_bytes(kept)
    table.play(table.free())
    with table.store.session(read_only=True) as session:
        rows = arena_material.known(session, [stored_id(table.ai.version.id)])
    assert all(bool(row.truth_path) == row.defective for row in rows)
    assert len(rows) == 16


def test_a_product_without_a_model_has_nothing_to_offer(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "dots", train=1)

    def nobody() -> Any:
        raise AssertionError("there is no AI to ask")

    maker = RoundMaker(settings, store, nobody)
    assert maker.supplies() == []
