from __future__ import annotations

import httpx
import pytest

from anomalyos.accounts import tokens, users
from tests.console.conftest import Console, SignIn
from tests.console.factory import finish_night, open_night
from tests.support.products import picture


def bearer(console: Console, owner: str, *scopes: str) -> dict[str, str]:
    with console.store.session() as session:
        user = users.find(session, owner)
        assert user is not None
        assert user.id is not None
        _, plain = tokens.create(
            session, user_id=user.id, name="camera", scopes=scopes, expires_in_days=1, actor="ada"
        )
    return {"Authorization": f"Bearer {plain}"}


async def inspect(
    console: Console, data: bytes, headers: dict[str, str], category: str | None = None
) -> httpx.Response:
    form = {"category": category} if category else {}
    return await console.client.post(
        "/inspect", files={"file": ("part.png", data)}, data=form, headers=headers
    )


async def test_health_needs_no_sign_in(console: Console) -> None:
    answer = await console.client.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["database"]) == ("ok", "ok")
    assert {"anomalyos", "nicegui", "torch", "faiss"} <= body["versions"].keys()


async def test_health_fails_with_the_database(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    from anomalyos.core.errors import AnomalyOSError

    def broken() -> None:
        raise AnomalyOSError("The database is out of reach.")

    monkeypatch.setattr(console.store, "check", broken)
    answer = await console.client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"


async def test_a_token_inspects_and_reads(console: Console) -> None:
    headers = bearer(console, "mia", "inspect", "read")
    answer = await inspect(console, picture("stripes", 1, flawed=True), headers, "stripes")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["verdict"] == "anomalous"
    assert body["verdict_in_words"].startswith("Flagged: ")
    assert body["score"] > body["threshold"]
    assert body["source"] == "part.png"
    assert body["timings_ms"]["total"] > 0
    assert body["synthetic"] is True
    assert body["links"]["page"].endswith(f"/inspection/{body['id']}")
    read = await console.client.get(f"/api/inspections/{body['id']}", headers=headers)
    assert read.json() == body


async def test_rejected_images_are_422_with_code_and_reason(console: Console) -> None:
    answer = await inspect(console, b"no image", bearer(console, "mia", "inspect"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "not_an_image"
    assert answer.json()["detail"]
    assert answer.json()["inspection_id"] > 0


async def test_too_large_is_413_announced_or_not(console: Console) -> None:
    headers = bearer(console, "mia", "inspect")
    console.services.settings.max_image_bytes = 10_000
    answer = await inspect(console, b"x" * 80_000, headers)
    assert answer.status_code == 413
    # within the multipart allowance, but the file itself is over the limit
    assert (await inspect(console, b"x" * 10_001, headers)).status_code == 413

    async def endless():
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(10_000):
            yield b"x" * 10_000
        raise AssertionError("the whole body was read")

    chunked = await console.client.post(
        "/inspect", content=endless(), headers={**headers, "Content-Type": "multipart/form-data; boundary=b"}
    )
    assert chunked.status_code == 413


async def test_who_may_inspect(console: Console, sign_in: SignIn) -> None:
    data = picture("stripes", 1)
    assert (await inspect(console, data, {})).status_code == 401
    assert (await inspect(console, data, {"Authorization": "Bearer aos_wrong"})).status_code == 401
    assert (await inspect(console, data, {"Authorization": "Basic bWlhOm1pYQ=="})).status_code == 401
    assert (await inspect(console, data, bearer(console, "mia", "read"))).status_code == 403
    assert (await inspect(console, data, bearer(console, "victor", "inspect"))).status_code == 403
    for name, status in (("victor", 403), ("mia", 200)):
        user = await sign_in(name)
        answer = await user.http_client.post("/inspect", files={"file": ("a.png", data)})
        assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"


async def test_unknown_things_are_404(console: Console) -> None:
    headers = bearer(console, "mia", "inspect", "read")
    assert (await inspect(console, picture("stripes", 1), headers, "cheese")).status_code == 404
    answer = await console.client.get("/api/inspections/777", headers=headers)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert (await console.client.post("/inspect", data={"x": "y"}, headers=headers)).status_code == 400


async def test_reviews_conflict_with_the_current_state_in_the_body(console: Console) -> None:
    headers = bearer(console, "mia", "inspect", "read")
    body = (await inspect(console, picture("stripes", 1, flawed=True), headers)).json()
    address = f"/api/inspections/{body['id']}/review"
    wish = {"decision": "defect", "expected_version": 0, "defect_type": "stain"}
    first = await console.client.post(address, json=wish, headers=headers)
    assert first.status_code == 200
    assert first.json()["decision"] == "defect"
    assert first.json()["review_version"] == 1
    again = await console.client.post(address, json={**wish, "decision": "unsure"}, headers=headers)
    assert again.status_code == 409
    assert again.json()["current"]["decision"] == "defect"
    assert (
        await console.client.post(address, json={"decision": "maybe"}, headers=headers)
    ).status_code == 422
    viewer = bearer(console, "victor", "inspect")
    assert (await console.client.post(address, json=wish, headers=viewer)).status_code == 403


async def test_metrics_tell_what_happened(console: Console) -> None:
    headers = bearer(console, "mia", "inspect", "read")
    body = (await inspect(console, picture("stripes", 1, flawed=True), headers)).json()
    await inspect(console, b"no image", headers)
    key = open_night(console.store, "2026-11-24")
    data = picture("stripes", 2, flawed=True)
    console.inspector.inspect(data, source="a.png", batch_key=key, category="stripes")
    finish_night(console.store, key)
    wish = {"decision": "defect", "expected_version": 0}
    await console.client.post(f"/api/inspections/{body['id']}/review", json=wish, headers=headers)
    text = (await console.client.get("/metrics")).text
    assert 'anomalyos_inspections_total{verdict="anomalous"} 2.0' in text
    assert 'anomalyos_inspections_total{verdict="rejected"} 1.0' in text
    assert 'anomalyos_review_decisions_total{decision="defect"} 1.0' in text
    assert "anomalyos_queue_depth 1.0" in text
    assert 'anomalyos_inspection_stage_seconds_count{stage="features"} 1.0' in text
    assert "anomalyos_build_info{" in text


async def test_metrics_from_elsewhere_need_a_token(console: Console) -> None:
    far = console.new_client("10.0.0.9")
    assert (await far.get("/metrics")).status_code == 401
    assert (await far.get("/metrics", headers=bearer(console, "victor", "read"))).status_code == 200
    forwarded = {"X-Forwarded-For": "10.0.0.9"}
    assert (await console.client.get("/metrics", headers=forwarded)).status_code == 401


async def test_the_reference_is_served_from_here(console: Console, sign_in: SignIn) -> None:
    assert (await console.client.get("/docs")).status_code == 303
    user = await sign_in("victor")
    page = (await user.http_client.get("/docs")).text
    assert "/assets/swagger/swagger-ui-bundle.js" in page
    assert "//cdn" not in page
    assert (await user.http_client.get("/assets/swagger/swagger-ui.css")).status_code == 200
    paths = (await user.http_client.get("/openapi.json")).json()["paths"]
    assert {"/health", "/inspect", "/metrics", "/api/inspections/{inspection_id}"} <= paths.keys()
    assert not [path for path in paths if path.startswith("/_nicegui")]
