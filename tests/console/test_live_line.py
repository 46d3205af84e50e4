from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from nicegui import ui

from anomalyos.inspection.tables import Inspection
from tests.console.conftest import Console, SignIn
from tests.console.live_uploads import PATIENT, file, kept, listed, part, send, until, upload_of
from tests.support.products import picture


class Gate:
    """Inspections that begin and then wait until they are let through, one by one."""

    def __init__(self, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self._permits = threading.Semaphore(0)
        real = console.inspector.inspect

        def inspect(data: bytes, **named: Any) -> Inspection:
            self.begun.append(named["source"])
            named["progress"]("features", 2 / 6)
            assert self._permits.acquire(timeout=30)
            return real(data, **named)

        monkeypatch.setattr(console.inspector, "inspect", inspect)

    def let(self, count: int) -> None:
        self._permits.release(count)


@pytest.fixture
def gate(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(console, monkeypatch)
    yield gate
    gate.let(1000)


async def test_many_photos_wait_in_line_and_those_that_wait_can_be_cancelled(
    console: Console, sign_in: SignIn, gate: Gate
) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([part(n) for n in range(6)])
    await user.should_see("0 of 6 photos done", retries=PATIENT)
    await user.should_see("4 photos waiting: part ", retries=PATIENT)
    await user.should_see(".png and 1 more")
    await user.should_see("Reading its texture · step 3 of 6", retries=PATIENT)
    gate.let(1)
    await user.should_see("1 of 6 photos done", retries=PATIENT)
    user.find(marker="cancel-waiting").click()
    await user.should_see("3 photos cancelled.", retries=PATIENT)
    gate.let(2)
    await user.should_see("All done: 3 photos inspected", retries=PATIENT)
    await user.should_see("3 normal")
    await user.should_see("3 photos cancelled, not inspected.")
    assert sorted(row.source for row in kept(console)) == sorted(gate.begun)
    assert len(gate.begun) == 3
    user.find(marker="forget").click()
    await user.should_not_see("All done")


async def test_leaving_the_page_loses_nothing(console: Console, sign_in: SignIn, gate: Gate) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([part(n) for n in range(4)])
    await until(lambda: len(gate.begun) == 2)
    await user.open("/")
    await user.open("/live")
    await user.should_see("0 of 4 photos done")
    await user.should_see("2 photos waiting: part ")
    await user.open("/nights")
    gate.let(4)
    await until(lambda: len(kept(console)) == 4)
    await user.open("/live")
    await user.should_see("All done: 4 photos inspected", retries=PATIENT)
    await until(lambda: sorted(listed(user)) == [f"part {n}.png" for n in range(4)])


async def test_a_failing_inspection_is_said_logged_and_does_not_stop_the_line(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = console.inspector.inspect

    def broken(data: bytes, **named: Any) -> Inspection:
        if named["source"] == "upload:part 1.png":
            raise RuntimeError("out of memory")
        return real(data, **named)

    monkeypatch.setattr(console.inspector, "inspect", broken)
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([part(n) for n in range(1, 5)])
    await user.should_see("All done: 3 photos inspected", retries=PATIENT)
    await user.should_see("It could not be inspected. The console's log says why. Send it again later.")
    assert "out of memory" in caplog.text
    await user.open("/live")
    await user.should_see(marker="failure")


async def test_cancelling_stops_what_the_browser_has_not_sent(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    user.find(kind=ui.upload).trigger("added", 5)
    await user.should_see("5 photos on the way here", retries=PATIENT)
    user.find(marker="cancel-waiting").click()
    await user.should_see("5 photos cancelled, not inspected.", retries=PATIENT)
    user.find(kind=ui.upload).trigger("failed", [["a.png"], 0])
    user.find(kind=ui.upload).trigger("finish")
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see("All done: 1 photo inspected", retries=PATIENT)
    await user.should_not_see("It did not arrive.")
    assert len(kept(console)) == 1


async def test_a_page_answers_while_inspections_run(console: Console, sign_in: SignIn, gate: Gate) -> None:
    mia, victor = await sign_in("mia"), await sign_in("victor")
    await mia.open("/live")
    await upload_of(mia).handle_uploads([part(n) for n in range(5)])
    await until(lambda: len(gate.begun) == 2)
    for path in ("/", "/live", "/nights"):
        await victor.open(path)
    await victor.should_see("All nights")
    # neither of those that run had ended meanwhile
    assert kept(console) == []
    assert len(gate.begun) == 2
    gate.let(5)
    await mia.should_see("All done: 5 photos inspected", retries=PATIENT)


async def test_one_persons_pile_does_not_hold_up_another(
    console: Console, sign_in: SignIn, gate: Gate
) -> None:
    mia, erik = await sign_in("mia"), await sign_in("erik")
    await mia.open("/live")
    await erik.open("/live")
    await send(mia, *[part(n) for n in range(8)])
    await until(lambda: len(gate.begun) == 2)
    await send(erik, file("urgent.png", picture("dots", 77)))
    await erik.should_see("0 of 1 photo done", retries=PATIENT)
    gate.let(1)
    await until(lambda: len(gate.begun) == 3)
    assert gate.begun[2] == "upload:urgent.png"
    gate.let(8)
    await erik.should_see("All done: 1 photo inspected", retries=PATIENT)
    await mia.should_see("All done: 8 photos inspected", retries=PATIENT)
