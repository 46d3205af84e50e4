from __future__ import annotations

from anomalyos.store import audit
from anomalyos.store.engine import Store


def test_events_come_newest_first_and_page_on(store: Store) -> None:
    with store.session() as session:
        for number in range(5):
            audit.write(session, actor="mia", action="test", subject=f"thing:{number}", detail={"n": number})
    with store.session() as session:
        page = audit.recent(session, limit=2)
        assert [event.detail["n"] for event in page] == [4, 3]
        rest = audit.recent(session, before_id=page[-1].id)
        assert [event.detail["n"] for event in rest] == [2, 1, 0]


def test_events_are_filtered(store: Store) -> None:
    with store.session() as session:
        audit.write(session, actor="mia", action="a", subject="x:1")
        audit.write(session, actor="ben", action="b", subject="x:1")
        audit.write(session, actor="ben", action="a", subject="x:2")
        assert [e.actor for e in audit.recent(session, subject="x:1")] == ["ben", "mia"]
        assert [e.subject for e in audit.recent(session, actor="ben", action="a")] == ["x:2"]
        assert audit.recent(session, actor="nobody") == []
