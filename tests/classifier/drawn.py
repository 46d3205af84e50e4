"""Small drawn defects, easy to tell apart, kept as cases of a store."""

from __future__ import annotations

import hashlib

import numpy as np

from anomalyos.cases import repository as case_repository
from anomalyos.cases.labelled import box_and_focus
from anomalyos.cases.tables import DefectCase
from anomalyos.classifier.options import TrainingOptions
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.support.products import png

SIZE = 48
TINY = TrainingOptions(trials=3, folds=2, input_size=64)
TYPES = ("scratch", "spot", "stain")


def draw(kind: str, seed: int) -> np.ndarray:
    """RGB crop (48, 48, 3) uint8; the kind ``noise`` shows nothing."""
    rng = np.random.default_rng([seed, len(kind)])
    image = 120 + rng.normal(0, 6, (SIZE, SIZE, 3))
    row, col = rng.integers(14, 30, 2)
    if kind == "scratch":
        image[row : row + 3, 4:44] = 15
    elif kind == "spot":
        y, x = np.mgrid[:SIZE, :SIZE]
        image[np.hypot(y - row, x - col) < 8] = 245
    elif kind == "stain":
        image[row - 8 : row + 10, col - 8 : col + 10] = [220, 20, 30]
    return np.clip(image, 0, 255).astype(np.uint8)


def add_case(
    store: Store,
    label: str,
    seed: int,
    *,
    kind: str = "",
    photograph: str = "",
    source: str = "",
    category: str = "dots",
    origin: str = "import",
    focus: tuple[int, int] | None = None,
) -> int:
    """One case named ``label`` that shows ``kind``, by default what it is called; returns its id."""
    path = store.objects.put(png(draw(kind or label, seed)), ".png")
    name = photograph or f"{label}-{seed}"
    with store.session() as session:
        row = DefectCase(
            content_key="",
            category=category,
            defect_type=label,
            origin=origin,
            source=source or f"{category}/test/{label}/{seed:03}.png",
            image_sha256=hashlib.sha256(name.encode()).hexdigest(),
            image_path=path,
            crop_path=path,
            box=box_and_focus(Box(x=0, y=0, width=SIZE - len(str(focus)), height=SIZE), focus),
            added_by="",
        )
        case, _ = case_repository.add(session, row, "test")
        assert case.id is not None
        return case.id


def fill(store: Store, each: int = 6, first: int = 0, types: tuple[str, ...] = TYPES) -> None:
    for kind in types:
        for seed in range(first, first + each):
            add_case(store, kind, seed)


def train(
    store: Store, settings: Settings, options: TrainingOptions = TINY, **more: object
) -> dict[str, object]:
    from anomalyos.classifier.train import train_classifier

    return train_classifier("dots", settings, store, options=options, **more)
