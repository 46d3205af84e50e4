"""The sample data set on disk, in the MVTec AD layout."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.writing import write_bytes
from anomalyos.core.progress import Progress
from anomalyos.products.sample.catalogue import CATALOGUE, sample_category
from anomalyos.products.sample.work import Task, Workers, open_workers

GENERATOR_VERSION = "3"
"""Raised whenever the pictures change: data sets made by another version are rendered anew."""

MARKER = "synthetic.json"
TRAIN, TEST_GOOD, TEST_EACH_DEFECT = 60, 20, 5
_TRAIN_SEED, _GOOD_SEED, _DEFECT_SEED = 0, 10_000, 20_000
ALL = tuple(category.name for category in CATALOGUE)


def plan(folder: Path, category: str) -> list[Task]:
    """Every picture of one category under ``folder``; train and test seeds never meet."""
    tasks = [Task(category, None, _TRAIN_SEED + k, folder / f"train/good/{k:03d}.png") for k in range(TRAIN)]
    tasks += [
        Task(category, None, _GOOD_SEED + k, folder / f"test/good/{k:03d}.png") for k in range(TEST_GOOD)
    ]
    for number, defect in enumerate(sample_category(category).defects):
        tasks += [
            Task(
                category, defect, _DEFECT_SEED + 100 * number + k, folder / f"test/{defect}/{k:03d}.png",
                folder / f"ground_truth/{defect}/{k:03d}_mask.png",
            )
            for k in range(TEST_EACH_DEFECT)
        ]  # fmt: skip
    return tasks


def write_dataset(
    root: Path, *, categories: Sequence[str] = ALL, progress: Progress | None = None, workers: int = 2
) -> None:
    """Render the categories under ``root``; finished ones of this version are left alone.

    A category is built in a hidden folder beside its place and appears by one rename, so a killed
    run leaves nothing half done in sight, and the next run goes on where it stopped.

    Args:
        progress: called with (pictures done, pictures in all).
        workers: processes that render.

    Raises:
        NotFound: an unknown category.
        AnomalyOSError: a folder of that name holds something that was not rendered here.
    """
    waiting = [name for name in categories if not _is_finished(root / sample_category(name).name)]
    total = sum(len(plan(root, name)) for name in categories)
    missing = sum(len(plan(root, name)) for name in waiting)
    done = total - missing
    report = progress or (lambda _done, _total: None)
    report(done, total)
    with open_workers(workers, missing) as pool:
        for name in waiting:
            before = done
            for made in _build(root, name, pool):
                done = before + made
                report(done, total)


def _build(root: Path, name: str, pool: Workers) -> Iterator[int]:
    """Yields how many pictures of the category exist so far."""
    staging = _staging(root, name)
    tasks = plan(staging, name)
    open_tasks = [task for task in tasks if not task.path.exists()]
    made = len(tasks) - len(open_tasks)
    for _ in pool.run(open_tasks):
        made += 1
        yield made
    marker = {
        "synthetic": True,
        "generator_version": GENERATOR_VERSION,
        "seed": _TRAIN_SEED,
        "pictures": made,
    }
    write_bytes(staging / MARKER, json.dumps(marker, indent=1).encode())
    _publish(staging, root / name)
    yield made


def _is_finished(folder: Path) -> bool:
    """Whether the folder holds this version's pictures; refuses folders that are somebody else's."""
    if not folder.exists():
        return False
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        marker = None
    if not isinstance(marker, dict) or not marker.get("synthetic"):
        raise AnomalyOSError(
            f"{folder} exists and does not hold rendered samples.",
            "Move it away, or choose another data folder.",
        )
    return marker.get("generator_version") == GENERATOR_VERSION


def _staging(root: Path, name: str) -> Path:
    """The hidden folder a category grows in; one left by another version is thrown away."""
    staging = root / f".{name}.v{GENERATOR_VERSION}.partial"
    for stale in root.glob(f".{name}.*.partial"):
        if stale != staging:
            shutil.rmtree(stale)
    staging.mkdir(parents=True, exist_ok=True)
    return staging


def _publish(staging: Path, folder: Path) -> None:
    """Put the finished category in its place; pictures that people added to an older one move along."""
    if folder.exists():
        rendered = {task.path.relative_to(staging) for task in plan(staging, folder.name)}
        rendered |= {
            task.mask_path.relative_to(staging) for task in plan(staging, folder.name) if task.mask_path
        }
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            if path.is_file() and place not in rendered and not (staging / place).exists():
                (staging / place).parent.mkdir(parents=True, exist_ok=True)
                path.replace(staging / place)
        old = folder.with_name(f".{folder.name}.old.partial")
        folder.replace(old)
        staging.replace(folder)
        shutil.rmtree(old)
    else:
        staging.replace(folder)
