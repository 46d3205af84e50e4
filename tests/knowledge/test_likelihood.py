from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge.bulk import Content
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.likelihood import interval, marginals, root_causes
from tests.knowledge.conftest import as_graph

CAUSES = [f"cause:c{number}" for number in range(5)]
ONE, TWO, CATEGORY = "defect:nut/one", "defect:nut/two", "category:nut"

priors = st.dictionaries(st.sampled_from(CAUSES), st.floats(0.01, 50), min_size=1)
evidence = st.dictionaries(
    st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from(CAUSES)), st.integers(0, 60)
)
weight = st.floats(0.001, 100)


def build(one: dict[str, float], two: dict[str, float]) -> KnowledgeGraph:
    content = Content()
    for key in (CATEGORY, ONE, TWO, *CAUSES):
        content.nodes[key] = {"name": key, "text": "", "attributes": {}}
    for defect, causes in ((ONE, one), (TWO, two)):
        content.edges[CATEGORY, "has_defect", defect] = 1.0
        content.edges |= {(defect, "caused_by", cause): alpha for cause, alpha in causes.items()}
    return as_graph(content)


@settings(max_examples=60, deadline=None)
@given(one=priors, two=priors, counts=evidence, share=weight)
def test_probabilities_are_probabilities(
    one: dict[str, float], two: dict[str, float], counts: dict[tuple[str, str], int], share: float
) -> None:
    ranked = root_causes(build(one, two), counts, [(ONE, share), (TWO, 1.0)], k=9)
    assert {cause.key for cause in ranked} == set(one) | set(two)
    for cause in ranked:
        assert 0 <= cause.low <= cause.probability <= cause.high <= 1
        assert cause.confirmed <= cause.confirmed_all
    assert sum(cause.probability for cause in ranked) == pytest.approx(1, abs=1e-9)
    assert sum(cause.prior for cause in ranked) == pytest.approx(1, abs=1e-9)
    assert [c.probability for c in ranked] == sorted((c.probability for c in ranked), reverse=True)


@settings(max_examples=60, deadline=None)
@given(one=priors, two=priors, counts=evidence, share=weight, data=st.data())
def test_evidence_lifts_its_cause_and_no_other(
    one: dict[str, float],
    two: dict[str, float],
    counts: dict[tuple[str, str], int],
    share: float,
    data: st.DataObject,
) -> None:
    graph, asked = build(one, two), [(ONE, share), (TWO, 1.0)]
    found = data.draw(st.sampled_from(sorted(one)))
    more = {**counts, (ONE, found): counts.get((ONE, found), 0) + 1}
    before = {cause.key: cause for cause in root_causes(graph, counts, asked, k=9)}
    after = {cause.key: cause for cause in root_causes(graph, more, asked, k=9)}
    for key, cause in after.items():
        if key == found:
            assert cause.probability >= before[key].probability - 1e-12
            assert cause.confirmed == before[key].confirmed + 1
        else:
            assert cause.probability <= before[key].probability + 1e-12
    withdrawn = {**more, (ONE, found): more[ONE, found] - 1}
    assert {c.key: c for c in root_causes(graph, withdrawn, asked, k=9)} == before


def test_one_defect_type_agrees_with_scipy() -> None:
    from scipy.stats import beta

    graph = build({CAUSES[0]: 2.0, CAUSES[1]: 1.0, CAUSES[2]: 0.5}, {CAUSES[3]: 1.0})
    found = root_causes(graph, {(ONE, CAUSES[1]): 4}, [(ONE, 7.0)])[0]
    assert found.key == CAUSES[1]
    assert found.probability == pytest.approx(5 / 7.5)
    assert (found.low, found.high) == pytest.approx(tuple(beta(5, 2.5).ppf([0.05, 0.95])))
    assert (found.prior, found.confirmed, found.confirmed_all) == (pytest.approx(1 / 3.5), 4, 4)


def test_a_mixture_agrees_with_drawing_from_it() -> None:
    parts = [(0.7, marginals({"a": 2.0, "b": 1.0}, {"a": 3})["a"]), (0.3, None)]
    rng = np.random.default_rng(1)
    drawn = np.where(rng.random(200_000) < 0.7, rng.beta(5, 1, 200_000), 0.0)
    low, high = interval(parts, float(drawn.mean()))
    assert (low, high) == pytest.approx((np.quantile(drawn, 0.05), np.quantile(drawn, 0.95)), abs=5e-3)


def test_the_only_cause_is_certain_and_an_unlikely_one_keeps_its_mean_inside() -> None:
    graph = build({CAUSES[0]: 0.3}, {CAUSES[1]: 1.0, CAUSES[2]: 1.0})
    only = root_causes(graph, {}, [(ONE, 1.0)])
    assert [(c.probability, c.low, c.high) for c in only] == [(1.0, 1.0, 1.0)]
    rare = {c.key: c for c in root_causes(graph, {}, [(ONE, 0.99), (TWO, 0.01)])}[CAUSES[1]]
    assert (rare.low, rare.high) == (0.0, rare.probability)


def test_the_path_leads_over_the_defect_type_that_speaks_loudest(graph: KnowledgeGraph) -> None:
    asked = [("defect:hazelnut/crack", 0.2), ("defect:hazelnut/hole", 0.8)]
    first, *rest = root_causes(graph, {}, asked)
    assert [step.key for step in first.path] == [
        "category:hazelnut",
        "defect:hazelnut/hole",
        "cause:insect-attack",
    ]
    assert [step.relation for step in first.path] == ["", "has defect", "caused by"]
    assert first.steps
    assert first.remedies
    assert first.checks
    assert len(rest) == 4


def test_an_unknown_type_stands_for_its_category_and_says_so(graph: KnowledgeGraph) -> None:
    ranked = root_causes(graph, {}, [("defect:hazelnut/unnamed", 1.0)], k=3)
    assert len(ranked) == 3
    assert {cause.path[1].relation for cause in ranked} == {"may have defect"}
    assert root_causes(graph, {}, [("defect:teapot/crack", 1.0)]) == ()
    assert root_causes(graph, {}, []) == ()


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_none_are_refused(graph: KnowledgeGraph, wrong: float) -> None:
    with pytest.raises(AnomalyOSError, match="weight"):
        root_causes(graph, {}, [("defect:hazelnut/crack", wrong)])
    with pytest.raises(AnomalyOSError, match="at least one"):
        root_causes(graph, {}, [("defect:hazelnut/crack", 1.0)], k=0)
