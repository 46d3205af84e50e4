"""What a folder somebody wants to import holds, before any file in it is trusted or read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from anomalyos.core.errors import AnomalyOSError
from anomalyos.images.files import IMAGE_SUFFIXES
from anomalyos.products.dataset import GOOD, SYNTHETIC_MARKER, list_folders, mask_path, valid_category_name
from anomalyos.products.groups import GROUPS_FILE

GROUPS_FILES = (GROUPS_FILE, "good_groups.csv")
LAYOUT = (
    "Give a folder with train/good inside it, a folder of such folders, or a folder of good images "
    "(then with --name)."
)
MAX_NAME_BYTES = 200


class Finding(NamedTuple):
    """Something about one file that a person should know; ``code`` is stable, ``reason`` is to be read."""

    file: str
    code: str
    reason: str


@dataclass(frozen=True)
class SourceImage:
    """One image to import; ``target`` is relative to the category, as in ``train/good/a.png``."""

    path: Path
    target: Path
    mask: Path | None = None
    mask_target: Path | None = None

    @property
    def is_good(self) -> bool:
        return self.target.parts[1] == GOOD


@dataclass
class SourceCategory:
    """One category found in a source folder; ``findings`` are files that have no place in the layout."""

    name: str
    folder: Path
    images: list[SourceImage] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    groups_file: Path | None = None
    synthetic: bool = False


def find_categories(src: Path, name: str | None) -> list[SourceCategory]:
    """The categories in ``src``: itself, its subfolders, or itself as a plain folder of good images.

    Raises:
        AnomalyOSError: not a folder, no known layout, a name that cannot name a category, or one
            ``name`` for several categories.
    """
    if not src.is_dir():
        raise AnomalyOSError(f"There is no folder {src}.", LAYOUT)
    if _is_category(src):
        return [_scan_category(src, _named(src, name))]
    inner = sorted(folder for folder in list_folders(src) if _is_category(folder))
    if inner:
        if name is not None and len(inner) > 1:
            raise AnomalyOSError(
                f"{src} holds {len(inner)} categories; one name does not fit.", "Omit --name."
            )
        return [_scan_category(folder, _named(folder, name)) for folder in inner]
    if any(path.suffix.lower() in IMAGE_SUFFIXES for path in _entries(src) if path.is_file()):
        return [_scan_plain(src, _named(src, name))]
    raise AnomalyOSError(f"{src} holds no category and no images.", LAYOUT)


def _is_category(folder: Path) -> bool:
    return (folder / "train" / GOOD).is_dir()


def _named(folder: Path, name: str | None) -> str:
    return valid_category_name(_name_from(folder) if name is None else name)


def _name_from(folder: Path) -> str:
    """Category name from a folder's name: "Metal Nut (new)" becomes "metal-nut-new"."""
    slug = re.sub(r"[^a-z0-9_]+", "-", folder.resolve().name.lower()).strip("-_")
    if not slug:
        raise AnomalyOSError(f"No category name can be made from {folder.name!r}.", "Give one with --name.")
    return slug[:64]


def _entries(folder: Path) -> Iterator[Path]:
    """What is directly inside, sorted, without hidden files such as .DS_Store."""
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _scan_plain(folder: Path, name: str) -> SourceCategory:
    category = SourceCategory(name, folder, groups_file=_groups_file(folder))
    for path in _entries(folder):
        if path.is_dir():
            category.findings.append(_misplaced(path, folder))
        elif path.name not in GROUPS_FILES:
            _add(category, path, Path("train", GOOD, path.name))
    return category


def _scan_category(folder: Path, name: str) -> SourceCategory:
    category = SourceCategory(
        name, folder, groups_file=_groups_file(folder), synthetic=(folder / SYNTHETIC_MARKER).is_file()
    )
    category.findings.extend(
        _misplaced(path, folder)
        for path in _entries(folder)
        if (path.is_dir() and path.name not in ("train", "test", "ground_truth"))
        or (path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES)
    )
    for split in ("train", "test"):
        for inside in _entries(folder / split):
            if not inside.is_dir() or (split == "train" and inside.name != GOOD):
                category.findings.append(_misplaced(inside, folder))
                continue
            for path in _entries(inside):
                if path.is_dir():
                    category.findings.append(_misplaced(path, folder))
                else:
                    _add(category, path, Path(split, inside.name, path.name))
    _find_orphan_masks(category)
    return category


def _add(category: SourceCategory, path: Path, target: Path) -> None:
    shown = _relative(path, category.folder)
    problem = _name_problem(path.name) or _name_problem(target.parts[1])
    if problem:
        category.findings.append(Finding(shown, "bad_name", problem))
    elif path.suffix.lower() not in IMAGE_SUFFIXES:
        accepted = ", ".join(IMAGE_SUFFIXES)
        category.findings.append(Finding(shown, "not_an_image", f"Its name does not end in {accepted}."))
    else:
        mask = None if target.parts[1] == GOOD else mask_path(category.folder, target.parts[1], path)
        if mask is not None and mask.is_file():
            where = Path("ground_truth", target.parts[1], mask.name)
            category.images.append(SourceImage(path, target, mask, where))
        else:
            category.images.append(SourceImage(path, target))


def _name_problem(name: str) -> str:
    """Why a file or folder name cannot be kept; empty when it can.

    Unprintable characters (line breaks, undecodable bytes) would break logs, CSV and JSON later.
    """
    if not name.isprintable():
        return "Its name holds characters that cannot be printed."
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"Its name is longer than {MAX_NAME_BYTES} bytes."
    return ""


def _find_orphan_masks(category: SourceCategory) -> None:
    used = {image.mask for image in category.images}
    for folder in _entries(category.folder / "ground_truth"):
        masks = _entries(folder) if folder.is_dir() else iter([folder])
        category.findings.extend(
            Finding(
                _relative(path, category.folder),
                "no_image",
                "No defective test image belongs to this mask (image a.png has the mask a_mask.png).",
            )
            for path in masks
            if path not in used
        )


def _misplaced(path: Path, folder: Path) -> Finding:
    return Finding(
        _relative(path, folder), "misplaced", "Images belong directly in train/good or test/<defect>."
    )


def _relative(path: Path, folder: Path) -> str:
    """Printable path for reports: bytes that are no text show as escapes."""
    text = path.relative_to(folder).as_posix()
    return text if text.isprintable() else ascii(text)


def _groups_file(folder: Path) -> Path | None:
    return next((folder / name for name in GROUPS_FILES if (folder / name).is_file()), None)
