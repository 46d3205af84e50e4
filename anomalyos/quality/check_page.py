"""The page of a check, one file that opens offline: what was found, and Great Expectations' own account.

The account comes with scripts and styles of other hosts. Only its tables and words are taken over: tags from
a short list, no attribute but a class and a span, no address at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

_TAGS = frozenset(
    {"div", "span", "p", "b", "strong", "em", "code", "pre", "br", "hr", "ul", "ol", "li"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
_VOID = frozenset(
    {"br", "hr", "img", "input", "link", "meta", "wbr", "col", "source", "area", "base", "embed"}
)
_SILENT = frozenset({"script", "style", "svg", "template", "noscript", "iframe", "object", "title"})
_STATES = {"text-success": "met", "text-danger": "not met", "text-warning": "could not be asked"}


@dataclass(frozen=True)
class PageSection:
    """One suite evaluated over one set of files."""

    title: str
    document: ExpectationSuiteValidationResult


@dataclass(frozen=True)
class PageFacts:
    """What stands above Great Expectations' account, all plain text."""

    title: str
    subtitle: str
    outcome: str
    reason: str
    results: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    more: int
    """Findings that are not listed."""


def render_page(facts: PageFacts, sections: Sequence[PageSection]) -> bytes:
    """UTF-8 of one HTML file without scripts and without any address."""
    parts = [(section.title, account(section.document)) for section in sections]
    page: str = _template().render(facts=facts, sections=parts)
    return page.encode()


def account(document: ExpectationSuiteValidationResult) -> str:
    """Great Expectations' own page of a result, reduced to what is safe and needs nobody else."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    view: Any = DefaultJinjaPageView()
    return reduce_html(str(view.render(ValidationResultsPageRenderer().render(document))))


def reduce_html(html: str) -> str:
    """The sections of a Data Docs page in allowed tags; its words are kept, and escaped anew."""
    reducer = _Reducer()
    reducer.feed(html)
    reducer.close()
    return reducer.result()


class _Reducer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, bool, bool]] = []
        """Tag, whether it was written, whether it silences what is in it."""
        self._out: list[str] = []
        self._section_depth = 0
        self._silent_depth = 0

    def result(self) -> str:
        closing = [f"</{tag}>" for tag, written, _ in reversed(self._open) if written]
        return "".join(self._out + closing)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "i":
            self._say_state(classes)
        if tag in _VOID:
            if tag in _TAGS and self._speaking:
                self._out.append(f"<{tag}>")
            return
        starts = "ge-section" in classes
        if starts or self._section_depth:
            self._section_depth += 1
        silent = tag in _SILENT or "collapse" in classes or dict(attrs).get("data-toggle") == "collapse"
        self._silent_depth += silent
        written = self._speaking and tag in _TAGS
        if written:
            self._out.append(f"<{tag}{_attributes(tag, attrs)}>")
        self._open.append((tag, written, silent))

    def handle_endtag(self, tag: str) -> None:
        if not any(tag == known for known, _, _ in self._open):
            return
        while self._open:
            last, written, silent = self._open.pop()
            if written:
                self._out.append(f"</{last}>")
            self._silent_depth -= silent
            self._section_depth = max(0, self._section_depth - 1)
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._speaking:
            self._out.append(escape(data) if data.strip() else " ")

    @property
    def _speaking(self) -> bool:
        return self._section_depth > 0 and self._silent_depth == 0

    def _say_state(self, classes: list[str]) -> None:
        """Its marks are glyphs of a font that is not there: words stand in for them."""
        word = next((_STATES[name] for name in classes if name in _STATES), "")
        if word and self._speaking:
            self._out.append(f"<b>{word}</b>")


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    if tag not in ("td", "th"):
        return ' class="badge"' if "badge" in (dict(attrs).get("class") or "").split() else ""
    spans = ((name, value or "") for name, value in attrs if name in ("colspan", "rowspan"))
    return "".join(f' {name}="{value}"' for name, value in spans if value.isdigit())


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(
        "check_page.html.j2"
    )
