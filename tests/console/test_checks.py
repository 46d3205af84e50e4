"""Data checks in the console: what each role sees and may do, and that a check's page has no rights."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from nicegui.testing import User

from anomalyos.accounts import audit
from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotAllowed
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.delivery_check import check_delivery
from anomalyos.inspection.tables import BatchKind
from anomalyos.quality import quarantine
from anomalyos.quality.data_check import check_category
from anomalyos.quality.tables import QuarantinedImage
from console.security.person import Person
from tests.console.conftest import PASSWORD, Console, SignIn
from tests.quality.suites import VIOLATIONS, write_suite
from tests.support.products import picture, write_product

DAY = "2026-11-24"
NIGHT = f"night-{DAY}"


def images(store: Store) -> dict[str, QuarantinedImage]:
    with store.session(read_only=True) as session:
        return {row.file.rsplit("/", 1)[-1]: row for row in quarantine.listed(session)}


@pytest.fixture
def checked(settings: Settings, store: Store) -> Path:
    """A product with a copy and a torn file among its training images, checked."""
    train = write_product(settings.data_dir, "dots", good=1, flawed=0) / "train" / "good"
    (train / "torn.png").write_bytes(b"torn")
    (train / "zz_copy.png").write_bytes(picture("dots", 0))
    check_category("dots", settings, store)
    return train


def deliver(settings: Settings, store: Store, data: bytes) -> None:
    """A photo in the night's inbox, and the night's batch."""
    from anomalyos.inspection import batches

    path = settings.inbox_dir / DAY / "dots" / "1.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    with store.session() as session:
        batches.get_or_create(session, key=NIGHT, kind=BatchKind.NIGHTLY, day=DAY)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true")


async def client_of(console: Console, name: str) -> httpx.AsyncClient:
    client = console.new_client()
    await client.post("/login", data={"name": name, "password": PASSWORD, "next": "/"})
    return client


async def test_without_any_check_both_pages_say_what_comes(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/checks")
    await user.should_see("No night yet")
    await user.open("/checks/learning")
    await user.should_see("No data check yet")


async def test_a_reviewer_sees_the_remarks_of_a_night_and_the_picture(
    settings: Settings, console: Console, sign_in: SignIn
) -> None:
    deliver(settings, console.store, VIOLATIONS["black"][0])
    check_delivery(settings, console.store, DAY, "dots", ["dots/1.png"])
    row = console.inspector.inspect(
        VIOLATIONS["black"][0], source=f"{DAY}/dots/1.png", batch_key=NIGHT, category="dots"
    )
    user = await sign_in("mia")
    await user.open(f"/checks?batch={NIGHT}")
    await user.should_see("Every photo is inspected")
    await user.should_see("remarks")
    await user.should_see("It is almost black")
    sources = {element.props["src"] for element in user.find(marker="found-picture").elements}
    assert f"/media/thumb/{row.id}" in sources
    await user.should_not_see("Let it go on")


async def test_only_engineers_let_a_stopped_night_go_on_and_say_why(
    settings: Settings, console: Console, sign_in: SignIn
) -> None:
    write_suite(settings, "dots", "brightness: {night: stop}")
    deliver(settings, console.store, VIOLATIONS["black"][0])
    row = check_delivery(settings, console.store, DAY, "dots", ["dots/1.png"])
    reviewer = await sign_in("mia")
    await reviewer.open(f"/checks?batch={NIGHT}")
    await reviewer.should_see("stopped")
    await reviewer.should_not_see(marker="let-go-on")
    engineer = await sign_in("erik")
    await engineer.open(f"/checks?batch={NIGHT}")
    engineer.find(marker="let-go-on").click()
    await engineer.should_see("Let this batch go on?")
    engineer.find(marker="confirm").click()
    await engineer.should_see("Write a word about why.")
    engineer.find(marker="note").type("the lamp is out, and known")
    engineer.find(marker="confirm").click()

    def released() -> bool:
        with console.store.session(read_only=True) as session:
            return bool(audit.recent(session, action="data.let_go_on"))

    await until(released)
    await engineer.open(f"/checks?batch={NIGHT}")
    await engineer.should_see("erik let it go on")
    checks = console.services.checks
    with pytest.raises(NotAllowed):
        checks.let_go_on(Person(1, "mia", Role.REVIEWER), row.id or 0, "I want to")


async def test_an_engineer_releases_an_image_and_it_is_audited(
    console: Console, sign_in: SignIn, checked: Path
) -> None:
    found = images(console.store)
    copy, torn = found["zz_copy.png"], found["torn.png"]
    user: User = await sign_in("erik")
    await user.open("/checks/learning")
    await user.should_see("It is the same file as train/good/000.png")
    await user.should_not_see(marker=f"release-{torn.id}")
    user.find(marker=f"release-{copy.id}").click()
    await user.should_see("Learn from this image again?")
    user.find(marker="note").type("two parts, one picture")
    user.find(marker="confirm").click()
    await until(lambda: images(console.store)["zz_copy.png"].state == "released")
    with console.store.session(read_only=True) as session:
        event = audit.recent(session, action="data.release")[0]
    assert (event.actor, event.detail["note"]) == ("erik", "two parts, one picture")
    await user.open("/checks/learning?product=dots")
    await user.should_see("two parts, one picture")
    user.find(marker=f"keep-out-{torn.id}").click()
    user.find(marker="confirm").click()
    await until(lambda: images(console.store)["torn.png"].state == "kept_out")


@pytest.mark.parametrize("name", ["victor", "mia"])
async def test_others_look_and_decide_nothing(
    console: Console, sign_in: SignIn, checked: Path, name: str
) -> None:
    user = await sign_in(name)
    await user.open("/checks/learning?product=dots")
    await user.should_see("zz_copy.png")
    await user.should_see("An engineer can release an image")
    copy = images(console.store)["zz_copy.png"]
    await user.should_not_see(marker=f"release-{copy.id}")
    checks, person = console.services.checks, Person(1, name, Role.REVIEWER)
    for act in (checks.release, checks.keep_out):
        with pytest.raises(NotAllowed, match="engineer"):
            act(person, copy.id or 0, "please")
    assert images(console.store)["zz_copy.png"].state == "held"


async def test_the_page_of_a_check_has_no_rights(console: Console, checked: Path) -> None:
    client = await client_of(console, "victor")
    answer = await client.get("/export/check/1.html")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert "zz_copy.png" in answer.text
    assert (await console.client.get("/export/check/1.html")).status_code == 401
    for number in (0, 99, 2**40):
        assert (await client.get(f"/export/check/{number}.html")).status_code == 404


async def test_pictures_are_of_the_file_that_was_set_aside(
    settings: Settings, console: Console, checked: Path
) -> None:
    found = images(console.store)
    client = await client_of(console, "victor")
    answer = await client.get(f"/media/quarantine/{found['zz_copy.png'].id}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert (await client.get(f"/media/quarantine/{found['torn.png'].id}")).status_code == 404
    (checked / "zz_copy.png").write_bytes(picture("dots", 77))
    assert (await client.get(f"/media/quarantine/{found['zz_copy.png'].id}")).status_code == 404
    with console.store.session() as session:
        row = QuarantinedImage(category="dots", file="../../secrets/session", sha256="0" * 64, reason="x")
        session.add(row)
        session.flush()
        number = row.id
    assert (await client.get(f"/media/quarantine/{number}")).status_code == 404
