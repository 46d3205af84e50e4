"""A night's files cut into shards, and the shards into loads: what one process works through.

Starting a process costs seconds (Python, the models' libraries, the weights), and going from one product to
the next costs next to nothing. So a night becomes as many loads as can run at once, of about the same work,
and more only when one would take too long. What an image of a product takes is known from those before.
"""

from __future__ import annotations

import json
import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import median
from typing import Any

from sqlmodel import col, select

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.inbox import InboxFile
from anomalyos.inspection.nights import batch_key
from anomalyos.inspection.reading import AT_ONCE
from anomalyos.inspection.tables import Inspection
from anomalyos.models.tables import Category, ModelVersion

log = logging.getLogger(__name__)

Shard = dict[str, Any]
"""``{"batch_key", "day", "category" (None: the router decides), "paths" (relative to ``inbox/DAY``),
"seconds" (about what it takes)}``: files of one product."""

LOAD_SECONDS = 600.0
"""A load is to take no longer: that much is lost at most of a process that dies, and only its start is paid
for again."""

PARTS_A_LOAD = 8
"""Loads of about eight shards each come out even to a few percent, whatever the products' sizes."""

LEAST_SECONDS = 5.0
"""A product that takes no longer is not cut: its bundle is loaded by one process then."""

USUAL_SECONDS = 0.1
"""What an image takes where nothing was measured at all: some times what `lite` takes on two cores."""

LOOKED_BACK, ENOUGH = 2000, 20
"""Newest inspections that tell how long an image takes, and how many of a product it needs."""


@dataclass(frozen=True)
class Pace:
    """Seconds an image of each product takes; None stands for what the router decides."""

    of_product: Mapping[str | None, float]
    usual: float = USUAL_SECONDS

    def seconds(self, category: str | None, images: int) -> float:
        return images * self.of_product.get(category, self.usual)


def measured_pace(store: Store) -> Pace:
    """What the newest inspections with the present champions took, at the median: loading the models, which
    comes once, does not count. Where there are too few of a product, what evaluations with its recipe took.
    """
    query = (
        select(Inspection.given_category, Inspection.timings_ms, Inspection.model_version_id)
        .where(col(Inspection.score).is_not(None))
        .order_by(col(Inspection.id).desc())
        .limit(LOOKED_BACK)
    )
    champions = select(Category.name, ModelVersion).join(
        ModelVersion, col(Category.champion_id) == col(ModelVersion.id)
    )
    taken: dict[str | None, list[float]] = defaultdict(list)
    with store.session(read_only=True) as session:
        present = dict(session.exec(champions).all())
        numbers = {version.id for version in present.values()}
        for category, timings, version_id in session.exec(query):
            if version_id in numbers and "total" in timings:
                taken[category].append(timings["total"] / 1000)
    evaluated: dict[str, list[float]] = defaultdict(list)
    for version in present.values():
        if (latency := (version.metrics.get("latency_ms") or {}).get("p50")) is not None:
            evaluated[version.recipe].append(latency / 1000)
    # one evaluation may have met a busy machine: products of one recipe take about the same
    of_product: dict[str | None, float] = {
        name: median(evaluated[version.recipe])
        for name, version in present.items()
        if version.recipe in evaluated
    }
    of_product |= {category: median(own) for category, own in taken.items() if len(own) >= ENOUGH}
    return Pace(of_product, median(of_product.values()) if of_product else USUAL_SECONDS)


def workers(settings: Settings) -> int:
    """Loads that can run at once: the slots of the pool ``inspection`` in include/pools.json."""
    try:
        pools = json.loads((settings.include_dir / "pools.json").read_text(encoding="utf-8"))
        return max(1, int(pools["inspection"]["slots"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("include/pools.json does not say how many loads can run at once: %r", error)
        return 1


def cut(day: str, files: Sequence[InboxFile], settings: Settings, pace: Pace) -> list[Shard]:
    """The files of a night as shards, by product, at most ``settings.shard_size`` files each.

    They are cut between groups that are inspected together. So whatever was measured in between, a night that
    is run again forms the same groups, and its scores are the same to the last digit.
    """
    by_product: dict[str | None, list[str]] = defaultdict(list)
    for file in files:
        by_product[file.category].append(file.path)
    total = sum(pace.seconds(category, len(paths)) for category, paths in by_product.items())
    longest = max(LEAST_SECONDS, total / (loads_for(total, workers(settings)) * PARTS_A_LOAD))
    shards: list[Shard] = []
    for category in sorted(by_product, key=lambda name: name or ""):
        paths = by_product[category]
        seconds = pace.seconds(category, len(paths))
        group = min(AT_ONCE, settings.shard_size)
        groups = math.ceil(math.ceil(len(paths) / max(1, math.ceil(seconds / longest))) / group)
        size = group * min(groups, settings.shard_size // group)
        shards += [
            {
                "batch_key": batch_key(day),
                "day": day,
                "category": category,
                "paths": part,
                "seconds": round(pace.seconds(category, len(part)), 3),
            }
            for part in parts(paths, size)
        ]
    return shards


def loads_for(seconds: float, at_once: int) -> int:
    """How many loads so much work becomes: all workers have one, or all have several."""
    return at_once * max(1, math.ceil(seconds / (at_once * LOAD_SECONDS)))


def share_out(shards: Sequence[Shard], settings: Settings) -> list[list[Shard]]:
    """The shards as loads of about the same work, the longest shard first to the load that has least.

    A load holds at most ``settings.shard_size`` files; what it has of a product is one shard again.
    """
    at_once = loads_for(sum(shard["seconds"] for shard in shards), workers(settings))
    loads: list[list[int]] = [[] for _ in range(min(at_once, len(shards)))]
    files = [0] * len(loads)
    # (seconds, number) of the loads that take more, the one with least work first
    open_loads = [(0.0, number) for number in range(len(loads))]
    for place in sorted(range(len(shards)), key=lambda place: -shards[place]["seconds"]):
        size = len(shards[place]["paths"])
        too_full = []
        while open_loads and files[open_loads[0][1]] + size > settings.shard_size:
            too_full.append(heappop(open_loads))
        if open_loads:
            seconds, chosen = heappop(open_loads)
        else:
            seconds, chosen = 0.0, len(loads)
            loads.append([])
            files.append(0)
        loads[chosen].append(place)
        files[chosen] += size
        for load in (*too_full, (seconds + shards[place]["seconds"], chosen)):
            if files[load[1]] < settings.shard_size:
                heappush(open_loads, load)
    return [_joined(shards[place] for place in sorted(load)) for load in sorted(loads, key=min)]


def _joined(shards: Iterable[Shard]) -> list[Shard]:
    """One shard a product."""
    by_product: dict[str | None, Shard] = {}
    for shard in shards:
        known = by_product.get(shard["category"])
        if known is None:
            by_product[shard["category"]] = shard
        else:
            both = {key: known[key] + shard[key] for key in ("paths", "seconds")}
            by_product[shard["category"]] = {**known, **both}
    return list(by_product.values())


def parts(paths: list[str], size: int) -> Iterable[list[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def shard_name(shard: Shard) -> str:
    """What a person calls the shard: ``hazelnut: 001.png … 064.png``."""
    names = [path.rsplit("/", 1)[-1] for path in shard["paths"]]
    span = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    return f"{shard['category'] or 'to be routed'}: {span}"


def load_name(load: Sequence[Shard]) -> str:
    """What a person calls a load: ``hazelnut (120), screw (80)``, or its only shard."""
    if len(load) == 1:
        return shard_name(load[0])
    return ", ".join(f"{shard['category'] or 'to be routed'} ({len(shard['paths'])})" for shard in load)
