from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlmodel import Session

from anomalyos.accounts import audit, users
from anomalyos.accounts import rules as auth
from anomalyos.accounts.tables import User
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.support import workers

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

PASSWORD = "correct horse battery"


def add(session: Session, name: str = "mia", role: str = "reviewer") -> User:
    return users.create(session, name=name, password=PASSWORD, role=role, actor="cli")


def test_a_user_signs_in_with_name_and_password(store: Store) -> None:
    with store.session() as session:
        add(session)
    with store.session() as session:
        user = users.authenticate(session, "mia", PASSWORD)
        assert user is not None
        assert (user.name, user.role, user.active, user.session_epoch) == ("mia", "reviewer", True, 0)
        assert PASSWORD not in user.password_hash
        assert user.password_hash.startswith("$argon2id$")
        (event,) = audit.recent(session, subject="user:mia")
        assert (event.actor, event.action, event.detail) == ("cli", "user.create", {"role": "reviewer"})


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("mia", "correct horse batterY"),
        ("mia", ""),
        ("mia", PASSWORD + "x" * 300),
        ("mia", "\ud800"),
        ("ben", PASSWORD),
        ("MIA", PASSWORD),
        ("mia\0", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ],
)
def test_anything_else_is_refused(store: Store, name: str, password: str) -> None:
    with store.session() as session:
        add(session)
        assert users.authenticate(session, name, password) is None


def test_unknown_disabled_and_mistaken_users_cost_the_same_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.session() as session:
        add(session)
        add(session, "gone")
        users.set_active(session, name="gone", active=False, actor="cli")

    checked: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, hashed: str, password: str) -> bool:
        checked.append(hashed.rsplit("$", 2)[0])
        return verify(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    with store.session() as session:
        for name in ("mia", "gone", "nobody"):
            for password in ("wrong password!", PASSWORD):
                checked.clear()
                signed_in = users.authenticate(session, name, password) is not None
                assert signed_in == (name == "mia" and password == PASSWORD)
                # one check each, with the same cost parameters
                assert checked == ["$argon2id$v=19$m=8,t=1,p=1"]


def test_a_weak_hash_is_renewed_when_its_owner_signs_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.session() as session:
        old = add(session).password_hash
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(auth, "hasher", lambda: stronger)
    with store.session(read_only=True) as session:
        user = users.authenticate(session, "mia", PASSWORD)
        assert user is not None
        assert user.password_hash == old
    with store.session() as session:
        assert users.authenticate(session, "mia", "wrong password!") is None
        assert users.by_name(session, "mia").password_hash == old
        assert users.authenticate(session, "mia", PASSWORD) is not None
    with store.session() as session:
        user = users.by_name(session, "mia")
        assert "m=16,t=2" in user.password_hash
        assert user.session_epoch == 0
        assert users.authenticate(session, "mia", PASSWORD) is not None


def test_a_name_is_given_once(store: Store) -> None:
    with store.session() as session:
        add(session)
        with pytest.raises(Conflict, match="already"):
            add(session, role="admin")
        assert users.by_name(session, "mia").role == "reviewer"
        assert len(audit.recent(session)) == 1


@pytest.mark.parametrize("name", ["", "Mia", "m ia", "-mia", "../mia", "mia\n", "mía", "m" * 65])
def test_odd_names_are_refused(store: Store, name: str) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError, match="user name"):
        add(session, name)


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaaa", "mia-mia-mia-mia", "x1Y2" * 65])
def test_weak_passwords_are_refused(store: Store, password: str) -> None:
    with store.session() as session:
        add(session)
        with pytest.raises(AnomalyOSError):
            users.set_password(session, name="mia", password=password, actor="cli")
        assert users.authenticate(session, "mia", PASSWORD) is not None


def test_unknown_roles_are_refused(store: Store) -> None:
    with store.session() as session:
        with pytest.raises(AnomalyOSError, match="not a role"):
            add(session, role="root")
        assert users.list_all(session) == []


def test_every_change_ends_the_sessions_and_is_written_down(store: Store) -> None:
    with store.session() as session:
        add(session)
        users.set_password(session, name="mia", password="another long password", actor="boss")
        users.set_role(session, name="mia", role="engineer", actor="boss")
        users.set_active(session, name="mia", active=False, actor="boss")
        assert users.authenticate(session, "mia", "another long password") is None
        users.set_active(session, name="mia", active=True, actor="boss")
        user = users.authenticate(session, "mia", "another long password")
        assert user is not None
        assert (user.role, user.session_epoch) == ("engineer", 4)
        assert users.get(session, user.id or 0) is user
        events = audit.recent(session, actor="boss")
        assert [event.action for event in events] == [
            "user.enable",
            "user.disable",
            "user.set_role",
            "user.set_password",
        ]
        assert "another long password" not in str([event.detail for event in events])


def test_missing_users_are_named(store: Store) -> None:
    with store.session() as session:
        with pytest.raises(NotFound, match="nobody"):
            users.set_role(session, name="nobody", role="viewer", actor="cli")
        with pytest.raises(NotFound):
            users.get(session, 99)


def test_the_last_administrator_stays(store: Store) -> None:
    with store.session() as session:
        add(session, "boss", "admin")
        add(session, "mia")
        with pytest.raises(Conflict, match="last administrator"):
            users.set_role(session, name="boss", role="viewer", actor="boss")
        with pytest.raises(Conflict, match="last administrator"):
            users.set_active(session, name="boss", active=False, actor="boss")
        users.set_role(session, name="boss", role="admin", actor="boss")
        users.set_role(session, name="mia", role="admin", actor="boss")
        users.set_active(session, name="boss", active=False, actor="mia")
        with pytest.raises(Conflict):
            users.set_active(session, name="mia", active=False, actor="mia")


def test_administrators_who_remove_each_other_at_once_leave_one(
    store: Store, store_settings: Settings
) -> None:
    with store.session() as session:
        add(session, "boss", "admin")
        add(session, "mia", "admin")
    outcomes = workers.run_together(workers.demote, store_settings, [("boss",), ("mia",)])
    assert sorted(outcomes) == ["Conflict", "demoted"]
    with store.session() as session:
        assert sorted(user.role for user in users.list_all(session)) == ["admin", "viewer"]


def test_the_first_admin_is_made_once(store: Store) -> None:
    with store.session() as session:
        password = users.ensure_first_admin(session)
        assert password is not None
        assert users.ensure_first_admin(session) is None
    with store.session() as session:
        assert users.ensure_first_admin(session) is None
        admin = users.authenticate(session, "admin", password)
        assert admin is not None
        assert admin.role == "admin"
        assert password not in str([event.model_dump() for event in audit.recent(session)])


def test_nobody_becomes_admin_where_users_exist(store: Store) -> None:
    with store.session() as session:
        add(session)
        assert users.ensure_first_admin(session) is None
        assert [user.name for user in users.list_all(session)] == ["mia"]


def test_of_processes_that_start_at_once_one_makes_the_admin(store: Store, store_settings: Settings) -> None:
    outcomes = workers.run_together(workers.first_admin, store_settings, [()] * 4)
    (password,) = [outcome for outcome in outcomes if outcome is not None]
    with store.session() as session:
        (admin,) = users.list_all(session)
        assert users.authenticate(session, admin.name, password) is not None
        assert len(audit.recent(session)) == 1
