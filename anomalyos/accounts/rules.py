"""Passwords, API tokens and roles: the rules, without the database."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotAllowed

PASSWORD_MIN = 12
PASSWORD_MAX = 256
TOKEN_PREFIX = "aos_"  # noqa: S105  (a prefix is no secret)
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_RANK = {role: rank for rank, role in enumerate(Role)}


@lru_cache(maxsize=1)
def hasher() -> PasswordHasher:
    """argon2id with the library's defaults, the low-memory profile of RFC 9106."""
    return PasswordHasher()


@lru_cache(maxsize=1)
def dummy_hash() -> str:
    """A hash nobody knows the password of: checked for unknown users, so that they take as long."""
    return hasher().hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    return hasher().hash(password)


def password_matches(password_hash: str, password: str) -> bool:
    """Whether the password fits. Anything longer than a password can be is refused unhashed."""
    if len(password) > PASSWORD_MAX:
        return False
    try:
        return hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return hasher().check_needs_rehash(password_hash)


def check_password(password: str, user_name: str) -> None:
    """Refuse passwords that are guessed first.

    Raises:
        AnomalyOSError: shorter than 12 or longer than 256 characters, one repeated character, or
            little more than the user's own name.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise AnomalyOSError(
            f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.", "A few random words do well."
        )
    rest = password.lower().replace(user_name.lower(), "")
    if len(set(password)) < 4 or len(rest) < PASSWORD_MIN // 2:
        raise AnomalyOSError("This password is too easy to guess.", "A few random words do well.")


def generate_password() -> str:
    """A random password of 123 bits, without characters that are mistaken for one another."""
    letters = [secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(25)]
    return "-".join("".join(letters[start : start + 5]) for start in range(0, 25, 5))


def check_user_name(name: str) -> str:
    """``name`` when it can be a user's. Raises ``AnomalyOSError``."""
    if not _USER_NAME.fullmatch(name):
        raise AnomalyOSError(
            f"{name!r} cannot be a user name.",
            "Use 1 to 64 lower-case letters, digits, dots, dashes and underscores.",
        )
    return name


def parse_role(role: str) -> Role:
    """Raises ``AnomalyOSError``, naming the roles there are."""
    try:
        return Role(role)
    except ValueError as error:
        raise AnomalyOSError(f"{role!r} is not a role.", f"Roles: {', '.join(Role)}.") from error


def has_role(role: str, needed: Role) -> bool:
    """Whether ``role`` includes the rights of ``needed``."""
    return _RANK[Role(role)] >= _RANK[needed]


def require_role(role: str, needed: Role) -> None:
    """Raises ``NotAllowed`` unless ``role`` includes the rights of ``needed``."""
    if not has_role(role, needed):
        raise NotAllowed(f"This needs the role {needed.value}.", "Ask an administrator.")


def generate_token() -> str:
    """A new API token with 256 random bits; its prefix lets scanners find leaked ones."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_digest(plain: str) -> str:
    """What is stored of a token. It is random enough that a fast hash cannot be reversed."""
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
