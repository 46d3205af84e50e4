"""Cases from the labelled defects of an imported data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases import repository as case_repository
from anomalyos.cases.appearance import Appearance, FocusedImage
from anomalyos.cases.crops import centre, crop_box, cut, mask_box, whole
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.core.geometry import Box
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import DecodedImage, ImageRejected, decode_mask, encode_png, read_image
from anomalyos.products.dataset import GOOD, CategoryData, Sample, load_category

ACTOR = "import"
BATCH = 16


@dataclass(frozen=True)
class LabelledDefect:
    """One labelled test image and the part of it that stands for its defect."""

    sample: Sample
    image: DecodedImage
    box: Box
    """The crop, with its margin."""
    tight: Box | None
    """The largest marked place itself; None when nobody marked the defect: then the whole photograph
    stands for it."""
    area_share: float

    @property
    def place(self) -> FocusedImage:
        return FocusedImage(self.image.rgb, None if self.tight is None else centre(self.tight))

    @property
    def crop(self) -> NDArray[np.uint8]:
        return cut(self.image.rgb, self.box)


def read_labelled(sample: Sample, settings: Settings) -> LabelledDefect:
    """Raises ``ImageRejected`` when the image or its mask cannot be read."""
    image = read_image(sample.path, settings)
    mask = decode_mask(sample.mask_path, settings) if sample.mask_path is not None else None
    tight = mask_box(mask) if mask is not None and mask.shape == image.rgb.shape[:2] else None
    if mask is None or tight is None:
        return LabelledDefect(sample, image, whole(image.width, image.height), None, 0.0)
    box = crop_box(tight, image.width, image.height)
    return LabelledDefect(sample, image, box, tight, round(float(mask.mean()), 6))


def import_category(
    category: str,
    settings: Settings,
    store: Store,
    appearance: Appearance,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Make cases of the labelled defects of one category, one an image; see ``CaseLibrary``."""
    data = load_category(settings, category)
    samples = [sample for sample in data.test if sample.defect != GOOD]
    counts = {"added": 0, "known": 0, "without_mask": 0, "unreadable": 0}
    for start in range(0, len(samples), BATCH):
        read: list[LabelledDefect] = []
        for sample in samples[start : start + BATCH]:
            try:
                read.append(read_labelled(sample, settings))
            except ImageRejected:
                counts["unreadable"] += 1
        counts["without_mask"] += sum(labelled.tight is None for labelled in read)
        added = _keep(read, data, store, appearance)
        counts["added"] += added
        counts["known"] += len(read) - added
        if progress is not None:
            progress(min(start + BATCH, len(samples)), len(samples))
    return counts


def _keep(read: list[LabelledDefect], data: CategoryData, store: Store, appearance: Appearance) -> int:
    """Store one batch: files first, then cases and their vectors in one transaction."""
    fresh = _not_known([(labelled, _row(labelled, data)) for labelled in read], store)
    if not fresh:
        return 0
    vectors = appearance.vectors([labelled.place for labelled, _ in fresh])
    for labelled, row in fresh:
        row.image_path, row.crop_path = _put_files(labelled, store)
    added = 0
    with store.session() as session:
        for (_, row), vector in zip(fresh, vectors, strict=True):
            case, created = case_repository.add(session, row, ACTOR)
            added += created
            case_repository.put_vector(session, stored_id(case.id), appearance.digest, vector)
    return added


def _not_known(
    read: list[tuple[LabelledDefect, DefectCase]], store: Store
) -> list[tuple[LabelledDefect, DefectCase]]:
    from sqlmodel import col, select

    keys = [case_repository.content_key(row) for _, row in read]
    with store.session(read_only=True) as session:
        query = select(DefectCase.content_key).where(col(DefectCase.content_key).in_(keys))
        known = set(session.exec(query))
    return [pair for pair, key in zip(read, keys, strict=True) if key not in known]


def _row(labelled: LabelledDefect, data: CategoryData) -> DefectCase:
    return DefectCase(
        content_key="",
        category=data.name,
        defect_type=labelled.sample.defect,
        origin=CaseOrigin.IMPORT.value,
        synthetic=data.synthetic,
        source=labelled.sample.path.relative_to(data.root.parent).as_posix(),
        image_sha256=labelled.image.sha256,
        image_path="",
        crop_path="",
        box=box_and_focus(labelled.box, labelled.place.focus),
        area_share=labelled.area_share,
        added_by=ACTOR,
    )


def box_and_focus(box: Box, focus: tuple[int, int] | None) -> dict[str, int]:
    """What a case keeps of its place: enough to look at it again with another embedder."""
    return box.model_dump() | ({} if focus is None else {"focus_x": focus[0], "focus_y": focus[1]})


def _put_files(labelled: LabelledDefect, store: Store) -> tuple[str, str]:
    photograph = store.objects.put(labelled.sample.path.read_bytes(), labelled.image.suffix)
    return photograph, store.objects.put(encode_png(labelled.crop), ".png")
