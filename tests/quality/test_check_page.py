from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.quality.check_page import reduce_html
from anomalyos.quality.data_check import check_category
from tests.quality.suites import VIOLATIONS
from tests.support.products import write_product


class Tags(HTMLParser):
    """Names of all tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def page(settings: Settings, store: Store) -> str:
    return store.objects.read(check_category("dots", settings, store).row.page_path).decode()


def test_the_page_opens_offline_and_runs_nothing(settings: Settings, store: Store) -> None:
    train = write_product(settings.data_dir, "dots", good=1, flawed=1) / "train" / "good"
    evil = "<img src=x onerror=alert(1)>.png"
    (train / evil).write_bytes(VIOLATIONS["black"][0])
    html = page(settings, store)
    tags = Tags()
    tags.feed(html)
    assert tags.names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "a", "base"})
    assert tags.attributes <= {"lang", "charset", "name", "content", "class", "scope", "colspan", "rowspan"}
    assert "url(" not in html
    assert "@import" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in html
    assert "It is almost black" in html
    # Great Expectations' own account, its marks as words
    assert "Evaluated Expectations" in html
    assert re.search(r"<b>not met</b>.*brightness|brightness.*<b>not met</b>", html, re.DOTALL)
    assert "<b>met</b>" in html


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('<div class="ge-section"><p onclick="x()">a &lt;b&gt;</p></div>', "<div><p>a &lt;b&gt;</p></div>"),
        ('<p>before</p><div class="ge-section">in</div><p>after</p>', "<div>in</div>"),
        ('<div class="ge-section"><script>alert(1)</script>x</div>', "<div>x</div>"),
        ('<div class="ge-section"><style>p{}</style><a href="http://x">y</a></div>', "<div>y</div>"),
        ('<div class="ge-section"><div class="collapse">hidden</div>x</div>', "<div>x</div>"),
        ('<div class="ge-section"><td colspan="2" id="i">x</td></div>', '<div><td colspan="2">x</td></div>'),
        ('<div class="ge-section"><td colspan="2 onx">x</td></div>', "<div><td>x</td></div>"),
        ('<div class="ge-section"><i class="fas text-danger"></i></div>', "<div><b>not met</b></div>"),
        ('<div class="ge-section"><p>left open', "<div><p>left open</p></div>"),
        ('<div class="ge-section"><br><img src=x></p>x</div>', "<div><br>x</div>"),
    ],
)
def test_only_safe_parts_of_sections_are_kept(given: str, kept: str) -> None:
    assert reduce_html(given) == kept
