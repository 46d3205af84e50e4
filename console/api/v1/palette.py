"""The address frame.js asks while somebody types into the search from anywhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Query

from console.api.v1.caller import Caller
from console.container import Services
from console.services import palette
from console.services.blocking import run_blocking


async def search(
    services: Services, person: Caller, q: str = Query("", max_length=palette.LONGEST)
) -> dict[str, Any]:
    """Groups of results for ``q``; pages and actions alone while it is empty."""
    groups = await run_blocking(palette.find, services.settings, services.store, person, q)
    return {
        "groups": [
            {"name": name, "items": [asdict(found) for found in items]}
            for name, items in groups.items()
            if items
        ]
    }
