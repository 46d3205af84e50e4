"""Rendering many pictures to files, in several processes."""

from __future__ import annotations

import io
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.files.writing import write_bytes
from anomalyos.products.sample.rendering import render

SMALL_JOB = 12
"""Fewer pictures than this are made in the calling process: starting workers takes longer."""


@dataclass(frozen=True)
class Task:
    """One picture to be made, with its mask when ``mask_path`` is given."""

    category: str
    defect: str | None
    seed: int
    path: Path
    mask_path: Path | None = None


class Workers:
    """Maps tasks over processes, or over nothing when there is only one."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    def run(self, tasks: Sequence[Task]) -> Iterator[None]:
        """Yields once for each finished task, in order."""
        if self._pool is None:
            yield from map(make, tasks)
        else:
            yield from self._pool.map(make, tasks, chunksize=4)


@contextmanager
def open_workers(count: int, jobs: int) -> Iterator[Workers]:
    """``count`` spawned processes.

    Inside a daemonic process (which may not have children) and for small jobs the work is done in place.
    """
    if count <= 1 or jobs < SMALL_JOB or multiprocessing.current_process().daemon:
        yield Workers(None)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(count, jobs), mp_context=spawn) as pool:
        try:
            yield Workers(pool)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def make(task: Task) -> None:
    """Render one task. The mask is written first: a picture on disk has its mask."""
    picture, mask = render(task.category, task.defect, task.seed)
    if task.mask_path is not None:
        write_png(task.mask_path, (mask * 255).astype(np.uint8))
    write_png(task.path, picture)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """A file with this name is always whole."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    # drawn again when the machine stops: nobody waits for the disk
    write_bytes(path, buffer.getvalue(), durable=False)
