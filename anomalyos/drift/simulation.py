"""Records injected on purpose, so that the whole chain from drift to retraining can be tried.

Every one is scored by the real champion. None is an inspection: only drift windows know of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.drift import checks as drift_checks
from anomalyos.drift import records as drift_records
from anomalyos.drift.rules import load_rules
from anomalyos.drift.tables import InjectedKind, InjectedRecord
from anomalyos.drift.windows import embedding_key
from anomalyos.images.decoding import read_image
from anomalyos.inspection.inspector import Inspector
from anomalyos.models.tables import ModelVersion
from anomalyos.products.dataset import GOOD, Sample, load_category
from anomalyos.quality import picture_figures

LAMP = np.array([0.74, 0.68, 0.56], dtype=np.float32)
"""What an old, warmer lamp leaves of red, green and blue."""
BLUR = 1.2
"""Standard deviation in pixels of a lens out of focus."""


@dataclass(frozen=True)
class Injection:
    """What was injected."""

    category: str
    clean: int
    """Records that filled the champion's reference; 0 when it had enough."""
    drift: int


def inject_drift(
    category: str,
    settings: Settings,
    store: Store,
    *,
    count: int | None = None,
    strength: float = 1.0,
    actor: str,
    progress: Progress | None = None,
) -> Injection:
    """Make the category's champion look as if lamp and lens had changed.

    A champion with fewer records than the reference needs gets clean ones first. All of it is stored in one
    transaction: a killed injection leaves nothing.

    Args:
        count: drifted records; as many as half a current window holds when None.
        strength: how far lamp and lens have gone, 0 (a quiet line) to 1.

    Raises:
        NotFound: when no model is in use for the category.
        AnomalyOSError: when there is no image to make records of, ``count`` is not positive, or ``strength``
            is no share.
    """
    windows = load_rules(settings).windows
    wanted = max(windows.least, windows.current // 2) if count is None else count
    if wanted < 1:
        raise AnomalyOSError("At least one record must be injected.", "Give --count 1 or more.")
    if not 0 <= strength <= 1:
        raise AnomalyOSError(f"{strength} is no strength.", "Give --strength between 0 and 1.")
    inspector = Inspector(settings, store)
    version = inspector.champions.pointers().get(category)
    if version is None:
        raise NotFound(f"No model is in use for: {category}.", "Build one with 'anomalyos rebuild'.")
    with store.session(read_only=True) as session:
        have = drift_records.scored_count(session, stored_id(version.id), windows.reference)
    made = Injection(category, windows.reference - have, wanted)
    images = itertools.cycle(source_images(category, settings))
    rows: list[InjectedRecord] = []
    for number in range(made.clean + made.drift):
        gone = 0.0 if number < made.clean else strength
        rows.append(_record(next(images), number, gone, inspector, version, category, actor))
        if progress is not None:
            progress(number + 1, made.clean + made.drift)
    with store.session() as session:
        session.add_all(rows)
        facts = {"clean": made.clean, "drift": made.drift, "strength": strength}
        audit.write(
            session, actor=actor, action="drift.simulate", subject=f"category:{category}", detail=facts
        )
    return made


def clear(settings: Settings, store: Store, *, actor: str, category: str | None = None) -> int:
    """Remove injected records with every report and alarm they were part of; returns how many records went.

    Alarms go as well, so that the cool-down of a rehearsal does not hold back a real retraining.
    """
    with store.session() as session:
        pages = drift_checks.forget_injected(session, category)
        gone = drift_records.clear_injected(session, category)
        if gone or pages:
            subject = f"category:{category}" if category else "all categories"
            audit.write(session, actor=actor, action="drift.clear", subject=subject, detail={"records": gone})
    for page in pages:
        (settings.drift_dir / page).unlink(missing_ok=True)
    return gone


def source_images(category: str, settings: Settings) -> Sequence[Sample]:
    """Held-out normal images of the category, or its training images where it has none.

    Raises:
        AnomalyOSError: when it has neither.
    """
    data = load_category(settings, category)
    held_out = [sample for sample in data.test if sample.defect == GOOD]
    if not held_out and not data.train:
        raise AnomalyOSError(
            f"{category} has no normal images to make records of.", "Put some into its train/good folder."
        )
    return held_out or data.train


def retake(rgb: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """The same part photographed again: a pixel or two aside, a little sensor noise. (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    moved = np.roll(rgb, rng.integers(-1, 2, size=2), axis=(0, 1)).astype(np.float32)
    moved *= rng.normal(1.0, 0.005)
    moved += rng.normal(0.0, 1.0, size=rgb.shape)
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def under_another_lamp(rgb: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Darker, warmer and out of focus: not at all with ``strength`` 0. (H, W, 3) uint8."""
    from scipy.ndimage import gaussian_filter

    soft = gaussian_filter(rgb.astype(np.float32), sigma=(BLUR * strength, BLUR * strength, 0))
    left = 1 - strength * (1 - LAMP)
    seen: NDArray[np.uint8] = np.clip(np.rint(soft * left), 0, 255).astype(np.uint8)
    return seen


def _record(
    sample: Sample,
    number: int,
    strength: float,
    inspector: Inspector,
    version: ModelVersion,
    category: str,
    actor: str,
) -> InjectedRecord:
    """One record, scored as an image of the line would be."""
    image = read_image(sample.path, inspector.settings)
    rgb = under_another_lamp(retake(image.rgb, number), strength)
    found = inspector.examine(replace(image, rgb=rgb), category)
    figures = picture_figures.measure(rgb)
    if found.score is None:
        raise AnomalyOSError(f"The model of {category} gave no score.", "Rebuild it.")
    return InjectedRecord(
        category=category,
        model_version_id=stored_id(version.id),
        kind=(InjectedKind.DRIFT if strength else InjectedKind.CLEAN).value,
        source=f"{sample.path.name}, taken again ({number})",
        score=found.score,
        routed_category=found.route.category,
        brightness=figures.brightness,
        sharpness=figures.sharpness,
        recipe=embedding_key(),
        vector=found.embedding.astype("<f4").tobytes(),
        injected_by=actor,
    )
