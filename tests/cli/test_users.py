from __future__ import annotations

import json
import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from anomalyos.accounts import tokens, users
from anomalyos.cli.output import FriendlyGroup
from anomalyos.cli.users import app as users_app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store, open_store

PASSWORD = "correct horse battery"
SHOWN_PASSWORD = re.compile(r"([a-z2-9]{5}-){4}[a-z2-9]{5}")


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(cls=FriendlyGroup, pretty_exceptions_enable=False)
    app.add_typer(users_app, name="users")
    return app


def run(app: typer.Typer, *arguments: str, stdin: str | None = None, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["users", *arguments], input=stdin)
    assert result.exit_code == code, result.output
    return result


def run_json(app: typer.Typer, *arguments: str, stdin: str | None = None) -> Any:
    return json.loads(run(app, *arguments, "--json", stdin=stdin).stdout)


def test_the_first_command_works_on_an_empty_home(settings: Settings, app: typer.Typer) -> None:
    result = run(app, "add", "mia", "--role", "reviewer")
    password = result.stdout.strip()
    assert SHOWN_PASSWORD.fullmatch(password)
    assert password not in result.stderr
    with open_store(settings).session() as session:
        assert users.authenticate(session, "mia", password) is not None


def test_a_password_comes_from_stdin_and_is_not_repeated(store: Store, app: typer.Typer) -> None:
    result = run(app, "add", "mia", "--role", "reviewer", "--password-stdin", stdin=f"{PASSWORD}\nrest\n")
    assert PASSWORD not in result.output
    with store.session() as session:
        assert users.authenticate(session, "mia", PASSWORD) is not None


def test_json_holds_everything(store: Store, app: typer.Typer) -> None:
    added = run_json(app, "add", "mia", "--role", "reviewer")
    assert SHOWN_PASSWORD.fullmatch(added.pop("password"))
    assert run_json(app, "list") == [added]
    assert (added["name"], added["role"], added["active"]) == ("mia", "reviewer", True)
    typed = run_json(app, "add", "ben", "--role", "viewer", "--password-stdin", stdin=PASSWORD)
    assert "password" not in typed


def test_users_are_changed(store: Store, app: typer.Typer) -> None:
    run(app, "add", "mia", "--role", "reviewer")
    assert run_json(app, "set-role", "mia", "--role", "engineer")["role"] == "engineer"
    run(app, "set-password", "mia", "--password-stdin", stdin=PASSWORD)
    assert run_json(app, "disable", "mia")["active"] is False
    with store.session() as session:
        assert users.authenticate(session, "mia", PASSWORD) is None
    assert run_json(app, "enable", "mia")["active"] is True
    with store.session() as session:
        assert users.authenticate(session, "mia", PASSWORD) is not None
    assert "engineer" in run(app, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set-role", "nobody", "--role", "viewer"], "no user 'nobody'"),
        (["add", "Mia", "--role", "viewer"], "user name"),
        (["add", "mia", "--role", "root"], "not a role"),
        (["add", "mia", "--role", "viewer", "--password-stdin"], "12 to 256"),
        (["token", "create", "nobody", "--name", "x", "--scope", "read"], "no user"),
        (["token", "revoke", "7"], "no API token"),
    ],
)
def test_mistakes_are_explained_with_exit_code_2(
    store: Store, app: typer.Typer, arguments: list[str], words: str
) -> None:
    result = run(app, *arguments, stdin="short\n", code=2)
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_token_is_shown_once_and_revoked(store: Store, app: typer.Typer) -> None:
    run(app, "add", "mia", "--role", "reviewer")
    plain = run(app, "token", "create", "mia", "--name", "camera 1", "--scope", "inspect").stdout.strip()
    with store.session() as session:
        assert tokens.verify(session, plain, "inspect")[0].name == "mia"
    listed = run(app, "token", "list")
    assert "camera 1" in listed.stdout
    assert plain not in listed.output
    (row,) = run_json(app, "token", "list", "--user", "mia")
    assert (row["user"], row["scopes"], row["revoked_at"]) == ("mia", ["inspect"], None)
    assert row["expires_at"] is not None
    assert run_json(app, "token", "revoke", str(row["id"]))["revoked_at"] is not None
    run(app, "token", "revoke", str(row["id"]))


def test_a_token_in_json(store: Store, app: typer.Typer) -> None:
    run(app, "add", "mia", "--role", "reviewer")
    made = run_json(
        app, "token", "create", "mia", "--name", "x", "--scope", "read", "--scope", "inspect", "--days", "1"
    )
    with store.session() as session:
        tokens.verify(session, made["token"], "read")
    assert made["scopes"] == ["inspect", "read"]
