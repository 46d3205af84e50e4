from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.quality.rules import NAMES, count_clauses, row_clauses
from anomalyos.quality.suite import Suite, load_suite
from tests.quality.suites import write_suite


def test_the_shipped_suite_names_every_rule(settings: Settings) -> None:
    suite = load_suite("hazelnut", settings)
    assert set(Suite.model_fields) == set(NAMES)
    assert (suite.decodable.learning, suite.decodable.learning_stop_above) == ("quarantine", 0.5)
    assert suite.enough_images.learning == "stop"
    # a photographed part is inspected: as shipped, nothing holds a night back
    clauses = [*row_clauses(suite, "night"), *count_clauses(suite, "night")]
    assert clauses
    assert {clause.severity for clause in clauses} == {"warn"}


def test_a_category_changes_only_what_it_names(settings: Settings) -> None:
    shipped = load_suite("bolt", settings)
    write_suite(settings, "default", "sharpness: {least_of_usual: 0.2, learning: quarantine}")
    write_suite(settings, "bolt", "sharpness: {learning: warn}")
    own, other = load_suite("bolt", settings), load_suite("nut", settings)
    assert (own.sharpness.learning, own.sharpness.least_of_usual) == ("warn", 0.2)
    assert other.sharpness.learning == "quarantine"
    assert len({suite.digest() for suite in (shipped, own, other)}) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size: {shortest: many}", "size.shortest"),
        ("sharpnes: {learning: warn}", "sharpnes"),
        ("size: {night: quarantine}", "size.night"),
        ("enough_images: {learning: quarantine}", "enough_images.learning"),
        ("decodable: {learning: warn}", "decodable.learning"),
        ("bytes: {learning_stop_above: 1.5}", "learning_stop_above"),
        ("size: 3", "needs a mapping"),
        ("bytes: {least: 2000, most: 1000}", "nothing could be both"),
        ("brightness: {darkest: 200, brightest: 100}", "nothing could be both"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(settings: Settings, text: str, said: str) -> None:
    write_suite(settings, "bolt", text)
    with pytest.raises(AnomalyOSError, match=said) as refused:
        load_suite("bolt", settings)
    assert "include/expectations" in str(refused.value)


def test_a_file_that_is_no_yaml_is_named(settings: Settings) -> None:
    path: Path = write_suite(settings, "bolt", "")
    path.write_text("rules: [")
    with pytest.raises(AnomalyOSError, match=r"bolt\.yaml cannot be read"):
        load_suite("bolt", settings)
