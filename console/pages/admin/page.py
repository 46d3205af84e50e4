"""Addresses of Admin, and of everybody's own tokens."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui
from starlette.responses import RedirectResponse

from console.api.v1 import retraining as api_retrain
from console.pages.admin import audit_page, models_page, people_page, retraining_page, tokens_page
from console.services.accounts import AccountService
from console.services.inspection import InspectionService
from console.services.models import ModelService
from console.services.retraining import RetrainingService


def register(desk: InspectionService) -> None:
    admin_desk = AccountService(desk)

    @ui.page("/admin", response_timeout=30)
    async def admin(request: Request) -> RedirectResponse:
        # every tab has an address of its own; a refusal is shown there too
        return RedirectResponse("/admin/models", status_code=303)

    models_page.register(desk, ModelService(desk))
    retrain_desk = RetrainingService(desk)
    retraining_page.register(desk, retrain_desk)
    api_retrain.register(desk, retrain_desk)
    people_page.register(desk, admin_desk)
    tokens_page.register(desk, admin_desk)
    audit_page.register(desk, admin_desk)
