"""What a retraining works on, and its outcome in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning import outcome, rebuild
from anomalyos.learning.options import RetrainingOptions
from anomalyos.learning.outcome import ClassifierResults, RebuildFailed
from anomalyos.learning.retraining import LearningRun


def result(category: str, **more: Any) -> dict[str, Any]:
    gate = {"passed": True, "reason": "Image AUROC 0.9900 against the champion's 0.9500."}
    return {"category": category, "version": 2, "created": True, "promoted": True, "gate": gate, **more}


REFUSED = {"promoted": False, "gate": {"passed": False, "reason": "AUPRO fell from 0.9000 to 0.5000."}}


def test_drift_chooses_before_the_form_and_the_form_before_all(built: Store, settings: Settings) -> None:
    def run(*wanted: str, drifts: Any = ()) -> LearningRun:
        return LearningRun(settings, built, RetrainingOptions(categories=wanted), drifts=drifts)

    assert run().discover() == ["dots", "stripes"]
    assert run("stripes").discover() == ["stripes"]
    drifts = [{"category": "dots", "metric": "score", "size": 0.4}]
    assert run("stripes", drifts=drifts).discover() == ["dots"]
    with pytest.raises(NotFound, match="bolts"):
        run("bolts").discover()


def test_a_retraining_is_a_rebuild_with_the_forms_values_and_a_run(
    built: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, int]] = []

    def log_version(_: Settings, __: Store, category: str, number: int, *, seconds: float) -> dict[str, Any]:
        logged.append((category, number))
        assert seconds > 0
        return {"run_id": "abc"}

    monkeypatch.setattr(rebuild, "log_version", log_version)
    options = RetrainingOptions(coreset_ratio=0.05, dry_run=True, fine_tune=True)
    run = LearningRun(settings, built, options, "r")
    planned = run.challenge("dots")
    assert (run.index_cases(["dots"]), run.to_name(["dots"])) == ({}, [])
    assert (planned["dry_run"], planned["tracking"], logged) == (True, {}, [])
    assert outcome.rebuild_line(planned) == "dots: 12 images to learn, 0 of them reviewed."
    made = replace(run, options=options.model_copy(update={"dry_run": False})).challenge("dots")
    assert (made["version"], made["created"]) == (2, True)
    assert (made["tracking"], logged) == ({"run_id": "abc"}, [("dots", 2)])
    assert set(made["metrics"]) == {"image_auroc", "aupro", "test_hash", "data_hash"}
    assert made["gate"]["reason"].startswith("Image AUROC")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (result("dots"), "dots v2 inspects now. Image AUROC 0.9900 against the champion's 0.9500."),
        (result("dots", **REFUSED), "dots v2 was refused. AUPRO fell from 0.9000 to 0.5000."),
        (
            result("dots", created=False, promoted=False, gate={"reason": "Champion already."}),
            "dots: nothing has changed since v2. Champion already.",
        ),
        (
            result("dots", dry_run=True, images=13, reviewed=1),
            "dots: 13 images to learn, 1 of them reviewed. v2 is made of exactly this.",
        ),
    ],
)
def test_each_outcome_is_one_line(given: dict[str, Any], words: str) -> None:
    assert outcome.rebuild_line(given) == words


def test_the_note_names_failures_first_and_the_run_fails_with_them() -> None:
    results = [result("dots")]
    note = outcome.note(["dots", "stripes"], results)
    assert note.splitlines()[0] == "stripes: failed, see the log of its task."
    with pytest.raises(RebuildFailed, match="1 of 2 categories failed: stripes"):
        outcome.summarise(["dots", "stripes"], results)
    figures = outcome.summarise(
        ["dots", "pins", "stripes"],
        [*results, result("stripes", **REFUSED), result("pins", created=False, promoted=False)],
    )
    assert (figures["promoted"], figures["refused"], figures["unchanged"]) == (
        ["dots"],
        ["stripes"],
        ["pins"],
    )
    assert len(figures["note"].splitlines()) == 3


def test_the_note_begins_with_the_drift_that_started_the_run() -> None:
    drifts = [
        {"category": "dots", "metric": "brightness", "size": 2.034, "injected": 0},
        {"category": "stripes", "metric": "score", "size": 0.5, "injected": 60},
    ]
    note = outcome.note(["dots"], [result("dots")], drifts)
    assert note.splitlines()[:2] == [
        "Started by drift of dots: brightness moved by 2.03.",
        "Started by drift of stripes: score moved by 0.50. 60 of the records were injected.",
    ]
    assert len(note.splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"version": 2, "created": True, "promoted": True, "reason": "Macro F1 0.8."},
            "dots: v2 names defects now. Macro F1 0.8.",
        ),
        (
            {"version": 2, "created": True, "promoted": False, "reason": "Worse."},
            "dots: names v2 were refused. Worse.",
        ),
        (
            {"version": 1, "created": False, "promoted": False, "reason": "Once said."},
            "dots: no defect was confirmed or renamed since names v1.",
        ),
        ({"too_few": "dots has 3 named defects."}, "Defect names: dots has 3 named defects."),
    ],
)
def test_what_became_of_the_names_is_one_line(given: dict[str, Any], words: str) -> None:
    assert outcome.classifier_line({"category": "dots", **given}) == words


def test_names_that_failed_fail_the_run_and_are_in_the_note() -> None:
    classifiers = ClassifierResults(["dots", "stripes"], [{"category": "dots", "too_few": "Too few."}])
    assert "stripes: learning names of defects failed, see the log." in outcome.note([], [], (), classifiers)
    with pytest.raises(RebuildFailed, match="1 of 2 categories failed: stripes"):
        outcome.summarise(["dots"], [result("dots")], classifiers)
    with pytest.raises(RebuildFailed, match="Known defects could not be refreshed"):
        outcome.summarise(["dots"], [result("dots")], ClassifierResults(None))
    assert "Known defects could not be refreshed" in outcome.note(["dots"], [], (), ClassifierResults(None))


def test_too_few_defects_are_no_failure(built: Store, settings: Settings) -> None:
    found = LearningRun(settings, built, RetrainingOptions(trials=1)).name_defects("dots")
    assert found["category"] == "dots"
    assert "dots has 0 named defects" in found["too_few"]
