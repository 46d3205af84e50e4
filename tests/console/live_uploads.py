"""Uploading on the live page, in the words of the tests."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload
from nicegui.testing import User

from anomalyos.inspection.list_newest import list_newest, live_batch_of
from anomalyos.inspection.tables import Inspection
from console.services.today import today
from tests.console.conftest import Console
from tests.support.products import picture

PATIENT = 40


def upload_of(user: User) -> ui.upload:
    return next(iter(user.find(kind=ui.upload).elements))


def file(name: str, data: bytes) -> SmallFileUpload:
    return SmallFileUpload(name, "application/octet-stream", data)


def part(number: int, *, flawed: bool = False) -> SmallFileUpload:
    return file(f"part {number}.png", picture("stripes", number, flawed=flawed))


def kept(console: Console) -> list[Inspection]:
    """Today's live inspections, the newest first."""
    with console.store.session(read_only=True) as session:
        batch = live_batch_of(session, today())
        return list_newest(session, batch.id or 0, limit=500) if batch else []


def listed(user: User) -> list[str]:
    """Names in the list of results, from the top."""
    results = next(iter(user.find(marker="results").elements))
    names = [e for e in results.descendants() if "aos-item-name" in e.classes]
    return [name.text for name in names]


async def send(user: User, *files: SmallFileUpload) -> None:
    """As a browser does, with the person's own cookie: what two people need who are there at once."""
    for sent in files:
        content = {"file": (sent.name, await sent.read())}
        answer = await user.http_client.post(upload_of(user).props["url"], files=content)
        assert answer.status_code == 200, answer.text


async def until(condition: Any, seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)
