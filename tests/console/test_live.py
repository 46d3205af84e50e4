from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from nicegui import ui

from anomalyos.accounts import users
from console.pages.inspector.live_results import PAGE
from tests.console.conftest import Console, SignIn
from tests.console.live_uploads import PATIENT, file, kept, listed, part, until, upload_of
from tests.support.products import picture, png


async def test_an_upload_is_inspected_shown_and_decided(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await user.should_see("Show it a part")
    await upload_of(user).handle_uploads([file("../../part <i>.png", picture("stripes", 1, flawed=True))])
    await user.should_see("part <i>.png", retries=PATIENT)
    await user.should_see(marker="sentence", retries=PATIENT)
    user.find(marker="decide-defect").click()
    await user.should_see("Defect by mia", retries=PATIENT)
    await user.should_see("Defect · Dots")
    row = kept(console)[0]
    assert (row.source, row.decision) == ("upload:part <i>.png", "defect")


async def test_a_chosen_category_is_passed_on(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    next(iter(user.find(kind=ui.select).elements)).value = "stripes"
    await upload_of(user).handle_uploads([file("a.png", picture("stripes", 1))])
    await user.should_see("Normal · Stripes", retries=PATIENT)


async def test_rejected_and_unknown_images_are_explained(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([file("notes.txt", b"hello")])
    await user.should_see("All done: 1 photo inspected", retries=PATIENT)
    reason = kept(console)[0].reject_reason
    await user.should_see(f"Rejected: {reason}")
    await user.should_see("Choose a PNG, JPEG, BMP, TIFF or WebP photo.", retries=PATIENT)
    await upload_of(user).handle_uploads([file("dark.png", png(np.zeros((64, 64, 3), np.uint8)))])
    await user.should_see("1 unknown category", retries=PATIENT)
    assert listed(user) == ["dark.png", "notes.txt"]


async def test_todays_results_are_listed_page_by_page_for_everybody(
    console: Console, sign_in: SignIn
) -> None:
    from anomalyos.inspection.inspector import live_batch

    key = live_batch(console.store)
    for number in range(PAGE + 3):
        source, data = f"upload:{number:02}.png", picture("dots", number, flawed=number < 2)
        console.inspector.inspect(data, source=source, batch_key=key, category="dots")
    console.inspector.inspect(b"no image", source="upload:torn.png", batch_key=key)
    user = await sign_in("victor")
    await user.open("/live")
    await user.should_see("1–24 of 28")
    assert listed(user)[:2] == ["torn.png", "26.png"]
    user.find(marker="older").click()
    await user.should_see("25–28 of 28", retries=PATIENT)
    assert listed(user) == ["03.png", "02.png", "01.png", "00.png"]
    user.find(marker="filter-flagged").click()
    await until(lambda: listed(user) == ["01.png", "00.png"])
    user.find(marker=f"result-{kept(console)[-1].id}").click()
    await user.should_see(marker="sentence", retries=PATIENT)
    user.find(marker="filter-rejected").click()
    await until(lambda: listed(user) == ["torn.png"])


async def test_a_photo_sent_twice_is_listed_once(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see("All done: 1 photo inspected", retries=PATIENT)
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see("1 had been inspected today already; nothing was done again.", retries=PATIENT)
    assert listed(user) == ["part 1.png"]
    assert len(kept(console)) == 1


async def test_the_list_is_walked_with_the_keys_of_the_queue(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see(marker="sentence", retries=PATIENT)
    await upload_of(user).handle_uploads([file("b.png", b"torn")])
    await until(lambda: listed(user) == ["b.png", "part 1.png"])
    await user.should_see("The file could not be opened.", retries=PATIENT)
    tools = next(e for e in user.find(kind=ui.element).elements if "aos-tools" in e.classes)
    down = next(e for e in tools.descendants() if e.props.get("data-key") == "j")
    down.mark("down")
    user.find(marker="down").click()
    await user.should_see("Normal: ", retries=PATIENT)


async def test_viewers_look_and_cannot_upload(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/live")
    await user.should_see("Looking only")
    assert not upload_of(user).enabled
    answer = await user.http_client.post(
        upload_of(user).props["url"], files={"file": ("a.png", picture("stripes", 1))}
    )
    assert answer.status_code == 403
    await user.should_not_see(marker="camera")
    camera = next(iter(user.find(marker="open-camera").elements))
    assert camera.props["aria-disabled"] == "true"
    assert "data-cam-open" not in camera.props
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see("This needs the role reviewer; yours is viewer.", retries=PATIENT)
    assert kept(console) == []


@pytest.mark.parametrize("name", ["mia", "erik", "ada"])
async def test_reviewers_and_above_upload_and_have_the_camera(
    console: Console, sign_in: SignIn, name: str
) -> None:
    user = await sign_in(name)
    await user.open("/live")
    dialog = next(iter(user.find(marker="camera").elements))
    words = json.loads(dialog.props["data-words"])
    assert {"NotAllowedError", "NotFoundError", "NotReadableError", "insecure"} <= set(words)
    assert next(iter(user.find(marker="open-camera").elements)).props["data-cam-open"] == "true"
    await upload_of(user).handle_uploads([part(1)])
    await user.should_see("All done: 1 photo inspected", retries=PATIENT)
    assert len(kept(console)) == 1


async def test_a_role_taken_away_ends_uploading(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    with console.store.session() as session:
        users.set_role(session, name="mia", role="viewer", actor="ada")
    await upload_of(user).handle_uploads([part(1)])
    await asyncio.sleep(0.3)
    assert kept(console) == []


async def test_without_models_the_page_says_how_to_get_one(console: Console, sign_in: SignIn) -> None:
    console.inspector.categories = lambda: []
    user = await sign_in("mia")
    await user.open("/live")
    await user.should_see("No product has a model yet")
    await user.should_see("Nothing yet today")


async def test_files_the_browser_did_not_send_are_named_with_the_reason(
    console: Console, sign_in: SignIn
) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    user.find(kind=ui.upload).trigger(
        "rejected", [["huge <b>.png", "max-file-size"], ["twin.png", "duplicate"]]
    )
    limit = f"{console.services.settings.max_image_bytes / 2**20:.0f} MiB"
    await user.should_see(
        f"The file is larger than {limit}. Save it smaller, then send it again.", retries=PATIENT
    )
    await user.should_see("huge <b>.png")
    await user.should_see("twin.png is on its way already.")
    user.find(kind=ui.upload).trigger("added", 2)
    await user.should_see("2 photos on the way here", retries=PATIENT)
    user.find(kind=ui.upload).trigger("failed", [["a.png", "b.png"], 0])
    await user.should_see("It did not arrive. Check the connection, then send it again.", retries=PATIENT)
    await user.should_see("a.png")
