"""The gate: no worse than the champion, and the reason in words."""

from __future__ import annotations

import pytest

from anomalyos.registry.gate import judge


def figures(auroc: float | None, aupro: float | None = None) -> dict[str, float | None]:
    return {"image_auroc": auroc, "aupro": aupro}


def test_the_first_model_passes() -> None:
    assert judge(figures(0.5), None).passed


@pytest.mark.parametrize(
    ("challenger", "champion", "passed", "words"),
    [
        (figures(0.96, 0.9), figures(0.95, 0.9), True, "image AUROC 0.9600 against 0.9500"),
        (figures(0.945, 0.9), figures(0.95, 0.9), True, "0.9450 against 0.9500"),
        (figures(0.92, 0.9), figures(0.95, 0.9), False, "image AUROC fell from 0.9500 to 0.9200"),
        (figures(0.99, 0.5), figures(0.95, 0.9), False, "AUPRO fell from 0.9000 to 0.5000"),
        (figures(None), figures(0.95), True, "No labelled test images"),
    ],
)
def test_a_worse_challenger_is_held_back(
    challenger: dict[str, float | None], champion: dict[str, float | None], passed: bool, words: str
) -> None:
    result = judge(challenger, champion)
    assert result.passed is passed
    assert words in result.reason
