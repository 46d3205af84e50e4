"""Import of images into the platform's categories: every file decoded first, nothing overwritten.

An import has two passes over a category. The first reads and decodes every file and writes
nothing; the second writes what passed, masks and groups before the images they belong to.
Running it again after an interruption, or with more files, adds only what is missing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.images.decoding import read_limited
from anomalyos.images.files import list_images
from anomalyos.products.checking import CheckedImage, ImageChecker
from anomalyos.products.dataset import GOOD, SYNTHETIC_MARKER, CategoryData
from anomalyos.products.groups import GROUPS_FILE, format_groups, leaking_groups, load_groups, shorten
from anomalyos.products.import_report import ImportCounter, ImportReport, Refusal
from anomalyos.products.placing import category_lock, place
from anomalyos.products.source import Finding, SourceCategory, find_categories

__all__ = ["ImportReport", "import_dataset"]


def import_dataset(
    src: Path,
    settings: Settings,
    *,
    name: str | None = None,
    groups: Path | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a category folder, a folder of categories, or a plain folder of good images.

    Args:
        src: see :func:`anomalyos.products.source.find_categories`.
        name: category name instead of one made from the folder's name.
        groups: groups file instead of the ``groups.csv`` or ``good_groups.csv`` in the folder.
        progress: called with (steps done, steps in all).

    Raises:
        AnomalyOSError: ``src`` holds nothing that can be imported, or nothing can be written.
            A bad file or category is reported instead and never stops the others.
    """
    sources = find_categories(src, name)
    if groups is not None:
        if len(sources) > 1:
            raise AnomalyOSError(
                f"{src} holds {len(sources)} categories; one groups file does not fit.",
                "Put a groups.csv into each category folder.",
            )
        sources[0].groups_file = groups
    report = ImportReport()
    counter = ImportCounter(progress, sum(len(source.images) for source in sources))
    for source in sources:
        with category_lock(settings.data_dir, source.name):
            _CategoryImport(source, settings, report, counter).run()
    return report


class _CategoryImport:
    """One category's two passes; the caller holds its lock."""

    def __init__(
        self, source: SourceCategory, settings: Settings, report: ImportReport, counter: ImportCounter
    ) -> None:
        self.source, self.settings, self.report, self.counter = source, settings, report, counter
        self.root = settings.data_dir / source.name

    def run(self) -> None:
        for finding in self.source.findings:
            self._reject(*finding)
        try:
            self._refuse_mixing()
            there, incoming = self._load_groups()
            checked = self._check()
            groups = self._merge_groups(there, incoming, checked)
            self._refuse_leaks(groups, checked)
        except Refusal as refusal:
            self.report.rejected.append(Finding(self.source.name, refusal.code, refusal.reason))
        else:
            self._write(groups, checked)
            self.report.categories.append(self.source.name)
        self.counter.finish(len(self.source.images))

    def _refuse_mixing(self) -> None:
        """Drawn and real images in one category would make every figure about it meaningless."""
        existing = CategoryData(self.root)
        if existing.train and existing.synthetic != self.source.synthetic:
            kind = "drawn sample" if existing.synthetic else "real"
            raise Refusal(
                "synthetic_mix",
                f"The category {self.source.name} holds {kind} images; import these under another name.",
            )

    def _load_groups(self) -> tuple[dict[str, str], dict[str, str]]:
        """Groups the category has, and those that come with the source."""
        try:
            incoming = load_groups(self.source.groups_file) if self.source.groups_file else {}
            return dict(CategoryData(self.root).groups), incoming
        except AnomalyOSError as error:
            raise Refusal("bad_groups", str(error)) from error

    def _check(self) -> list[CheckedImage]:
        checker = ImageChecker(self.source.name, self.root, self.settings, self.report)
        checked: list[CheckedImage] = []
        for image in self.source.images:
            passed = checker.check(image)
            if passed is not None:
                checked.append(passed)
            self.counter.step()
        return checked

    def _merge_groups(
        self, there: dict[str, str], incoming: dict[str, str], checked: list[CheckedImage]
    ) -> dict[str, str]:
        """The category's groups with those of the accepted images added; what is there wins."""
        groups = dict(there)
        files = {item.image.target.name for item in checked if item.image.is_good}
        for file in sorted(files & incoming.keys()):
            if groups.setdefault(file, incoming[file]) != incoming[file]:
                reason = f"{file} is in group {groups[file]} already, not in {incoming[file]}."
                self._reject(GROUPS_FILE, "conflict", reason)
        if incoming.keys() - files:
            rows = shorten(sorted(incoming.keys() - files))
            self._warn(GROUPS_FILE, "no_image", f"No accepted good image belongs to these rows: {rows}.")
        if groups and files - groups.keys():
            alone = shorten(sorted(files - groups.keys()))
            self._warn(GROUPS_FILE, "no_group", f"Taken as parts of their own, being in no group: {alone}.")
        return groups

    def _refuse_leaks(self, groups: dict[str, str], checked: list[CheckedImage]) -> None:
        train, test = self._good_names("train", checked), self._good_names("test", checked)
        if not train:
            raise Refusal("no_good_images", "No usable image in train/good: there is nothing to learn from.")
        twice = sorted(train & test & groups.keys())
        if twice:
            raise Refusal(
                "ambiguous_groups",
                f"Groups need unique file names; both in train/good and in test/good: {shorten(twice)}.",
            )
        leaks = [
            f"{group} ({shorten(files)})" for group, files in leaking_groups(groups, train, test).items()
        ]
        if leaks:
            raise Refusal(
                "group_leak",
                f"{len(leaks)} groups have images in train and in test, so the test would flatter the model: "
                f"{shorten(leaks, '; ')}. Move each group to one side.",
            )

    def _good_names(self, split: str, checked: list[CheckedImage]) -> set[str]:
        """Names of the good images of a split: those there and those to come."""
        there = {path.name for path in list_images(self.root / split / GOOD)}
        return there | {i.image.target.name for i in checked if i.image.target.parts[:2] == (split, GOOD)}

    def _write(self, groups: dict[str, str], checked: list[CheckedImage]) -> None:
        """Second pass. Masks and groups come first: no image is ever seen without them."""
        if groups and groups != CategoryData(self.root).groups:
            place(format_groups(groups).encode(), self.root / GROUPS_FILE)
        if self.source.synthetic and not (self.root / SYNTHETIC_MARKER).exists():
            place(
                read_limited(self.source.folder / SYNTHETIC_MARKER, self.settings),
                self.root / SYNTHETIC_MARKER,
            )
        for item in checked:
            image = item.image
            if image.mask is not None and image.mask_target is not None and item.mask_sha256 is not None:
                self._copy(image.mask, image.mask_target, item.mask_sha256)
            if item.sha256 is not None:
                self._copy(image.path, image.target, item.sha256)
            self.counter.step()

    def _copy(self, source: Path, target: Path, sha256: str) -> None:
        try:
            data = read_limited(source, self.settings)
        except AnomalyOSError as error:
            self._reject(target.as_posix(), "changed", f"It changed during the import. {error.message}")
            return
        if hashlib.sha256(data).hexdigest() != sha256:
            self._reject(target.as_posix(), "changed", "It changed during the import; import it again.")
            return
        place(data, self.root / target)
        self.report.accepted += 1

    def _reject(self, file: str, code: str, reason: str) -> None:
        self.report.rejected.append(Finding(f"{self.source.name}/{file}", code, reason))

    def _warn(self, file: str, code: str, reason: str) -> None:
        self.report.warnings.append(Finding(f"{self.source.name}/{file}", code, reason))
