"""What a body must hold: texts and JSON values. It may run in the process that reads foreign documents, and imports little."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from vigie.core.model import Cause, Scalar
from vigie.probes.kit.comparison import Comparison, notation
from vigie.probes.kit.http.body import text_of

_GOT = 60
_VALUE = 4_096

Fault = tuple[Cause, str, dict[str, Scalar]]


def judge(wanted: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Fault | None:
    """What is wrong with a body, as (cause, words, figures): `keywords`, `rejected`, then `assertions` as (path, operator, value)."""
    text = text_of(body, headers)
    for word in wanted["keywords"]:
        if word not in text:
            return Cause.CONTENT_MISSING, f"{word!r} is not in the page", {"keyword": word}
    for word in wanted["rejected"]:
        if word in text:
            return Cause.CONTENT_FORBIDDEN, f"{word!r} is in the page", {"keyword": word}
    return _json(wanted["assertions"], text) if wanted["assertions"] else None


def _json(assertions: Any, text: str) -> Fault | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Cause.CONTENT_JSON, "the body is not JSON", {"detail": str(error)[:80]}
    for path, sign, wanted in assertions:
        found = values(path, document)
        if not any(map(Comparison(sign, wanted).holds, found)):
            got, bound = (notation(found[0])[:_GOT] if found else "nothing"), notation(wanted)[:_GOT]
            figures: dict[str, Scalar] = {"path": path, "operator": sign, "wanted": bound, "got": got}
            return Cause.CONTENT_JSON, f"{path} is {got}, expected {sign} {bound}", figures
    return None


def values(path: str, document: Any) -> list[Any]:
    """What a JSONPath selects."""
    import jsonpath

    try:
        return list(_query(path).findall(document))
    except (jsonpath.JSONPathError, RecursionError):
        return []


@lru_cache(256)
def _query(path: str) -> Any:
    import jsonpath

    return jsonpath.compile(path)


def _judge(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    fault = judge(asked["wanted"], asked["headers"], body)
    return {"fault": fault}


def select(path: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """The first value that a JSONPath selects, as text; None where it selects nothing. Raises ValueError for what is not JSON."""
    try:
        found = values(path, json.loads(text_of(body, headers)))
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if not found:
        return None
    return (found[0] if isinstance(found[0], str) else json.dumps(found[0], ensure_ascii=False))[:_VALUE]


def _select(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return {"value": select(asked["path"], asked["headers"], body)}
    except ValueError:
        return {"json": False}


JOBS = {"content": _judge, "select": _select}
