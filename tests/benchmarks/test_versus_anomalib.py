from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.measurements import fill, read_records
from tests.benchmarks.sides import Side, SideFailed, Stopped, forget_peak, memory, timed
from tests.benchmarks.versus_environment import LOCK, installed
from tests.benchmarks.versus_figures import of_rounds, summary, times
from tests.benchmarks.versus_products import Product, from_folder, split_of

SIDE = """
import sys, time
from tests.benchmarks.sides import serve

def refuse():
    raise ValueError("no such thing")

def hold(size):
    kept = bytearray(size * 2**20)
    time.sleep(60)
    return {"held": len(kept)}

print("what libraries print is no answer")
serve({"add": lambda a, b: {"sum": a + b}, "refuse": refuse, "hold": hold, "leave": lambda: sys.exit(3)})
"""


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    root = Path(__file__).parents[2]
    made = Side([sys.executable, "-c", SIDE], tmp_path, {"PYTHONPATH": str(root)})
    yield made
    made.close()


def test_a_side_answers_and_starts_anew_after_it_was_closed(side: Side) -> None:
    assert side.ask("add", a=1, b=2) == {"sum": 3}
    assert side.ask("add", a=3, b=4) == {"sum": 7}
    side.close()
    assert side.ask("add", a=5, b=6) == {"sum": 11}


def test_a_side_that_cannot_do_it_says_why_and_goes_on(side: Side) -> None:
    with pytest.raises(SideFailed, match="refuse: ValueError: no such thing"):
        side.ask("refuse")
    with pytest.raises(SideFailed, match="KeyError"):
        side.ask("unheard of")
    assert side.ask("add", a=1, b=1) == {"sum": 2}


def test_a_side_that_ended_is_noticed(side: Side) -> None:
    with pytest.raises(SideFailed, match="the process ended with 3"):
        side.ask("leave")
    assert side.ask("add", a=1, b=1) == {"sum": 2}


def test_a_side_that_was_killed_between_two_questions_is_noticed(side: Side) -> None:
    side.ask("add", a=1, b=2)
    process = side._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(SideFailed, match="ended"):
        side.ask("add", a=1, b=2)
    assert side.ask("add", a=1, b=1) == {"sum": 2}


def test_a_side_that_takes_too_long_or_too_much_is_stopped(side: Side) -> None:
    with pytest.raises(Stopped, match="after 1 s"):
        side.ask("hold", size=1, seconds=1)
    with pytest.raises(Stopped, match="above 100 MiB"):
        side.ask("hold", size=300, seconds=30, mib=100)
    assert side.ask("add", a=1, b=1) == {"sum": 2}


def test_the_high_water_mark_starts_anew() -> None:
    kept = bytearray(64 * 2**20)
    before = memory()["peak_mib"]
    del kept
    held = forget_peak()
    assert memory()["peak_mib"] < before
    assert memory()["peak_mib"] >= held > 0
    assert memory(2**22 + 1) == {"rss_mib": 0.0, "peak_mib": 0.0}


def test_every_run_is_timed() -> None:
    runs: list[int] = []
    assert all(ms >= 0 for ms in timed(lambda: runs.append(1), 3))
    assert len(runs) == 3


def row(name: str, **aurocs: float) -> dict[str, Any]:
    models: dict[str, dict[str, Any]] = {model: {"image_auroc": value} for model, value in aurocs.items()}
    models["patchcore"]["openvino"] = {"image_auroc": 0.5}
    return {"product": name, "models": {**models, "auto": {"unknown": "There is no recipe 'auto'."}}}


def test_ours_are_held_against_the_judge_with_the_higher_mean() -> None:
    found = summary(
        [
            row("a", lite=0.9, dinov2_s=0.98, patchcore=0.95, anomaly_dino=0.97, anomaly_dino_whole=0.99),
            row("b", lite=0.9, dinov2_s=0.9, patchcore=0.8, anomaly_dino=0.96),
        ]
    )
    assert found["mean_image_auroc"] == {
        "lite": 0.9,
        "dinov2_s": 0.94,
        "patchcore": 0.875,
        "anomaly_dino": 0.965,
        "patchcore_openvino": 0.5,
    }
    held = found["against_the_better_judge"]
    assert set(held) == {"lite", "dinov2_s"}
    assert held["lite"] == {
        "products": 2,
        "judge": "anomaly_dino",
        "mean": 0.9,
        "judge_mean": 0.965,
        "lower_on": {"a": -0.07, "b": -0.06},
        "below_both_on": ["a"],
    }
    assert held["dinov2_s"]["lower_on"] == {"b": -0.06}
    assert held["dinov2_s"]["below_both_on"] == []


def test_a_model_is_compared_on_the_products_it_has_a_figure_on() -> None:
    rows = [row("a", lite=0.9, patchcore=0.95, anomaly_dino=0.97), row("b", patchcore=0.8, anomaly_dino=0.7)]
    found = summary(rows)
    assert "lite" not in found["mean_image_auroc"]
    assert found["against_the_better_judge"]["lite"]["products"] == 1


def test_ratios_are_of_the_same_round() -> None:
    found = of_rounds(
        {"ours": [10, 20, 30], "theirs": [20, 30, 90], "absent": []}, [("ours", "theirs"), ("ours", "x")]
    )
    assert found["forms"] == {
        "ours": {"median_ms": 20, "best_ms": 10},
        "theirs": {"median_ms": 30, "best_ms": 20},
    }
    assert found["ratios"] == {"theirs / ours": {"median": 2, "lowest": 1.5, "highest": 3}}


def test_the_tables_hold_what_was_measured_and_say_what_was_not() -> None:
    rounds = of_rounds({"lite": [10.0, 20.0], "patchcore": [20.0, 40.0]}, [("lite", "patchcore")])
    ours = {"whole_s": 3.5, "steps_s": {"learn": 1, "coreset": 2.5}, "peak_mib": 900}
    products = [
        row("a", lite=0.91, patchcore=0.95, anomaly_dino=0.93),
        row("b", lite=0.93, patchcore=0.97, anomaly_dino=0.99),
    ]
    sizes = {"size": 224, "train": 5, "good": 3, "defective": 4}
    judge = {
        "notes": ["How it was done."],
        "versions": {"anomalib": "2.7.0"},
        "products": [each | sizes for each in products],
        "summary": summary(products),
        "same_picks": {"rows": 100, "picks": 10, "shared": 10},
        "fit": [
            {
                "recipe": "lite",
                "model": "patchcore",
                "patches": 25_088,
                "bank": 2000,
                "ours": ours,
                "anomalib": {"stopped": "stopped after 400 s"},
                "times_faster_whole": None,
                "times_faster_coreset": None,
            }
        ],
        "latency": {"size": 224, "rounds": 2, "batches": {"1": rounds, "16": rounds}},
        "memory": {"lite": {"batch_1_peak_mib": 700}, "patchcore": {"batch_16_peak_mib": 1400}},
    }
    records = read_records()
    record = records["index_scale"] | {"command": "make bench ARGS=versus_anomalib", "figures": judge}
    text = fill("measurements.md.j2", records | {"versus_anomalib": record})
    assert "| a (224 px) | 5, 3 + 4 | 0.910 | - | - | 0.950 | 0.500 | 0.930 | - |" in text
    assert "| **mean** | | **0.920** | - | - | **0.960** | **0.500** | **0.960** | - |" in text
    assert "PatchCore: stopped after 400 s" in text
    assert "| ours, `lite`; PatchCore | 2.0 (2.0 to 2.0) | 2.0 (2.0 to 2.0) |" in text
    assert "| ours, `lite` | 15.0 (10.0) | 15.0 (10.0) | 700 | - |" in text


def test_a_ratio_with_a_side_missing_is_none() -> None:
    assert times(10, 4) == 2.5
    assert times(None, 4) is None
    assert times(10, None) is None


def test_a_table_says_which_pictures_are_learned_from() -> None:
    images = [Path(name) for name in ("c.png", "a.png", "b.png")]
    split = {"a.png": "train", "b.png": "test", "c.png": "train"}
    assert split_of(images, split) == ((Path("a.png"), Path("c.png")), (Path("b.png"),))
    with pytest.raises(KeyError, match=r"d\.png"):
        split_of([Path("d.png")], split)


def test_a_product_is_read_with_its_groups(tmp_path: Path) -> None:
    for part in (
        "train/good/1.png",
        "train/good/2.png",
        "test/good/3.png",
        "test/hole/4.png",
        "test/cut/5.png",
    ):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).touch()
    assert from_folder(tmp_path).groups is None
    (tmp_path / "groups.csv").write_text("file,group\n1.png,A\n", encoding="utf-8")
    product = from_folder(tmp_path, size=448)
    assert product.groups == ("A", "2.png")
    assert [path.name for path in product.test] == ["3.png", "5.png", "4.png"]
    assert product.patches("patchcore") == 2 * 56 * 56
    assert product.patches("anomaly_dino") == 2 * 32 * 32
    assert isinstance(product, Product)


def test_the_judge_is_pinned_and_its_lock_holds_no_address() -> None:
    assert installed()["anomalib"] == "2.7.0"
    assert installed("torch==1.0 ; sys_platform == 'linux' \\\n    --hash=sha256:0\nother==2 \\\n") == {
        "torch": "1.0"
    }
    assert "://" not in LOCK.read_text(encoding="utf-8")
