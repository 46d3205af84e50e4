"""What a page was made of is gone when it is closed, with no help from the collector of cycles."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.console.conftest import Console, SignIn
from tests.console.test_queue import fill_night


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("path", ["/", "/analytics", "/forensics", "/knowledge", "/nights", "/admin/models"])
async def test_a_closed_page_leaves_no_elements(
    path: str, console: Console, sign_in: SignIn, no_collector: None
) -> None:
    fill_night(console)
    user = await sign_in("ada")
    await user.open(path)
    await user.should_see("Analytics")
    assert user.client is not None
    elements = [weakref.ref(element) for element in user.client.elements.values()]
    assert len(elements) > 100
    user.client.delete()
    user.client = None
    left = [element() for element in elements if element() is not None]
    assert len(left) < 0.1 * len(elements), sorted({type(element).__name__ for element in left})
