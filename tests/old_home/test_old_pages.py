"""The console shows a home of the code of before as that code did."""

from __future__ import annotations

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.console.conftest import running, signed_in

PAGES = {
    "/nights": ("Fri 20 Nov 2026", "9"),
    "/?night=night-2026-11-20": ("stripes",),
    "/inspection/1": ("dots", "Defect", "Too much dye at the edge."),
    "/forensics": ("dots", "stripes"),
    "/forensics/1": ("Too much dye at the edge.", "mia"),
    "/knowledge?node=cause%3Aworn-roller": ("Worn roller",),
    "/admin/models?product=stripes": ("v2", "v1"),
    "/analytics": ("stripes", "dots"),
    "/checks/learning": ("dots",),
}


async def test_every_page_shows_what_it_showed(settings: Settings, old: Store) -> None:
    async with running(settings, old) as console:
        user = await signed_in(console, "ada", "an-old-password-2")
        missing = []
        for path, sights in PAGES.items():
            page = await user.http_client.get(path, follow_redirects=True)
            assert page.status_code == 200, (path, page.status_code)
            missing += [(path, sight) for sight in sights if sight not in page.text]
    assert missing == []
