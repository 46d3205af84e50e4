"""Which pictures a round is made of. The same seed and the same material always give the same round."""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from anomalyos.arena.rules import PICTURES

FEWEST_OF_A_KIND = 3
"""Defects, and normal parts, in every round; how many of the ten stays open up to there."""
_SPREAD = 0.22
"""Width, in shares of the ranking by hardness, of what is drawn around a person's level."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Known:
    """A labelled picture the AI has looked at."""

    key: int
    defective: bool
    hardness: float


def shuffled(
    items: Sequence[Item],
    seed: str,
    *,
    name: Callable[[Item], str],
    group: Callable[[Item], str],
    seen: Callable[[Item], int],
) -> list[Item]:
    """``items`` in the order they should be considered: least seen first, groups taking turns.

    Args:
        name: tells items apart; with the seed it decides the order among equals.
        group: the category; each has its turn, so that a large one does not crowd out a small one.
        seen: how often the person has met the item.
    """

    def chance(item: Item) -> bytes:
        return hashlib.sha256(f"{seed}\0{name(item)}".encode("utf-8", "backslashreplace")).digest()

    turns: dict[tuple[str, int], int] = defaultdict(int)
    placed: list[tuple[int, int, bytes, Item]] = []
    for item in sorted(items, key=lambda item: (seen(item), chance(item))):
        lane = (group(item), seen(item))
        placed.append((seen(item), turns[lane], chance(item), item))
        turns[lane] += 1
    return [item for *_, item in sorted(placed, key=lambda entry: entry[:3])]


def enough(defective: int, normal: int) -> bool:
    """Whether a round can be made of so many pictures."""
    return min(defective, normal) >= FEWEST_OF_A_KIND and defective + normal >= PICTURES


def draw(pool: Sequence[Known], level: float, seed: str) -> list[int]:
    """Keys of the ten pictures of a round, in their order.

    Within defects and within normal parts, pictures are ranked by hardness; those whose rank is near
    ``level`` are the likeliest. How many of the ten are defective is part of the draw.

    Raises:
        ValueError: the pool cannot fill a round; ask ``enough`` first.
    """
    defective = [item for item in pool if item.defective]
    normal = [item for item in pool if not item.defective]
    if not enough(len(defective), len(normal)):
        raise ValueError(f"{len(defective)} defective and {len(normal)} normal pictures make no round")
    chance = random.Random(seed)
    fewest = max(FEWEST_OF_A_KIND, PICTURES - len(normal))
    most = min(PICTURES - FEWEST_OF_A_KIND, len(defective))
    flaws = min(most, max(fewest, chance.choice((3, 4, 4, 5, 5, 5, 6, 6, 7))))
    keys = _near(defective, level, flaws, chance) + _near(normal, level, PICTURES - flaws, chance)
    chance.shuffle(keys)
    return keys


def _near(items: list[Known], level: float, count: int, chance: random.Random) -> list[int]:
    """Weighted draw without replacement (Efraimidis and Spirakis): keys with the largest u^(1/w)."""
    ranked = sorted(items, key=lambda item: (item.hardness, item.key))
    last = max(1, len(ranked) - 1)
    marks: list[tuple[float, int]] = []
    for rank, item in enumerate(ranked):
        # log(u) / w orders as u^(1/w) does and cannot underflow
        weight = math.exp(-(((rank / last - level) / _SPREAD) ** 2))
        marks.append((math.log(1 - chance.random()) / max(weight, 1e-12), item.key))
    return [key for _, key in sorted(marks, reverse=True)[:count]]
