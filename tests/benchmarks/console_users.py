"""Twenty people at once, without browsers: pages with their sockets, pictures, searches, decisions."""

from __future__ import annotations

import ast
import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import socketio

from tests.benchmarks.console_seed_products import PASSWORD, REVIEWERS

BRIEF = httpx.Limits(keepalive_expiry=2.0)
"""The server ends idle connections after five seconds; a browser would ask again, httpx would fail."""
THINK_S = (1.0, 4.0)
EVERY_S = 0.5
"""Between two images of the line, 7,200 an hour; one that takes longer is followed at once."""
QUESTIONS = (
    "why are the shells cracked",
    "scratch near the edge",
    "how to stop stains",
    "rust on the thread",
)
LETTERS = ("cam1_00", "hazelnut", "screw", "pill/cam3", "wood")
QUERY = re.compile(r"query: (\{.*\}),")
"""What NiceGUI's page gives its script to say in the handshake, written as Python writes it."""


@dataclass
class Figures:
    """Milliseconds by what was asked for, and what went wrong."""

    spent: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def keep(self, what: str, begun: float, status: int, wanted: tuple[int, ...] = (200,)) -> None:
        self.spent.setdefault(what, []).append((time.perf_counter() - begun) * 1000)
        if status not in wanted:
            self.failures.append(f"{what}: {status}")


@dataclass
class User:
    """One person with a session and a mind of their own, the same in every run."""

    client: httpx.AsyncClient
    figures: Figures
    items: list[int]
    night: str
    rng: Random
    tab: str

    async def sign_in(self, name: str) -> None:
        form = {"name": name, "password": PASSWORD, "next": "/nights"}
        answer = await self.client.post("/login", data=form)
        assert answer.headers["location"] == "/nights", answer.headers["location"]

    async def act(self) -> None:
        kinds: tuple[tuple[Callable[[], Awaitable[None]], int], ...] = (
            (self.queue, 30),
            (self.inspection, 15),
            (self.forensics, 12),
            (self.knowledge, 12),
            (self.decide, 10),
            (self.analytics, 8),
            (self.letters, 8),
            (self.nights, 5),
        )
        chosen = self.rng.choices([act for act, _ in kinds], [weight for _, weight in kinds])[0]
        await chosen()

    async def queue(self) -> None:
        path = f"/?batch={self.night}" if self.rng.random() < 0.7 else "/?batch=all"
        await self.page("queue", path)
        await asyncio.gather(*(self.picture("thumb") for _ in range(6)), self.picture("image"))

    async def inspection(self) -> None:
        await self.page("inspection", f"/inspection/{self.rng.choice(self.items)}")
        await asyncio.gather(self.picture("image"), self.picture("heatmap"))

    async def forensics(self) -> None:
        await self.page("forensics", f"/forensics?{urlencode({'q': self.rng.choice(LETTERS)})}")

    async def knowledge(self) -> None:
        await self.page("knowledge", f"/knowledge?{urlencode({'q': self.rng.choice(QUESTIONS)})}")

    async def analytics(self) -> None:
        await self.page("analytics", self.rng.choice(("/analytics", "/analytics?days=90")))

    async def nights(self) -> None:
        await self.page("nights", "/nights")

    async def letters(self) -> None:
        """Search as you type, and one result over REST."""
        for length in (4, 5, 6):
            query = urlencode({"q": self.rng.choice(LETTERS)[:length]})
            await self.get("search as you type", f"/api/console/search?{query}")
        await self.get("REST read", f"/api/inspections/{self.rng.choice(self.items)}")

    async def decide(self) -> None:
        """As a page does; two may reach for the same item, and the second is told so."""
        number = self.rng.choice(self.items)
        found = await self.client.get(f"/api/inspections/{number}")
        body = {"decision": self.rng.choice(("defect", "false_alarm")), "expected_version": 0}
        body["expected_version"] = len(found.json()["reviews"])
        begun = time.perf_counter()
        answer = await self.client.post(f"/api/inspections/{number}/review", json=body)
        self.figures.keep("decide", begun, answer.status_code, (200, 409))

    async def picture(self, kind: str) -> None:
        await self.get(kind, f"/media/{kind}/{self.rng.choice(self.items)}")

    async def get(self, what: str, path: str) -> httpx.Response:
        begun = time.perf_counter()
        answer = await self.client.get(path)
        self.figures.keep(what, begun, answer.status_code)
        return answer

    async def page(self, what: str, path: str) -> None:
        """The page and its socket, held open while the person reads."""
        begun = time.perf_counter()
        answer = await self.client.get(path)
        self.figures.keep(f"page {what}", begun, answer.status_code)
        found = QUERY.search(answer.text)
        assert found is not None, answer.text[:300]
        query = ast.literal_eval(found.group(1)) | {
            "tab_id": self.tab,
            "document_id": self.tab,
            "old_tab_id": "null",
        }
        query["implicit_handshake"] = "true"
        socket = socketio.AsyncClient(reconnection=False)
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        begun = time.perf_counter()
        await socket.connect(
            f"{self.client.base_url}?{urlencode(query)}",
            headers={"Cookie": cookies},
            transports=["websocket"],
            socketio_path="/_nicegui_ws/socket.io",
            wait_timeout=60,
        )
        self.figures.keep("socket", begun, 200)
        await asyncio.sleep(self.rng.uniform(*THINK_S) / 2)
        await socket.disconnect()


async def crowd(base: str, items: list[int], night: str, *, people: int, actions: int) -> Figures:
    """``people`` users, each doing ``actions`` things with pauses to think."""
    figures = Figures()

    async def live(index: int) -> None:
        rng = Random(1000 + index)
        async with httpx.AsyncClient(base_url=base, timeout=60, limits=BRIEF) as client:
            user = User(client, figures, items, night, rng, str(UUID(int=rng.getrandbits(128), version=4)))
            await user.sign_in(REVIEWERS[index % len(REVIEWERS)])
            await asyncio.sleep(rng.uniform(0, THINK_S[1]))
            for _ in range(actions):
                await user.act()
                await asyncio.sleep(rng.uniform(*THINK_S))

    await asyncio.gather(*(live(index) for index in range(people)))
    return figures


async def inspecting(base: str, token: str, images: list[bytes], category: str, figures: Figures) -> None:
    """Images sent one after the other every ``EVERY_S`` until cancelled, as a camera on the line does."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base, timeout=60, headers=headers) as client:
        for index in range(1_000_000):
            image = images[index % len(images)]
            begun = time.perf_counter()
            answer = await client.post(
                "/inspect", files={"file": (f"cam9_{index}.png", image)}, data={"category": category}
            )
            figures.keep("inspect", begun, answer.status_code)
            await asyncio.sleep(max(0.0, EVERY_S - (time.perf_counter() - begun)))


async def crowd_while_inspecting(
    base: str, token: str, images: list[bytes], category: str, items: list[int], night: str, **size: int
) -> tuple[Figures, Figures]:
    """The crowd's figures, and those of the inspections that ran meanwhile."""
    inspections = Figures()
    line = asyncio.create_task(inspecting(base, token, images, category, inspections))
    try:
        return await crowd(base, items, night, **size), inspections
    finally:
        line.cancel()
