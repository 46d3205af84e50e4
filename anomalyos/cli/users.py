"""``anomalyos users``: people and their API tokens."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from anomalyos.accounts import tokens, users
from anomalyos.accounts.rules import generate_password
from anomalyos.accounts.tables import ApiToken, User
from anomalyos.cli.output import print_json, stderr_console, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import Store, open_store
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
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def add(
    name: Name, role: RoleOption, password_stdin: PasswordFromStdin = False, as_json: AsJson = False
) -> None:
    """Add a user. Without --password-stdin a password is made up and shown once."""
    password, generated = _password(password_stdin)
    with _store().session() as session:
        user = users.create(session, name=name, password=password, role=role, actor=ACTOR)
    _report(user, f"Added {name} as {user.role}.", generated, as_json)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List every user."""
    with _store().session(read_only=True) as session:
        rows = users.list_all(session)
    if as_json:
        print_json([_user_facts(user) for user in rows])
        return
    _print_table(
        ["name", "role", "active", "since"],
        [[u.name, u.role, "yes" if u.active else "no", f"{u.created_at:%Y-%m-%d}"] for u in rows],
    )


@app.command("set-role")
def set_role(name: Name, role: RoleOption, as_json: AsJson = False) -> None:
    """Change what a user may do; their sessions end."""
    with _store().session() as session:
        user = users.set_role(session, name=name, role=role, actor=ACTOR)
    _report(user, f"{name} is {user.role} now.", None, as_json)


@app.command("set-password")
def set_password(name: Name, password_stdin: PasswordFromStdin = False, as_json: AsJson = False) -> None:
    """Replace a password; the user's sessions end. Made up and shown once, as in `add`."""
    password, generated = _password(password_stdin)
    with _store().session() as session:
        user = users.set_password(session, name=name, password=password, actor=ACTOR)
    _report(user, f"{name} has a new password.", generated, as_json)


@app.command()
def disable(name: Name, as_json: AsJson = False) -> None:
    """Shut a user out: sessions and tokens stop working at once."""
    _set_active(name, False, as_json)


@app.command()
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let a disabled user in again."""
    _set_active(name, True, as_json)


@token_app.command("create")
def create_token(
    name: Name,
    label: Annotated[str, typer.Option("--name", help="What the token is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="inspect or read; may be repeated.")],
    days: Annotated[int, typer.Option("--days", help="Days until it expires.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Create a token for a user; it is shown once."""
    with _store().session() as session:
        user = users.by_name(session, name)
        token, plain = tokens.create(
            session,
            user_id=stored_id(user.id),
            name=label,
            scopes=scope,
            expires_in_days=days,
            actor=ACTOR,
        )
    if as_json:
        print_json({**_token_facts(token, name), "token": plain})
        return
    stderr_console().print(f"Token {token.id} for {name}. It cannot be shown again:", highlight=False)
    sys.stdout.write(plain + "\n")


@token_app.command("list")
def list_tokens(
    user_name: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List tokens, dead ones too; the tokens themselves are not kept."""
    with _store().session(read_only=True) as session:
        wanted = users.by_name(session, user_name).id if user_name is not None else None
        names = {user.id: user.name for user in users.list_all(session)}
        rows = [_token_facts(token, names[token.user_id]) for token in tokens.list_all(session, wanted)]
    if as_json:
        print_json(rows)
        return
    columns = ["id", "user", "name", "scopes", "expires_at", "revoked_at"]
    _print_table(columns, [[_cell(row[column]) for column in columns] for row in rows])


@token_app.command("revoke")
def revoke_token(
    token_id: Annotated[int, typer.Argument(help="As `token list` shows it.")], as_json: AsJson = False
) -> None:
    """End a token now."""
    with _store().session() as session:
        token = tokens.revoke(session, token_id=token_id, actor=ACTOR)
        owner = users.get(session, token.user_id).name
    if as_json:
        print_json(_token_facts(token, owner))
    else:
        stderr_console().print(f"Token {token_id} of {owner} is revoked.", highlight=False)


def _store() -> Store:
    store = open_store(get_settings())
    store.upgrade()
    return store


def _set_active(name: str, active: bool, as_json: bool) -> None:
    with _store().session() as session:
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
    return {
        "name": user.name,
        "role": user.role,
        "active": user.active,
        "created_at": user.created_at.isoformat(),
    }


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


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    stdout_console().print(table)
