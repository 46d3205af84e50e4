from __future__ import annotations

import asyncio
import hashlib
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from anomalyos.accounts.tables import Role
from anomalyos.core.geometry import Box
from anomalyos.explain import repository as explanations
from anomalyos.inspection import inspections
from console.api.v1.exports import html_file, pdf_file
from console.security.person import Person
from tests.console.conftest import Console, SignIn
from tests.console.test_explanation import inspect
from tests.reports import examples
from tests.support.products import picture


@pytest.fixture
async def reported(console: Console, sign_in: SignIn) -> tuple[int, int]:
    """Inspection and report."""
    number = inspect(console)
    explaining = console.services.explanations
    job = explaining.write(Person(2, "mia", Role.REVIEWER), number)
    for _ in range(100):
        if job.done:
            break
        await asyncio.sleep(0.05)
    assert not job.error
    assert job.report_id is not None
    return number, job.report_id


ADDRESSES = (
    "/export/report/1.html",
    "/export/report/1.pdf",
    "/media/crop/1",
    "/media/overlay/1/hirescam",
    "/media/trace/1/0/own",
    "/media/trace/1/0/0",
)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_nothing_is_given_to_strangers(
    console: Console, reported: tuple[int, int], address: str
) -> None:
    answer = await console.client.get(address)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/json")


async def test_a_report_is_downloaded_with_a_safe_name(
    console: Console, sign_in: SignIn, reported: tuple[int, int]
) -> None:
    number, report_id = reported
    client = (await sign_in("victor")).http_client
    page = await client.get(f"/export/report/{report_id}.html")
    assert page.status_code == 200
    name = f"anomalyos-inspection-{number}-report-{report_id}"
    assert page.headers["content-disposition"] == f'attachment; filename="{name}.html"'
    assert "sandbox" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert "no-store" in page.headers["cache-control"]
    assert "Drying too fast" in page.text
    pdf = await client.get(f"/export/report/{report_id}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert (await client.get("/export/report/999.html")).status_code == 404
    assert (await client.get("/export/report/..%2Fetc.html")).status_code == 404


async def test_a_token_with_the_scope_read_downloads_too(console: Console, reported: tuple[int, int]) -> None:
    from anomalyos.accounts import tokens, users

    _, report_id = reported
    with console.store.session() as session:
        owner = users.by_name(session, "victor")
        assert owner.id is not None
        plain = {
            scope: tokens.create(
                session, user_id=owner.id, name=scope, scopes=[scope], expires_in_days=1, actor="test"
            )[1]
            for scope in ("read", "inspect")
        }

    async def status(scope: str) -> int:
        headers = {"Authorization": f"Bearer {plain[scope]}"}
        return (await console.client.get(f"/export/report/{report_id}.html", headers=headers)).status_code

    assert await status("read") == 200
    assert await status("inspect") == 403


def keep_trace(console: Console, inspection_id: int, image: str, sha256: str) -> None:
    pair = examples.trace(1)
    place = pair.neighbours[0].place.model_copy(update={"image": image, "image_sha256": sha256})
    place = place.model_copy(update={"box": Box(x=40, y=40, width=8, height=8)})
    neighbour = pair.neighbours[0].model_copy(update={"place": place})
    own = pair.place.model_copy(update={"box": Box(x=30, y=20, width=8, height=8)})
    pair = pair.model_copy(update={"place": own, "neighbours": (neighbour,)})
    with console.store.session() as session:
        explanations.keep(
            session,
            inspection_id=inspection_id,
            method="trace",
            key=explanations.input_key(image=image, sha256=sha256),
            content={"pairs": [pair.model_dump(mode="json")]},
            files={},
            cost_ms=1.0,
        )


async def test_patches_are_cut_out_of_the_very_photographs(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    data = picture("stripes", 77)
    folder = console.services.settings.data_dir / "stripes" / "train" / "good"
    folder.mkdir(parents=True)
    (folder / "077.png").write_bytes(data)
    keep_trace(console, number, "train/good/077.png", hashlib.sha256(data).hexdigest())
    client = (await sign_in("victor")).http_client
    own = await client.get(f"/media/trace/{number}/0/own")
    normal = await client.get(f"/media/trace/{number}/0/0")
    assert (own.status_code, normal.status_code) == (200, 200)
    sizes = [Pillow.open(io.BytesIO(answer.content)).size for answer in (own, normal)]
    assert sizes == [(288, 288), (288, 288)]
    # the patch is outlined in white on black, in the middle of its surroundings of five times its side
    pixels = np.asarray(Pillow.open(io.BytesIO(normal.content)).convert("RGB"))
    assert (pixels[116, 144] == 255).all()
    for missing in (f"/media/trace/{number}/1/own", f"/media/trace/{number}/0/3", "/media/trace/99/0/own"):
        assert (await client.get(missing)).status_code == 404


@pytest.mark.parametrize("image", ["../../anomalyos.db", "/etc/hostname", "train/good/other.png"])
async def test_a_training_picture_is_only_the_one_the_model_learned_from(
    console: Console, sign_in: SignIn, image: str
) -> None:
    number = inspect(console)
    folder = console.services.settings.data_dir / "stripes" / "train" / "good"
    folder.mkdir(parents=True)
    (folder / "other.png").write_bytes(picture("stripes", 5))
    keep_trace(console, number, image, "0" * 64)
    client = (await sign_in("victor")).http_client
    answer = await client.get(f"/media/trace/{number}/0/0")
    assert answer.status_code == 404
    assert "gone or has changed" in answer.json()["detail"]


async def test_heat_of_a_gradient_method_is_served_once_it_was_computed(
    console: Console, sign_in: SignIn
) -> None:
    from anomalyos.images.decoding import encode_png

    number = inspect(console)
    client = (await sign_in("victor")).http_client
    address = f"/media/overlay/{number}/hirescam"
    assert (await client.get(address)).status_code == 404
    heat = np.zeros((8, 8, 4), dtype=np.uint8)
    heat[2:4, 2:4] = 255
    path = console.store.objects.put(encode_png(heat), ".png")
    with console.store.session() as session:
        explanations.keep(
            session,
            inspection_id=number,
            method="hirescam",
            key="k",
            content={},
            files={"overlay_path": path},
            cost_ms=1.0,
        )
    answer = await client.get(address)
    assert answer.status_code == 200
    assert Pillow.open(io.BytesIO(answer.content)).mode == "RGBA"
    assert (await client.get(f"/media/overlay/{number}/trace")).status_code == 404


async def test_the_flagged_place_is_cut_out(console: Console, sign_in: SignIn) -> None:
    number = inspect(console)
    client = (await sign_in("victor")).http_client
    answer = await client.get(f"/media/crop/{number}")
    crop = Pillow.open(io.BytesIO(answer.content))
    with console.store.session(read_only=True) as session:
        region = inspections.get(session, number).regions[0]
    assert crop.width == crop.height
    assert region["width"] < crop.width < 96


def test_files_are_named_by_numbers_alone(console: Console, reported: tuple[int, int]) -> None:
    kept = console.services.explanations.report(reported[1])
    for make, suffix in ((html_file, "html"), (pdf_file, "pdf")):
        name, data = make(console.services, kept)
        assert name == f"anomalyos-inspection-{reported[0]}-report-{reported[1]}.{suffix}"
        assert data
