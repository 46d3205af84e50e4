from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.inspection.inbox import InboxFile, scan_inbox, within_inbox

DAY = "2026-11-24"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    (folder / DAY / "nut").mkdir(parents=True)
    return folder


def drop(path: Path, data: bytes = b"x") -> Path:
    """A file that was finished a minute ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def test_finds_files_with_and_without_a_category(inbox: Path) -> None:
    drop(inbox / DAY / "loose.png")
    drop(inbox / DAY / "nut" / "2.png")
    drop(inbox / DAY / "nut" / "1.png")
    assert scan_inbox(inbox, DAY) == [
        InboxFile("loose.png"),
        InboxFile("nut/1.png", "nut"),
        InboxFile("nut/2.png", "nut"),
    ]


def test_a_night_without_a_folder_is_empty(inbox: Path) -> None:
    assert scan_inbox(inbox, "2026-01-01") == []
    assert scan_inbox(inbox / "missing", DAY) == []


@pytest.mark.parametrize("name", [".hidden.png", "~lock.png", "a.png.part", "a.TMP", ".nfs0001"])
def test_hidden_and_temporary_files_are_ignored(inbox: Path, name: str) -> None:
    drop(inbox / DAY / name)
    drop(inbox / DAY / "nut" / name)
    assert scan_inbox(inbox, DAY) == []


def test_deeper_folders_are_ignored_with_a_log_line(inbox: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(inbox / DAY / "nut" / "raw" / "1.png")
    assert scan_inbox(inbox, DAY) == []
    assert "too deep" in caplog.text


def test_a_folder_that_is_no_category_name_leaves_it_to_the_router(inbox: Path) -> None:
    drop(inbox / DAY / "Camera 3" / "1.png")
    assert scan_inbox(inbox, DAY) == [InboxFile("Camera 3/1.png", None)]


def test_links_that_leave_the_inbox_are_refused(
    inbox: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = drop(tmp_path / "secret.png")
    (inbox / DAY / "nut" / "link.png").symlink_to(secret)
    (inbox / DAY / "folder").symlink_to(tmp_path)
    (inbox / DAY / "nut" / "loop.png").symlink_to(inbox / DAY / "nut" / "loop.png")
    assert scan_inbox(inbox, DAY) == []
    assert caplog.text.count("refused") == 3


def test_links_inside_the_inbox_and_an_inbox_that_is_a_link_are_fine(inbox: Path, tmp_path: Path) -> None:
    target = drop(inbox / DAY / "nut" / "1.png")
    (inbox / DAY / "nut" / "2.png").symlink_to(target)
    share = tmp_path / "share"
    share.symlink_to(inbox)
    assert [file.path for file in scan_inbox(share, DAY)] == ["nut/1.png", "nut/2.png"]


def test_pipes_are_ignored(inbox: Path) -> None:
    os.mkfifo(inbox / DAY / "pipe.png")
    assert scan_inbox(inbox, DAY) == []


def test_a_dangling_link_is_delivered_so_that_it_is_rejected_with_a_reason(inbox: Path) -> None:
    (inbox / DAY / "gone.png").symlink_to(inbox / DAY / "nowhere.png")
    assert scan_inbox(inbox, DAY) == [InboxFile("gone.png")]


def test_a_name_that_is_not_utf8_is_refused(inbox: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        drop(inbox / DAY / name)
    except OSError:
        pytest.skip("this file system stores UTF-8 names only")
    assert scan_inbox(inbox, DAY) == []
    assert "UTF-8" in caplog.text


def test_a_fresh_file_is_taken_once_it_rests(inbox: Path) -> None:
    (inbox / DAY / "new.png").write_bytes(b"x")
    assert scan_inbox(inbox, DAY, settle_seconds=0.05) == [InboxFile("new.png")]


def test_a_clock_that_is_ahead_does_not_hide_a_file(inbox: Path) -> None:
    path = drop(inbox / DAY / "future.png")
    os.utime(path, (time.time() + 9999, time.time() + 9999))
    assert scan_inbox(inbox, DAY, settle_seconds=0.05) == [InboxFile("future.png")]


def test_a_file_that_keeps_growing_is_left_to_the_next_run(
    inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop(inbox / DAY / "done.png")
    growing = inbox / DAY / "growing.png"
    growing.write_bytes(b"x")
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.005):
            with growing.open("ab") as file:
                file.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        found = scan_inbox(inbox, DAY, settle_seconds=0.1)
    finally:
        stop.set()
        writer.join()
    assert found == [InboxFile("done.png")]
    assert "still being written" in caplog.text


@pytest.mark.parametrize("path", ["../x", f"{DAY}/../../x", "/etc/passwd"])
def test_paths_that_leave_the_inbox_raise(inbox: Path, path: str) -> None:
    with pytest.raises(AnomalyOSError, match="leads out"):
        within_inbox(inbox, path)
