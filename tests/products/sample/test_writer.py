"""The sample data set and nights on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.products.sample import CATEGORIES, DEFECTS, night, work, write_dataset, write_night, writer
from anomalyos.products.sample.work import Task, open_workers

NUT = "sample_hex_nut"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two training pictures, one good and one of each defect to test with."""
    monkeypatch.setattr(writer, "TRAIN", 2)
    monkeypatch.setattr(writer, "TEST_GOOD", 1)
    monkeypatch.setattr(writer, "TEST_EACH_DEFECT", 1)


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_the_plan_has_the_promised_numbers_and_no_seed_twice(tmp_path: Path) -> None:
    for name in CATEGORIES:
        tasks = writer.plan(tmp_path, name)
        assert sum(task.path.parent.parent.name == "train" for task in tasks) == 60
        assert sum(task.path.parent.name == "good" for task in tasks) == 80
        assert len({task.seed for task in tasks}) == len(tasks)
        assert all((task.mask_path is None) == (task.defect is None) for task in tasks)
        nightly = {
            task.seed for day in ("2025-03-01", "2025-03-02") for task in night.night_plan(tmp_path, day)
        }
        assert not nightly & {task.seed for task in tasks}


@pytest.mark.usefixtures("quick")
def test_a_category_is_written_in_the_mvtec_layout_with_masks_and_marker(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_dataset(tmp_path, categories=[NUT], progress=lambda *step: seen.append(step), workers=1)
    root = tmp_path / NUT
    assert sorted(path.name for path in (root / "train/good").iterdir()) == ["000.png", "001.png"]
    assert {path.name for path in (root / "test").iterdir()} == {"good", *DEFECTS[NUT]}
    for defect in DEFECTS[NUT]:
        with Image.open(root / f"test/{defect}/000.png") as picture:
            assert (picture.size, picture.mode) == ((256, 256), "RGB")
        with Image.open(root / f"ground_truth/{defect}/000_mask.png") as mask:
            assert mask.mode == "L"
            assert set(np.unique(np.asarray(mask))) == {0, 255}
    marker = json.loads((root / "synthetic.json").read_text())
    assert marker["synthetic"] is True
    assert marker["generator_version"] == writer.GENERATOR_VERSION
    assert "seed" in marker
    assert seen[0] == (0, 8)
    assert seen[-1] == (8, 8)
    assert [path.name for path in tmp_path.iterdir()] == [NUT]


@pytest.mark.usefixtures("quick")
def test_a_second_run_touches_nothing(tmp_path: Path) -> None:
    write_dataset(tmp_path, categories=[NUT], workers=1)
    before = snapshot(tmp_path)
    seen: list[tuple[int, int]] = []
    write_dataset(tmp_path, categories=[NUT], progress=lambda *step: seen.append(step), workers=1)
    assert snapshot(tmp_path) == before
    assert seen == [(8, 8)]


@pytest.mark.usefixtures("quick")
def test_a_killed_run_shows_nothing_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    real = work.make

    def dies(task: Task) -> None:
        if len(made) == 3:
            raise KeyboardInterrupt
        real(task)
        made.append(task.path)

    monkeypatch.setattr(work, "make", dies)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path, categories=[NUT], workers=1)
    assert not (tmp_path / NUT).exists()
    stamps = {path: path.stat().st_mtime_ns for path in made}
    monkeypatch.setattr(work, "make", real)
    write_dataset(tmp_path, categories=[NUT], workers=1)
    for path, stamp in stamps.items():
        staging = next(parent for parent in path.parents if parent.parent == tmp_path)
        assert (tmp_path / NUT / path.relative_to(staging)).stat().st_mtime_ns == stamp
    assert len(list((tmp_path / NUT).rglob("*.png"))) == 13


@pytest.mark.usefixtures("quick")
def test_another_version_is_rendered_anew_and_keeps_what_people_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GENERATOR_VERSION", "old")
    write_dataset(tmp_path, categories=[NUT], workers=1)
    added = tmp_path / NUT / "train/good/review-17.png"
    added.write_bytes(b"from a reviewer")
    (tmp_path / NUT / "train/good/000.png").write_bytes(b"stale")
    monkeypatch.setattr(writer, "GENERATOR_VERSION", "new")
    write_dataset(tmp_path, categories=[NUT], workers=1)
    assert json.loads((tmp_path / NUT / "synthetic.json").read_text())["generator_version"] == "new"
    assert (tmp_path / NUT / "train/good/000.png").read_bytes() != b"stale"
    assert added.read_bytes() == b"from a reviewer"
    assert [path.name for path in tmp_path.iterdir()] == [NUT]


@pytest.mark.usefixtures("quick")
def test_a_folder_that_was_not_rendered_here_is_never_replaced(tmp_path: Path) -> None:
    own = tmp_path / NUT / "train/good/part.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a real photograph")
    with pytest.raises(AnomalyOSError) as refused:
        write_dataset(tmp_path, categories=[NUT], workers=1)
    assert refused.value.hint
    assert own.read_bytes() == b"a real photograph"


def test_an_unknown_category_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        write_dataset(tmp_path, categories=["sample_teapot"])
    with pytest.raises(NotFound):
        write_night(tmp_path, "2025-03-01", categories=["sample_teapot"])


def test_worker_processes_render_the_same_bytes_as_this_one(tmp_path: Path) -> None:
    def tasks(folder: str) -> list[Task]:
        return [Task(NUT, None, seed, tmp_path / folder / f"{seed}.png") for seed in range(4)]

    with open_workers(1, 4) as here:
        assert len(list(here.run(tasks("here")))) == 4
    with open_workers(2, work.SMALL_JOB) as elsewhere:
        assert len(list(elsewhere.run(tasks("elsewhere")))) == 4
    for task in tasks("here"):
        assert task.path.read_bytes() == (tmp_path / "elsewhere" / task.path.name).read_bytes()


def test_a_night_has_about_a_fifth_of_defective_parts_in_most_categories(tmp_path: Path) -> None:
    shares, hit = [], []
    for day in range(1, 29):
        tasks = night.night_plan(tmp_path, f"2025-02-{day:02d}")
        shares.append(np.mean([task.defect is not None for task in tasks]))
        hit.append(len({task.category for task in tasks if task.defect}) / len(CATEGORIES))
        assert 15 * 7 <= len(tasks) <= 15 * 9
    assert 0.19 < np.mean(shares) < 0.26
    assert min(hit) > 0.6


def test_names_of_a_night_tell_nothing(tmp_path: Path) -> None:
    for task in night.night_plan(tmp_path, "2025-02-03"):
        assert task.mask_path is None
        assert task.path.parent == tmp_path / task.category
        assert task.path.name[:3] == "cam"
        assert not any(word in task.path.name for word in ("good", *DEFECTS[task.category]))
    orders = set()
    for day in range(1, 20):
        tasks = night.night_plan(tmp_path, f"2025-02-{day:02d}", [NUT])
        orders |= {k for k, task in enumerate(sorted(tasks, key=lambda t: t.path)) if task.defect}
    assert len(orders) >= 7


def test_a_night_is_written_once_and_again_when_a_picture_is_lost(tmp_path: Path) -> None:
    inbox = tmp_path / "2025-02-03"
    categories = [NUT, "sample_screw"]
    count = write_night(inbox, "2025-02-03", categories=categories, workers=1)
    before = snapshot(inbox)
    assert len(before) == count == len(list(inbox.glob("*/cam*.png")))
    lost = next(inbox.rglob("*.png"))
    content = lost.read_bytes()
    lost.unlink()
    seen: list[tuple[int, int]] = []
    assert (
        write_night(inbox, "2025-02-03", categories=categories, progress=lambda *s: seen.append(s)) == count
    )
    assert seen == [(count - 1, count), (count, count)]
    assert lost.read_bytes() == content
    other = {task.path.name for task in night.night_plan(inbox, "2025-02-04", [NUT])}
    assert other != {path.name for path in (inbox / NUT).iterdir()}
