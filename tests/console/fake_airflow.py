"""An Airflow that runs nothing: a test says how far its runs are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from anomalyos.core.errors import NotFound
from anomalyos.ops.airflow import AirflowUnreachable, RunState, TaskState


class FakeAirflow:
    """Runs by id, in the order they were started; ``down`` answers nothing."""

    def __init__(self) -> None:
        self.down = False
        self.known: dict[str, RunState] = {}
        self.states: dict[str, list[TaskState]] = {}

    def trigger(self, dag_id: str, conf: dict[str, Any], *, note: str = "") -> str:
        self._up()
        assert dag_id == "retrain"
        run_id = f"manual__{len(self.known) + 1}"
        self.known[run_id] = RunState(run_id, "queued", None, None, note, conf)
        self.states[run_id] = [TaskState("discover", "", "none"), TaskState("challenge", "", "none")]
        return run_id

    def proceed(self, run_id: str, state: str, tasks: list[TaskState], note: str = "") -> None:
        """The run as it is a while later."""
        ended = "2026-11-26T06:01:30Z" if state in ("success", "failed") else None
        run = self.known[run_id]
        self.known[run_id] = replace(
            run, state=state, started="2026-11-26T06:00:00Z", ended=ended, note=note or run.note
        )
        self.states[run_id] = tasks

    def run(self, dag_id: str, run_id: str) -> RunState:
        self._up()
        if run_id not in self.known:
            raise NotFound("Airflow knows nothing of it.")
        return self.known[run_id]

    def runs(self, dag_id: str, limit: int = 10) -> list[RunState]:
        self._up()
        return list(self.known.values())[::-1][:limit]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        self._up()
        return self.states[run_id]

    def stop(self, dag_id: str, run_id: str) -> None:
        self._up()
        self.known[run_id] = replace(self.known[run_id], state="failed")

    def _up(self) -> None:
        if self.down:
            raise AirflowUnreachable("Airflow at http://localhost:8080 does not answer.", "Start it.")
