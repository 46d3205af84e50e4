"""Categories on disk in the MVTec AD layout: what a model learns from and is measured on.

``CATEGORY/train/good/*``, ``CATEGORY/test/<defect>/*`` (``good`` is one of them) and
``CATEGORY/ground_truth/<defect>/<stem>_mask.png``. Optional beside them: ``groups.csv``
(see :mod:`anomalyos.products.groups`) and ``synthetic.json``, which marks drawn images.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.images.files import list_images
from anomalyos.products.groups import GROUPS_FILE, load_groups

GOOD = "good"
SYNTHETIC_MARKER = "synthetic.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Sample:
    """One image of a category.

    ``defect`` is "good" or the name of the defect folder. Samples with the same ``group`` show
    the same part or lot and must stay on the same side of a split; without groups each
    sample's group is its own path inside the category. ``mask_path`` is None for good samples
    and where nobody drew a mask.
    """

    path: Path
    category: str
    split: Literal["train", "test"]
    defect: str
    mask_path: Path | None
    group: str


class CategoryData:
    """The samples of one category folder, listed when first asked for and sorted by path.

    Args:
        root: a folder in the MVTec AD layout; its name is the category's unless ``name`` is given.
        left_out: see :meth:`without`.
        reviewed: see :meth:`with_reviewed`.
    """

    def __init__(
        self,
        root: Path,
        name: str | None = None,
        left_out: Mapping[str, Mapping[str, str]] | None = None,
        reviewed: Sequence[Sample] = (),
    ) -> None:
        self.root = root
        self.name = name or root.name
        self.reviewed = tuple(reviewed)
        self._from_reviews = frozenset(reviewed)
        self.left_out = dict(left_out or {})
        """Training images that do not count: ``code`` and ``reason`` by path inside the category."""

    def without(self, left_out: Mapping[str, Mapping[str, str]]) -> CategoryData:
        """The same category less these training images, which keep their ``code`` and ``reason``."""
        return CategoryData(self.root, self.name, left_out, self.reviewed) if left_out else self

    def with_reviewed(self, samples: Sequence[Sample]) -> CategoryData:
        """The same category with further training samples, from :mod:`anomalyos.learning.reviewed`."""
        return CategoryData(self.root, self.name, self.left_out, samples) if samples else self

    def path_of(self, sample: Sample) -> str:
        """Where a sample lies inside the category; a reviewed one has its content for a name."""
        return sample.group if sample in self._from_reviews else sample.path.relative_to(self.root).as_posix()

    @property
    def synthetic(self) -> bool:
        """Whether the images are drawn: figures made with them say nothing about a real factory."""
        return (self.root / SYNTHETIC_MARKER).is_file()

    @cached_property
    def groups(self) -> dict[str, str]:
        """File name -> group of the good images; empty when the category has no groups.

        Raises:
            AnomalyOSError: the groups file is malformed.
        """
        path = self.root / GROUPS_FILE
        return load_groups(path) if path.is_file() else {}

    @cached_property
    def train(self) -> list[Sample]:
        """Good samples to learn from: ``train/good``, then what reviewers called false alarms."""
        paths = list_images(self.root / "train" / GOOD)
        learned = [path for path in paths if path.relative_to(self.root).as_posix() not in self.left_out]
        return [*(self._sample(path, "train", GOOD) for path in learned), *self.reviewed]

    @cached_property
    def test(self) -> list[Sample]:
        """Good and defective samples to measure on, ordered by defect, then by name."""
        folders = sorted(list_folders(self.root / "test"))
        return [self._sample(path, "test", folder.name) for folder in folders for path in list_images(folder)]

    @property
    def defects(self) -> list[str]:
        """Defect types among the test samples, without "good"."""
        return sorted({sample.defect for sample in self.test} - {GOOD})

    def content_hash(self) -> str:
        """SHA-256 over the sorted (relative path, SHA-256) of every sample, mask and the groups.

        Any added, removed, renamed or changed file changes it; where the folder lies does not.
        """
        files = [sample.path for sample in (*self.train, *self.test) if sample not in self._from_reviews]
        files += [sample.mask_path for sample in self.test if sample.mask_path is not None]
        if (self.root / GROUPS_FILE).is_file():
            files.append(self.root / GROUPS_FILE)
        digest = hashlib.sha256()
        for path in sorted(files):
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(self.root).as_posix()}\0{sha256}\n".encode())
        for sample in self.reviewed:  # named by their content
            digest.update(f"{sample.group}\n".encode())
        return digest.hexdigest()

    def _sample(self, path: Path, split: Literal["train", "test"], defect: str) -> Sample:
        own = path.relative_to(self.root).as_posix()
        if defect == GOOD:
            return Sample(path, self.name, split, defect, None, self.groups.get(path.name, own))
        mask = mask_path(self.root, defect, path)
        return Sample(path, self.name, split, defect, mask if mask.is_file() else None, own)


def mask_path(root: Path, defect: str, image: Path) -> Path:
    """Where the layout keeps the mask of a defective test image, whether or not there is one."""
    return root / "ground_truth" / defect / f"{image.stem}_mask.png"


def list_folders(folder: Path) -> Iterator[Path]:
    """Folders directly inside ``folder`` that are not hidden; none when it does not exist."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def valid_category_name(name: str) -> str:
    """``name`` itself when it may name a category: it becomes a folder, a database key and an address.

    Raises:
        AnomalyOSError: anything but 1 to 64 of ``a-z 0-9 _ -``, starting with a letter or digit.
    """
    if not _NAME.fullmatch(name):
        raise AnomalyOSError(
            f"{name!r} cannot name a category.",
            "Use 1 to 64 small letters, digits, '_' or '-', starting with a letter or digit.",
        )
    return name


def list_categories(settings: Settings) -> list[str]:
    """Names of the categories under ``settings.data_dir``, sorted."""
    return sorted(
        folder.name
        for folder in list_folders(settings.data_dir)
        if _NAME.fullmatch(folder.name) and (folder / "train" / GOOD).is_dir()
    )


def load_category(settings: Settings, name: str) -> CategoryData:
    """The category called ``name``.

    Raises:
        NotFound: there is none with that name.
        AnomalyOSError: no category can have that name.
    """
    root = settings.data_dir / valid_category_name(name)
    if not (root / "train" / GOOD).is_dir():
        known = ", ".join(list_categories(settings))
        first = "Import one with `anomalyos data import FOLDER`, or draw some with `anomalyos data sample`."
        raise NotFound(f"There is no category {name!r}.", f"There are: {known}." if known else first)
    return CategoryData(root)
