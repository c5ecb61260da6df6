"""What one run carries from step to step: cookies and saved values, within bounds, and never shown."""

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vigie.core.model import Cause, CheckResult
from vigie.net import Secret, Secrets
from vigie.probes.kit.http.body import media_type, text_of
from vigie.probes.kit.http.config import compiled
from vigie.probes.kit.http.cookies import CookieJar
from vigie.probes.kit.pattern import Pattern, SearchBudget
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.steps.config import Save

_VALUE = 4_096
_SHORTEST, _SHORTEST_COOKIE = 4, 8  # shorter ones are in every other word


@dataclass(slots=True)
class Carried:
    """One run's."""

    cookies: CookieJar
    values: dict[str, str] = field(default_factory=dict)
    spent: SearchBudget = field(default_factory=SearchBudget)

    def hidden(self, result: CheckResult) -> CheckResult:
        """The result without what was carried, wherever it may have crept in."""
        held = {value for value in self.values.values() if len(value) >= _SHORTEST}
        held |= {value for value in self.cookies.values if len(value) >= _SHORTEST_COOKIE}
        found: CheckResult = Secrets(map(Secret, held)).mask_all(result)
        return found


Reader = Callable[[bytes, Mapping[str, str], SearchBudget], str]


def reader(name: str, where: Save) -> Reader:
    """What finds a value in an answer, made ready once; it raises CheckFailed where the value is not there."""
    if where.header is not None:
        return _of_header(name, where.header)
    return _of_json(name, where.json) if where.json is not None else _of_text(name, where.regex or "")


def _of_header(name: str, header: str) -> Reader:
    def read(_: bytes, headers: Mapping[str, str], __: SearchBudget) -> str:
        if header.lower() not in headers:
            raise CheckFailed(Cause.CONTENT_MISSING, f"no header {header}, so {name!r} cannot be saved", {"keyword": header})
        return headers[header.lower()][:_VALUE]

    return read


def _of_json(name: str, path: str) -> Reader:
    (query,) = compiled((path,))

    def read(body: bytes, headers: Mapping[str, str], _: SearchBudget) -> str:
        try:
            found = _matches(query, json.loads(text_of(body, headers)))
        except (ValueError, RecursionError):
            raise CheckFailed(Cause.CONTENT_JSON, f"the body is not JSON, so {name!r} cannot be saved", {"path": path}) from None
        if not found:
            raise CheckFailed(Cause.CONTENT_JSON, f"{path} selects nothing, so {name!r} cannot be saved", {"path": path})
        return (found[0] if isinstance(found[0], str) else json.dumps(found[0], ensure_ascii=False))[:_VALUE]

    return read


def _matches(query: Any, document: Any) -> list[Any]:
    import jsonpath

    try:
        return list(query.findall(document))
    except (jsonpath.JSONPathError, RecursionError):
        return []


def _of_text(name: str, regex: str) -> Reader:
    pattern = Pattern(regex)

    def read(body: bytes, headers: Mapping[str, str], spent: SearchBudget) -> str:
        found = pattern.group(text_of(body, headers), spent)
        if found is None:
            raise CheckFailed(Cause.CONTENT_MISSING, f"{regex[:60]!r} matches nothing, so {name!r} cannot be saved", {"keyword": regex})
        return (html.unescape(found) if media_type(headers) == "text/html" else found)[:_VALUE]

    return read
