"""The gate: no worse than the champion, and the reason in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.models.gate import Limits, judge, paired_gap


def figures(auroc: float | None, aupro: float | None = None) -> dict[str, Any]:
    return {"image_auroc": auroc, "aupro": aupro}


def drawn(auroc: float, spread: list[float], *, test_hash: str = "same") -> dict[str, Any]:
    """Figures with replicates around ``auroc``."""
    replicates = [auroc + step for step in spread]
    return {
        **figures(auroc),
        "test_hash": test_hash,
        "bootstrap": {"seed": 0, "image_auroc": {"replicates": replicates}},
    }


def alarms(hits: int, of: int, *, kept: bool) -> dict[str, Any]:
    return {"at_threshold": {"false_alarms": {"hits": hits, "of": of, "promised": 0.05, "kept": kept}}}


def test_the_first_model_passes_and_its_flaws_are_said() -> None:
    assert judge(figures(0.5), None).reason == "First model of this category."
    broken = judge({**figures(0.5), **alarms(30, 60, kept=False)}, None)
    assert broken.passed
    assert broken.reason.endswith("The promise is broken: 30 false alarms in 60 good images, 5.0% promised.")


@pytest.mark.parametrize(
    ("challenger", "champion", "passed", "words"),
    [
        (figures(0.96, 0.9), figures(0.95, 0.9), True, "Image AUROC 0.9600 against the champion's 0.9500"),
        (figures(0.945, 0.9), figures(0.95, 0.9), True, "0.9450 against the champion's 0.9500"),
        (figures(0.92, 0.9), figures(0.95, 0.9), False, "Image AUROC fell from 0.9500 to 0.9200"),
        (figures(0.99, 0.5), figures(0.95, 0.9), False, "AUPRO fell from 0.9000 to 0.5000"),
        (figures(None), figures(0.95), True, "No labelled test images"),
    ],
)
def test_without_replicates_a_fixed_slack_holds_a_worse_challenger_back(
    challenger: dict[str, Any], champion: dict[str, Any], passed: bool, words: str
) -> None:
    result = judge(challenger, champion)
    assert result.passed is passed
    assert words in result.reason


def test_a_sure_fall_is_refused_however_small_the_sets_own_spread() -> None:
    spread = [-0.04, -0.02, 0.0, 0.02, 0.04]
    refused = judge(drawn(0.94, spread), drawn(0.95, spread))
    assert not refused.passed
    assert refused.reason == "Image AUROC fell from 0.9500 to 0.9400: by -0.0100 to -0.0100 (95 %)."


def test_a_fall_that_may_be_chance_passes_and_so_does_one_that_matters_to_nobody() -> None:
    there, back = [-0.04, -0.02, 0.0, 0.02, 0.04], [0.04, 0.02, 0.0, -0.02, -0.04]
    assert judge(drawn(0.93, there), drawn(0.95, back)).passed
    assert judge(drawn(0.949, there), drawn(0.95, there)).passed


def test_replicates_of_other_images_are_no_pair() -> None:
    spread = [-0.01, 0.0, 0.01]
    ours, theirs = drawn(0.945, spread), drawn(0.95, spread, test_hash="other")
    assert paired_gap(ours, theirs, "image_auroc") is None
    assert judge(ours, theirs).passed, "the fixed slack decides"
    assert paired_gap(ours, drawn(0.95, [0.0]), "image_auroc") is None


@pytest.mark.parametrize(
    ("more", "bundle_bytes", "words"),
    [
        (alarms(30, 60, kept=False), None, "The promise is broken: 30 false alarms in 60 good images"),
        ({"latency_ms": {"p50": 90.0}}, None, "An image takes 90 ms, more than the 50 ms allowed."),
        ({}, 3_000_000, "The bundle is 3.0 MB, more than the 2 MB allowed."),
    ],
)
def test_what_a_better_challenger_may_not_cost(
    more: dict[str, Any], bundle_bytes: int | None, words: str
) -> None:
    limits = Limits(latency_ms=50, bundle_bytes=2e6)
    challenger = {**figures(0.99), **more}
    refused = judge(challenger, figures(0.95), limits=limits, bundle_bytes=bundle_bytes)
    assert not refused.passed
    assert refused.reason.startswith(words)
    assert [criterion.passed for criterion in refused.criteria].count(False) == 1


def test_every_criterion_is_a_sentence_of_the_reason() -> None:
    challenger = {**figures(0.96, 0.91), **alarms(2, 60, kept=True), "latency_ms": {"p50": 40.4}}
    result = judge(challenger, figures(0.95, 0.9), limits=Limits(50, 2e6), bundle_bytes=1_200_000)
    assert result.passed
    assert result.reason == (
        "Image AUROC 0.9600 against the champion's 0.9500. AUPRO 0.9100 against the champion's 0.9000. "
        "2 false alarms in 60 good images, 5.0% promised. An image takes 40 ms. The bundle is 1.2 MB."
    )
    assert [each["name"] for each in result.to_json()["criteria"]] == [
        "image_auroc",
        "aupro",
        "false_alarms",
        "latency",
        "size",
    ]


@given(st.lists(st.floats(0.5, 1.0), min_size=2, max_size=50))
def test_a_model_is_never_worse_than_itself(values: list[float]) -> None:
    own = drawn(values[0], [value - values[0] for value in values])
    assert judge(own, own).passed
