"""What counts as supported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.reports.confidence import bounded
from anomalyos.reports.content import SECTIONS, Claim, Confidence, Section, Statement
from anomalyos.reports.dossier import build_fact_sheet
from anomalyos.reports.grounding import check_claim
from tests.reports.examples import bare, evidence

DOSSIER = build_fact_sheet(evidence())


def checked(section: Section, text: str, *cites: str) -> Statement:
    return check_claim(section, Claim(text=text, cites=cites), DOSSIER)


@pytest.mark.parametrize(
    ("section", "text", "cites"),
    [
        ("finding", "The score of 41.2 is 1.35 times the threshold.", ["verdict"]),
        ("finding", "The score is about 41.", ["verdict"]),
        ("finding", "This is an anomalous part.", ["verdict"]),
        ("evidence", "Two cases agree: case 17 and case 18.", ["case:17", "case:18"]),
        ("evidence", "A reviewer wrote that it is the “third one from this tray”.", ["note:review:12"]),
        ("evidence", "Similarity is 91 %.", ["case:17"]),
        ("likely_causes", "It probably dried too fast (62 %).", ["cause:fast-drying", "case:17"]),
        ("remedies", "Dry slower.", ["remedy:fast-drying-slower"]),
        ("next_checks", "Check the air's humidity.", ["check:fast-drying-humidity"]),
    ],
)
def test_a_sound_statement_passes(section: Section, text: str, cites: list[str]) -> None:
    assert checked(section, text, *cites).supported


@pytest.mark.parametrize(
    ("section", "text", "cites", "problem"),
    [
        ("finding", "It is cracked.", [], "cites nothing"),
        ("finding", "It is cracked.", ["", "  "], "cites nothing"),
        ("finding", "It is cracked.", ["case:99"], "not retrieved"),
        ("finding", "It is cracked.", ["verdict", "case:99"], "not retrieved"),
        ("finding", "Its score is 99.", ["verdict"], "says 99"),
        ("evidence", "Similarity 0.99.", ["case:17"], "says 0.99"),
        ("likely_causes", "A worn die.", ["case:17"], "cites no cause"),
        ("likely_causes", "A worn die.", ["cause:fast-drying"], "does not name the cause"),
        ("remedies", "Dry slower.", ["cause:fast-drying"], "cites no remedy"),
        ("next_checks", "Measure humidity.", ["remedy:fast-drying-slower"], "cites no check"),
        ("finding", "The part is fine.", ["verdict"], "contradicts"),
        ("finding", "No defect was found.", ["verdict"], "contradicts"),
        ("finding", "It is not defective.", ["verdict"], "contradicts"),
        ("next_checks", "Nothing, it can be shipped.", ["check:fast-drying-humidity"], "contradicts"),
    ],
)
def test_an_unsound_statement_says_why(section: Section, text: str, cites: list[str], problem: str) -> None:
    statement = checked(section, text, *cites)
    assert problem in "; ".join(statement.problems)
    assert statement.text == text


def test_the_other_verdicts_cannot_be_turned_round_either() -> None:
    claim = Claim(text="The part is defective.", cites=("verdict",))
    for verdict in ("normal", "unknown_category", "rejected"):
        dossier = build_fact_sheet(bare(verdict))
        assert any("verdict" in problem for problem in check_claim("finding", claim, dossier).problems)


def test_absence_cannot_be_cited_for_a_claim() -> None:
    dossier = build_fact_sheet(evidence(causes=()))
    honest = Claim(text="No cause is known.", cites=("missing:causes",))
    cover = Claim(text="The die is worn.", cites=("missing:causes",))
    assert check_claim("likely_causes", honest, dossier).supported
    assert not check_claim("likely_causes", cover, dossier).supported


@given(
    st.sampled_from(SECTIONS),
    st.text(max_size=80).filter(lambda text: text.strip()),
    st.lists(st.text(max_size=20), max_size=4),
)
def test_only_retrieved_ids_support_anything(section: Section, text: str, cites: list[str]) -> None:
    statement = check_claim(section, Claim(text=text, cites=tuple(cites)), DOSSIER)
    known = {fact.id for fact in DOSSIER.facts}
    if statement.supported:
        assert statement.cites
        assert set(statement.cites) <= known
    assert statement.text.isprintable()


def test_confidence_never_exceeds_what_the_evidence_carries() -> None:
    sure = Confidence(level="high", why="I am sure.")
    everything = [True] * 6
    assert bounded(sure, evidence(), everything).level == "high"
    assert bounded(sure, evidence(causes=()), everything).level == "low"
    assert bounded(sure, evidence({"score": 31.0}), everything).level == "medium"
    assert bounded(sure, evidence(), [*everything, False]).level == "medium"
    assert bounded(sure, evidence(), [True, False]).level == "low"
    humble = Confidence(level="low", why="Hard to tell.")
    assert bounded(humble, evidence(), everything) == humble
