"""What one run carries from step to step: cookies and saved values, within bounds, and never shown."""

import html
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from vigie.core.model import Cause, CheckResult, Status
from vigie.net import Secret, Secrets
from vigie.probes.kit.http.body import media_type, text_of
from vigie.probes.kit.http.content import select
from vigie.probes.kit.http.cookies import CookieJar
from vigie.probes.kit.pattern import Pattern, Searches
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.kit.workers import Unread
from vigie.probes.steps.config import Save

_VALUE, _SMALL = 4_096, 1_024
_SHORTEST, _SHORTEST_COOKIE = 4, 8  # shorter ones are in every other word


@dataclass(slots=True)
class Carried:
    """One run's."""

    cookies: CookieJar
    values: dict[str, str] = field(default_factory=dict)

    def hidden(self, result: CheckResult) -> CheckResult:
        """The result without what was carried, wherever it may have crept in."""
        held = {value for value in self.values.values() if len(value) >= _SHORTEST}
        held |= {value for value in self.cookies.values if len(value) >= _SHORTEST_COOKIE}
        found: CheckResult = Secrets(map(Secret, held)).mask_all(result)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a value is read from, and where long bodies are searched."""

    body: bytes
    headers: Mapping[str, str]
    searches: Searches
    select: Callable[[str], Awaitable[bytes]]  # has a JSONPath searched in another process; raises Unread


Reader = Callable[[Answer], Awaitable[str]]


def reader(name: str, where: Save) -> Reader:
    """What finds a value in an answer, made ready once; it raises CheckFailed where the value is not there."""
    if where.header is not None:
        return _of_header(name, where.header)
    return _of_json(name, where.json) if where.json is not None else _of_text(name, where.regex or "")


def _of_header(name: str, header: str) -> Reader:
    async def read(answer: Answer) -> str:
        if header.lower() not in answer.headers:
            raise CheckFailed(Cause.CONTENT_MISSING, f"no header {header}, so {name!r} cannot be saved", {"keyword": header})
        return answer.headers[header.lower()][:_VALUE]

    return read


class _Selected(msgspec.Struct, frozen=True):
    """The reply to a JSONPath."""

    value: str | None = None
    json: bool = True


def _of_json(name: str, path: str) -> Reader:
    async def read(answer: Answer) -> str:
        try:
            found = await _selected(path, answer)
        except ValueError:
            raise CheckFailed(Cause.CONTENT_JSON, f"the body is not JSON, so {name!r} cannot be saved", {"path": path}) from None
        if found is None:
            raise CheckFailed(Cause.CONTENT_JSON, f"{path} selects nothing, so {name!r} cannot be saved", {"path": path})
        return found

    return read


async def _selected(path: str, answer: Answer) -> str | None:
    """What a JSONPath selects: a small body is searched here, any other where it holds up nobody."""
    if len(answer.body) <= _SMALL:
        return select(path, answer.headers, answer.body)
    try:
        found = msgspec.json.decode(await answer.select(path), type=_Selected)
    except Unread as unread:
        words = (
            f"{path} takes too long on {len(answer.body)} bytes" if unread.blame else "this machine could not search the response in time"
        )
        raise CheckFailed(Cause.PROBE_ERROR, words, {"path": path}, Status.UNKNOWN) from None
    if not found.json:
        raise ValueError(path)
    return found.value


def _of_text(name: str, regex: str) -> Reader:
    pattern = Pattern(regex)

    async def read(answer: Answer) -> str:
        found = await pattern.search(text_of(answer.body, answer.headers), answer.searches)
        if found is None or found.group is None:
            raise CheckFailed(Cause.CONTENT_MISSING, f"{regex[:60]!r} matches nothing, so {name!r} cannot be saved", {"keyword": regex})
        return (html.unescape(found.group) if media_type(answer.headers) == "text/html" else found.group)[:_VALUE]

    return read
