"""What a classifier learns from: the named defects of one category, and which of them stay together."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases import repository as case_repository
from anomalyos.cases.library import focus_of
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.products.groups import GROUPS_FILE, load_groups
from anomalyos.products.part_names import part_names

FEWEST_CASES = 8
FEWEST_PARTS = 2
"""Photographs, of different parts, that a class needs: with one, nothing is left to check it on."""
FEWEST_CLASSES = 2
_ALL = 1_000_000
Labels = NDArray[np.int64]


class NotEnoughDefects(AnomalyOSError):
    """Too few named defects, or all of one name: no classifier can be learned from them."""


@dataclass(frozen=True)
class Example:
    """One known defect as it is learned from."""

    key: str
    """The case's content key."""
    label: str
    photograph: str
    """SHA-256 of the photograph."""
    part: str
    """What photographs of one part have in common; the photograph itself where that is unknown."""
    image_path: str
    """Relative to ``Settings.objects_dir``: the photograph."""
    focus: tuple[int, int] | None
    """x, y of the defect's middle in it; None where nobody marked it."""


@dataclass(frozen=True)
class DefectSet:
    """The examples of one category, ordered by key, and what was left out of it."""

    category: str
    examples: tuple[Example, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    """Class, or ``case N``, to the reason."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by alphabet: the order of every logit."""
        return tuple(sorted({example.label for example in self.examples}))

    @property
    def labels(self) -> Labels:
        """(N,) index into ``classes``."""
        number = {name: index for index, name in enumerate(self.classes)}
        return np.array([number[example.label] for example in self.examples], dtype=np.int64)

    @property
    def parts(self) -> list[str]:
        return [example.part for example in self.examples]

    def subset(self, chosen: Sequence[int]) -> DefectSet:
        """The examples at ``chosen`` places; classes that vanish with the rest are gone."""
        return replace(self, examples=tuple(self.examples[place] for place in chosen))

    def data_hash(self) -> str:
        """SHA-256 over places, names and what stays together."""
        lines = [[e.key, e.label, e.part, e.photograph, e.focus] for e in self.examples]
        return hashlib.sha256(json.dumps(lines).encode("ascii")).hexdigest()


def load_defects(category: str, settings: Settings, store: Store) -> DefectSet:
    """The live, named defects of ``category``.

    A class known from photographs of fewer than ``FEWEST_PARTS`` parts is left out.

    Raises:
        NotEnoughDefects: fewer than ``FEWEST_CLASSES`` classes or ``FEWEST_CASES`` cases remain.
    """
    with store.session(read_only=True) as session:
        rows = case_repository.list_cases(session, category, limit=_ALL)
    left_out: dict[str, str] = {}
    named: list[DefectCase] = []
    for row in rows:
        if row.defect_type == case_repository.UNNAMED:
            continue
        if store.objects.absolute(row.image_path).is_file():
            named.append(row)
        else:
            left_out[f"case {row.id}"] = "its photograph is gone"
    part_of = parts_of(category, named, settings)
    # the same place under the same name, imported and reviewed, is one example
    once = {
        (row.image_sha256, focus_of(row), row.defect_type): Example(
            row.content_key,
            row.defect_type,
            row.image_sha256,
            part_of[row.image_sha256],
            row.image_path,
            focus_of(row),
        )
        for row in reversed(named)
    }
    examples = sorted(once.values(), key=lambda example: example.key)
    return _usable(category, examples, left_out)


def _usable(category: str, examples: Sequence[Example], left_out: dict[str, str]) -> DefectSet:
    parts: dict[str, set[str]] = defaultdict(set)
    photographs: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        parts[example.label].add(example.part)
        photographs[example.label].add(example.photograph)
    for label in sorted(parts):
        if len(parts[label]) < FEWEST_PARTS:
            one = len(photographs[label]) == 1
            left_out[label] = "only one photograph" if one else "only photographs of one part"
    kept = DefectSet(category, tuple(e for e in examples if e.label not in left_out), left_out)
    if len(kept.classes) < FEWEST_CLASSES or len(kept.examples) < FEWEST_CASES:
        without = (
            f" Left out: {', '.join(f'{n} ({why})' for n, why in left_out.items())}." if left_out else ""
        )
        raise NotEnoughDefects(
            f"{category} has {len(kept.examples)} named defects of {len(kept.classes)} "
            f"type{'' if len(kept.classes) == 1 else 's'} to learn from; {FEWEST_CASES} of "
            f"{FEWEST_CLASSES} types are the least.{without}",
            "Confirm and name more defects in the console, or take labelled ones in with "
            "'anomalyos cases import'. A type counts from two photographs of different parts on.",
        )
    return kept


def parts_of(category: str, rows: Sequence[DefectCase], settings: Settings) -> dict[str, str]:
    """Photograph (SHA-256) to what it shows, as ``groups.csv`` or the file names tell; else to itself.

    A tile that was shot at six exposures must not be learned from five and tested on the sixth.
    """
    file_of = {
        row.content_key: PurePosixPath(row.source).name for row in rows if row.origin == CaseOrigin.IMPORT
    }
    path = settings.data_dir / category / GROUPS_FILE
    told = part_names(sorted(set(file_of.values()))) | (load_groups(path) if path.is_file() else {})
    found: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.content_key):
        part = told.get(file_of.get(row.content_key, ""))
        if part is not None:
            found.setdefault(row.image_sha256, part)
    return {row.image_sha256: found.get(row.image_sha256, row.image_sha256) for row in rows}


def fold_numbers(labels: Sequence[str], parts: Sequence[str], folds: int, seed: int = 0) -> Labels:
    """Fold of each example, (N,), parts kept whole and every class spread as evenly as parts allow.

    Greedy: parts with the rarest class first, the larger of them first, each into the fold that holds
    fewest of that class, then fewest examples. The same examples and seed give the same folds in
    whatever order they come.

    Raises:
        ValueError: fewer than two folds, or fewer parts than folds.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for label, part in zip(labels, parts, strict=True):
        members[part].append(label)
    if folds < 2 or len(members) < folds:
        raise ValueError(f"{len(members)} parts cannot be split into {folds} folds")
    spread = {label: len({p for p, held in members.items() if label in held}) for label in set(labels)}

    def rarest(part: str) -> tuple[int, str]:
        return min((spread[label], label) for label in members[part])

    def rank(part: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{part}".encode()).digest()

    held: list[dict[str, int]] = [defaultdict(int) for _ in range(folds)]
    sizes = [0] * folds
    fold_of: dict[str, int] = {}
    for part in sorted(members, key=lambda part: (rarest(part), -len(members[part]), rank(part))):
        label = rarest(part)[1]
        fold = min(range(folds), key=lambda fold: (held[fold][label], sizes[fold], fold))
        fold_of[part] = fold
        sizes[fold] += len(members[part])
        for own in members[part]:
            held[fold][own] += 1
    return np.array([fold_of[part] for part in parts], dtype=np.int64)
