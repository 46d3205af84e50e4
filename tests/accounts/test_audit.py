from __future__ import annotations

from datetime import timedelta

import pytest

from anomalyos.accounts import audit
from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


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


def test_a_search_asks_for_starts_of_names_and_for_days(store: Store) -> None:
    with store.session() as session:
        for actor, action, subject in (
            ("cli:root", "model.promote", "category:nut"),
            ("cli:mia", "user.create", "user:mia"),
            ("mia", "model.rollback", "category:nut_2"),
            ("m%a", "model.promote", "category:nut"),
        ):
            audit.write(session, actor=actor, action=action, subject=subject)
    now = utc_now()
    with store.session(read_only=True) as session:

        def actors(wanted: audit.AuditFilter) -> list[str]:
            found = audit.search(session, wanted)
            assert audit.count(session, wanted) == len(found)
            return [event.actor for event in found]

        assert actors(audit.AuditFilter(actor="cli:")) == ["cli:mia", "cli:root"]
        assert actors(audit.AuditFilter(actor="m%")) == ["m%a"]
        assert actors(audit.AuditFilter(action="model.", subject="category:nut_")) == ["mia"]
        assert len(actors(audit.AuditFilter(since=now - timedelta(hours=1), until=now))) == 4
        assert actors(audit.AuditFilter(since=now + timedelta(hours=1))) == []
        assert actors(audit.AuditFilter(until=now - timedelta(hours=1))) == []
        assert audit.actions(session) == ["model.promote", "model.rollback", "user.create"]


def test_pages_lead_both_ways_and_a_walk_misses_nothing(store: Store) -> None:
    with store.session() as session:
        ids = [audit.write(session, actor="mia", action="a", subject=f"x:{n}").id or 0 for n in range(7)]
    everything = audit.AuditFilter()
    with store.session(read_only=True) as session:
        newest = audit.search(session, everything, limit=3)
        assert [event.id for event in newest] == ids[:3:-1]
        older = audit.search(session, everything, limit=3, before_id=newest[-1].id)
        assert [event.id for event in older] == ids[3:0:-1]
        back = audit.search(session, everything, limit=3, after_id=older[0].id)
        assert [event.id for event in back] == [event.id for event in newest]
        assert [event.id for event in audit.walk(session, everything, at_once=2)] == ids[::-1]
