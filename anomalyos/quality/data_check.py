"""Before anything is learned: the suite over a category's images.

The answer is kept under a hash of the question (files, suite, releases), so a check of unchanged images
neither decodes a picture nor imports Great Expectations. Page first, rows after, in one transaction: a check
that is killed leaves no trace but figures, and asked again it gives the same answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.products.dataset import CategoryData, load_category
from anomalyos.quality import data_checks, picture_figures, quarantine
from anomalyos.quality.check_page import PageFacts, PageSection, render_page
from anomalyos.quality.manifest import baseline_of, build_manifest
from anomalyos.quality.measuring import ManifestFile, Measured, measure_files
from anomalyos.quality.outcome import Tally, bad_files
from anomalyos.quality.quarantine import BadFile
from anomalyos.quality.rules import Clause, count_clauses, row_clauses
from anomalyos.quality.suite import Suite, load_suite
from anomalyos.quality.tables import DataCheck, QuarantinedImage, QuarantineState
from anomalyos.quality.validation import validate
from anomalyos.quality.words import became_words, outcome_words, result_words

if TYPE_CHECKING:
    from pandas import DataFrame

FORMAT = 2
"""Counted up when the same question gets another answer: what was kept is asked anew."""
TRAINING, TEST, LEFT = "training images", "test images", "images left to learn from"
_NOT_FOR_TESTS = frozenset({"near_duplicates", "leaks"})

Decided = Mapping[tuple[str, str], QuarantinedImage]
"""What engineers decided, by file and SHA-256."""


class DataStopped(AnomalyOSError):
    """A suite says that nothing may be learned from these images."""


@dataclass(frozen=True)
class CategoryCheck:
    """The stored answer, and the files it leaves out of learning."""

    row: DataCheck
    out: tuple[QuarantinedImage, ...]

    @property
    def stopped(self) -> bool:
        return data_checks.stops(self.row)

    def left_out(self) -> dict[str, dict[str, str]]:
        """``code`` (the first rule) and ``reason`` by path within the category."""
        return {row.file: {"code": (row.rules or ["kept_out"])[0], "reason": row.reason} for row in self.out}


def require_learnable(check: CategoryCheck) -> None:
    """Raises ``DataStopped`` with the reason when nothing may be learned."""
    if check.stopped:
        raise DataStopped(
            f"{check.row.category}: nothing is learned. {check.row.reason}",
            "See `anomalyos data check` or Data checks in the console; correct the images or the suite in "
            "include/expectations, or let it go on there.",
        )


def check_category(
    name: str,
    settings: Settings,
    store: Store,
    *,
    data: CategoryData | None = None,
    progress: Progress | None = None,
) -> CategoryCheck:
    """Check the images of a category and set aside what its suite says.

    Args:
        data: the category as it is going to be learned, when it is more than its folder.

    Raises:
        NotFound: there is no such category.
        AnomalyOSError: the suite is not valid, or could not be evaluated.
    """
    data = data or load_category(settings, name)
    suite = load_suite(name, settings)
    rows = measure_files(manifest_files(data), settings, store, progress)
    with store.session(read_only=True) as session:
        decided = quarantine.decided(session, name)
        key = question_key(name, "", suite, rows, decided=decided)
        known = data_checks.find(session, key)
    answer = known or _answer(name, key, suite, rows, decided, store)
    with store.session() as session:
        row = data_checks.record(session, answer)
        held = quarantine.sync(session, name, bad_files(row.findings))
    present = {(measured.file.name, measured.sha256) for measured in rows}
    return CategoryCheck(row, tuple(image for image in held if (image.file, image.sha256) in present))


def manifest_files(data: CategoryData) -> list[ManifestFile]:
    """Training and test images, named by their path within the category."""
    found = []
    for sample in (*data.train, *data.test):
        inside = sample.path.is_relative_to(data.root)
        name = sample.path.relative_to(data.root).as_posix() if inside else sample.path.as_posix()
        found.append(
            ManifestFile(sample.path, name, sample.split, "" if sample.group == name else sample.group)
        )
    return found


def question_key(
    category: str,
    batch_key: str,
    suite: Suite,
    rows: Sequence[Measured],
    *,
    decided: Decided | None = None,
    usual: Mapping[str, Any] | None = None,
) -> str:
    """SHA-256 over everything the answer depends on."""
    parts = {
        "format": [FORMAT, picture_figures.VERSION],
        "subject": [category, batch_key],
        "suite": suite.digest(),
        "rows": [
            [row.file.name, row.file.split, row.file.group, row.sha256, row.figures.reject_code]
            for row in rows
        ],
        "decided": sorted([*place, row.state, *row.rules] for place, row in (decided or {}).items()),
        "usual": dict(usual or {}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def files_out(found: Collection[BadFile], rows: Sequence[Measured], decided: Decided) -> set[str]:
    """Names of the files that are not learned from: found bad and not released, or kept out."""
    out = set()
    for bad in found:
        row = decided.get((bad.file, bad.sha256))
        released = row is not None and row.state == QuarantineState.RELEASED
        if not (released and row is not None and set(bad.rules) <= set(row.rules)):
            out.add(bad.file)
    for measured in rows:
        row = decided.get((measured.file.name, measured.sha256))
        if row is not None and row.state == QuarantineState.KEPT_OUT:
            out.add(measured.file.name)
    return out


def _answer(
    name: str, key: str, suite: Suite, rows: list[Measured], decided: Decided, store: Store
) -> DataCheck:
    """Evaluate the suite; the page is written, the row is not yet stored."""
    usual = baseline_of([row for row in rows if row.file.split == "train"])
    frame = build_manifest(rows, usual, suite.near_duplicates.bits)
    clauses = row_clauses(suite, "learning")
    train = frame[frame["split"] == "train"]
    tally, sections = Tally(), []
    for title, part, asked in (
        (TRAINING, train, clauses),
        (TEST, frame[frame["split"] == "test"], remarks_only(clauses, _NOT_FOR_TESTS)),
    ):
        sections += evaluate(tally, f"{name}, {title}", title, part, asked)
    out = files_out(tally.set_aside, rows, decided)
    left = train[~train["file"].isin(out)]
    sections += evaluate(tally, f"{name}, {LEFT}", LEFT, left, count_clauses(suite, "learning"))
    row = DataCheck(
        content_key=key,
        category=name,
        batch_key="",
        outcome=tally.outcome(len(out)).value,
        reason=" ".join(tally.stops),
        images=len(rows),
        results=tally.results,
        findings=tally.documents(),
        reference=usual.to_json() if usual is not None else {},
    )
    row.page_path = write_page(row, f"Data check of {name}", tally, sections, store, out)
    return row


def remarks_only(clauses: Sequence[Clause], without: Collection[str]) -> list[Clause]:
    """The clauses as mere remarks, those that stop a batch by their share and some rules left out."""
    return [
        replace(clause, severity="warn")
        for clause in clauses
        if clause.tolerated is None and clause.rule not in without
    ]


def evaluate(
    tally: Tally, suite_name: str, title: str, frame: DataFrame, clauses: Sequence[Clause]
) -> list[PageSection]:
    """Ask Great Expectations and gather the answers; nothing is asked of no rows but how many there are."""
    asked = [clause for clause in clauses if len(frame) or clause.kind == "rows"]
    if not asked:
        return []
    frame = frame.reset_index(drop=True)
    validation = validate(frame, asked, suite_name)
    tally.add(title, frame, validation.answers)
    return [PageSection(title.capitalize(), validation.document)]


def write_page(
    row: DataCheck,
    title: str,
    tally: Tally,
    sections: Sequence[PageSection],
    store: Store,
    out: Collection[str] | None = None,
) -> str:
    """Object path of the check's page."""
    listed = [
        {**found, "became": became_words(found, None if out is None else found["file"] in out)}
        for found in row.findings
    ]
    facts = PageFacts(
        title=title,
        subtitle=f"{row.images} images, checked {row.checked_at:%Y-%m-%d %H:%M} UTC",
        outcome=outcome_words(row.outcome),
        reason=row.reason,
        results=[result_words(result) for result in row.results],
        findings=listed,
        more=len(tally.findings) - len(listed),
    )
    return store.objects.put(render_page(facts, sections), ".html")
