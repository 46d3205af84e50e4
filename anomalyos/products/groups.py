"""Groups: pictures of the same part or lot, which must never stand on both sides of a split.

A model that has seen a part in training scores another picture of the same part too well,
and a threshold calibrated on such pictures promises a false-alarm rate it cannot keep.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError

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


def shorten(items: Sequence[str], separator: str = ", ", limit: int = 10) -> str:
    """The first ``limit`` items in one text, and how many were left out."""
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return separator.join(items[:limit]) + more
