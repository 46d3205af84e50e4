"""Airflow's REST API as far as AnomalyOS uses it: start a run, follow it, leave a note on it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.ops.supervisor.airflow_env import passwords_file

if TYPE_CHECKING:
    import httpx

PATIENCE_S = 15.0
NOTE_LENGTH = 1000
"""Airflow refuses longer notes."""
ENDED = frozenset({"success", "failed"})


class AirflowUnreachable(AnomalyOSError):
    """Airflow did not answer, or not as it should."""


class AirflowRefused(AnomalyOSError):
    """Airflow answered, and would not do it."""


@dataclass(frozen=True)
class TaskState:
    task_id: str
    label: str
    """What a mapped task works on, for example a product; empty for others."""
    state: str
    """``none`` before it was scheduled."""


@dataclass(frozen=True)
class RunState:
    run_id: str
    state: str
    started: str | None
    """ISO 8601, as Airflow says it."""
    ended: str | None
    note: str
    conf: dict[str, Any]

    @property
    def over(self) -> bool:
        return self.state in ENDED

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        return cls(
            run_id=document["dag_run_id"],
            state=document["state"],
            started=document.get("start_date"),
            ended=document.get("end_date"),
            note=document.get("note") or "",
            conf=document.get("conf") or {},
        )


class AirflowApi:
    """One signed-in client; blocking, and safe to use from several threads.

    Args:
        transport: another way to reach the server, for tests.
    """

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        self.settings = settings
        self._address = settings.airflow_url.rstrip("/")
        self._client = httpx.Client(base_url=self._address, timeout=PATIENCE_S, transport=transport)
        self._lock = threading.Lock()
        self._token = ""

    def trigger(self, dag_id: str, conf: dict[str, Any], *, note: str = "") -> str:
        """Start a run and return its id.

        Raises:
            AirflowRefused: the DAG's form does not take these values; the message is Airflow's.
        """
        body = {"logical_date": None, "conf": conf, "note": note[:NOTE_LENGTH] or None}
        return str(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> RunState:
        """Raises ``NotFound`` when Airflow knows no such run."""
        return RunState.read(self._ask("GET", self._run_path(dag_id, run_id)))

    def runs(self, dag_id: str, limit: int = 10) -> list[RunState]:
        """The newest runs, newest first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after&limit={limit}"
        return [RunState.read(document) for document in self._ask("GET", path)["dag_runs"]]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Every task of a run, mapped ones one by one."""
        path = f"{self._run_path(dag_id, run_id)}/taskInstances?limit=1000"
        return [
            TaskState(row["task_id"], row.get("rendered_map_index") or "", row["state"] or "none")
            for row in self._ask("GET", path)["task_instances"]
        ]

    def result(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """What a task returned. Raises ``NotFound`` when it returned nothing."""
        path = (
            f"{self._run_path(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/return_value"
            f"?map_index={map_index}&deserialize=false"
        )
        value = self._ask("GET", path)["value"]
        return json.loads(value) if isinstance(value, str) else value

    def note(self, dag_id: str, run_id: str, text: str) -> None:
        """Leave ``text``, cut to what Airflow takes, where people see it: on the run's page."""
        self._ask("PATCH", self._run_path(dag_id, run_id), {"note": text[:NOTE_LENGTH]})

    def stop(self, dag_id: str, run_id: str) -> None:
        """End a run as failed; its running tasks are killed."""
        self._ask("PATCH", self._run_path(dag_id, run_id), {"state": "failed"})

    def close(self) -> None:
        self._client.close()

    # asking ------------------------------------------------------------------------------------

    def _run_path(self, dag_id: str, run_id: str) -> str:
        return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._send(method, path, body)
        if answer.status_code == 401:
            # the token has expired, or Airflow was started anew with other secrets
            self._token = ""
            answer = self._send(method, path, body)
        if answer.status_code == 404:
            raise NotFound(f"Airflow knows nothing of {path.partition('?')[0]}.")
        if answer.status_code >= 400:
            raise AirflowRefused(f"Airflow refused: {_detail(answer)}", "Correct the values and try again.")
        return answer.json()

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        import httpx

        try:
            headers = {"Authorization": f"Bearer {self._signed_in()}"}
            return self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise self._unreachable(type(error).__name__) from error

    def _signed_in(self) -> str:
        with self._lock:
            if not self._token:
                form = {"username": self.settings.airflow_user, "password": airflow_password(self.settings)}
                answer = self._client.post("/auth/token", json=form)
                if answer.status_code >= 500:
                    raise self._unreachable(f"status {answer.status_code}")
                if answer.status_code >= 400:
                    raise AirflowRefused(
                        f"Airflow does not let {self.settings.airflow_user!r} in: {_detail(answer)}",
                        "Correct ANOMALYOS_AIRFLOW_USER and ANOMALYOS_AIRFLOW_PASSWORD.",
                    )
                self._token = str(answer.json()["access_token"])
            return self._token

    def _unreachable(self, why: str) -> AirflowUnreachable:
        return AirflowUnreachable(
            f"Airflow at {self._address} does not answer ({why}).",
            "Start it with `make up`, or correct ANOMALYOS_AIRFLOW_URL.",
        )


def airflow_password(settings: Settings) -> str:
    """The configured password, or the one ``anomalyos up`` made for the user.

    Raises:
        AirflowRefused: there is neither.
    """
    if settings.airflow_password is not None:
        return settings.airflow_password.get_secret_value()
    try:
        passwords = json.loads(passwords_file(settings).read_bytes())
        return str(passwords[settings.airflow_user])
    except (OSError, ValueError, KeyError) as error:
        raise AirflowRefused(
            f"Nobody told the console the password of Airflow's user {settings.airflow_user!r}.",
            "Start both with `make up`, or set ANOMALYOS_AIRFLOW_USER and ANOMALYOS_AIRFLOW_PASSWORD.",
        ) from error


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
    return detail if isinstance(detail, str) else json.dumps(detail)[:300]
