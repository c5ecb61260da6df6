"""What is done with people's accounts, by pages and the command line alike. Every change is of the version that was read."""

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from vigie.accounts import Role, Token, User
from vigie.errors import StoreError, StoreFault
from vigie.ports import Accounts
from vigie.web.door import hashed
from vigie.web.gate import TOKEN_PREFIX

NAME = 64  # characters
_NAME = re.compile(r"[\w][\w.@+-]*")
_ATTEMPTS = 5


def tidy_name(text: str) -> str:
    """A name as it is stored: what looks the same is the same."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def is_name(text: str) -> bool:
    """Whether a tidied name can be one: letters, digits, and `. @ + - _` between them."""
    return len(text) <= NAME and _NAME.fullmatch(text) is not None


def new_user(name: str, role: Role, now: int, *, password: str = "", subject: str = "") -> User:
    """Somebody who is not stored yet; `password` is what is kept of it."""
    return User(secrets.token_hex(8), name, role, now, password=password, subject=subject)


async def changed(accounts: Accounts, name: str, change: Callable[[User], User | None]) -> User | None:
    """The account after a change; None where there is no such account, or nothing is to be changed. Raises StoreError."""
    for _ in range(_ATTEMPTS):
        known = await accounts.user(name)
        wanted = None if known is None else change(known)
        if wanted is None:
            return None
        if (saved := await accounts.save_user(wanted)) is not None:
            return saved
    raise StoreError(StoreFault.BUSY, f"the account {name} is being changed by others", "try again")


async def last_admin(accounts: Accounts, name: str) -> bool:
    """Whether nobody else is an admin who may log in."""
    others = [one for one in await accounts.users() if one.role is Role.ADMIN and not one.disabled and one.name != name]
    known = await accounts.user(name)
    return known is not None and known.role is Role.ADMIN and not known.disabled and not others


def with_role(role: Role) -> Callable[[User], User]:
    """The change of a role."""
    return lambda one: replace(one, role=role)


def made_token(name: str, scope: Role, now: int, by: str, *, owner: str = "", expires_at: int | None = None) -> tuple[str, Token]:
    """A new token: what its holder is given, once, and what is stored."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    kept = Token(secrets.token_hex(6), hashed(secret), secret[: len(TOKEN_PREFIX) + 5], name, scope, now, by, owner, expires_at)
    return secret, kept
