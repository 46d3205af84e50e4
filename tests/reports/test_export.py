"""A report that leaves the console: one HTML file, one PDF, with the pictures inside."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as budget

from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.explain.evidence import Evidence, Note, PatchLocation
from anomalyos.reports.content import Statement
from anomalyos.reports.html import export_html
from anomalyos.reports.layout import build_page
from anomalyos.reports.pdf import export_pdf
from anomalyos.reports.pictures import training_pictures
from anomalyos.reports.writer import WrittenReport, write_report
from tests.reports.examples import bare, case, cause, evidence
from tests.reports.generated import evidences

if TYPE_CHECKING:
    from anomalyos.db.engine import Store

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x00\u202e'\"{{7*7}}"
TEMPLATE_ONLY = Settings(_env_file=None, ANOMALYOS_GROQ_API_KEY=None)


@dataclass
class Tags(HTMLParser):
    """Every start tag with its attributes, and all text."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: bytes) -> Tags:
    tags = Tags()
    tags.feed(page.decode())
    return tags


def picture(colour: tuple[int, ...], mode: str = "RGB") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new(mode, (64, 48), colour).save(buffer, "PNG")
    return buffer.getvalue()


def illustrated(store: Store) -> Evidence:
    photo = store.objects.put(picture((90, 60, 30)), ".png")
    overlay = store.objects.put(picture((255, 0, 0, 128), "RGBA"), ".png")
    crop = store.objects.put(picture((10, 200, 30)), ".png")
    return evidence(
        pictures={"photo": photo, "anomaly_map": overlay, "crop": crop},
        similar=(case(17, 0.91, crop_path=crop), case(18, 0.85, crop_path="ab/cd/" + "0" * 64)),
    )


def report(item: Evidence) -> WrittenReport:
    return write_report(item, TEMPLATE_ONLY)


def with_unsupported(written: WrittenReport) -> WrittenReport:
    invented = Statement(text="Replace the dryer.", cites=("remedy:no",), problems=("cites remedy:no",))
    content = written.content.model_copy(update={"remedies": (invented,)})
    return written.model_copy(update={"content": content, "unsupported": 1})


def test_the_page_carries_everything_and_loads_nothing(store: Store) -> None:
    item = illustrated(store)
    page = export_html(item, report(item), store)
    tags = parsed(page)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in tags.tags}
    sources = [attributes["src"] or "" for tag, attributes in tags.tags if tag == "img"]
    assert len(sources) == 6  # photograph, map, this part, one case, the inspected side of two traces
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(rb"(?:src|href)=\"(?!data:|#)", page)
    assert b"url(" not in page
    policy = next(a["content"] for t, a in tags.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert b"prefers-color-scheme: dark" in page
    assert "62 % (43 % to 78 %)" in tags.text


def test_every_citation_leads_to_its_source(store: Store) -> None:
    from urllib.parse import unquote

    item = evidence()
    tags = parsed(export_html(item, report(item), store)).tags
    targets = {attributes["id"] for _, attributes in tags if "id" in attributes}
    links = [str(a["href"]) for tag, a in tags if tag == "a"]
    assert links
    assert {unquote(link.removeprefix("#")) for link in links} <= targets


def test_an_unsupported_statement_is_marked_and_counted(store: Store) -> None:
    item = evidence()
    page = export_html(item, with_unsupported(report(item)), store).decode()
    marked = page[page.index('class="unsupported"') :]
    assert marked.index("Unsupported: cites remedy:no") < marked.index("Replace the dryer.")
    assert "1 statement is unsupported" in page
    assert 'href="#remedy' not in page.partition("Replace the dryer.")[2].partition("</li>")[0]


def test_pictures_that_are_gone_are_said(store: Store) -> None:
    item = illustrated(store)
    store.objects.absolute(item.pictures["photo"]).unlink()
    page = build_page(item, report(item), store)
    assert page.pictures == ()
    assert page.missing == ("the photograph", "the picture of case 18")
    assert "the photograph" in export_html(item, report(item), store).decode()
    assert export_pdf(item, report(item), store).startswith(b"%PDF-")


def test_training_pictures_are_shown_when_they_can_be_had(store: Store) -> None:
    item = illustrated(store)
    page = build_page(item, report(item), store, lambda place: picture((1, 2, 3)))
    assert all(row.patch and row.normal for row in page.traces)
    assert page.traces[0].image == "train/good/001.png"


def test_hostile_words_stay_words(store: Store) -> None:
    item = evidence(
        {"source": HOSTILE, "category": HOSTILE, "defect_type": HOSTILE, "decision": "defect"},
        similar=(case(17, 0.9, HOSTILE, note=HOSTILE, category=HOSTILE),),
        causes=(cause("x", HOSTILE, 0.5),),
        notes=(Note(id="review:1", author=HOSTILE, text=HOSTILE),),
    )
    page = export_html(item, report(item), store)
    tags = parsed(page)
    assert not {"script", "img"} & {tag for tag, _ in tags.tags}
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    assert "<script>alert(1)</script>" in tags.text
    assert "49" not in tags.text.partition("Sources")[2].partition("7*7")[0]
    assert "\x00" not in tags.text
    assert "\u202e" not in tags.text
    document = export_pdf(item, report(item), store)
    assert b"/JavaScript" not in document
    assert b"/URI" not in document


@pytest.mark.parametrize("verdict", ["normal", "unknown_category", "rejected", "anomalous", "odd"])
def test_every_verdict_can_be_exported(store: Store, verdict: str) -> None:
    item = bare(verdict, score=None, threshold=None)
    assert b"Inspection 7" in export_html(item, report(item), store)
    assert export_pdf(item, report(item), store).startswith(b"%PDF-")


def test_the_pdf_holds_its_pictures_its_font_and_its_links(store: Store) -> None:
    item = illustrated(store)
    document = export_pdf(item, with_unsupported(report(item)), store)
    assert document.count(b"/Subtype /Image") >= 4
    assert b"DejaVuSans" in document
    assert b"/Subtype /Link" in document
    assert len(document) < 300_000  # a subset of the font, not all of it


@budget(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(item=evidences())
def test_whatever_the_evidence_both_files_come_out(store: Store, item: Evidence) -> None:
    written = report(item)
    assert b"<html" in export_html(item, written, store)
    assert export_pdf(item, written, store).startswith(b"%PDF-")


def test_a_training_image_counts_only_as_the_file_that_was_learned_from(tmp_path: Path) -> None:
    root = tmp_path / "hazelnut"
    (root / "train").mkdir(parents=True)
    data = picture((1, 2, 3))
    (root / "train" / "1.png").write_bytes(data)
    (tmp_path / "outside.png").write_bytes(data)
    box = Box(x=0, y=0, width=4, height=4)
    find = training_pictures(root)
    known = hashlib.sha256(data).hexdigest()
    assert find(PatchLocation(image="train/1.png", image_sha256=known, box=box)) == data
    assert find(PatchLocation(image="train/1.png", image_sha256="0" * 64, box=box)) is None
    assert find(PatchLocation(image="../outside.png", image_sha256=known, box=box)) is None
    assert find(PatchLocation(image="train/2.png", image_sha256=known, box=box)) is None
    assert find(PatchLocation(image="a\0b", image_sha256=known, box=box)) is None
