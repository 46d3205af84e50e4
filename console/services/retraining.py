"""Retraining from the console: started through Airflow, followed to its end, or stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anomalyos.accounts import audit
from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning.options import RetrainingOptions
from anomalyos.learning.retraining import DAG_ID
from anomalyos.ops.airflow import AirflowApi, RunState, TaskState
from anomalyos.products.dataset import list_categories
from anomalyos.products.selection import choose_categories
from console.security.person import Actor, require
from console.texts import wording

RUNS = 6
WAITING = frozenset({"none", "scheduled", "queued", "deferred"})
WORDS = {"discover": "Choosing products", "index_cases": "Known defects", "summary": "Outcome"}
ORDER = ("discover", "challenge", "index_cases", "name_defects", "summary")
MAPPED = ("challenge", "name_defects")


@dataclass(frozen=True)
class Step:
    """One task of a run."""

    name: str
    product: bool
    """Whether ``name`` is a product's; else it is what the task does."""
    state: str
    """``waiting``, ``running``, ``again``, ``done``, ``failed`` or ``skipped``."""


@dataclass(frozen=True)
class RunView:
    run_id: str
    state: str
    """``waiting``, ``running``, ``done`` or ``failed``."""
    started: datetime | None
    ended: datetime | None
    outcome: list[str]
    """Lines of the note that the run left."""
    asked: dict[str, Any]
    by_drift: bool
    steps: list[Step]
    address: str
    """Of the run's page in Airflow."""

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")

    @property
    def share(self) -> float:
        """Part of the steps that have ended, 0 to 1."""
        ended = sum(step.state in ("done", "failed", "skipped") for step in self.steps)
        return ended / len(self.steps) if self.steps else 0.0


class RetrainingService:
    """Blocking, safe to call from threads; every call checks the actor's role."""

    def __init__(
        self, settings: Settings, store: Store, airflow: Callable[[], AirflowApi] | None = None
    ) -> None:
        """``airflow`` makes what reaches Airflow where it is not the real one."""
        self._settings = settings
        self._store = store
        self._make = airflow or (lambda: AirflowApi(settings))
        self._api: AirflowApi | None = None
        self._lock = threading.Lock()

    @property
    def _airflow(self) -> AirflowApi:
        with self._lock:
            self._api = self._api or self._make()
            return self._api

    def products(self, actor: Actor) -> list[str]:
        """Products that can be learned."""
        require(actor, Role.ENGINEER)
        return list_categories(self._settings)

    def start(self, actor: Actor, options: RetrainingOptions) -> str:
        """Start a run as the form in Airflow would, in the actor's name.

        Returns:
            Airflow's id of the run.

        Raises:
            NotFound: a product that does not exist.
            AirflowUnreachable, AirflowRefused: nothing was started, and why.
        """
        require(actor, Role.ENGINEER)
        choose_categories(self._settings, options.categories)
        conf = options.filled_in()
        run_id = self._airflow.trigger(DAG_ID, conf, note=f"Started by {actor.name} in the console.")
        with self._store.session() as session:
            audit.write(
                session, actor=actor.name, action="model.retrain", subject=f"run:{run_id}", detail=conf
            )
        return run_id

    def stop(self, actor: Actor, run_id: str) -> None:
        """End a run; versions it has made stay, and so does whatever inspects."""
        require(actor, Role.ENGINEER)
        self._airflow.stop(DAG_ID, run_id)
        with self._store.session() as session:
            audit.write(session, actor=actor.name, action="model.retrain_stop", subject=f"run:{run_id}")

    def runs(self, actor: Actor) -> list[RunView]:
        """The newest runs, newest first, each with its steps."""
        require(actor, Role.ENGINEER)
        return [self._view(run) for run in self._airflow.runs(DAG_ID, RUNS)]

    def run(self, actor: Actor, run_id: str) -> RunView:
        """Raises ``NotFound``."""
        require(actor, Role.ENGINEER)
        return self._view(self._airflow.run(DAG_ID, run_id))

    def _view(self, run: RunState) -> RunView:
        base = self._settings.airflow_url.rstrip("/")
        state = {"success": "done", "failed": "failed", "running": "running"}.get(run.state, "waiting")
        started_here = run.note.startswith("Started by ")
        return RunView(
            run_id=run.run_id,
            state=state,
            started=_moment(run.started),
            ended=_moment(run.ended),
            outcome=[] if started_here and state != "failed" else run.note.splitlines(),
            asked=run.conf,
            by_drift=run.run_id.startswith("asset_triggered"),
            steps=steps(self._airflow.tasks(DAG_ID, run.run_id)),
            address=f"{base}/dags/{DAG_ID}/runs/{run.run_id}",
        )


def steps(tasks: list[TaskState]) -> list[Step]:
    """In the order they run; a mapped task that has not been unfolded yet is left out."""
    shown = [task for task in tasks if task.task_id not in MAPPED or task.label]
    ordered = sorted(shown, key=lambda task: (_place(task.task_id), task.label))
    return [Step(*_named(task), _state(task.state)) for task in ordered]


def _named(task: TaskState) -> tuple[str, bool]:
    if task.task_id == "name_defects":
        return f"Defect names of {wording.product(task.label)}", False
    return task.label or WORDS.get(task.task_id, task.task_id), bool(task.label)


def _place(task_id: str) -> int:
    return ORDER.index(task_id) if task_id in ORDER else len(ORDER)


def _state(state: str) -> str:
    if state in WAITING:
        return "waiting"
    named = {"success": "done", "up_for_retry": "again", "skipped": "skipped", "running": "running"}
    return named.get(state, "failed" if "fail" in state or state == "removed" else "running")


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise AnomalyOSError(f"Airflow gave {text!r} for a time.") from error
