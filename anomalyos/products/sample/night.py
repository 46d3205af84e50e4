"""A night's pictures as cameras would drop them: mostly good parts, some not, names that tell nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from anomalyos.core.progress import Progress
from anomalyos.products.sample.catalogue import CATALOGUE, sample_category
from anomalyos.products.sample.draws import Draw
from anomalyos.products.sample.work import Task, open_workers

_NIGHT_SEED = 1_000_000
_DEFECTIVE = (0.08, 0.38, 0.72)
"""Cumulative odds of no, one and two defective parts in a category; otherwise three."""

ALL = tuple(category.name for category in CATALOGUE)


def night_plan(inbox: Path, day: str, categories: Sequence[str] = ALL) -> list[Task]:
    """What arrives on ``day``: 7 to 9 pictures a category, a bit over a fifth of them defective.

    A category's part of the plan does not depend on which others are asked for.
    """
    tasks: list[Task] = []
    for name in categories:
        product = sample_category(name)
        draw = Draw(crc32(day.encode()), crc32(name.encode()))
        count = draw.whole(7, 9)
        odds = draw.span(0, 1)
        flawed = sum(odds >= limit for limit in _DEFECTIVE)
        places = set(draw.generator.permutation(count)[:flawed].tolist())
        kinds = [product.defects[k] for k in draw.generator.permutation(len(product.defects))]
        camera, number = draw.whole(1, 4), draw.whole(1, 900)
        base = _NIGHT_SEED + crc32(f"{day}/{name}".encode()) * 100
        for k in range(count):
            defect = kinds.pop() if k in places else None
            tasks.append(Task(name, defect, base + k, inbox / name / f"cam{camera}_{number:04d}.png"))
            number += draw.whole(1, 6)
    return tasks


def write_night(
    inbox: Path,
    day: str,
    *,
    categories: Sequence[str] = ALL,
    progress: Progress | None = None,
    workers: int = 2,
) -> int:
    """Render the night of ``day`` into ``inbox``/CATEGORY/ and return how many pictures it has.

    The same day always brings the same pictures; those already there are kept. What is wrong with
    which part is not written anywhere: ``night_plan`` knows.
    """
    tasks = night_plan(inbox, day, categories)
    waiting = [task for task in tasks if not task.path.exists()]
    done = len(tasks) - len(waiting)
    if progress:
        progress(done, len(tasks))
    with open_workers(workers, len(waiting)) as pool:
        for _ in pool.run(waiting):
            done += 1
            if progress:
                progress(done, len(tasks))
    return len(tasks)
