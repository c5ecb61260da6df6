"""Passwords: what may be one, and what is kept of it (argon2id, RFC 9106), made on threads of their own, few at a time.

By NIST SP 800-63B: length counts and composition does not; what everybody tries first, and the name itself, is refused.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_T = TypeVar("_T")
SHORTEST, LONGEST = 12, 256  # characters
_AT_ONCE, _WAITING = 2, 16
# OWASP's memory for argon2id with one pass more: 40 ms and 19 MiB each, so that two at a time do not starve a small machine.
_hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
_OBVIOUS = (
    "password", "passwort", "motdepasse", "azerty", "qwerty", "qwertz", "letmein", "welcome", "bienvenue", "administrator",
    "administrateur", "changeme", "iloveyou", "monitoring", "vigie", "secret", "123456789", "987654321", "abcdefgh", "1q2w3e4r",
    "correcthorsebatterystaple",
)  # fmt: skip


class BusyError(Exception):
    """Too many passwords are being verified."""


def normalised(password: str) -> str:
    """The same characters however a keyboard composed them (SP 800-63B §3.1.1.2 asks for NFKC or NFKD)."""
    return unicodedata.normalize("NFKC", password)


def fault_of(password: str, name: str) -> str | None:
    """Why it may not be a password: `short`, `long` or `obvious`; None for a good one."""
    text = normalised(password)
    if len(text) < SHORTEST:
        return "short"
    if len(text) > LONGEST:
        return "long"
    plain = "".join(char for char in text.casefold() if char.isalnum())
    left = plain
    for word in (*_OBVIOUS, *(part for part in (name.casefold(), name.casefold().partition("@")[0]) if len(part) > 2)):
        left = left.replace("".join(char for char in word if char.isalnum()), "")
    return "obvious" if len(set(text)) < 5 or _is_run(plain) or (len(left.strip("0123456789")) < 3 and len(left) < 8) else None


def _is_run(text: str) -> bool:
    """`abcdefghijkl`, `123456789012`: every character follows the one before it."""
    steps = {(ord(after) - ord(before)) for before, after in pairwise(text)}
    return bool(steps) and (steps <= {1, -9, 0} or steps <= {-1, 9, 0})


class Passwords:
    """Makes and verifies, at most two at a time. Raises BusyError where too many wait already."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "vigie-argon2")
        self._waiting = 0

    async def make(self, password: str) -> str:
        """What is kept of it."""
        return await self._run(_hash, normalised(password))

    async def verify(self, kept: str, password: str) -> bool:
        """Whether it is the one. Where nothing is kept it takes as long, and is not."""
        return await self._run(_verify, kept, normalised(password)[: LONGEST * 4])

    async def _run(self, work: Callable[..., _T], *values: str) -> _T:
        if self._waiting >= _AT_ONCE + _WAITING:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *values)
        finally:
            self._waiting -= 1


def _hash(password: str) -> str:
    return _hasher.hash(password)


def hash_now(password: str) -> str:
    """What is kept of a password, in the caller's thread: for the command line."""
    return _hash(normalised(password))


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept or _nobody(), password) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """What is verified for whom nobody is: as dear as anybody's."""
    return _hasher.hash("nobody has this password")


def outdated(kept: str) -> bool:
    """Whether it was made with other parameters than today's."""
    try:
        return _hasher.check_needs_rehash(kept)
    except InvalidHashError:
        return True
