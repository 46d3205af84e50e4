from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.drift.rules import METRICS, DriftRules, load_rules
from tests.drift.drift_home import small_windows


def test_what_is_shipped_says_everything_and_is_what_holds_without_a_file(settings: Settings) -> None:
    shipped = yaml.safe_load((PROJECT_ROOT / "include" / "drift.yaml").read_text())
    assert set(shipped["metrics"]) == set(METRICS)
    assert load_rules(settings) == DriftRules.model_validate(shipped) == DriftRules()
    assert (shipped["windows"]["reference"], shipped["windows"]["current"]) == (200, 200)
    assert load_rules(settings).retraining.cooldown == timedelta(hours=72)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("windows: {reference: 3}", "windows.reference"),
        ("metrics: {score: {method: ks}}", "metrics.score.method"),
        ("metrics: {score: {threshold: 0}}", "metrics.score.threshold"),
        ("metric: {}", "metric"),
        ("[1, 2]", "the document"),
    ],
)
def test_what_is_off_is_named(settings: Settings, text: str, names: str) -> None:
    small_windows(settings, text)
    with pytest.raises(AnomalyOSError, match=f"'{names}' is not valid") as raised:
        load_rules(settings)
    assert "include/drift.yaml" in raised.value.hint


def test_a_file_that_is_no_yaml(settings: Settings) -> None:
    small_windows(settings, "windows: [")
    with pytest.raises(AnomalyOSError, match=r"drift\.yaml cannot be read"):
        load_rules(settings)


def test_only_what_figures_depend_on_changes_the_digest() -> None:
    plain = DriftRules()
    other = DriftRules.model_validate({"retraining": {"runs_per_day": 9}, "keep_pages": 1})
    assert other.digest() == plain.digest()
    assert DriftRules.model_validate({"windows": {"least": 20}}).digest() != plain.digest()
