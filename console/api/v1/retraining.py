"""Retraining over REST: started and followed by programs, as people do on the page."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import quote

from fastapi import APIRouter, Depends
from nicegui import app

from anomalyos.accounts.tables import Role, Scope
from anomalyos.learning.options import RetrainingOptions
from console.api.v1 import models
from console.api.v1.caller import caller
from console.security.sessions import Person
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService
from console.services.retraining import RetrainingService

_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": models.Problem} for status in (400, 401, 403, 404, 503)
}


def register(desk: InspectionService, retrain_desk: RetrainingService) -> None:
    router = APIRouter(tags=["AnomalyOS"])
    engineer = caller(desk, scope=Scope.RETRAIN, role=Role.ENGINEER)

    @router.post("/api/retrain", status_code=202, response_model=models.RetrainStarted, responses=_PROBLEMS)
    async def retrain(
        wish: RetrainingOptions, person: Person = Depends(engineer)
    ) -> models.RetrainStarted:
        """Start a retraining in Airflow. A token needs the scope `retrain`, a person the role engineer."""
        run_id = await run_blocking(retrain_desk.start, person, wish)
        return models.RetrainStarted(run_id=run_id, links={"self": f"/api/retrain/{quote(run_id, safe='')}"})

    @router.get("/api/retrain/{run_id}", response_model=models.RetrainRun, responses=_PROBLEMS)
    async def run(run_id: str, person: Person = Depends(engineer)) -> models.RetrainRun:
        """How far a retraining is, and its outcome when it has ended."""
        return models.RetrainRun.model_validate(asdict(await run_blocking(retrain_desk.run, person, run_id)))

    app.include_router(router)
