from __future__ import annotations

import pytest

from tests.console.conftest import SignIn
from tests.console.factory import finish_night, open_night


@pytest.mark.parametrize(
    ("path", "sight"),
    [
        ("/forensics", "No part has been inspected yet"),
        ("/analytics", "No images yet"),
        ("/arena", "Too few labelled pictures"),
        ("/knowledge", "Nothing is known yet"),
        ("/nights", "No night yet"),
    ],
)
async def test_modes_say_honestly_that_there_is_no_data(sign_in: SignIn, path: str, sight: str) -> None:
    user = await sign_in("victor")
    await user.open(path)
    await user.should_see(sight)
    for mode in ("Inspector", "Forensics", "Analytics", "Arena", "Knowledge Base"):
        await user.should_see(mode)
    await user.should_see("Keyboard shortcuts")
    await user.should_see("Role: viewer")


async def test_nights_are_listed_newest_first(console, sign_in: SignIn) -> None:
    for day in ("2026-11-22", "2026-11-23"):
        finish_night(console.store, open_night(console.store, day))
    user = await sign_in("victor")
    page = (await user.http_client.get("/nights")).text
    assert page.index("Mon 23 Nov 2026") < page.index("Sun 22 Nov 2026")


@pytest.mark.parametrize("path", ["/nowhere", "/inspection/abc", "/nights?offset=x"])
async def test_unknown_addresses_get_the_frame_and_a_404(sign_in: SignIn, path: str) -> None:
    user = await sign_in("victor")
    answer = await user.http_client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
