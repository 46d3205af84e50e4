"""Temperature, calibration error and threshold against naive searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.classifier.calibration import (
    NEVER,
    choose_threshold,
    cross_fitted,
    expected_calibration_error,
    fit_temperature,
    softened,
    softmax,
)


def overconfident(seed: int, count: int = 400, factor: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (count, 3) that are ``factor`` times too large for how their labels were drawn."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (count, 3))
    chances = softmax(logits)
    labels = np.array([rng.choice(3, p=row) for row in chances])
    return logits * factor, labels


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_the_temperature_is_the_best_of_a_fine_grid(seed: int, factor: float) -> None:
    logits, labels = overconfident(seed, 150, factor)
    aims = softened(labels, 3)

    def naive(temperature: float) -> float:
        total = 0.0
        for row, aim in zip(logits / temperature, aims, strict=True):
            powers = [np.exp(value - max(row)) for value in row]
            total -= sum(a * np.log(p / sum(powers)) for a, p in zip(aim, powers, strict=True))
        return float(total / len(logits))

    grid = np.exp(np.linspace(-3, 3, 1201))
    best = grid[int(np.argmin([naive(float(t)) for t in grid]))]
    assert fit_temperature(logits, labels) == pytest.approx(best, rel=0.006)


def test_overconfidence_is_measured_and_taken_away() -> None:
    logits, labels = overconfident(7, 1200)
    temperature = fit_temperature(logits, labels)
    assert temperature == pytest.approx(3.0, rel=0.2)
    before = expected_calibration_error(softmax(logits), labels)
    after = expected_calibration_error(softmax(logits, temperature), labels)
    assert before > 0.15
    assert after < 0.05
    crossed = cross_fitted(logits, labels, np.arange(1200) % 3)
    np.testing.assert_array_equal(crossed.argmax(axis=1), logits.argmax(axis=1))
    assert expected_calibration_error(crossed, labels) < 0.05


def test_a_faultless_classifier_of_few_examples_is_not_certain_of_everything() -> None:
    labels = np.arange(12) % 3
    logits = np.eye(3)[labels] * 2.0
    probabilities = softmax(logits, fit_temperature(logits, labels))
    assert 0.7 < probabilities.max() < 0.9


def test_softened_labels_are_probabilities_that_rarer_classes_doubt_more() -> None:
    aims = softened(np.array([0, 0, 0, 0, 1]), 3)
    np.testing.assert_allclose(aims.sum(axis=1), 1)
    assert aims[0, 0] == pytest.approx(5 / 6)
    assert aims[4, 1] == pytest.approx(2 / 3)


def test_the_calibration_error_is_the_naive_one() -> None:
    logits, labels = overconfident(3, 200)
    probabilities = softmax(logits)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for place in range(15):
        inside = (confidence >= place / 15) & ((confidence < (place + 1) / 15) | (place == 14))
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)


answers = st.lists(
    st.tuples(st.sampled_from([0.2, 0.5, 0.6, 0.8, 0.9]), st.booleans()), min_size=1, max_size=30
)


@given(answers, st.sampled_from([0.5, 0.75, 0.9, 1.0]))
def test_the_threshold_gives_most_names_at_the_wanted_accuracy(
    given_answers: list[tuple[float, bool]], wanted: float
) -> None:
    confidence = np.array([value for value, _ in given_answers])
    right = np.array([value for _, value in given_answers])
    found = choose_threshold(confidence, right, wanted)
    coverages = [
        float(named.mean())
        for named in (confidence >= value for value in set(confidence))
        if right[named].mean() >= wanted
    ]
    assert found.coverage == pytest.approx(max(coverages, default=0.0))
    if coverages:
        named = confidence >= found.value
        assert named.mean() == pytest.approx(found.coverage)
        assert right[named].mean() == pytest.approx(found.accuracy)
    else:
        assert (found.value, found.accuracy) == (NEVER, None)
