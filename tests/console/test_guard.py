from __future__ import annotations

import pytest

from console.routes import doors
from tests.console.conftest import PASSWORD, Console, SignIn
from tests.console.factory import open_night
from tests.support.products import picture

PAGES = [
    "/",
    "/live",
    "/rejected",
    "/nights",
    "/inspection/1",
    "/forensics",
    "/analytics",
    "/arena",
    "/knowledge",
]
CLOSED = ["/media/image/1", "/media/thumb/1", "/media/heatmap/1", "/api/inspections/1", "/openapi.json"]


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/docs"])
async def test_pages_lead_strangers_to_the_sign_in_page(console: Console, path: str) -> None:
    answer = await console.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/")


@pytest.mark.parametrize("path", CLOSED)
async def test_data_answers_strangers_with_401(console: Console, path: str) -> None:
    answer = await console.client.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"


async def test_uploads_of_strangers_are_refused(console: Console) -> None:
    answer = await console.client.post("/_nicegui/client/x/upload/1", files={"file": ("a", b"x")})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/login", "/", "/health", "/media/image/1"])
async def test_every_answer_carries_the_safe_headers(console: Console, path: str) -> None:
    headers = (await console.client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert f"frame-ancestors 'self' {console.services.settings.airflow_url}" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["permissions-policy"] == "camera=(self), microphone=(), geolocation=()"


async def test_changes_from_other_sites_are_refused(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    data = picture("stripes", 1)
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await user.http_client.post("/inspect", files={"file": ("a.png", data)}, headers=headers)
        assert answer.status_code == 403, headers
    own = {"Origin": "http://test"}
    assert (
        await user.http_client.post("/inspect", files={"file": ("a.png", data)}, headers=own)
    ).status_code == 200
    form = {"name": "mia", "password": PASSWORD}
    login = await console.client.post("/login", data=form, headers={"Origin": "http://evil.example"})
    assert login.status_code == 403
    socket = await console.client.get("/_nicegui_ws/socket.io/", headers={"Origin": "http://evil.example"})
    assert socket.status_code == 403


async def test_pictures_are_re_encoded_and_cached_privately(console: Console, sign_in: SignIn) -> None:
    key = open_night(console.store, "2026-11-24")
    data = picture("stripes", 1, flawed=True) + b"\0" * 16
    row = console.inspector.inspect(data, source="a.png", batch_key=key, category="stripes")
    user = await sign_in("victor")
    for kind, start in (("image", b"\x89PNG"), ("thumb", b"\xff\xd8"), ("heatmap", b"\x89PNG")):
        answer = await user.http_client.get(f"/media/{kind}/{row.id}")
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        assert answer.content != data
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-type"] in {"image/png", "image/jpeg"}
        again = {"If-None-Match": answer.headers["etag"]}
        assert (await user.http_client.get(f"/media/{kind}/{row.id}", headers=again)).status_code == 304
        assert (await console.client.get(f"/media/{kind}/{row.id}", headers=again)).status_code == 401
    assert (await user.http_client.get("/media/image/999")).status_code == 404


async def test_rejected_files_have_no_picture(console: Console, sign_in: SignIn) -> None:
    key = open_night(console.store, "2026-11-24")
    row = console.inspector.inspect(b"<svg onload=alert(1)>", source="a.svg", batch_key=key)
    user = await sign_in("victor")
    assert (await user.http_client.get(f"/media/image/{row.id}")).status_code == 404
    assert (await user.http_client.get(f"/media/heatmap/{row.id}")).status_code == 404


LOOKALIKES = [
    "/",
    "/loginx",
    "/login/x",
    "/healthy",
    "/faviconxico",
    "/inspection/3",
    "/inspect/",
    "/metricsx",
    "/mediax",
    "/api",
    "/openapixjson",
    "/docs",
    "/_nicegui/client/x/upload/1",
    "/_nicegui/x",
    "/arena/picture/x",
    "/knowledge/export/knowledge.yaml",
]


@pytest.mark.parametrize("path", LOOKALIKES)
def test_what_only_looks_like_an_open_address_is_for_signed_in_people(path: str) -> None:
    assert not doors().public.match(path)
    assert not doors().self_guarded.match(path)


def test_uploads_may_be_large_where_images_are_taken_and_nowhere_else() -> None:
    large = [path for path in (*LOOKALIKES, "/inspect", "/api/retrain") if doors().uploads.match(path)]
    assert large == ["/_nicegui/client/x/upload/1", "/inspect"]


async def test_unknown_addresses_of_programs_are_answered_in_json(console: Console, sign_in: SignIn) -> None:
    assert (await console.client.get("/api/nothing")).json()["code"] == "not_found"
    user = await sign_in("mia")
    answer = await user.http_client.get("/media/image/9999999999999")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
