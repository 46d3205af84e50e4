"""A report as a PDF with its pictures in it."""

from __future__ import annotations

import importlib.util
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence
from anomalyos.reports.content import Statement
from anomalyos.reports.layout import Page, build_page
from anomalyos.reports.pictures import Picture, TrainingPictures
from anomalyos.reports.writer import WrittenReport

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "report"
INK, SOFT, LINE, ACCENT = (27, 36, 48), (91, 102, 117), (221, 225, 231), (47, 95, 208)
BAD, BAD_SOFT = (179, 38, 30), (251, 233, 231)
TONES = {
    "bad": (BAD, BAD_SOFT),
    "good": ((29, 107, 58), (228, 243, 233)),
    "open": ((138, 90, 0), (253, 241, 216)),
}
UP, DOWN = (194, 72, 61), (61, 125, 194)
MARGIN = 16.0
WIDTH = 210 - 2 * MARGIN
"""Millimetres of an A4 page, all lengths here."""
GAP = 4.0


def export_pdf(
    evidence: Evidence, report: WrittenReport, store: Store, training: TrainingPictures | None = None
) -> bytes:
    """An A4 document; citations link to their source at its end. Holds no scripts and no outside links.

    Raises:
        AnomalyOSError: when the font is not installed.
    """
    page = build_page(evidence, report, store, training)
    pdf = _document(page)
    sheet = Sheet(pdf, page)
    for part in (sheet.head, sheet.photographs, sheet.statements, sheet.causes, sheet.cases):
        part()
    for part in (sheet.waterfall, sheet.traces, sheet.inspection, sheet.sources):
        part()
    return bytes(pdf.output())


def _document(page: Page) -> FPDF:
    from fpdf import FPDF

    # fontTools reports every table it leaves out of the subset
    logging.getLogger("fontTools").setLevel(logging.WARNING)

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FONT, size=7.5)
            self.set_text_color(*SOFT)
            self.cell(0, 5, f"{page.title} · page {self.page_no()} of {{nb}}", align="C")

    pdf: FPDF = Document(format="A4")
    fonts = font_folder()
    pdf.add_font(FONT, "", fonts / "DejaVuSans.ttf")
    pdf.add_font(FONT, "B", fonts / "DejaVuSans-Bold.ttf")
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.c_margin = 0  # or text would stand a millimetre right of the pictures
    pdf.set_auto_page_break(True, margin=17)
    pdf.set_title(f"{page.title}: {page.verdict}")
    pdf.set_lang("en")
    pdf.add_page()
    return pdf


def font_folder() -> Path:
    """Where matplotlib keeps DejaVu Sans; found without importing matplotlib.

    Raises:
        AnomalyOSError: when it is not there.
    """
    spec = importlib.util.find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
        if (folder / "DejaVuSans.ttf").is_file():
            return folder
    raise AnomalyOSError(
        "The font for PDF files is missing.", "Install matplotlib, or export the report as HTML."
    )


class Sheet:
    """Draws the parts of a page one below the other."""

    def __init__(self, pdf: FPDF, page: Page) -> None:
        self.pdf = pdf
        self.page = page
        self._links = {fact.id: pdf.add_link() for fact in page.sources}

    def head(self) -> None:
        ink, ground = TONES[self.page.tone]
        self._font(19, bold=True)
        self.pdf.cell(self.pdf.get_string_width(self.page.title) + 5, 10, self.page.title)
        self._font(11, bold=True, colour=ink)
        self.pdf.set_fill_color(*ground)
        width = self.pdf.get_string_width(self.page.verdict) + 10
        x, y = self.pdf.get_x(), self.pdf.get_y()
        self.pdf.rect(x, y + 1.5, width, 7.5, style="F", round_corners=True, corner_radius=3.5)
        self.pdf.cell(width, 10.5, self.page.verdict, align="C")
        self.pdf.ln(13)
        if self.page.lead:
            self._text(self.page.lead, size=11)
        if self.page.unsupported:
            count = self.page.unsupported
            words = "1 statement is" if count == 1 else f"{count} statements are"
            self._boxed(f"{words} unsupported by what was retrieved and marked below; do not act on that.")
        self.pdf.ln(2)

    def photographs(self) -> None:
        pictures = self.page.pictures
        per_row = 2 if len(pictures) in (2, 4) else min(3, max(1, len(pictures)))
        largest = 75.0 if len(pictures) > 1 else 95.0
        for start in range(0, len(pictures), per_row):
            row = [(picture, picture.caption) for picture in pictures[start : start + per_row]]
            self._row(row, min(largest, (WIDTH - GAP * (per_row - 1)) / per_row))
        if self.page.missing:
            self._text(f"Not at hand: {', '.join(self.page.missing)}.", size=8.5, colour=SOFT)

    def statements(self) -> None:
        for section in self.page.sections:
            if section.statements:
                self._title(section.title)
                for statement in section.statements:
                    self._statement(statement)
        self._title("Confidence")
        self._text(f"{self.page.confidence.capitalize()}. {self.page.confidence_why}")

    def causes(self) -> None:
        if not self.page.causes:
            return
        self._title("How likely each cause is", keep=26)
        for cause in self.page.causes:
            self._room(16)
            self._two(cause.name, cause.words)
            y = self.pdf.get_y() + 1.5
            self._bar(y, 0, 100, LINE)
            self._bar(y, 0, cause.value, ACCENT)
            self._whisker(y + 1.25, cause.low, cause.high)
            self.pdf.set_y(y + 3.5)
            self._text(f"{cause.counts} · {cause.path}" if cause.path else cause.counts, 7.5, SOFT)
            self.pdf.ln(1.5)
        self._text("The line across a bar is the 90 % credible interval.", 7.5, SOFT)

    def cases(self) -> None:
        if not self.page.cases:
            return
        side = (WIDTH - 5 * GAP) / 6
        self._title("Similar known defects", keep=side + 22)
        row: list[tuple[Picture | None, str]] = [
            (case.picture, f"{case.title} · {case.similarity:.2f}\n{case.kind}") for case in self.page.cases
        ]
        if self.page.crop is not None:
            row.insert(0, (self.page.crop, "This part"))
        self._row(row, side, square=True)

    def waterfall(self) -> None:
        shap = self.page.waterfall
        if shap is None:
            return
        self._title("What moved the score", keep=26)
        for bar in shap.bars:
            self._room(14)
            self._two(f"{bar.label}: {bar.value}", bar.amount, bold=False)
            y = self.pdf.get_y() + 1.2
            self._bar(y, bar.start, bar.width, UP if bar.raises else DOWN)
            x = MARGIN + WIDTH * shap.zero / 100
            self.pdf.set_draw_color(*SOFT)
            self.pdf.set_line_width(0.15)
            self.pdf.line(x, y - 0.8, x, y + 3.3)
            self.pdf.set_y(y + 4)
        words = f"From {shap.base} on average to {shap.output} for this part; the real score is {shap.score}."
        self._text(f"{words} Fidelity of this explanation: {shap.fidelity or 'not stated'}.", 7.5, SOFT)

    def traces(self) -> None:
        if not self.page.traces:
            return
        self._title("Against what the model knows as normal", keep=42)
        for rank, trace in enumerate(self.page.traces, start=1):
            self._room(38)
            top = self.pdf.get_y()
            for column, picture in enumerate((trace.patch, trace.normal)):
                self._picture(picture, MARGIN + column * (28 + GAP), top, 28, 28)
            self.pdf.set_xy(MARGIN + 2 * (28 + GAP), top + 6)
            nearest = (
                f"nearest normal patch at distance {trace.distance}, from {trace.image}"
                if trace.image
                else "no normal patch on record"
            )
            self._font(9)
            words = f"Patch {rank}, score {trace.score}\n{nearest}"
            self.pdf.multi_cell(WIDTH - 2 * (28 + GAP), 4.6, words, align="L")
            self.pdf.set_y(top + 28.5)
            self._font(7.5, colour=SOFT)
            self.pdf.cell(28 + GAP, 4, "This part")
            self.pdf.cell(28, 4, "Nearest normal")
            self.pdf.ln(6.5)

    def inspection(self) -> None:
        self._title("Inspection", keep=30)
        for name, value in self.page.facts:
            self._font(9, colour=SOFT)
            self.pdf.cell(42, 5, name)
            self._font(9)
            self.pdf.multi_cell(WIDTH - 42, 5, value, align="L", new_x="LMARGIN", new_y="NEXT")

    def sources(self) -> None:
        self._title("Sources")
        for fact in self.page.sources:
            self._room(12)
            self.pdf.set_link(self._links[fact.id], y=self.pdf.get_y(), page=self.pdf.page_no())
            self._text(fact.id, 7.5, SOFT)
            self._text(fact.text, 8.5)
            self.pdf.ln(1)
        self.pdf.ln(2)
        end = "Verdict, score and likelihoods are those on record. Words between “ and ” are quoted as people"
        self._text(f"{self.page.origin} {self.page.fallback} {end} or files gave them.", 7.5, SOFT)
        self._text(" · ".join(f"{name}: {value}" for name, value in self.page.details), 7.5, SOFT)

    def _statement(self, statement: Statement) -> None:
        if not statement.supported:
            self._boxed(f"Unsupported: {'; '.join(statement.problems)}\n{statement.text}")
        else:
            self._room(10)
            self._font(10)
            self.pdf.write(5, f"{statement.text}  ")
        for cite in statement.cites:
            link = self._links.get(cite)
            self._font(7, colour=ACCENT if link else BAD)
            label = f"[{cite}] "
            if self.pdf.get_x() + self.pdf.get_string_width(label) > MARGIN + WIDTH:
                self.pdf.ln(5)
            self.pdf.write(5, label, link or "")
        self.pdf.ln(6.5)

    def _boxed(self, text: str) -> None:
        self._font(9.5, colour=BAD)
        self.pdf.set_fill_color(*BAD_SOFT)
        self.pdf.multi_cell(WIDTH, 5.2, text, fill=True, align="L", new_x="LMARGIN", new_y="NEXT", padding=2)

    def _title(self, text: str, keep: float = 18) -> None:
        self._room(keep)
        self.pdf.ln(3.5)
        self._font(12, bold=True)
        self.pdf.cell(WIDTH, 7, text)
        self.pdf.ln(8)

    def _text(self, text: str, size: float = 10, colour: tuple[int, int, int] = INK) -> None:
        self._font(size, colour=colour)
        self.pdf.multi_cell(WIDTH, size * 0.52, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _two(self, left: str, right: str, bold: bool = True) -> None:
        """A line with text at both ends; the left gives way."""
        self._font(9.5)
        space = self.pdf.get_string_width(right) + 3
        self._font(9.5, bold=bold)
        shown = left
        while self.pdf.get_string_width(shown) > WIDTH - space and len(shown) > 4:
            shown = shown[:-2].rstrip("…") + "…"
        self.pdf.cell(WIDTH - space, 5, shown)
        self._font(9.5)
        self.pdf.cell(space, 5, right, align="R")
        self.pdf.ln(5)

    def _bar(self, y: float, start: float, width: float, colour: tuple[int, int, int]) -> None:
        self.pdf.set_fill_color(*colour)
        self.pdf.rect(MARGIN + WIDTH * start / 100, y, max(0.1, WIDTH * width / 100), 2.5, style="F")

    def _whisker(self, y: float, low: float, high: float) -> None:
        left, right = MARGIN + WIDTH * low / 100, MARGIN + WIDTH * high / 100
        self.pdf.set_draw_color(*INK)
        self.pdf.set_line_width(0.3)
        self.pdf.line(left, y, right, y)
        for x in (left, right):
            self.pdf.line(x, y - 1.4, x, y + 1.4)

    def _row(self, row: Sequence[tuple[Picture | None, str]], side: float, square: bool = False) -> None:
        heights = [side if square or p is None else side * p.height / p.width for p, _ in row]
        height = min(max(heights), 1.2 * side)
        self._room(height + 16)
        top = self.pdf.get_y()
        bottom = top
        for column, (picture, caption) in enumerate(row):
            x = MARGIN + column * (side + GAP)
            self._picture(picture, x, top, side, height)
            self.pdf.set_xy(x, top + height + 1)
            self._font(7.5, colour=SOFT)
            self.pdf.multi_cell(side, 3.7, caption, align="L")
            bottom = max(bottom, self.pdf.get_y())
        self.pdf.set_y(bottom + 2.5)

    def _picture(self, picture: Picture | None, x: float, y: float, width: float, height: float) -> None:
        if picture is None:
            self.pdf.set_draw_color(*LINE)
            self.pdf.rect(x, y, width, height)
            self.pdf.set_xy(x, y + height / 2 - 2)
            self._font(6.5, colour=SOFT)
            self.pdf.cell(width, 4, "not at hand", align="C")
            return
        scale = min(width / picture.width, height / picture.height)
        size: dict[str, Any] = {"w": picture.width * scale, "h": picture.height * scale}
        self.pdf.image(io.BytesIO(picture.data), x=x, y=y, **size, alt_text=picture.caption)

    def _room(self, height: float) -> None:
        """Begin a new page when less than ``height`` is left on this one."""
        if self.pdf.get_y() + height > self.pdf.page_break_trigger:
            self.pdf.add_page()

    def _font(self, size: float, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        self.pdf.set_font(FONT, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)
