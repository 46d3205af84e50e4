"""``anomalyos users``: people and their API tokens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from anomalyos.accounts import tokens, users
from anomalyos.accounts.rules import generate_password
from anomalyos.accounts.tables import ApiToken, User
from anomalyos.cli.output import answer, print_json, print_table, stderr_console
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.db.rows import stored_id

ACTOR = "cli"

app = typer.Typer(no_args_is_help=True, help="People who may sign in, and their API tokens.")
token_app = typer.Typer(no_args_is_help=True, help="API tokens: bearer keys for other programs.")
app.add_typer(token_app, name="token")

Name = Annotated[str, typer.Argument(help="User name.")]
RoleOption = Annotated[str, typer.Option("--role", help="viewer, reviewer, engineer or admin.")]
PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@app.command()
def add(
    name: Name, role: RoleOption, password_stdin: PasswordFromStdin = False, as_json: JsonOption = False
) -> None:
    """Add a user. Without --password-stdin a password is made up and shown once."""
    password, generated = _password(password_stdin)
    with ready_store().session() as session:
        user = users.create(session, name=name, password=password, role=role, actor=ACTOR)
    _report(user, f"Added {name} as {user.role}.", generated, as_json)


@app.command("list")
def list_users(as_json: JsonOption = False) -> None:
    """List every user."""
    with ready_store().session(read_only=True) as session:
        rows = users.list_all(session)
    shown = [[u.name, u.role, "yes" if u.active else "no", f"{u.created_at:%Y-%m-%d}"] for u in rows]
    columns = ("name", "role", "active", "since")
    answer(as_json, [_user_facts(user) for user in rows], lambda: _print_table(columns, shown))


@app.command("set-role")
def set_role(name: Name, role: RoleOption, as_json: JsonOption = False) -> None:
    """Change what a user may do; their sessions end."""
    with ready_store().session() as session:
        user = users.set_role(session, name=name, role=role, actor=ACTOR)
    _report(user, f"{name} is {user.role} now.", None, as_json)


@app.command("set-password")
def set_password(name: Name, password_stdin: PasswordFromStdin = False, as_json: JsonOption = False) -> None:
    """Replace a password; the user's sessions end. Made up and shown once, as in `add`."""
    password, generated = _password(password_stdin)
    with ready_store().session() as session:
        user = users.set_password(session, name=name, password=password, actor=ACTOR)
    _report(user, f"{name} has a new password.", generated, as_json)


@app.command()
def disable(name: Name, as_json: JsonOption = False) -> None:
    """Shut a user out: sessions and tokens stop working at once."""
    _set_active(name, False, as_json)


@app.command()
def enable(name: Name, as_json: JsonOption = False) -> None:
    """Let a disabled user in again."""
    _set_active(name, True, as_json)


@token_app.command("create")
def create_token(
    name: Name,
    label: Annotated[str, typer.Option("--name", help="What the token is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="inspect or read; may be repeated.")],
    days: Annotated[int, typer.Option("--days", help="Days until it expires.")] = 90,
    as_json: JsonOption = False,
) -> None:
    """Create a token for a user; it is shown once."""
    with ready_store().session() as session:
        user = users.by_name(session, name)
        user_id = stored_id(user.id)
        token, plain = tokens.create(
            session, user_id=user_id, name=label, scopes=scope, expires_in_days=days, actor=ACTOR
        )
    if as_json:
        print_json({**_token_facts(token, name), "token": plain})
        return
    stderr_console().print(f"Token {token.id} for {name}. It cannot be shown again:", highlight=False)
    sys.stdout.write(plain + "\n")


@token_app.command("list")
def list_tokens(
    user_name: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List tokens, dead ones too; the tokens themselves are not kept."""
    with ready_store().session(read_only=True) as session:
        wanted = users.by_name(session, user_name).id if user_name is not None else None
        names = {user.id: user.name for user in users.list_all(session)}
        rows = [_token_facts(token, names[token.user_id]) for token in tokens.list_all(session, wanted)]
    columns = ("id", "user", "name", "scopes", "expires_at", "revoked_at")
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    answer(as_json, rows, lambda: _print_table(columns, cells))


@token_app.command("revoke")
def revoke_token(
    token_id: Annotated[int, typer.Argument(help="As `token list` shows it.")], as_json: JsonOption = False
) -> None:
    """End a token now."""
    with ready_store().session() as session:
        token = tokens.revoke(session, token_id=token_id, actor=ACTOR)
        owner = users.get(session, token.user_id).name
    if as_json:
        print_json(_token_facts(token, owner))
    else:
        stderr_console().print(f"Token {token_id} of {owner} is revoked.", highlight=False)


def _set_active(name: str, active: bool, as_json: bool) -> None:
    with ready_store().session() as session:
        user = users.set_active(session, name=name, active=active, actor=ACTOR)
    _report(user, f"{name} is {'enabled' if active else 'disabled'}.", None, as_json)


def _password(from_stdin: bool) -> tuple[str, str | None]:
    """The password to set, and the same again when it was made up and must be shown."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), None
    generated = generate_password()
    return generated, generated


def _report(user: User, sentence: str, generated: str | None, as_json: bool) -> None:
    if as_json:
        shown = {"password": generated} if generated else {}
        print_json({**_user_facts(user), **shown})
        return
    stderr_console().print(sentence, highlight=False)
    if generated:
        stderr_console().print("The password, which cannot be shown again:", highlight=False)
        sys.stdout.write(generated + "\n")


def _user_facts(user: User) -> dict[str, Any]:
    return {**user.model_dump(include={"name", "role", "active"}), "created_at": user.created_at.isoformat()}


def _token_facts(token: ApiToken, owner: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "user": owner,
        "name": token.name,
        "scopes": token.scopes,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _print_table(columns: Sequence[str], rows: list[list[str]]) -> None:
    from rich.markup import escape

    print_table(columns, (map(escape, row) for row in rows), box=None, pad_edge=False)
