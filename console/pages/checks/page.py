"""Addresses of data checks."""

from __future__ import annotations

from console.api.v1 import check_media
from console.pages.checks import learning, night
from console.services.checks import CheckService
from console.services.inspection import InspectionService


def register(desk: InspectionService) -> None:
    checks = CheckService(desk)
    check_media.register(desk, checks)
    night.register(desk, checks)
    learning.register(desk, checks)
