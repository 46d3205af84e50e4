"""Retraining over REST: started and followed by programs, as people do on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from anomalyos.learning.options import RetrainingOptions
from console.api.v1 import models
from console.api.v1.caller import Caller
from console.container import Services
from console.services.blocking import run_blocking

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": models.Problem} for status in (400, 401, 403, 404, 503)
}
RETRAIN: dict[str, Any] = {
    "status_code": 202,
    "response_model": models.RetrainStarted,
    "responses": _PROBLEMS,
}
RUN: dict[str, Any] = {"response_model": models.RetrainRun, "responses": _PROBLEMS}


async def retrain(services: Services, wish: RetrainingOptions, person: Caller) -> models.RetrainStarted:
    """Start a retraining in Airflow. A token needs the scope `retrain`, a person the role engineer."""
    run_id = await run_blocking(services.retraining.start, person, wish)
    return models.RetrainStarted(run_id=run_id, links={"self": f"/api/retrain/{quote(run_id, safe='')}"})


async def run(services: Services, run_id: str, person: Caller) -> models.RetrainRun:
    """How far a retraining is, and its outcome when it has ended."""
    found = await run_blocking(services.retraining.run, person, run_id)
    return models.RetrainRun.model_validate(asdict(found))
