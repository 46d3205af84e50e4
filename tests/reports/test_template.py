"""The report without a model: complete, readable, and held to the same check as a model's."""

from __future__ import annotations

from hypothesis import HealthCheck, given
from hypothesis import settings as budget

from anomalyos.explain.evidence import Evidence
from anomalyos.reports.content import SECTIONS, ReportContent
from anomalyos.reports.dossier import build_fact_sheet
from anomalyos.reports.grounding import check
from anomalyos.reports.template import write_draft
from tests.reports.examples import bare, case, cause, evidence
from tests.reports.generated import evidences


def written(item: Evidence) -> ReportContent:
    dossier = build_fact_sheet(item)
    return check(write_draft(item, dossier), dossier)


def text_of(content: ReportContent) -> str:
    return "\n".join(statement.text for name in SECTIONS for statement in content.section(name))


@budget(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidences())
def test_every_statement_is_supported_whatever_the_evidence(item: Evidence) -> None:
    content = written(item)
    for name in SECTIONS:
        assert content.section(name), name
        for statement in content.section(name):
            assert statement.problems == (), statement
            assert statement.cites


@budget(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(evidences())
def test_ids_are_unique_and_text_holds_nothing_invisible(item: Evidence) -> None:
    facts = build_fact_sheet(item).facts
    assert len({fact.id for fact in facts}) == len(facts)
    for fact in facts:
        assert fact.text.isprintable(), repr(fact.text)
        assert fact.text.count("“") == fact.text.count("”")


def test_a_known_defect_in_plain_sentences() -> None:
    content = written(evidence())
    text = text_of(content)
    assert content.finding[0].text == (
        "The part of category “hazelnut” was flagged as anomalous. Its score is 41.2, 1.35 times the "
        "threshold of 30.5 (higher than all of the 50 normal parts it was held against). "
        "Model version 3 judged it."
    )
    assert "All 3 similar cases are “crack”, the closest with similarity 0.91." in text
    assert "Drying too fast: 62 % likely (90 % interval 43 % to 78 %" in text
    assert "established in 3 of 8 cases" in text
    assert "Lower the inlet to 45 °C." in text
    assert "not a measurement" in text
    assert content.confidence.level == "high"


def test_cases_that_disagree_are_named_one_by_one() -> None:
    item = evidence(similar=(case(1, 0.9, "crack"), case(2, 0.8, "hole")))
    text = text_of(written(item))
    assert "“crack” (case 1, similarity 0.90) and “hole” (case 2, similarity 0.80)" in text


def test_what_is_missing_is_said() -> None:
    item = evidence(similar=(), causes=(), missing={"similar": "The case base is empty."})
    content = written(item)
    assert content.evidence[0].text == "No similar case is known. Reason: “The case base is empty.”"
    assert content.likely_causes[0].text == "No cause is known for this."
    assert content.remedies[0].text == "No remedy is recorded for this."
    assert "compare the part with a good one" in content.next_checks[0].text
    assert content.confidence.level == "low"


def test_a_cause_without_a_confirmed_case_says_so() -> None:
    item = evidence(causes=(cause("x", "Worn die", 0.7, confirmed=0, confirmed_all=0),))
    content = written(item)
    assert "from general knowledge alone" in content.likely_causes[0].text
    assert content.confidence.level == "medium"
    assert "has not been established" in content.confidence.why


def test_a_normal_part() -> None:
    content = written(bare("normal", score=12.0))
    assert "was judged normal. Its score is 12 and the threshold is 30.5" in content.finding[0].text
    assert content.confidence.level == "high"
    assert written(bare("normal", score=29.0)).confidence.level == "medium"


def test_an_unknown_category() -> None:
    item = bare("unknown_category", score=None, threshold=None, routed_similarity=0.412)
    content = written(item)
    assert "resembles no known product; the closest is “hazelnut” with similarity 0.41" in text_of(content)
    assert content.confidence.level == "low"


def test_a_refused_image() -> None:
    item = bare("rejected", score=None, threshold=None, reject_reason="truncated")
    assert written(item).finding[0].text == "The image was refused and not judged: “truncated”."


def test_a_contradicted_category_comes_first_in_what_to_check() -> None:
    item = evidence({"route_mismatch": True, "routed_category": "walnut"}, causes=())
    content = written(item)
    assert "which product this is" in content.next_checks[0].text
    assert "“walnut”" in content.next_checks[0].text
    assert content.confidence.level == "low"


def test_a_synthetic_product_is_called_one() -> None:
    assert "drawn by a program" in text_of(written(evidence({"synthetic": True})))
