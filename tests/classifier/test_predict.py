"""Names, "don't know", and following the pointer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from anomalyos.classifier import predict as prediction
from anomalyos.classifier import train
from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import Classifier
from anomalyos.classifier.calibration import softmax
from anomalyos.classifier.crops import crop_at
from anomalyos.classifier.predict import DefectClassifier, get_defect_classifier, predict
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.classifier import drawn


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "log_classifier", lambda *args, **more: {})


def test_defects_it_has_not_seen_are_named(trained: Store, settings: Settings) -> None:
    namer = get_defect_classifier("dots", settings, trained)
    assert get_defect_classifier("dots", settings, trained) is namer
    for kind in drawn.TYPES:
        found = namer.name_defect(drawn.draw(kind, 300))
        assert found.likeliest == kind
        assert sum(found.probabilities.values()) == pytest.approx(1)
        assert set(found.probabilities) == set(drawn.TYPES)
        assert found.probability == max(found.probabilities.values())
        assert found.version == 1


def test_below_the_threshold_it_does_not_know(trained: Store, settings: Settings) -> None:
    namer = DefectClassifier("dots", settings, trained)
    crop = drawn.draw("stain", 301)
    with namer.held() as (_, classifier):
        sure = predict(classifier, crop, 1)
        logits = classifier.network(classifier.batch(crop)).detach().double().numpy()
        assert sure.probability == pytest.approx(softmax(logits, classifier.temperature).max())

        def with_threshold(value: float) -> Classifier:
            return Classifier("", {**classifier.manifest, "threshold": value}, classifier.network)

        assert predict(with_threshold(sure.probability), crop, 1).label == "stain"
        doubtful = predict(with_threshold(np.nextafter(sure.probability, 2)), crop, 1)
    assert (doubtful.label, doubtful.likeliest) == (None, "stain")
    assert doubtful.probabilities == sure.probabilities


def test_crops_of_any_size_are_taken_and_other_arrays_refused(trained: Store, settings: Settings) -> None:
    namer = DefectClassifier("dots", settings, trained)
    large = np.kron(drawn.draw("stain", 302), np.ones((3, 2, 1), np.uint8))
    assert namer.name_defect(large).likeliest == "stain"
    for wrong in (large[:, :, 0], large.astype(np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(AnomalyOSError, match="A crop is"):
            namer.name_defect(wrong)


def test_a_place_in_a_photograph_is_named_by_what_lies_around_it(trained: Store, settings: Settings) -> None:
    namer = DefectClassifier("dots", settings, trained)
    photograph = np.full((96, 200, 3), 120, np.uint8)
    photograph[20:68, 10:58] = drawn.draw("stain", 304)
    photograph[20:68, 140:188] = drawn.draw("spot", 305)
    assert namer.name_defect(crop_at(photograph, (34, 44))).likeliest == "stain"
    assert namer.name_defect(crop_at(photograph, (164, 44))).likeliest == "spot"
    whole = namer.name_defect(crop_at(photograph, None))
    assert whole.probabilities == namer.name_defect(photograph).probabilities


def test_without_a_classifier_it_says_how_to_get_one(settings: Settings, store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        DefectClassifier("dots", settings, store).name_defect(drawn.draw("spot", 1))
    assert "classifier train dots" in caught.value.hint


def test_the_pointer_is_followed_and_files_are_read_once(
    trained: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    real = prediction.load_classifier

    def load(folder: Any, *args: Any) -> Classifier:
        loaded.append(folder.name)
        return real(folder, *args)

    monkeypatch.setattr(prediction, "load_classifier", load)
    namer = DefectClassifier("dots", settings, trained)
    crop = drawn.draw("spot", 303)
    assert [namer.name_defect(crop).version for _ in range(2)] == [1, 1]
    drawn.fill(trained, 1, first=85)
    second = drawn.train(trained, settings)
    assert second["promoted"]
    assert [namer.name_defect(crop).version for _ in range(2)] == [2, 2]
    with trained.session() as session:
        first = classifier_versions.list_versions(session, "dots")[-1]
        assert first.id is not None
        classifier_versions.put_in_use(
            session, version_id=first.id, expected_pointer=2, actor="mia", reason="back again"
        )
    assert namer.name_defect(crop).version == 1
    assert len(loaded) == 3
    assert json.dumps(namer.name_defect(crop).probabilities)
