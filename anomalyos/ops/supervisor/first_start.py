"""What a home needs once: pictures, models and a night to look at.

Runs as a process of its own (``python -m anomalyos.ops.supervisor.first_start``), so that the memory the
network takes is given back, and reports one JSON object a line on stdout. Every step skips what is
there; interrupted anywhere, the next start continues.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.writing import write_text
from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.inspection.nightly import run_night
from anomalyos.learning.case_base import refresh_case_base
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.products.dataset import list_categories
from anomalyos.products.sample import write_dataset, write_night
from anomalyos.products.sample.writer import ALL

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

Report = Callable[[dict[str, Any]], None]
"""Takes ``{"stage", "done", "total", "detail"}``, ``{"warning"}``, or, once there is a queue to look at,
``{"usable": True}``."""

FIRST = ALL[:3]
"""Sample products that are learned and inspected before the others, so that nobody waits for all of them."""


def prepare(settings: Settings, store: Store, report: Report, *, sample: bool) -> None:
    """Sample pictures when there is no category at all, models, and on the first start a night."""
    state = FirstStart(settings.home / "first_start.json")
    # models that were fetched need no samples beside them
    sample = sample and not (state.untouched and _has_champions(store))
    fresh = sample and (state.writing_pictures or not list_categories(settings))
    for names in (FIRST, ALL) if fresh else (ALL,):
        if names is ALL and fresh:
            report({"usable": True})
        if sample:
            write_sample_pictures(settings, state, report, names)
        build_models(settings, store, report)
        gather_cases(settings, store, report)
        if not state.done:
            first_night(settings, store, state, report, names if sample else ())
    state.update(done=True)


class FirstStart:
    """What the first start has done so far, kept so that a killed one continues."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    @property
    def done(self) -> bool:
        return bool(self._values.get("done"))

    @property
    def untouched(self) -> bool:
        """Nothing was begun yet."""
        return not self._values

    @property
    def writing_pictures(self) -> bool:
        """Sample pictures were begun and not finished."""
        return bool(self._values.get("writing_pictures"))

    @property
    def night(self) -> str | None:
        """Day of the sample night, once it was begun."""
        return self._values.get("night")

    def update(self, **values: Any) -> None:
        self._values |= values
        write_text(self.path, json.dumps(self._values))


def _has_champions(store: Store) -> bool:
    with store.session(read_only=True) as session:
        return any(row.champion_id is not None for row in categories.list_all(session))


def write_sample_pictures(
    settings: Settings, state: FirstStart, report: Report, names: Sequence[str] = ALL
) -> None:
    if not state.writing_pictures and list_categories(settings):
        return
    state.update(writing_pictures=True)
    write_dataset(settings.data_dir, categories=names, progress=stage(report, "Sample pictures"))
    state.update(writing_pictures=len(names) < len(ALL))


def build_models(settings: Settings, store: Store, report: Report) -> None:
    """Learn every category without a champion; one that fails is reported and left out."""
    names = list_categories(settings)
    with store.session(read_only=True) as session:
        waiting = [name for name in names if model_versions.champion(session, name) is None]
    if not waiting:
        return

    step = stage(report, "Models")
    for done, name in enumerate(waiting):
        step(done, len(waiting), name)
        try:
            tell = partial(_tell, step, done, waiting)
            rebuild_category(name, settings, store, actor="first start", tracked=True, progress=tell)
        except AnomalyOSError as error:
            log.exception("no model for %s", name)
            report({"warning": f"{name} has no model: {error}"})
    step(len(waiting), len(waiting), "")


def gather_cases(settings: Settings, store: Store, report: Report) -> None:
    """The knowledge graph and the known defects, so that the first flagged part finds its like."""
    names = list_categories(settings)
    with store.session(read_only=True) as session:
        known = case_repository.categories(session)
    waiting = [name for name in names if name not in known]
    if not waiting:
        return

    step = stage(report, "Known defects")
    try:
        refresh_case_base(waiting, settings, store, lambda name, done, total: step(done, total, name))
    except AnomalyOSError as error:
        log.exception("the case base is incomplete")
        report({"warning": f"Known defects are incomplete: {error}"})


def first_night(
    settings: Settings, store: Store, state: FirstStart, report: Report, samples: Sequence[str]
) -> None:
    """Inspect what lies in the inbox; a night of the ``samples`` when it is empty and there are any."""
    if samples and (state.night or not _inbox_days(settings)):
        day = state.night or date.today().isoformat()
        state.update(night=day)
        folder = settings.inbox_dir / day
        write_night(folder, day, categories=samples, progress=stage(report, "Sample night"))

    for day in _inbox_days(settings):
        run_night(settings, store, day, stage(report, f"Night {day}"))


def stage(report: Report, name: str) -> Callable[..., None]:
    """A progress callback that reports under ``name``."""

    def step(done: int, total: int, detail: str = "") -> None:
        report({"stage": name, "done": done, "total": total, "detail": detail})

    return step


def _tell(step: Callable[..., None], index: int, names: list[str], part: str, done: int, total: int) -> None:
    """Pass a rebuild's own progress on as the detail of the bar over all categories."""
    if done == 0 or done == total:
        step(index, len(names), f"{names[index]}: {part} {done}/{total}")


def _inbox_days(settings: Settings) -> list[str]:
    if not settings.inbox_dir.is_dir():
        return []
    days = []
    for folder in sorted(settings.inbox_dir.iterdir()):
        try:
            date.fromisoformat(folder.name)
        except ValueError:
            continue
        days.append(folder.name)
    return days


def _write_line(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = get_settings()
    try:
        prepare(settings, open_store(settings), _write_line, sample="--no-sample" not in sys.argv[1:])
    except AnomalyOSError as error:
        log.exception("the first start did not finish")
        _write_line({"warning": str(error)})
        sys.exit(1)


if __name__ == "__main__":
    main()
