"""What a defect is called: the classifier in use, which follows the pointer, or "don't know"."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import Classifier, classifiers_dir, load_classifier
from anomalyos.classifier.calibration import softmax
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one crop."""

    label: str | None
    """None: don't know."""
    probability: float
    """Calibrated, of the likeliest class, whether it was named or not."""
    probabilities: dict[str, float]
    """By class, summing to 1."""
    version: int

    @property
    def likeliest(self) -> str:
        """The class that was, or would have been, named."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


class DefectClassifier:
    """Names defects of one category. Safe to share between threads.

    The pointer is read on every use, the bundle once: a version put in use elsewhere gives the next name.
    """

    def __init__(self, category: str, settings: Settings, store: Store) -> None:
        self.category = category
        self.settings = settings
        self.store = store
        self._loaded: tuple[str, Classifier] | None = None
        self._working = threading.Lock()

    def in_use(self) -> ClassifierVersion | None:
        """The version that gives names, read from the database now; None when there is none."""
        with self.store.session(read_only=True) as session:
            return classifier_versions.in_use(session, self.category)

    def name_defect(self, crop_rgb: NDArray[np.uint8]) -> Prediction:
        """Name what a crop (H, W, 3) uint8 shows, which is best cut by ``crops.crop_at``: other crops show
        defects in a size they were not learned in.

        Raises:
            NotFound: no classifier of this category is in use.
            BundleError: its files are damaged, or made for other weights.
            AnomalyOSError: the crop is no RGB image.
        """
        with self.held() as (version, classifier):
            return predict(classifier, crop_rgb, version.version)

    @contextmanager
    def held(self) -> Iterator[tuple[ClassifierVersion, Classifier]]:
        """The version in use and its network, which no other thread uses while the block runs.

        Raises:
            NotFound, BundleError: as ``name_defect``.
        """
        version = self.in_use()
        if version is None:
            raise NotFound(
                f"No classifier of {self.category} is in use.",
                f"Train one with 'anomalyos classifier train {self.category}'.",
            )
        with self._working:
            if self._loaded is None or self._loaded[0] != version.bundle_sha256:
                folder = classifiers_dir(self.settings) / version.bundle_path
                classifier = load_classifier(folder, version.bundle_sha256, self.settings)
                self._loaded = (version.bundle_sha256, classifier)
            yield version, self._loaded[1]


def predict(classifier: Classifier, crop_rgb: NDArray[np.uint8], version: int) -> Prediction:
    """Probabilities of one crop (H, W, 3) uint8 under the classifier's temperature, and the name, if any.

    Raises:
        AnomalyOSError: the crop is no RGB image.
    """
    import torch

    if crop_rgb.ndim != 3 or crop_rgb.shape[2] != 3 or crop_rgb.dtype != np.uint8 or not crop_rgb.size:
        raise AnomalyOSError(f"A crop is (H, W, 3) of uint8, not {crop_rgb.shape} of {crop_rgb.dtype}.")
    with torch.inference_mode():
        logits = classifier.network(classifier.batch(crop_rgb)).cpu().double().numpy()
    values = softmax(logits, classifier.temperature)[0]
    best = int(values.argmax())
    named = values[best] >= classifier.threshold
    return Prediction(
        label=classifier.classes[best] if named else None,
        probability=float(values[best]),
        probabilities={name: float(value) for name, value in zip(classifier.classes, values, strict=True)},
        version=version,
    )


_namers: dict[tuple[int, str, str], DefectClassifier] = {}
_opening = threading.Lock()


def get_defect_classifier(category: str, settings: Settings, store: Store) -> DefectClassifier:
    """The process's namer of a category of this store."""
    key = (id(store), str(settings.home), category)
    with _opening:
        namer = _namers.get(key)
        if namer is None or namer.store is not store:
            namer = _namers[key] = DefectClassifier(category, settings, store)
        return namer
