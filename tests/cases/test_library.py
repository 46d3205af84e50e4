from __future__ import annotations

import numpy as np
import pytest

from anomalyos.cases import repository as case_repository
from anomalyos.cases.library import CaseLibrary, IndexMismatch, get_case_library
from anomalyos.core.errors import NotFound
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.inspector import Inspector, live_batch
from tests.support.products import draw, png


@pytest.fixture
def library(settings: Settings, built: Store) -> CaseLibrary:
    return CaseLibrary(settings, built)


def ids(library: CaseLibrary, category: str | None, k: int = 5) -> list[int]:
    rgb, _ = draw("dots", 2000, flawed=True)
    return [case.case_id for case in library.similar(rgb, None, category, k)]


def test_labelled_defects_are_imported_once_and_found_by_their_looks(library: CaseLibrary) -> None:
    assert library.import_labelled("dots") == {"added": 2, "known": 0, "without_mask": 0, "unreadable": 0}
    assert library.import_labelled("dots")["known"] == 2
    library.import_labelled("stripes")
    rgb, mask = draw("dots", 2001, flawed=True)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(x=int(columns[0]), y=int(rows[0]), width=14, height=14)
    found = library.similar(rgb, box, None)
    assert found[0].source == "dots/test/stain/001.png"
    assert found[0].similarity > 0.999
    assert found[0].defect_type == "stain"
    assert [case.category for case in library.similar(rgb, box, "stripes")] == ["stripes"] * 2
    assert library.similar(rgb, box, "nothing known") == ()
    without = library.similar(rgb, box, None, exclude_images=frozenset([found[0].image_sha256]))
    assert found[0].case_id not in {case.case_id for case in without}
    assert len(without) == 3
    assert library.store.objects.read(found[0].crop_path)


def test_unknown_categories_are_refused(library: CaseLibrary) -> None:
    with pytest.raises(NotFound):
        library.import_labelled("moon")


def test_what_another_process_changes_is_seen_by_the_next_search(
    settings: Settings, built: Store, library: CaseLibrary
) -> None:
    other = CaseLibrary(settings, built)
    assert ids(library, None) == []
    other.import_labelled("dots")
    found = ids(library, None)
    assert len(found) == 2
    other.remove(found[0], "mia", "wrong label")
    assert ids(library, None) == found[1:]
    assert ids(library, None, k=1) == found[1:]


def test_a_rebuild_and_a_restart_give_the_same_answers(
    settings: Settings, built: Store, library: CaseLibrary
) -> None:
    for name in ("dots", "stripes"):
        library.import_labelled(name)
    library.remove(ids(library, "stripes")[0], "mia", "wrong label")
    before = ids(library, None)
    assert library.rebuild() == {"cases": 3, "embedded": 0, "unreadable": 0}
    assert ids(library, None) == before
    assert ids(CaseLibrary(settings, built), None) == before


def test_a_restored_database_is_read_anew(settings: Settings, built: Store, library: CaseLibrary) -> None:
    library.import_labelled("dots")
    before = ids(library, None)
    with built.session() as session:
        # as if an older backup had been restored: the case is back and no later change tells of it
        case_repository.get(session, before[0]).category = "stripes"
    assert ids(CaseLibrary(settings, built), "stripes") == before[:1]


def test_many_cases_without_an_embedding_are_refused_until_a_rebuild(
    library: CaseLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anomalyos.cases import library as module
    from anomalyos.cases.tables import CaseVector

    library.import_labelled("dots")
    with library.store.session() as session:
        for number in (1, 2):
            vector = session.get_one(CaseVector, number)
            vector.embedder = "of another embedder"
    fresh = CaseLibrary(library.settings, library.store)
    monkeypatch.setattr(module, "EMBEDDED_UNASKED", 1)
    with pytest.raises(IndexMismatch, match="cases rebuild"):
        ids(fresh, None)
    assert fresh.rebuild() == {"cases": 2, "embedded": 2, "unreadable": 0}
    assert len(ids(fresh, None)) == 2


def test_cases_follow_what_reviewers_decide(settings: Settings, built: Store, library: CaseLibrary) -> None:
    number = inspected(settings, built)
    assert library.follow_review(number, "mia") is None
    decide(built, number, "defect", "burn", "seen on line 2")
    case = library.follow_review(number, "mia")
    assert case is not None
    assert (case.category, case.defect_type, case.note) == ("dots", "burn", "seen on line 2")
    again = library.follow_review(number, "mia")
    assert again is not None
    assert again.id == case.id
    assert again.change == case.change
    assert ids(library, "dots") == [case.id]

    decide(built, number, "defect", "stain")
    renamed = library.follow_review(number, "mia")
    assert renamed is not None
    assert renamed.id != case.id
    assert ids(library, "dots") == [renamed.id]

    with built.session() as session:
        reviews.undo(session, inspection_id=number, actor="mia", expected_version=2)
    restored = library.follow_review(number, "mia")
    assert restored is not None
    assert restored.id == case.id
    assert ids(library, "dots") == [case.id]

    decide(built, number, "false_alarm")
    assert library.follow_review(number, "mia") is None
    assert ids(library, "dots") == []
    with built.session(read_only=True) as session:
        assert case_repository.reviews_not_followed(session) == []


def test_a_case_removed_by_hand_does_not_come_back_with_its_review(
    settings: Settings, built: Store, library: CaseLibrary
) -> None:
    number = inspected(settings, built)
    decide(built, number, "defect")
    case = library.follow_review(number, "mia")
    assert case is not None
    assert case.defect_type == case_repository.UNNAMED
    library.remove(stored_id(case.id), "ben", "not typical")
    library.follow_review(number, "mia")
    assert ids(library, None) == []


def test_the_library_is_shared_within_a_process(settings: Settings, built: Store) -> None:
    assert get_case_library(settings, built) is get_case_library(settings, built)


def inspected(settings: Settings, store: Store) -> int:
    rgb, _ = draw("dots", 2000, flawed=True)
    row = Inspector(settings, store).inspect(png(rgb), source="upload:1.png", batch_key=live_batch(store))
    return stored_id(row.id)


def decide(store: Store, number: int, decision: str, defect_type: str = "", note: str = "") -> None:
    with store.session() as session:
        reviews.decide(
            session,
            inspection_id=number,
            decision=decision,
            defect_type=defect_type,
            note=note,
            actor="mia",
            expected_version=inspections.get(session, number).review_version,
        )
