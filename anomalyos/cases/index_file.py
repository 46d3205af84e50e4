"""A case index as one file: its FAISS indexes, the cases in them, and what made the vectors."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from anomalyos.cases.case_index import CaseIndex, Entry
from anomalyos.cases.partition import Partition
from anomalyos.core.errors import AnomalyOSError, NotFound

FORMAT = 1
MANIFEST = "index.json"
REBUILD = "Make it anew with 'anomalyos cases rebuild'."


class IndexMismatch(AnomalyOSError):
    """Vectors that do not compare with those of the present embedder."""


class IndexDamaged(AnomalyOSError):
    """A file that is not a whole case index."""


def save_index(index: CaseIndex, path: Path, change: int) -> None:
    """Write ``index`` to ``path``, whole or not at all.

    Args:
        change: number of the newest change of the case table that is in it.
    """
    import faiss

    names = sorted(index.partitions)
    manifest = {
        "format": FORMAT,
        "embedder": index.embedder,
        "dims": index.dims,
        "factory": index.factory,
        "change": change,
        "partitions": [{"category": name, "waiting": index.partitions[name].waiting} for name in names],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with zipfile.ZipFile(draft, "x", zipfile.ZIP_STORED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest))
            for number, part in enumerate(index.partitions[name] for name in names):
                archive.writestr(f"{number}.faiss", faiss.serialize_index(part.index).tobytes())
                archive.writestr(f"{number}.npz", _entries_file(index, part))
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load_index(path: Path, embedder: str) -> tuple[CaseIndex, int]:
    """The index in ``path`` and the number of the newest change in it.

    Args:
        embedder: digest of the present embedder.

    Raises:
        NotFound: there is no such file.
        IndexMismatch: another embedder made its vectors.
        IndexDamaged: cut short, changed, or not a case index of this format.
    """

    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, embedder)
    except FileNotFoundError as error:
        raise NotFound(f"There is no case index {path.name}.", REBUILD) from error
    except (zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise IndexDamaged(f"The case index {path.name} is damaged: {error}.", REBUILD) from error


def _read(archive: zipfile.ZipFile, embedder: str) -> tuple[CaseIndex, int]:
    manifest = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise ValueError(f"it has the format {manifest['format']}, not {FORMAT}")
    if manifest["embedder"] != embedder:
        raise IndexMismatch(
            "The case index was made with another embedder than ANOMALYOS_EMBEDDER names now.", REBUILD
        )
    index = CaseIndex(int(manifest["dims"]), embedder, str(manifest["factory"]))
    for number, facts in enumerate(manifest["partitions"]):
        part = _read_partition(archive, number, index)
        part.waiting = bool(facts["waiting"])
        with np.load(io.BytesIO(archive.read(f"{number}.npz")), allow_pickle=False) as table:
            ids, images, hidden = table["ids"], table["images"], table["hidden"]
        part.live, part.hidden = set(ids.tolist()), set(hidden.tolist())
        if part.index.ntotal != len(ids) + len(hidden):
            raise ValueError("vectors and cases are not equally many")
        index.attach(
            str(facts["category"]),
            part,
            [
                Entry(case_id, str(facts["category"]), image.tobytes().hex())
                for case_id, image in zip(ids.tolist(), images, strict=True)
            ],
        )
    return index, int(manifest["change"])


def _read_partition(archive: zipfile.ZipFile, number: int, index: CaseIndex) -> Partition:
    import faiss

    part = Partition(index.dims, index.factory)
    part.index = faiss.deserialize_index(np.frombuffer(archive.read(f"{number}.faiss"), np.uint8))
    if part.index.d != index.dims:
        raise ValueError(f"a part has {part.index.d} dimensions, not {index.dims}")
    return part


def _entries_file(index: CaseIndex, part: Partition) -> bytes:
    ids = sorted(part.live)
    images = [np.frombuffer(bytes.fromhex(index.entries[number].image), np.uint8) for number in ids]
    columns: dict[str, Any] = {
        "ids": np.array(ids, np.int64),
        "images": np.stack(images),
        "hidden": np.array(sorted(part.hidden), np.int64),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **columns)
    return buffer.getvalue()
