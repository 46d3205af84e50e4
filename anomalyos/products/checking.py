"""First pass of an import: every image and mask is read and decoded, and nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.images.decoding import ImageRejected, decode_image, decode_mask, read_image, read_limited
from anomalyos.products.import_report import ImportReport, Refusal
from anomalyos.products.source import Finding, SourceImage

T = TypeVar("T")


@dataclass(frozen=True)
class CheckedImage:
    """One image that passed; a SHA-256 is None where there is nothing to write."""

    image: SourceImage
    sha256: str | None
    mask_sha256: str | None


class ImageChecker:
    """Checks the images of one category against the limits and against what ``root`` holds already."""

    def __init__(self, name: str, root: Path, settings: Settings, report: ImportReport) -> None:
        self.name, self.root, self.settings, self.report = name, root, settings, report
        self._first_with: dict[str, str] = {}

    def check(self, image: SourceImage) -> CheckedImage | None:
        """The image with what is to be written of it, or None when it was rejected."""
        return self._reported(image.target, lambda: self._check_image(image))

    def _check_image(self, image: SourceImage) -> CheckedImage:
        data = read_limited(image.path, self.settings)
        sha256 = hashlib.sha256(data).hexdigest()
        in_place = self._in_place(data, image.target)
        if not in_place:
            decode_image(data, self.settings)
        self._warn_of_duplicate(image.target.as_posix(), sha256)
        return CheckedImage(image, None if in_place else sha256, self._check_mask(image))

    def _check_mask(self, image: SourceImage) -> str | None:
        """SHA-256 of a mask that is to be written; None when it is missing, bad or in place."""
        if image.is_good:
            return None
        if image.mask is None or image.mask_target is None:
            reason = "No mask: it counts for image figures and not for pixel figures."
            self._warn(image.target.as_posix(), "no_mask", reason)
            return None
        source, target = image.mask, image.mask_target
        return self._reported(target, lambda: self._check_mask_file(image.path, source, target))

    def _check_mask_file(self, picture_path: Path, source: Path, target: Path) -> str | None:
        data = read_limited(source, self.settings)
        if self._in_place(data, target):
            return None
        mask = decode_mask(source, self.settings)
        picture = read_image(picture_path, self.settings)
        height, width = mask.shape
        if (width, height) != (picture.width, picture.height):
            size = f"{width} x {height} pixels, its image {picture.width} x {picture.height}"
            raise Refusal("mask_size", f"The mask has {size}.")
        if not mask.any():
            reason = "The mask marks no pixel although its image counts as defective."
            self._warn(target.as_posix(), "blank_mask", reason)
        return hashlib.sha256(data).hexdigest()

    def _in_place(self, data: bytes, target: Path) -> bool:
        """Whether the category holds exactly this file already.

        Raises:
            Refusal: it holds another file of that name.
        """
        existing = self.root / target
        if not existing.exists():
            return False
        if existing.stat().st_size != len(data) or existing.read_bytes() != data:
            raise Refusal("conflict", "The category has another file of this name; the one there was kept.")
        self.report.skipped_existing += 1
        return True

    def _reported(self, target: Path, check: Callable[[], T]) -> T | None:
        """Result of ``check``; a file that does not pass goes into the report and gives None."""
        try:
            return check()
        except ImageRejected as error:
            code: str = error.code
            reason = error.message
        except Refusal as refusal:
            code, reason = refusal.code, refusal.reason
        except AnomalyOSError as error:
            code, reason = "unreadable", error.message
        self.report.rejected.append(Finding(f"{self.name}/{target.as_posix()}", code, reason))
        return None

    def _warn_of_duplicate(self, shown: str, sha256: str) -> None:
        first = self._first_with.setdefault(sha256, shown)
        if first != shown:
            self._warn(shown, "duplicate", f"It is the same picture as {first}; one of them is too many.")

    def _warn(self, file: str, code: str, reason: str) -> None:
        self.report.warnings.append(Finding(f"{self.name}/{file}", code, reason))
