from __future__ import annotations

import pytest
from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload

from anomalyos.store.tables import Inspection
from tests.console.conftest import Console, SignIn
from tests.products import picture


def upload_of(user) -> ui.upload:  # type: ignore[no-untyped-def]
    return next(iter(user.find(kind=ui.upload).elements))


def file(name: str, data: bytes) -> SmallFileUpload:
    return SmallFileUpload(name, "application/octet-stream", data)


async def test_an_upload_is_inspected_shown_and_decided(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await user.should_see("Show it a part")
    await upload_of(user).handle_uploads([file("../../part <i>.png", picture("stripes", 1, flawed=True))])
    await user.should_see("part <i>.png", retries=20)
    await user.should_see("Flagged", retries=20)
    await user.should_see(marker="sentence")
    user.find(marker="decide-defect").click()
    await user.should_see("Defect by mia")
    with console.store.session(read_only=True) as session:
        row = session.get(Inspection, 1)
    assert row is not None
    assert (row.source, row.decision) == ("upload:part <i>.png", "defect")


async def test_a_chosen_category_is_passed_on(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    next(iter(user.find(marker="live-category").elements)).value = "dots"
    await upload_of(user).handle_uploads([file("a.png", picture("dots", 1))])
    await user.should_see("Normal · Dots", retries=20)


async def test_rejected_and_unknown_images_are_explained(console: Console, sign_in: SignIn) -> None:
    import numpy as np

    from tests.products import png

    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([file("notes.txt", b"hello")])
    await user.should_see("Rejected", retries=20)
    await user.should_see("Choose a PNG, JPEG, BMP, TIFF or WebP photo.")
    await upload_of(user).handle_uploads([file("dark.png", png(np.zeros((64, 64, 3), np.uint8)))])
    await user.should_see("Unknown category", retries=20)


async def test_viewers_cannot_upload(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/live")
    await user.should_see("Looking only")
    assert not upload_of(user).enabled
    answer = await user.http_client.post(
        upload_of(user).props["url"], files={"file": ("a.png", picture("stripes", 1))}
    )
    assert answer.status_code == 403


async def test_without_models_the_page_says_how_to_get_one(console: Console, sign_in: SignIn) -> None:
    console.inspector.categories = lambda: []  # type: ignore[method-assign]
    user = await sign_in("mia")
    await user.open("/live")
    await user.should_see("No product has a model yet")


async def test_a_failing_inspection_is_said_and_logged(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(console.inspector, "inspect", broken)
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([file("a.png", picture("stripes", 1))])
    await user.should_see("It could not be inspected. The console's log says why.", retries=20)
    assert "out of memory" in caplog.text
