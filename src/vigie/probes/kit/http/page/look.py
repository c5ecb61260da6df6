"""One look at a page, in the process that reads foreign documents: what it is, and its shape."""

from typing import Any

from vigie.core.model import Cause, PageFacts
from vigie.probes.kit.http.body import text_of
from vigie.probes.kit.http.page import judge, parse, plain, shape
from vigie.probes.kit.http.page.signs import Finding


def page(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The finding on a page that came with a good status, its shape, and what the verdict stood on.

    `grounds` are those of the last look: where they are the same, so is the verdict, and nothing is judged again.
    """
    headers = asked["headers"]
    found = parse.parse(body, headers, asked["host"])
    facts = _plain(shape.shape(found, len(body), asked["digest"], headers))
    grounds = judge.grounds(found, headers)
    if grounds and grounds == asked["grounds"]:
        return {"same": True, "facts": facts, "grounds": grounds}
    finding = judge.judge(found, headers)
    if finding is not None and asked["trusted"] and finding.family.cause is not Cause.CONTENT_TAMPERED:
        finding = None
    return {"finding": _told(finding), "facts": facts, "grounds": grounds}


def wall(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Whether a page that came with an error status is clearly a bot wall."""
    return {"finding": _told(judge.wall(parse.parse(body, asked["headers"], asked["host"]), asked["headers"]))}


def text(asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Whether a body without markup is nothing but an error."""
    return {"finding": _told(plain.plain(text_of(body, asked["headers"])))}


def _plain(facts: PageFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in PageFacts.__slots__}


def _told(found: Finding | None) -> dict[str, Any] | None:
    if found is None:
        return None
    told = {"cause": found.family.cause, "signature": found.signature, "family": found.family, "where": found.where}
    return told | {"beside": found.beside}


JOBS = {"page": page, "text": text, "wall": wall}
