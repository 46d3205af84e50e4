from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from anomalyos.accounts import audit, tokens, users
from anomalyos.accounts.tables import ApiToken, User
from anomalyos.core.errors import AnomalyOSError, NotAllowed, NotFound
from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


@pytest.fixture
def user_id(store: Store) -> int:
    with store.session() as session:
        user = User(name="line1", password_hash="none", role="reviewer")
        session.add(user)
        session.flush()
        return stored_id(user.id)


def create(session: Session, user_id: int, *scopes: str, days: int | None = 1) -> tuple[ApiToken, str]:
    return tokens.create(
        session,
        user_id=user_id,
        name="camera",
        scopes=scopes or ["read"],
        expires_in_days=days,
        actor="mia",
    )


def test_a_token_says_who_calls(store: Store, user_id: int) -> None:
    with store.session() as session:
        made, plain = create(session, user_id, "read", "inspect")
    assert plain.startswith("aos_")
    assert len(plain) > 40
    with store.session(read_only=True) as session:
        for scope in ("read", "inspect"):
            user, token = tokens.verify(session, plain, scope)
            assert (user.id, token.id) == (user_id, made.id)


def test_the_token_itself_is_kept_nowhere(store: Store, user_id: int) -> None:
    with store.session() as session:
        _, plain = create(session, user_id)
        rows = [*tokens.list_all(session), *audit.recent(session)]
    assert plain not in str([row.model_dump() for row in rows])
    assert plain[4:] not in str([row.model_dump() for row in rows])


@pytest.mark.parametrize("plain", ["", "aos_", "aos_wrong", "\0", "\ud800", "x" * 10_000])
def test_other_strings_are_no_tokens(store: Store, user_id: int, plain: str) -> None:
    with store.session() as session:
        create(session, user_id)
        with pytest.raises(NotAllowed, match="not valid"):
            tokens.verify(session, plain, "read")


def test_the_stored_hash_is_not_a_token(store: Store, user_id: int) -> None:
    with store.session() as session:
        made, _ = create(session, user_id)
        with pytest.raises(NotAllowed):
            tokens.verify(session, made.token_sha256, "read")


def test_a_scope_that_was_not_given_is_refused(store: Store, user_id: int) -> None:
    with store.session() as session:
        _, plain = create(session, user_id, "read")
        for scope in ("inspect", "", "rea"):
            with pytest.raises(NotAllowed, match="lacks the scope"):
                tokens.verify(session, plain, scope)


def test_a_token_expires(store: Store, user_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.session() as session:
        _, plain = create(session, user_id, days=7)
        _, eternal = create(session, user_id, days=None)

        def clock(days: int, seconds: int) -> datetime:
            return utc_now() + timedelta(days=days, seconds=seconds)

        monkeypatch.setattr(tokens, "utc_now", lambda: clock(7, -60))
        tokens.verify(session, plain, "read")
        monkeypatch.setattr(tokens, "utc_now", lambda: clock(7, 1))
        with pytest.raises(NotAllowed, match="not valid"):
            tokens.verify(session, plain, "read")
        monkeypatch.setattr(tokens, "utc_now", lambda: clock(3650, 0))
        tokens.verify(session, eternal, "read")


def test_a_revoked_token_is_dead_at_once(store: Store, user_id: int) -> None:
    with store.session() as session:
        made, plain = create(session, user_id)
        _, other = create(session, user_id)
        revoked = tokens.revoke(session, token_id=stored_id(made.id), actor="mia")
        first = revoked.revoked_at
        with pytest.raises(NotAllowed):
            tokens.verify(session, plain, "read")
        tokens.verify(session, other, "read")
        assert tokens.revoke(session, token_id=stored_id(made.id), actor="ben").revoked_at == first
        events = audit.recent(session, action="token.revoke")
        assert [(event.actor, event.subject) for event in events] == [("mia", "user:line1")]


def test_a_disabled_user_s_tokens_rest(store: Store, user_id: int) -> None:
    with store.session() as session:
        _, plain = create(session, user_id)
        users.set_active(session, name="line1", active=False, actor="mia")
        with pytest.raises(NotAllowed):
            tokens.verify(session, plain, "read")
        users.set_active(session, name="line1", active=True, actor="mia")
        tokens.verify(session, plain, "read")


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "write"], [""]])
def test_scopes_must_be_known(store: Store, user_id: int, scopes: list[str]) -> None:
    with store.session() as session:
        with pytest.raises(AnomalyOSError, match="scope"):
            tokens.create(session, user_id=user_id, name="x", scopes=scopes, expires_in_days=1, actor="mia")
        assert tokens.list_all(session) == []


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_lifetimes_without_sense_are_refused(store: Store, user_id: int, days: int) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError, match="days"):
        create(session, user_id, days=days)


def test_a_token_needs_a_user_and_a_name(store: Store, user_id: int) -> None:
    with store.session() as session:
        with pytest.raises(NotFound):
            create(session, user_id + 1)
        with pytest.raises(NotFound):
            tokens.revoke(session, token_id=99, actor="mia")
        with pytest.raises(AnomalyOSError, match="name is missing"):
            tokens.create(session, user_id=user_id, name=" ", scopes=["read"], expires_in_days=1, actor="mia")


def test_tokens_are_listed_newest_first(store: Store, user_id: int) -> None:
    with store.session() as session:
        first, _ = create(session, user_id)
        second, _ = create(session, user_id)
        assert [token.id for token in tokens.list_all(session)] == [second.id, first.id]
        assert [token.id for token in tokens.list_all(session, user_id)] == [second.id, first.id]
        assert tokens.list_all(session, user_id + 1) == []
