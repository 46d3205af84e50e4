"""A console over a real store and a fake inspector, and people who use it through NiceGUI's simulation."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import httpx
import pytest
from nicegui import Client, core, ui
from nicegui.functions.download import download
from nicegui.functions.navigate import Navigate
from nicegui.functions.notify import notify
from nicegui.testing import User
from nicegui.testing.general import nicegui_reset_globals

from anomalyos.accounts import users
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from console.container import Behind, Services, build
from tests.console.factory import FakeInspector, add_category, fake_heatmap
from tests.console.fake_airflow import FakeAirflow
from tests.console.fake_explainer import FakeExplainer

if TYPE_CHECKING:
    from anomalyos.ops.airflow import AirflowApi

PASSWORD = "correct-horse-battery"
PEOPLE = {"victor": "viewer", "mia": "reviewer", "erik": "engineer", "ada": "admin"}

SignIn = Callable[..., Awaitable[User]]


@dataclass
class Console:
    """The running app with what stands behind it."""

    services: Services
    inspector: FakeInspector
    client: httpx.AsyncClient
    followed: list[tuple[int, str]]
    """What the case base was told: inspection and who decided."""
    explainer: FakeExplainer
    airflow: FakeAirflow

    @property
    def store(self) -> Store:
        return self.services.store

    def new_client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A browser of its own; ``address`` is where it seems to come from."""
        transport = httpx.ASGITransport(core.app, client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once: argon2 is slow on purpose."""
    from anomalyos.accounts import rules as auth

    return auth.hash_password(PASSWORD)


@pytest.fixture
def people(store: Store, password_hash: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    from anomalyos.accounts import rules as auth

    with monkeypatch.context() as patch, store.session() as session:
        patch.setattr(auth, "hash_password", lambda _password: password_hash)
        for name, role in PEOPLE.items():
            users.create(session, name=name, password=PASSWORD, role=role, actor="test")
    return PEOPLE


@pytest.fixture
async def console(settings: Settings, store: Store, people: dict[str, str]) -> AsyncIterator[Console]:
    """The console's routes on NiceGUI's app, started in simulation."""
    add_category(store, "stripes")
    add_category(store, "dots", synthetic=False)
    async with running(settings, store) as console:
        yield console


@asynccontextmanager
async def running(settings: Settings, store: Store) -> AsyncIterator[Console]:
    """A console over what is in the store."""
    from console import main

    inspector = FakeInspector(settings, store)
    followed: list[tuple[int, str]] = []
    explainer, airflow = FakeExplainer(settings, store), FakeAirflow()
    behind = Behind(
        inspector=lambda: inspector,
        explainer=lambda: explainer,
        heatmap=fake_heatmap,
        reviewed=lambda *review: followed.append(review),
        start=main.start_task,
        airflow=cast("Callable[[], AirflowApi]", lambda: airflow),
    )
    services = build(settings, store, behind)
    # the reset collects garbage twice: with torch and all its like loaded that took longer than the test
    gc.freeze()
    with nicegui_reset_globals():
        os.environ["NICEGUI_USER_SIMULATION"] = "true"
        # every router that is included wraps it once more: after some hundred it is too deep to enter
        lifespan = core.app.router.lifespan_context
        try:
            main.create_app(services)
            main.serve(settings)
            async with core.app.router.lifespan_context(core.app):
                transport = httpx.ASGITransport(core.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    yield Console(services, inspector, client, followed, explainer, airflow)
        finally:
            os.environ.pop("NICEGUI_USER_SIMULATION", None)
            # modules of known pages would be imported anew for each test; ours register in functions
            Client.page_routes.clear()
            core.app.router.lifespan_context = lifespan
            ui.navigate = Navigate()
            ui.notify = notify
            ui.download = download


@pytest.fixture
def sign_in(console: Console) -> SignIn:
    """``await sign_in("mia")`` gives a ``User`` with a session of that person."""

    async def enter(name: str) -> User:
        return await signed_in(console, name)

    return enter


async def signed_in(console: Console, name: str, password: str = PASSWORD) -> User:
    client = console.new_client()
    answer = await client.post("/login", data={"name": name, "password": password, "next": "/"})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/"
    return User(client)
