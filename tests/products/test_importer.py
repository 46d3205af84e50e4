"""Importing images: what gets in, what does not and why, and that nothing is ever lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.core.files import writing
from anomalyos.core.settings import Settings
from anomalyos.products import importer, placing
from anomalyos.products.dataset import CategoryData, list_categories, load_category
from anomalyos.products.import_report import ImportReport
from anomalyos.products.importer import import_dataset
from anomalyos.products.source import Finding
from tests.images.pictures import SHARED, mask_png, needs_shared_data, png, write, write_category


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_category(tmp_path / "in" / "Metal Nut")


def codes(findings: list[Finding]) -> dict[str, str]:
    return {finding.file: finding.code for finding in findings}


def files_below(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_a_category_folder_is_copied_as_it_is(settings: Settings, source: Path) -> None:
    report = import_dataset(source, settings)

    assert report == ImportReport(categories=["metal-nut"], accepted=9)
    assert files_below(settings.data_dir / "metal-nut") == files_below(source)
    assert load_category(settings, "metal-nut").content_hash() == CategoryData(source).content_hash()


def test_a_folder_of_categories(settings: Settings, tmp_path: Path) -> None:
    for name in ("bolt", "nut"):
        write_category(tmp_path / "all" / name)
    write(tmp_path / "all" / "license.txt", b"text")

    report = import_dataset(tmp_path / "all", settings)

    assert report.categories == list_categories(settings) == ["bolt", "nut"]
    assert report.rejected == []


def test_a_plain_folder_of_good_images(settings: Settings, tmp_path: Path) -> None:
    for index in range(3):
        write(tmp_path / "photos" / f"{index}.png", png(index))

    report = import_dataset(tmp_path / "photos", settings, name="washer")

    assert report.categories == ["washer"]
    assert [s.path.name for s in load_category(settings, "washer").train] == ["0.png", "1.png", "2.png"]
    assert import_dataset(tmp_path / "photos", settings).categories == ["photos"]


def test_importing_again_adds_only_what_is_new(settings: Settings, source: Path) -> None:
    import_dataset(source, settings)
    write(source / "train" / "good" / "t9.png", png(99))

    report = import_dataset(source, settings)

    assert (report.accepted, report.skipped_existing, report.rejected) == (1, 9, [])
    assert len(load_category(settings, "metal-nut").train) == 4


def test_another_file_of_the_same_name_is_reported_and_kept_out(settings: Settings, source: Path) -> None:
    import_dataset(source, settings)
    kept = (source / "train" / "good" / "t0.png").read_bytes()
    write(source / "train" / "good" / "t0.png", png(99))
    write(source / "ground_truth" / "crack" / "c0_mask.png", mask_png(value=1))

    report = import_dataset(source, settings)

    assert codes(report.rejected) == {
        "metal-nut/train/good/t0.png": "conflict",
        "metal-nut/ground_truth/crack/c0_mask.png": "conflict",
    }
    assert (settings.data_dir / "metal-nut" / "train" / "good" / "t0.png").read_bytes() == kept


def test_bad_files_are_named_and_stop_nothing(settings: Settings, source: Path) -> None:
    good = source / "train" / "good"
    write(good / "cut.png", png()[:-9])
    write(good / "empty.png", b"")
    write(good / "notes.txt", b"hello")
    write(good / "page.png", b"<html></html>")
    write(good / "poly.png", png(3) + b"PK\x03\x04")
    os.mkfifo(good / "pipe.png")
    (good / "gone.png").symlink_to(source / "nowhere")
    write(source / "test" / "loose.png", png(5))
    write(source / "train" / "crack" / "a.png", png(6))
    (good / "deep").mkdir()
    write(source / "root.png", png(8))

    report = import_dataset(source, settings)

    assert report.accepted == 9
    assert codes(report.rejected) == {
        f"metal-nut/{name}": code
        for name, code in {
            "train/good/cut.png": "truncated",
            "train/good/empty.png": "empty",
            "train/good/notes.txt": "not_an_image",
            "train/good/page.png": "not_an_image",
            "train/good/poly.png": "trailing_data",
            "train/good/pipe.png": "not_an_image",
            "train/good/gone.png": "unreadable",
            "train/good/deep": "misplaced",
            "train/crack": "misplaced",
            "test/loose.png": "misplaced",
            "root.png": "misplaced",
        }.items()
    }
    assert all(finding.reason.endswith(".") for finding in report.rejected)


def test_unprintable_names_are_refused_and_can_be_printed(settings: Settings, source: Path) -> None:
    write(source / "train" / "good" / "a\nb.png", png(9))
    write(source / "train" / "good" / os.fsdecode(b"\xff.png"), png(10))

    report = import_dataset(source, settings)

    assert set(codes(report.rejected).values()) == {"bad_name"}
    assert json.dumps(report.rejected).isascii()
    assert all(finding.file.isprintable() for finding in report.rejected)
    assert report.accepted == 9


def test_hidden_files_are_passed_over(settings: Settings, source: Path) -> None:
    write(source / "train" / "good" / ".DS_Store", b"x")

    assert import_dataset(source, settings).rejected == []


def test_masks_must_fit_their_image(settings: Settings, source: Path) -> None:
    masks = source / "ground_truth" / "crack"
    write(masks / "c0_mask.png", mask_png(20, 20))
    write(masks / "c1_mask.png", b"no mask")
    write(masks / "c7_mask.png", mask_png())
    for index in (2, 3):
        write(source / "test" / "crack" / f"c{index}.png", png(210 + index))
    write(masks / "c3_mask.png", mask_png(value=0))

    report = import_dataset(source, settings)

    assert codes(report.rejected) == {
        "metal-nut/ground_truth/crack/c0_mask.png": "mask_size",
        "metal-nut/ground_truth/crack/c1_mask.png": "not_an_image",
        "metal-nut/ground_truth/crack/c7_mask.png": "no_image",
    }
    assert "20 x 20" in report.rejected[1].reason
    assert codes(report.warnings) == {
        "metal-nut/test/crack/c2.png": "no_mask",
        "metal-nut/ground_truth/crack/c3_mask.png": "blank_mask",
    }
    masked = {s.path.name: s.mask_path is not None for s in load_category(settings, "metal-nut").test}
    assert masked == dict.fromkeys(("c0.png", "c1.png", "c2.png", "g0.png", "g1.png"), False) | {
        "c3.png": True
    }


def test_a_mask_drawn_later_joins_its_image(settings: Settings, source: Path) -> None:
    mask = source / "ground_truth" / "crack" / "c0_mask.png"
    mask.unlink()
    import_dataset(source, settings)
    write(mask, mask_png())

    assert import_dataset(source, settings).accepted == 1
    assert load_category(settings, "metal-nut").test[0].mask_path is not None


def test_the_same_picture_twice_is_pointed_out(settings: Settings, source: Path) -> None:
    write(source / "test" / "good" / "again.png", png(0))

    report = import_dataset(source, settings)

    assert codes(report.warnings) == {"metal-nut/test/good/again.png": "duplicate"}
    assert "train/good/t0.png" in report.warnings[0].reason


def test_tile_groups_are_converted(settings: Settings, source: Path) -> None:
    rows = "t0.png,1,train,test\nt1.png,1,train,train\ng0.png,2,test,train\ngone.png,3,test,test\n"
    write(source / "good_groups.csv", f"file,tile_group,grouped_split,random_split\n{rows}".encode())

    report = import_dataset(source, settings)

    assert (settings.data_dir / "metal-nut" / "groups.csv").read_text() == (
        "file,group\ng0.png,2\nt0.png,1\nt1.png,1\n"
    )
    assert [warning.code for warning in report.warnings] == ["no_image", "no_group"]
    assert [s.group for s in load_category(settings, "metal-nut").train] == ["1", "1", "train/good/t2.png"]


def test_a_group_on_both_sides_refuses_the_category(settings: Settings, tmp_path: Path, source: Path) -> None:
    write_category(tmp_path / "in" / "sound")
    write(source / "groups.csv", b"file,group\nt0.png,tile 7\ng1.png,tile 7\nt1.png,x\ng0.png,y\n")

    report = import_dataset(tmp_path / "in", settings)

    assert report.categories == list_categories(settings) == ["sound"]
    assert codes(report.rejected) == {"metal-nut": "group_leak"}
    assert "tile 7 (t0.png, g1.png)" in report.rejected[0].reason
    assert not (settings.data_dir / "metal-nut").exists()


def test_a_leak_into_what_is_there_already_is_seen(settings: Settings, source: Path, tmp_path: Path) -> None:
    write(source / "groups.csv", b"file,group\nt0.png,1\ng0.png,2\n")
    import_dataset(source, settings)
    write(tmp_path / "more" / "new.png", png(77))
    groups = write(tmp_path / "more.csv", b"file,group\nnew.png,2\n")

    report = import_dataset(tmp_path / "more", settings, name="metal-nut", groups=groups)

    assert codes(report.rejected) == {"metal-nut": "group_leak"}
    assert len(load_category(settings, "metal-nut").train) == 3


def test_groups_grow_and_are_never_rewritten(settings: Settings, source: Path, tmp_path: Path) -> None:
    write(source / "groups.csv", b"file,group\nt0.png,1\n")
    import_dataset(source, settings)
    write(source / "groups.csv", b"file,group\nt0.png,other\nt1.png,1\n")

    report = import_dataset(source, settings)

    assert codes(report.rejected) == {"metal-nut/groups.csv": "conflict"}
    assert load_category(settings, "metal-nut").groups == {"t0.png": "1", "t1.png": "1"}


def test_grouped_names_must_be_unique(settings: Settings, source: Path) -> None:
    write(source / "test" / "good" / "t0.png", png(77))
    write(source / "groups.csv", b"file,group\nt0.png,1\n")

    assert codes(import_dataset(source, settings).rejected) == {"metal-nut": "ambiguous_groups"}


def test_a_malformed_groups_file_refuses_the_category(settings: Settings, source: Path) -> None:
    write(source / "groups.csv", b"picture,lot\nt0.png,1\n")

    report = import_dataset(source, settings)

    assert codes(report.rejected) == {"metal-nut": "bad_groups"}
    assert "file,group" in report.rejected[0].reason
    assert report.categories == []


def test_a_category_needs_a_good_image(settings: Settings, source: Path) -> None:
    for path in (source / "train" / "good").iterdir():
        path.write_bytes(b"no image")

    report = import_dataset(source, settings)

    assert codes(report.rejected)["metal-nut"] == "no_good_images"
    assert not (settings.data_dir / "metal-nut").exists()


def test_drawn_and_real_images_do_not_mix(settings: Settings, source: Path, tmp_path: Path) -> None:
    write(source / "synthetic.json", b'{"seed": 1}')
    import_dataset(source, settings)
    write(tmp_path / "photos" / "real.png", png(77))

    report = import_dataset(tmp_path / "photos", settings, name="metal-nut")

    assert load_category(settings, "metal-nut").synthetic
    assert codes(report.rejected) == {"metal-nut": "synthetic_mix"}


@pytest.mark.parametrize("name", ["../up", "A B", "", "."])
def test_a_name_cannot_leave_the_data_folder(settings: Settings, source: Path, name: str) -> None:
    with pytest.raises(AnomalyOSError, match="cannot name a category"):
        import_dataset(source, settings, name=name)


@pytest.mark.parametrize(
    ("folder", "name"), [("Metal Nut (new)", "metal-nut-new"), ("M4_screw", "m4_screw"), ("--a--", "a")]
)
def test_names_come_from_folders(settings: Settings, tmp_path: Path, folder: str, name: str) -> None:
    assert import_dataset(write_category(tmp_path / "in" / folder), settings).categories == [name]


def test_a_folder_that_gives_no_name_needs_one(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(AnomalyOSError, match="--name"):
        import_dataset(write_category(tmp_path / "in" / "ねじ"), settings)


def test_what_cannot_be_imported_is_explained(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("a", "b"):
        write_category(tmp_path / "two" / name)

    with pytest.raises(AnomalyOSError, match="no folder"):
        import_dataset(tmp_path / "none", settings)
    with pytest.raises(AnomalyOSError, match="no category and no images"):
        import_dataset(tmp_path / "empty", settings)
    with pytest.raises(AnomalyOSError, match="one name does not fit"):
        import_dataset(tmp_path / "two", settings, name="c")
    with pytest.raises(AnomalyOSError, match="one groups file does not fit"):
        import_dataset(tmp_path / "two", settings, groups=tmp_path / "groups.csv")


def test_progress_runs_up_to_the_end(settings: Settings, source: Path, tmp_path: Path) -> None:
    write(source / "train" / "good" / "bad.png", b"x")
    refused = write_category(tmp_path / "in" / "refused")
    write(refused / "groups.csv", b"wrong")
    steps: list[tuple[int, int]] = []

    import_dataset(tmp_path / "in", settings, progress=lambda done, total: steps.append((done, total)))

    assert steps == sorted(steps)
    assert steps[-1] == (2 * (8 + 7), 2 * (8 + 7))


def test_a_failed_write_leaves_nothing_half_and_can_go_on(
    settings: Settings, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, iter(range(100))

    def full_disk(descriptor: int) -> None:
        if next(calls) == 4:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(AnomalyOSError, match="No space left"):
        import_dataset(source, settings)
    root = settings.data_dir / "metal-nut"
    written = files_below(root)

    assert len(written) == 4
    assert all((root / name).read_bytes() == (source / name).read_bytes() for name in written)
    report = import_dataset(source, settings)
    assert (report.accepted, report.skipped_existing) == (5, 4)


def import_and_die(source: Path, settings: Settings, files: int) -> None:
    """Import in this process and kill it in the middle of writing a file."""
    real, calls = os.fsync, iter(range(100))

    def fsync(descriptor: int) -> None:
        if next(calls) == files:
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    writing.os.fsync = fsync
    importer.import_dataset(source, settings)


@pytest.mark.parametrize("files", [0, 3, 7])
def test_a_killed_import_leaves_whole_files_and_is_finished_by_the_next(
    settings: Settings, source: Path, files: int
) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=import_and_die, args=(source, settings, files)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    root = settings.data_dir / "metal-nut"
    left = [path for path in root.rglob("*") if path.is_file()]
    assert len([path for path in left if path.name.endswith(".part")]) == 1
    assert len(CategoryData(root).train) + len(CategoryData(root).test) <= files

    report = import_dataset(source, settings)

    assert (report.accepted, report.skipped_existing) == (9 - files, files)
    assert files_below(root) == files_below(source)


def test_two_imports_into_one_category_do_not_meet(settings: Settings, source: Path) -> None:
    with (
        placing.category_lock(settings.data_dir, "metal-nut"),
        pytest.raises(Conflict, match="Another import"),
    ):
        import_dataset(source, settings)
    assert import_dataset(source, settings).accepted == 9


def test_a_file_that_changes_between_check_and_copy_is_left_out(
    settings: Settings, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importer.place

    def place_and_change(data: bytes, target: Path) -> None:
        write(source / "train" / "good" / "t2.png", png(77))
        (source / "train" / "good" / "t1.png").unlink(missing_ok=True)
        real(data, target)

    monkeypatch.setattr(importer, "place", place_and_change)
    report = import_dataset(source, settings)

    assert codes(report.rejected) == {
        "metal-nut/train/good/t1.png": "changed",
        "metal-nut/train/good/t2.png": "changed",
    }


@pytest.mark.parametrize(
    ("name", "files", "groups", "blank"),
    [
        pytest.param("mvtec_ad_reduced", 136, 0, 0, marks=needs_shared_data),
        pytest.param("pcb", 346, 0, 0, marks=needs_shared_data),
        pytest.param("magnetic_tile", 1736, 170, 4, marks=needs_shared_data),
    ],
)
def test_the_real_sets_come_in_whole(
    settings: Settings, name: str, files: int, groups: int, blank: int
) -> None:
    report = import_dataset(SHARED / name, settings)

    assert (report.accepted, report.rejected) == (files, [])
    assert [warning.code for warning in report.warnings] == ["blank_mask"] * blank
    found = {group for c in report.categories for group in load_category(settings, c).groups.values()}
    assert len(found) == groups
