"""What the way in remembers between two requests, in bounded memory: failed attempts, logins half done, the set-up link.

All of it is gone with the process: who was half in begins again, and a new start makes a new link.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from vigie.web.limits import Limiter

SETUP_SECONDS = 3_600.0
_PENDING_SECONDS = 600.0
_PENDING, _OF_ONE_PLACE = 2_000, 50
_TRIES = 5


def hashed(token: str) -> str:
    """What is stored of a token of 256 random bits: nobody finds such a one from its hash, however fast that is."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(slots=True)
class Pending:
    """A login half done, or a ceremony under way. `what` says which, `data` is whatever it needs; `tries` are left."""

    what: str
    until: float
    user: str = ""
    next: str = "/"
    data: dict[str, Any] = field(default_factory=dict)
    tries: int = _TRIES
    place: str = ""


class Door:
    """The way in of one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.limiter = Limiter(monotonic)
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._setup: str | None = None
        self._setup_until = 0.0

    def open_setup(self) -> str:
        """A new set-up link's token, in place of any other."""
        self._setup, self._setup_until = secrets.token_urlsafe(32), self._monotonic() + SETUP_SECONDS
        return self._setup

    def is_setup(self, token: str) -> bool:
        """Whether this is the token of the set-up link, still good."""
        known = self._setup
        alike = hmac.compare_digest(hashed(token), hashed(known or ""))
        return known is not None and alike and self._monotonic() < self._setup_until

    def close_setup(self) -> None:
        """It was used."""
        self._setup = None

    def reopen_setup(self, token: str) -> None:
        """Nothing came of it: it is good as long as it was."""
        self._setup = token

    def begin(self, what: str, user: str = "", next_: str = "/", *, place: str = "", **data: Any) -> str:
        """Remember something for ten minutes; the token that brings it back. The oldest is forgotten where there are too many.

        `place` is where it comes from, of what anybody can begin: no place has more than its share, and none of it is kept at the
        expense of somebody who has shown a password.
        """
        token = secrets.token_urlsafe(32)
        self._pending[hashed(token)] = Pending(what, self._monotonic() + _PENDING_SECONDS, user, next_, data, place=place)
        same = [key for key, one in self._pending.items() if place and one.place == place]
        for key in same[: max(len(same) - _OF_ONE_PLACE, 0)]:
            del self._pending[key]
        while len(self._pending) > _PENDING:
            del self._pending[next((key for key, one in self._pending.items() if one.place), next(iter(self._pending)))]
        return token

    def pending(self, token: str, what: str) -> Pending | None:
        """What was begun, while it lasts."""
        found = self._pending.get(hashed(token))
        return found if found is not None and found.what == what and found.until > self._monotonic() and found.tries > 0 else None

    def end(self, token: str) -> None:
        """It is done, or given up."""
        self._pending.pop(hashed(token), None)
