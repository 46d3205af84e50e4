from __future__ import annotations

import io

import pytest
from PIL import Image

from anomalyos.cases import repository as case_repository
from tests.console.conftest import Console, SignIn
from tests.console.knowledge_factory import COMMENT, add_case


@pytest.mark.parametrize(
    ("part", "size", "kind"),
    [("crop", (14, 14), "PNG"), ("photo", (96, 96), "PNG"), ("thumb", (14, 14), "JPEG")],
)
async def test_pictures_of_a_case_are_encoded_anew(
    console: Console, sign_in: SignIn, part: str, size: tuple[int, int], kind: str
) -> None:
    number = add_case(console.store, 1)
    user = await sign_in("victor")
    answer = await user.http_client.get(f"/media/case/{number}/{part}")
    assert answer.status_code == 200
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.size, image.format) == (size, kind)
    with console.store.session(read_only=True) as session:
        case = case_repository.get(session, number)
    for path in (case.crop_path, case.image_path):
        assert COMMENT.encode() in console.store.objects.read(path)
    assert COMMENT.encode() not in answer.content
    again = await user.http_client.get(
        f"/media/case/{number}/{part}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize("part", ["crop", "photo", "thumb"])
async def test_nobody_sees_a_picture_without_a_session(console: Console, part: str) -> None:
    number = add_case(console.store, 1)
    answer = await console.client.get(f"/media/case/{number}/{part}")
    assert answer.status_code == 401
    assert not answer.headers["content-type"].startswith("image/")


@pytest.mark.parametrize("address", ["/media/case/99/crop", "/media/case/99/photo"])
async def test_there_is_no_picture_of_no_case(sign_in: SignIn, address: str) -> None:
    user = await sign_in("victor")
    assert (await user.http_client.get(address)).status_code == 404


@pytest.mark.parametrize("damage", [b"not a picture at all", None])
async def test_a_damaged_or_missing_file_is_a_404_with_the_next_step(
    console: Console, sign_in: SignIn, damage: bytes | None
) -> None:
    number = add_case(console.store, 1)
    with console.store.session(read_only=True) as session:
        path = console.store.objects.absolute(case_repository.get(session, number).image_path)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    user = await sign_in("victor")
    answer = await user.http_client.get(f"/media/case/{number}/photo")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert "backup" in answer.json()["hint"]
    crop = await user.http_client.get(f"/media/case/{number}/crop")
    assert crop.status_code == 200
    await user.open(f"/knowledge/case/{number}")
    await user.should_see("The photograph is missing or damaged.")
