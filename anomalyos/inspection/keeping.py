"""Results are kept: files first, under their content's hash, then the rows of several in one transaction.

A crash in between leaves files without a row, which the sweep removes, and never a row without its file.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session

from anomalyos.db.engine import Store
from anomalyos.db.objects import ObjectStore
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import DecodedImage, ImageRejected
from anomalyos.inspection import batches, images, inspections
from anomalyos.inspection.examination import Examination, inspection_row
from anomalyos.inspection.tables import Image, Inspection
from anomalyos.models import categories


@dataclass(frozen=True)
class Finished:
    """One file that was examined, or refused with the reason, and not kept yet."""

    data: bytes
    """The file as it came."""
    source: str
    given: str | None
    """The product, when the caller knew."""
    image: DecodedImage | None
    found: Examination | ImageRejected
    timings_ms: dict[str, float]


def keep(
    store: Store, batch_key: str, finished: Sequence[Finished], writers: Executor | None = None
) -> list[Inspection]:
    """Store the results; what another run has stored already stays as it is.

    Args:
        writers: threads that write the files side by side: most of that time is spent waiting for the disk.

    Returns:
        The stored rows, in order.

    Raises:
        NotFound: for an unknown batch or category.
    """
    run = map if writers is None else writers.map
    paths = list(run(lambda one: _put_files(store.objects, one), finished))
    rows = [_row(one, map_path) for one, (_, map_path) in zip(finished, paths, strict=True)]
    with store.session() as session:
        batch_id = stored_id(batches.by_key(session, batch_key).id)
        _name_categories(session, rows)
        _name_images(session, rows, finished, [image_path for image_path, _ in paths])
        for row in rows:
            row.batch_id = batch_id
            row.work_key = inspections.work_key(batch_key, row.source, row.content_sha256)
        return inspections.record_many(session, rows)


def _put_files(objects: ObjectStore, one: Finished) -> tuple[str, str]:
    """Where photograph and anomaly map lie, empty for what there is not."""
    if isinstance(one.found, ImageRejected):
        if one.data:
            objects.put(one.data, ".rejected")
        return "", ""
    assert one.image is not None
    image_path = objects.put(one.data, one.image.suffix)
    if one.found.distances is None:
        return image_path, ""
    buffer = io.BytesIO()
    np.save(buffer, one.found.distances.astype(np.float32), allow_pickle=False)
    return image_path, objects.put(buffer.getvalue(), ".npy")


def _row(one: Finished, map_path: str) -> Inspection:
    if isinstance(one.found, ImageRejected):
        sha256 = hashlib.sha256(one.data).hexdigest()
        row = inspections.rejected(one.source, sha256, one.found.code, one.found.message, one.given)
    else:
        assert one.image is not None
        row = inspection_row(one.found, one.image, one.source, one.given)
        row.map_path = map_path
    row.timings_ms = one.timings_ms
    return row


def _name_categories(session: Session, rows: Iterable[Inspection]) -> None:
    ids: dict[str, int] = {}
    for row in rows:
        name = row.given_category or row.routed_category
        if row.model_version_id is None or name is None:
            continue
        if name not in ids:
            ids[name] = stored_id(categories.by_name(session, name).id)
        row.category_id = ids[name]


def _name_images(
    session: Session, rows: Sequence[Inspection], finished: Sequence[Finished], paths: Sequence[str]
) -> None:
    decoded = [
        Image(
            sha256=one.image.sha256,
            object_path=path,
            format=one.image.format,
            width=one.image.width,
            height=one.image.height,
            size_bytes=one.image.size_bytes,
        )
        for one, path in zip(finished, paths, strict=True)
        if one.image is not None
    ]
    stored = images.get_or_create_many(session, decoded)
    for row, one in zip(rows, finished, strict=True):
        row.image_id = None if one.image is None else stored_id(stored[one.image.sha256].id)
