"""Addresses of data checks."""

from __future__ import annotations

from console import check_media
from console.check_desk import CheckDesk
from console.desk import Desk
from console.pages.checks import learning, night


def register(desk: Desk) -> None:
    checks = CheckDesk(desk)
    check_media.register(desk, checks)
    night.register(desk, checks)
    learning.register(desk, checks)
