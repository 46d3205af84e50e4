from __future__ import annotations

import numpy as np
import pytest

from anomalyos.cases.measure import LabelledCase, answer_all, figures
from anomalyos.patchcore.router import Prototype, unit
from anomalyos.products.part_names import part_names
from tests.benchmarks.retrieval_figures import look_alikes
from tests.benchmarks.routing_figures import routing_figures


def item(number: int, category: str, defect: str, part: str = "", routed: str | None = "") -> LabelledCase:
    goes = category if routed == "" else routed
    return LabelledCase(f"{number:064x}", part or f"p{number}", category, defect, True, goes)


# a's cracks lie along one axis and its holes along another; b's crack looks like a's
ITEMS = [item(0, "a", "crack", "p"), item(1, "a", "crack", "p"), item(2, "a", "hole"), item(3, "b", "crack")]
VECTORS = unit(np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0.99, 0, 0.1]], np.float32))


def test_hierarchical_search_stays_in_the_category_and_flat_search_does_not() -> None:
    hierarchical, flat = (
        answer_all(ITEMS, VECTORS, VECTORS, hierarchical=mode, apart=lambda one: one.image)
        for mode in (True, False)
    )
    assert hierarchical[0].relevant == (True, False)
    assert flat[0].relevant == (False, True, False)
    assert (hierarchical[0].first, flat[0].first, flat[0].foreign) == (1, 2, 1)
    assert [answer.possible for answer in flat] == [1, 1, 0, 0]
    assert figures(hierarchical) == {
        "questions": 2,
        "p_at_1": 1.0,
        "p_at_5": 0.2,
        "p_at_5_of_possible": 1.0,
        "highest_possible_p_at_5": 0.2,
        "mrr": 1.0,
        "chance_p_at_5": 0.5,
    }
    assert figures(flat)["mrr"] == 0.75
    assert look_alikes(ITEMS, flat) == ["a", "b"]


def test_one_part_never_answers_for_itself() -> None:
    answers = answer_all(ITEMS, VECTORS, VECTORS, hierarchical=True, apart=lambda one: one.file)
    assert [answer.possible for answer in answers] == [0, 0, 0, 0]
    assert figures(answers) is None


@pytest.mark.parametrize(("routed", "found"), [(None, 0), ("b", 1)])
def test_a_question_routed_wrong_finds_nothing_relevant(routed: str | None, found: int) -> None:
    items = [item(0, "a", "crack", routed=routed), *ITEMS[1:]]
    answers = answer_all(items, VECTORS, VECTORS, hierarchical=True, apart=lambda one: one.image)
    assert len(answers[0].relevant) == found
    assert not any(answers[0].relevant)
    assert answers[0].possible == 1


def test_parts_are_runs_of_rising_exposures() -> None:
    files = ["exp1_num_10.jpg", "exp2_num_20.jpg", "exp1_num_30.jpg", "exp2_num_900.jpg", "000.png"]
    parts = part_names(files)
    assert parts[files[0]] == parts[files[1]]
    assert len({parts[name] for name in files[:4]}) == 3
    assert files[4] not in parts


def test_a_category_left_out_is_refused_and_the_others_are_not() -> None:
    rng = np.random.default_rng(0)
    axes = {name: np.eye(8, dtype=np.float32)[i] for i, name in enumerate("abc")}
    cloud = {
        name: unit(axis + rng.normal(0, 0.02, (30, 8)).astype(np.float32)) for name, axis in axes.items()
    }
    figured = routing_figures(
        [(name, vector) for name in cloud for vector in cloud[name][20:]],
        {name: Prototype.from_embeddings(vectors[:20]) for name, vectors in cloud.items()},
        dict.fromkeys(cloud, 20),
    )
    assert (figured["accuracy"], figured["highest_level"]) == (1.0, 0.0476)
    assert figured["leave_one_category_out"]["lowest_auroc"] == 1.0
    assert figured["leave_one_category_out"]["mean_unknown_refused_at_floor"] == 1.0
