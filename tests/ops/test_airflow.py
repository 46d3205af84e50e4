"""Airflow's REST API against a stand-in that answers as Airflow 3.3 does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.ops.airflow import AirflowApi, AirflowRefused, AirflowUnreachable, RunState, TaskState

RUN = {
    "dag_run_id": "manual__2026-11-26T01:02:03+00:00",
    "state": "running",
    "start_date": "2026-11-26T01:02:03Z",
    "end_date": None,
    "note": None,
    "conf": {"categories": ["dots"]},
}


class Airflow:
    """Remembers what it was asked; the first token it gave out is no longer good when ``expired``."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens, self.expired, self.down = 0, False, False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        body = json.loads(request.content) if request.content else None
        path = request.url.raw_path.decode()
        if path == "/auth/token":
            if body["password"] != "right":
                return httpx.Response(401, json={"detail": "Invalid credentials"})
            self.tokens += 1
            return httpx.Response(201, json={"access_token": f"token {self.tokens}"})
        if self.expired and request.headers["Authorization"] == "Bearer token 1":
            return httpx.Response(401, json={"detail": "Signature has expired"})
        self.asked.append((request.method, path, body))
        return self.answer(request.method, path, body)

    def answer(self, method: str, path: str, body: Any) -> httpx.Response:
        if "nowhere" in path:
            return httpx.Response(404, json={"detail": "not found"})
        if method == "POST" and body["conf"].get("alpha") == 7:
            return httpx.Response(400, json={"detail": "Invalid input for param alpha"})
        if path.endswith("taskInstances?limit=1000"):
            rows = [
                {"task_id": "discover", "rendered_map_index": None, "state": "success"},
                {"task_id": "challenge", "rendered_map_index": "dots", "state": None},
            ]
            return httpx.Response(200, json={"task_instances": rows})
        if "xcomEntries" in path:
            return httpx.Response(200, json={"value": '{"promoted": ["dots"]}'})
        if path.startswith("/api/v2/dags/retrain/dagRuns?"):
            return httpx.Response(200, json={"dag_runs": [RUN]})
        return httpx.Response(200, json=RUN)


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def api(airflow: Airflow, tmp_path: Path) -> AirflowApi:
    settings = Settings(home=tmp_path, airflow_password="right", _env_file=None)
    return AirflowApi(settings, httpx.MockTransport(airflow))


def test_a_run_is_started_and_followed(api: AirflowApi, airflow: Airflow) -> None:
    run_id = api.trigger("retrain", {"categories": ["dots"]}, note="n" * 2000)
    method, path, body = airflow.asked[0]
    assert (method, path) == ("POST", "/api/v2/dags/retrain/dagRuns")
    assert body == {"logical_date": None, "conf": {"categories": ["dots"]}, "note": "n" * 1000}
    run = api.run("retrain", run_id)
    assert run == RunState(run_id, "running", "2026-11-26T01:02:03Z", None, "", {"categories": ["dots"]})
    assert not run.over
    assert airflow.asked[-1][1].endswith("/manual__2026-11-26T01%3A02%3A03%2B00%3A00")
    assert api.tasks("retrain", run_id) == [
        TaskState("discover", "", "success"),
        TaskState("challenge", "dots", "none"),
    ]
    assert api.result("retrain", run_id, "summary") == {"promoted": ["dots"]}
    assert [found.run_id for found in api.runs("retrain")] == [run_id]
    api.note("retrain", run_id, "dots v2 inspects now.")
    assert airflow.asked[-1][0::2] == ("PATCH", {"note": "dots v2 inspects now."})
    assert airflow.tokens == 1


def test_an_expired_token_is_renewed_once(api: AirflowApi, airflow: Airflow) -> None:
    api.runs("retrain")
    airflow.expired = True
    assert len(api.runs("retrain")) == 1
    assert airflow.tokens == 2


def test_what_airflow_refuses_is_said_in_its_words(api: AirflowApi) -> None:
    with pytest.raises(AirflowRefused, match="Invalid input for param alpha"):
        api.trigger("retrain", {"alpha": 7})
    with pytest.raises(NotFound):
        api.run("nowhere", "x")


def test_an_airflow_that_is_down_is_named_with_the_next_step(api: AirflowApi, airflow: Airflow) -> None:
    airflow.down = True
    with pytest.raises(AirflowUnreachable) as caught:
        api.runs("retrain")
    assert "http://localhost:8080 does not answer" in caught.value.message
    assert "make up" in caught.value.hint


def test_a_wrong_or_missing_password_is_told_apart(airflow: Airflow, tmp_path: Path) -> None:
    wrong = Settings(home=tmp_path, airflow_password="wrong", _env_file=None)
    with pytest.raises(AirflowRefused, match="does not let 'engineer' in: Invalid credentials"):
        AirflowApi(wrong, httpx.MockTransport(airflow)).runs("retrain")
    none = Settings(home=tmp_path, _env_file=None)
    with pytest.raises(AirflowRefused, match="Nobody told the console the password"):
        AirflowApi(none, httpx.MockTransport(airflow)).runs("retrain")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "airflow_passwords.json").write_text('{"engineer": "right"}')
    assert len(AirflowApi(none, httpx.MockTransport(airflow)).runs("retrain")) == 1
