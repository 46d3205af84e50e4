"""Every rule violated by a file the test makes, and what becomes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from anomalyos.core.errors import Conflict
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import versions as model_versions
from anomalyos.patchcore.bundle import load_bundle
from anomalyos.products.dataset import load_category
from anomalyos.quality import data_check, data_checks, measuring, quarantine
from anomalyos.quality.data_check import CategoryCheck, DataStopped, check_category, require_learnable
from anomalyos.quality.tables import DataCheck, ImageFigures, QuarantinedImage
from tests.quality.suites import VIOLATIONS, brighter, write_suite
from tests.support.products import draw, picture, png, write_product


@pytest.fixture
def good(settings: Settings) -> Path:
    """The training folder of a product without a fault."""
    return write_product(settings.data_dir, "dots", good=2, flawed=2) / "train" / "good"


def check(settings: Settings, store: Store) -> CategoryCheck:
    return check_category("dots", settings, store)


def failed(done: CategoryCheck) -> set[str]:
    return {result["rule"] for result in done.row.results if not result["passed"]}


def rows(store: Store) -> list[QuarantinedImage]:
    with store.session(read_only=True) as session:
        return list(quarantine.listed(session))


def forbid(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(where, name, refuse)


def test_a_product_without_fault_passes(settings: Settings, store: Store, good: Path) -> None:
    done = check(settings, store)
    assert (done.row.outcome, done.row.images, done.out, done.row.findings) == ("passed", 16, (), [])
    assert {result["rule"] for result in done.row.results} >= {"size", "duplicates", "enough_images"}
    assert done.row.reference["images"] == 12
    require_learnable(done)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_violation_is_set_aside_with_its_reason(
    settings: Settings, store: Store, good: Path, name: str
) -> None:
    data, rule, word = VIOLATIONS[name]
    (good / f"{name}.png").write_bytes(data)
    done = check(settings, store)
    assert done.row.outcome == "set_aside"
    assert [(row.file, row.state) for row in done.out] == [(f"train/good/{name}.png", "held")]
    assert rule in done.out[0].rules
    assert word in done.out[0].reason
    require_learnable(done)


def test_near_duplicates_and_leaks_are_said_and_used(settings: Settings, store: Store, good: Path) -> None:
    (good / "zz_near.png").write_bytes(brighter(0))
    (good / "zz_leak.png").write_bytes((good.parents[1] / "test/good/000.png").read_bytes())
    done = check(settings, store)
    assert (done.row.outcome, done.out) == ("warned", ())
    said = {finding["file"]: (finding["rules"], finding["reason"]) for finding in done.row.findings}
    assert said["train/good/zz_near.png"][0] == ["near_duplicates"]
    assert "train/good/000.png" in said["train/good/zz_near.png"][1]
    assert said["train/good/zz_leak.png"][0] == ["leaks"]


def test_pictures_of_one_group_may_look_alike(settings: Settings, store: Store, good: Path) -> None:
    (good / "zz_near.png").write_bytes(brighter(0))
    (good.parents[1] / "groups.csv").write_text("file,group\n000.png,a\nzz_near.png,a\n")
    assert check(settings, store).row.outcome == "passed"


def test_too_few_images_stop(settings: Settings, store: Store, good: Path) -> None:
    for path in sorted(good.iterdir())[4:]:
        path.unlink()
    (good / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = check(settings, store)
    assert (done.row.outcome, failed(done)) == ("stopped", {"decodable", "enough_images"})
    with pytest.raises(DataStopped, match="4 readable normal images are left; at least 5"):
        require_learnable(done)


def test_no_image_at_all_stops(settings: Settings, store: Store, good: Path) -> None:
    for path in good.iterdir():
        path.unlink()
    with pytest.raises(DataStopped, match="0 readable normal images"):
        require_learnable(check(settings, store))


def test_too_large_a_share_stops(settings: Settings, store: Store, good: Path) -> None:
    for number in range(13):
        (good / f"torn{number}.png").write_bytes(bytes([number]))
    done = check(settings, store)
    assert done.row.outcome == "stopped"
    assert "Can be decoded: 52% of the images violate it; the suite puts up with 50%." in done.row.reason


@pytest.mark.parametrize(
    ("severity", "outcome", "out"),
    [("quarantine", "set_aside", 1), ("warn", "warned", 0), ("stop", "stopped", 0), ("skip", "passed", 0)],
)
def test_the_suite_says_what_a_violation_means(
    settings: Settings, store: Store, good: Path, severity: str, outcome: str, out: int
) -> None:
    (good / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    write_suite(settings, "dots", f"mode: {{learning: {severity}}}")
    done = check(settings, store)
    assert (done.row.outcome, len(done.out)) == (outcome, out)


def test_a_test_image_is_remarked_on_and_kept(settings: Settings, store: Store, good: Path) -> None:
    (good.parents[1] / "test/stain/black.png").write_bytes(VIOLATIONS["black"][0])
    done = check(settings, store)
    assert (done.row.outcome, done.out) == ("warned", ())
    assert [finding["split"] for finding in done.row.findings] == ["test"]


def test_unchanged_images_are_neither_decoded_nor_asked_about_again(
    settings: Settings, store: Store, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (good / "torn.png").write_bytes(b"torn")
    first = check(settings, store)
    with monkeypatch.context() as patch:
        forbid(patch, measuring, "decode_image")
        forbid(patch, data_check, "evaluate")
        again = check(settings, store)
    assert (again.row.id, again.left_out()) == (first.row.id, first.left_out())
    (good / "new.png").write_bytes(picture("dots", 99))
    decoded: list[bytes] = []
    real = measuring.decode_image
    monkeypatch.setattr(measuring, "decode_image", lambda data, s: decoded.append(data) or real(data, s))
    assert check(settings, store).row.id != first.row.id
    assert len(decoded) == 1


def test_figures_do_not_outlive_the_limits_they_were_measured_under(
    settings: Settings, store: Store, good: Path
) -> None:
    assert check(settings, store).row.outcome == "passed"
    settings.max_image_bytes = 1024
    assert "decodable" in failed(check(settings, store))
    settings.max_image_bytes = 2**25
    assert check(settings, store).row.outcome == "passed"


def test_files_that_cannot_be_read_are_each_their_own(settings: Settings, store: Store, good: Path) -> None:
    for name in ("gone", "lost"):
        (good / f"{name}.png").write_bytes(picture("dots", 60))
    data = load_category(settings, "dots")
    assert len(data.train) == 14
    for name in ("gone", "lost"):
        (good / f"{name}.png").unlink()
    done = check_category("dots", settings, store, data=data)
    assert {row.file: (row.sha256, row.rules) for row in done.out} == {
        "train/good/gone.png": ("", ["decodable"]),
        "train/good/lost.png": ("", ["decodable"]),
    }
    assert {row.reason for row in done.out} == {"The file is gone."}
    with store.session(read_only=True) as session:
        assert session.get(ImageFigures, "") is None


def test_a_suite_that_is_set_back_gives_its_old_answer_anew(
    settings: Settings, store: Store, good: Path
) -> None:
    (good / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    first = check(settings, store)
    path = write_suite(settings, "dots", "mode: {learning: skip}")
    assert check(settings, store).out == ()
    assert [row.state for row in rows(store)] == ["cleared"]
    path.unlink()
    again = check(settings, store)
    assert (again.row.id, [row.state for row in again.out]) == (first.row.id, ["held"])
    with store.session(read_only=True) as session:
        newest = data_checks.newest(session, "dots")
    assert newest is not None
    assert newest.id == first.row.id


# what engineers decide -------------------------------------------------------------------------


def test_a_released_file_is_used_until_another_rule_finds_fault(
    settings: Settings, store: Store, good: Path
) -> None:
    (good / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    held = check(settings, store).out[0]
    with store.session() as session:
        quarantine.release(session, held.id or 0, actor="erik", note="another scanner")
    done = check(settings, store)
    assert (done.row.outcome, done.out) == ("warned", ())
    with store.session() as session, pytest.raises(Conflict, match="not set aside"):
        quarantine.release(session, held.id or 0, actor="erik")
    write_suite(settings, "dots", "bytes: {least: 1000000}")
    assert held.file in check(settings, store).left_out()


def test_a_file_that_is_kept_out_stays_out_whatever_the_suite_says(
    settings: Settings, store: Store, good: Path
) -> None:
    (good / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    held = check(settings, store).out[0]
    with store.session() as session:
        quarantine.keep_out(session, held.id or 0, actor="erik")
    write_suite(settings, "dots", "mode: {learning: skip}")
    assert list(check(settings, store).left_out()) == ["train/good/cmyk.jpg"]
    (good / "cmyk.jpg").write_bytes(picture("dots", 77))
    assert check(settings, store).out == ()


def test_what_cannot_be_decoded_cannot_be_released(settings: Settings, store: Store, good: Path) -> None:
    (good / "torn.png").write_bytes(b"torn")
    held = check(settings, store).out[0]
    with store.session() as session, pytest.raises(Conflict, match="cannot be decoded"):
        quarantine.release(session, held.id or 0, actor="erik")


def test_a_stopped_batch_goes_on_when_an_engineer_says_so(
    settings: Settings, store: Store, good: Path
) -> None:
    write_suite(settings, "dots", "enough_images: {least: 100}")
    done = check(settings, store)
    with pytest.raises(DataStopped):
        require_learnable(done)
    with store.session() as session:
        data_checks.let_go_on(session, done.row.id or 0, actor="erik", note="the line starts today")
    require_learnable(check(settings, store))
    with store.session() as session, pytest.raises(Conflict, match="erik"):
        data_checks.let_go_on(session, done.row.id or 0, actor="erik", note="again")


# learning ---------------------------------------------------------------------------------------


def test_a_rebuild_leaves_bad_images_out_and_names_them(settings: Settings, store: Store, good: Path) -> None:
    for name in ("cmyk", "truncated", "zz_copy"):
        (good / f"{name}.png").write_bytes(VIOLATIONS[name][0])
    result = rebuild_category("dots", settings, store)
    assert {entry["file"]: entry["code"] for entry in result["set_aside"]} == {
        "cmyk.png": "mode",
        "truncated.png": "decodable",
        "zz_copy.png": "duplicates",
    }
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, "dots")
    assert champion is not None
    manifest = load_bundle(settings.bundles_dir / champion.bundle_path).manifest
    assert len(manifest["training_images"]) == 12
    assert {entry["file"] for entry in manifest["rejected_images"]} == {
        "cmyk.png",
        "truncated.png",
        "zz_copy.png",
    }
    # what stays out changes nothing: the version is still the one of these twelve
    (good / "zz_copy.png").unlink()
    assert rebuild_category("dots", settings, store)["created"] is False


def test_a_stopped_suite_keeps_the_champion(settings: Settings, store: Store, good: Path) -> None:
    rebuild_category("dots", settings, store)
    write_suite(settings, "dots", "enough_images: {least: 100}")
    with pytest.raises(DataStopped, match="nothing is learned"):
        rebuild_category("dots", settings, store, RebuildOptions(force=True))
    with store.session(read_only=True) as session:
        assert [version.version for version in model_versions.list_versions(session, "dots")] == [1]


def test_left_out_files_do_not_count_in_the_content(settings: Settings, good: Path) -> None:
    data = load_category(settings, "dots")
    before = data.content_hash()
    (good / "extra.png").write_bytes(picture("dots", 40))
    grown = load_category(settings, "dots")
    assert grown.content_hash() != before
    less = grown.without({"train/good/extra.png": {"code": "mode", "reason": "x"}})
    assert (less.content_hash(), len(less.train)) == (before, 12)


KILLED_BEFORE_ITS_ROWS = """
import os, signal
from anomalyos.quality.data_check import check_category
from anomalyos.core.settings import get_settings
from anomalyos.quality import data_checks
from anomalyos.db.engine import open_store
data_checks.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
check_category("dots", get_settings(), open_store(get_settings()))
"""


def test_killed_before_its_rows_it_leaves_none_and_answers_the_same(
    settings: Settings, store: Store, good: Path
) -> None:
    (good / "cmyk.png").write_bytes(VIOLATIONS["cmyk"][0])
    done = subprocess.run([sys.executable, "-c", KILLED_BEFORE_ITS_ROWS], cwd=PROJECT_ROOT)
    assert done.returncode == -9
    with store.session(read_only=True) as session:
        assert session.exec(select(DataCheck)).all() == []
    assert rows(store) == []
    for _ in range(2):
        assert list(check(settings, store).left_out()) == ["train/good/cmyk.png"]
    with store.session(read_only=True) as session:
        assert len(session.exec(select(DataCheck)).all()) == 1
    assert len(rows(store)) == 1


def test_a_product_of_very_small_pictures_is_learnable(settings: Settings, store: Store) -> None:
    train = settings.data_dir / "tiny" / "train" / "good"
    train.mkdir(parents=True)
    for number in range(12):
        (train / f"{number:03}.png").write_bytes(png(draw("dots", number)[0][8:24, 8:24]))
    done = check_category("tiny", settings, store)
    assert done.out == ()
    assert not data_checks.stops(done.row)
