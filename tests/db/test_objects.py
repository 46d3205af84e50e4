from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.db.objects import DamagedObject, ObjectStore

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

DATA = b"what the camera saw"


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def visible(objects: ObjectStore) -> list[str]:
    """Every path under the root that the store itself takes for an object."""
    found = []
    for file in objects.root.rglob("*"):
        path = file.relative_to(objects.root).as_posix()
        try:
            objects.absolute(path)
        except AnomalyOSError:
            continue
        found.append(path)
    return found


def test_content_comes_back_under_its_own_hash(objects: ObjectStore) -> None:
    path = objects.put(DATA, ".png")
    digest = hashlib.sha256(DATA).hexdigest()
    assert path == f"{digest[:2]}/{digest[2:4]}/{digest}.png"
    assert objects.read(path) == DATA
    assert objects.absolute(path).read_bytes() == DATA


def test_putting_again_writes_nothing(objects: ObjectStore) -> None:
    path = objects.put(DATA, "")
    before = objects.absolute(path).stat()
    assert objects.put(DATA, "") == path
    assert objects.absolute(path).stat().st_ino == before.st_ino
    assert visible(objects) == [path]


def test_empty_content_is_content(objects: ObjectStore) -> None:
    assert objects.read(objects.put(b"", ".bin")) == b""


@pytest.mark.parametrize(
    "suffix", ["png", ".", ".PNG", "./x", ".a/b", "..", ".png/../../x", ".png\n", ".tar.gz"]
)
def test_odd_suffixes_are_refused(objects: ObjectStore, suffix: str) -> None:
    with pytest.raises(AnomalyOSError):
        objects.put(DATA, suffix)
    assert not objects.root.exists()


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../secrets/session",
        "/etc/passwd",
        "ab/cd/../../../secrets",
        f"ab/cd/{'0' * 64}",  # not the folder of this hash
        f"ab/cd/abcd{'0' * 60}.png\n",
        f"ab/cd/abcd{'0' * 60}.png\0",
        f"ab\\cd\\abcd{'0' * 60}",
        ".incoming/0123456789abcdef0123456789abcdef",
    ],
)
def test_paths_that_are_no_objects_are_refused(objects: ObjectStore, path: str) -> None:
    with pytest.raises(AnomalyOSError):
        objects.absolute(path)
    with pytest.raises(AnomalyOSError):
        objects.read(path)


@hypothesis_settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(alphabet="ab/.\\\0~%", max_size=40))
def test_no_text_leads_out_of_the_root(objects: ObjectStore, path: str) -> None:
    with pytest.raises(AnomalyOSError):
        objects.absolute(path)


def test_a_link_planted_in_the_store_is_not_followed_out(objects: ObjectStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    path = Path(objects.put(DATA, ""))
    (objects.root / path).unlink()
    (objects.root / path).symlink_to(secret)
    with pytest.raises(AnomalyOSError, match="leads out"):
        objects.read(path.as_posix())


def test_a_missing_object_is_named(objects: ObjectStore) -> None:
    with pytest.raises(NotFound, match="is missing"):
        objects.read(f"ab/cd/abcd{'0' * 60}")


def test_damage_is_noticed_on_reading(objects: ObjectStore) -> None:
    path = objects.put(DATA, "")
    objects.absolute(path).write_bytes(DATA[::-1])
    with pytest.raises(DamagedObject):
        objects.read(path)


def test_a_shortened_object_is_written_anew(objects: ObjectStore) -> None:
    path = objects.put(DATA, "")
    objects.absolute(path).write_bytes(DATA[:3])
    objects.put(DATA, "")
    assert objects.read(path) == DATA


def test_a_write_that_fails_leaves_nothing(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        objects.put(DATA, ".png")
    assert [path for path in objects.root.rglob("*") if path.is_file()] == []


def _die_before_the_rename(root: Path) -> None:
    def die(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    Path.replace = die
    ObjectStore(root).put(DATA, ".png")


def test_a_process_killed_while_writing_leaves_no_object(objects: ObjectStore) -> None:
    child = multiprocessing.get_context("fork").Process(target=_die_before_the_rename, args=(objects.root,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    left = [path for path in objects.root.rglob("*") if path.is_file()]
    assert len(left) == 1  # all its bytes, and still not an object
    assert visible(objects) == []

    path = objects.put(DATA, ".png")
    assert visible(objects) == [path]
    assert objects.remove_stale_temporaries() == 0  # somebody may be writing it at this moment
    os.utime(left[0], (0, 0))
    assert objects.remove_stale_temporaries() == 1
    assert objects.read(path) == DATA


def _put_many(root: Path) -> None:
    store = ObjectStore(root)
    for number in range(50):
        store.put(bytes([number]) * 4096, ".npy")


def test_processes_may_put_the_same_content_at_once(objects: ObjectStore) -> None:
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_put_many, args=(objects.root,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    assert len(visible(objects)) == 50
    assert all(len(objects.read(path)) == 4096 for path in visible(objects))
