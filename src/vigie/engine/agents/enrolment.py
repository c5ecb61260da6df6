"""How an agent is let in: its name, its location, and a token that is shown once."""

import re
import secrets
from hashlib import sha256

from vigie.errors import VigieError
from vigie.ports import EnrolledAgent, Fleet
from vigie.queries.fleet import SERVER_SILENT_MS

PREFIX = "vigie_agent_"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


async def made(fleet: Fleet, name: str, location: str, now: int, by: str, own: str) -> tuple[str, EnrolledAgent]:
    """A new agent: the token that it is given, once, and what is stored. `own` is the location of this server; others have theirs.

    Raises VigieError for what cannot be a name, and for a location that a server checks from; StoreError.
    """
    check_names(name, location)
    since = await fleet.now() - SERVER_SILENT_MS
    if location in {own} | {one.location for one in await fleet.servers() if one.seen_at >= since}:
        raise VigieError(
            f"{location} is the location of `vigie serve` itself, which checks from there", "name the agent's location otherwise"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    return token, EnrolledAgent(name, location, hashed(token), token[: len(PREFIX) + 5], now, by)


def check_names(agent: str, location: str) -> None:
    """Raises VigieError for what cannot be one."""
    for what, text in (("the name of an agent", agent), ("a location", location)):
        if not _NAME.fullmatch(text):
            raise VigieError(f"{text!r} cannot be {what}", "use small letters, digits and -, at most 63 of them, as in paris-1")


def hashed(token: str) -> str:
    """What is stored of a token of 256 random bits."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
