"""Groups: pictures of the same part or lot, which must never stand on both sides of a split.

A model that has seen a part in training scores another picture of the same part too well,
and a threshold calibrated on such pictures promises a false-alarm rate it cannot keep.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    from anomalyos.products.dataset import Sample

GROUPS_FILE = "groups.csv"
COLUMNS = ("file", "group")
# Published beside the Magnetic Tile Defect set: the splits it proposes are columns of their own.
TILE_COLUMNS = ("file", "tile_group", "grouped_split", "random_split")
MAX_BYTES = 64 * 2**20


def load_groups(path: Path) -> dict[str, str]:
    """File name -> group from a CSV with the columns ``file, group``, in the file's order.

    The four columns of the Magnetic Tile set (``file, tile_group, grouped_split, random_split``)
    are read too; the split columns are ignored, the folders decide.

    Raises:
        AnomalyOSError: unreadable, other columns, an empty or path-like name, an empty group,
            or a file named twice. All wrong lines are named at once.
    """
    rows = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = tuple(cell.strip() for cell in next(rows, []))
        if header not in (COLUMNS, TILE_COLUMNS):
            raise AnomalyOSError(
                f"{path.name} has the columns {', '.join(header) or '(none)'}.",
                "It needs exactly the columns file,group.",
            )
        return _collect(path, rows, len(header))
    except csv.Error as error:
        raise AnomalyOSError(
            f"{path.name} is not a CSV file: {error}.", "Save it as CSV with commas."
        ) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AnomalyOSError(f"{path.name} is larger than {MAX_BYTES // 2**20} MiB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnomalyOSError(f"{path.name} is not a text file.", "Save it as UTF-8 CSV.") from error
    except OSError as error:
        raise AnomalyOSError(f"{path.name} cannot be read: {error.strerror}.", "Check the path.") from error


def _collect(path: Path, rows: Iterable[list[str]], columns: int) -> dict[str, str]:
    groups: dict[str, str] = {}
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        file, group = (row[0].strip(), row[1].strip()) if len(row) == columns else ("", "")
        if not file or not group:
            wrong.append(f"line {number} does not hold a file and a group")
        elif "/" in file or "\\" in file:
            wrong.append(f"line {number}: {file!r} is a path, only the file name belongs here")
        elif file in groups:
            wrong.append(f"line {number} names {file!r} again")
        groups.setdefault(file, group)
    if wrong:
        raise AnomalyOSError(
            f"{path.name} has {len(wrong)} wrong lines: {shorten(wrong, '; ')}.", "Correct them."
        )
    return groups


def format_groups(groups: Mapping[str, str]) -> str:
    """Text of a groups file, sorted by file name, so equal groups are equal bytes."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(groups.items()))
    return buffer.getvalue()


def leaking_groups(
    groups: Mapping[str, str], train: Iterable[str], test: Iterable[str]
) -> dict[str, list[str]]:
    """Groups with pictures in both ``train`` and ``test`` (file names) -> those files, train's first."""
    sides: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, files in enumerate((train, test)):
        for file in sorted(files):
            if file in groups:
                sides[groups[file]][side].append(file)
    return {group: [*left, *right] for group, (left, right) in sorted(sides.items()) if left and right}


def split_groups(
    samples: Sequence[Sample], *, fraction: float, seed: int
) -> tuple[list[Sample], list[Sample]]:
    """Two group-disjoint parts ``(rest, held_out)``; every sample is in exactly one, in the order given.

    ``held_out`` gets whole groups up to ``fraction`` of the samples, and at least one group;
    ``rest`` keeps at least one too. The same samples and seed always give the same parts,
    whatever the order of ``samples``.

    Raises:
        AnomalyOSError: fewer than two groups.
        ValueError: ``fraction`` is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, not {fraction}")
    sizes = _sizes(samples, at_least=2)
    target = fraction * len(samples)
    order = sorted(sizes, key=lambda group: _rank(group, seed))
    held: set[str] = set()
    count = 0
    for group in order:
        if len(held) < len(order) - 1 and count + sizes[group] <= target + 0.5:
            held.add(group)
            count += sizes[group]
    if not held:
        held.add(min(order, key=lambda group: (sizes[group], _rank(group, seed))))
    return [s for s in samples if s.group not in held], [s for s in samples if s.group in held]


def fold_groups(samples: Sequence[Sample], *, folds: int, seed: int) -> list[list[Sample]]:
    """``folds`` non-empty group-disjoint parts of about equal size; every sample is in exactly one.

    Deterministic as :func:`split_groups`. The largest groups are placed first, each into the
    fold with the fewest samples so far.

    Raises:
        AnomalyOSError: fewer groups than folds.
        ValueError: ``folds`` is below 2.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, not {folds}")
    sizes = _sizes(samples, at_least=folds)
    counts = [0] * folds
    fold_of: dict[str, int] = {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], _rank(group, seed))):
        fold = counts.index(min(counts))
        fold_of[group] = fold
        counts[fold] += sizes[group]
    parts: list[list[Sample]] = [[] for _ in range(folds)]
    for sample in samples:
        parts[fold_of[sample.group]].append(sample)
    return parts


def _sizes(samples: Sequence[Sample], *, at_least: int) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for sample in samples:
        sizes[sample.group] += 1
    if len(sizes) < at_least:
        raise AnomalyOSError(
            f"{len(samples)} images form {len(sizes)} groups; a split into parts needs at least {at_least}.",
            "Add images of other parts, or correct groups.csv.",
        )
    return dict(sizes)


def _rank(group: str, seed: int) -> bytes:
    """Pseudo-random order of groups that does not depend on which other groups there are."""
    return hashlib.sha256(f"{seed}\0{group}".encode()).digest()


def shorten(items: Sequence[str], separator: str = ", ", limit: int = 10) -> str:
    """The first ``limit`` items in one text, and how many were left out."""
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return separator.join(items[:limit]) + more
