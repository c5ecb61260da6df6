"""A user's regular expression in a foreign text, in the process that reads foreign documents."""

from functools import lru_cache
from typing import Any


def _search(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Where the first match ends, and its first group or all of it; both None without one. The text is UTF-8, other bytes escaped."""
    found = _compiled(asked["pattern"]).search(body.decode("utf-8", "surrogateescape"))
    if found is None:
        return {"end": None, "group": None}
    return {"end": found.end(), "group": group(found)}


def group(found: Any) -> str:
    """The first group of a match, or all of it without groups or where that one took no part."""
    return str(found[1] if found.re.groups and found[1] is not None else found[0])


@lru_cache(64)
def _compiled(text: str) -> Any:
    import regex

    return regex.compile(text)


JOBS = {"search": _search}
