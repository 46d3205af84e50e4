from __future__ import annotations

import re

import pytest

from anomalyos.accounts import rules as auth
from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotAllowed


@pytest.fixture(autouse=True)
def quick_hashes() -> None:
    """None here: what production uses is tested."""


def test_passwords_are_hashed_with_argon2id_and_salt() -> None:
    first, second = (auth.hash_password("correct horse battery") for _ in range(2))
    assert first != second
    # the floor OWASP and RFC 9106 give for interactive sign-in
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$", first)
    assert found is not None
    assert int(found[1]) >= 19 * 1024
    assert int(found[2]) >= 2
    assert auth.password_matches(first, "correct horse battery")
    assert not auth.password_matches(first, "correct horse batteru")


@pytest.mark.parametrize("broken", ["", "plain", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_hash_matches_nothing(broken: str) -> None:
    assert not auth.password_matches(broken, "")
    assert not auth.password_matches(broken, broken)


def test_generated_passwords_are_accepted_and_differ() -> None:
    made = {auth.generate_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        auth.check_password(password, "admin")
        assert re.fullmatch(r"([a-hjkmnp-z2-9]{5}-){4}[a-hjkmnp-z2-9]{5}", password)


def test_roles_ascend() -> None:
    ordered = [Role.VIEWER, Role.REVIEWER, Role.ENGINEER, Role.ADMIN]
    for rank, role in enumerate(ordered):
        assert [auth.has_role(role, needed) for needed in ordered] == [n <= rank for n in range(4)]
    auth.require_role("engineer", Role.REVIEWER)
    with pytest.raises(NotAllowed, match="engineer"):
        auth.require_role("reviewer", Role.ENGINEER)
    with pytest.raises(AnomalyOSError, match="viewer, reviewer, engineer, admin"):
        auth.parse_role("root")
