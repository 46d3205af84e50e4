from __future__ import annotations

from anomalyos.cases import repository as case_repository
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import reviews
from anomalyos.inspection.inspector import Inspector, live_batch
from anomalyos.learning.case_base import follow_reviews, refresh_case_base
from tests.support.products import picture


def test_a_refresh_brings_what_is_missing_and_nothing_twice(settings: Settings, built: Store) -> None:
    seen: list[tuple[str, int, int]] = []
    first = refresh_case_base(["dots", "stripes"], settings, built, lambda *step: seen.append(step))
    assert first["cases"]["dots"]["added"] == 2
    assert first["knowledge"]["nodes"]["added"] > 100
    assert seen == [("dots", 0, 2), ("stripes", 1, 2), ("", 2, 2)]
    again = refresh_case_base(["dots", "stripes"], settings, built)
    assert again["cases"]["dots"] == {"added": 0, "known": 2, "without_mask": 0, "unreadable": 0}
    assert again["knowledge"]["nodes"]["added"] == 0


def test_reviews_the_console_could_not_follow_are_followed(settings: Settings, built: Store) -> None:
    row = Inspector(settings, built).inspect(
        picture("dots", 1, flawed=True), source="a.png", batch_key=live_batch(built)
    )
    number = stored_id(row.id)
    with built.session() as session:
        reviews.decide(
            session,
            inspection_id=number,
            decision="defect",
            defect_type="stain",
            actor="mia",
            expected_version=0,
        )
    assert follow_reviews(settings, built) == 1
    assert follow_reviews(settings, built) == 0
    with built.session(read_only=True) as session:
        assert [case.defect_type for case in case_repository.of_inspection(session, number)] == ["stain"]
