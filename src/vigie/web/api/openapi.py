"""`/api/v1/openapi.json`: the description of the API (OpenAPI 3.1), made of what its operations check themselves."""

import pkgutil
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from importlib import import_module
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route

from vigie import __version__
from vigie.planning.duration import Duration
from vigie.resources import Problem
from vigie.web.access import Public
from vigie.web.api._kit import ROOT, Answer, Call, Operation, operation
from vigie.web.problems import MEDIA_TYPE
from vigie.web.site import Site

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)(?::(\w+))?\}")
_DURATION = {"type": "string", "pattern": r"^(0|(\d+(\.\d+)?\s*(ms|s|m|h|d|w))+)$", "examples": ["30m"]}
_ABOUT = (
    "Everything that the pages show, and what they do. Lists come in pages: `next` is the cursor of the page after it. Errors are problems "
    "(RFC 9457). Changes of definitions need `If-Match`; a POST with an `Idempotency-Key` is done once."
)
_DESCRIBE = Operation("describe", "GET", "/openapi.json", "This description.", Public.ANYBODY, dict[str, Any])


def routes(site: Site) -> list[BaseRoute]:
    """The description."""

    async def describe(_: Call) -> Answer:
        return Answer(document())

    return [operation(site, _DESCRIBE, describe)]


@lru_cache(1)
def document() -> dict[str, Any]:
    """The whole of it."""
    found = sorted(operations(), key=lambda one: (one.path, one.method))
    types = _types(found)
    roots, components = msgspec.json.schema_components(types, schema_hook=_hook, ref_template=_REF)
    by_type = dict(zip(map(str, types), roots, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in found:
        paths.setdefault(_PART.sub(r"{\1}", f"{ROOT}{one.path}"), {})[one.method.lower()] = _described(one, by_type, components)
    for struct in {one.asked.__name__ for one in found}:
        components.pop(struct, None)  # queries are parameters
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vigie",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "`vigie token create`"}},
        },
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in found)],
    }


def operations() -> Iterable[Operation]:
    """Every operation of every resource."""
    from vigie.web.site import Site as _Site

    nobody: Any = None
    site = _Site(nobody, nobody)
    package = import_module("vigie.web.api")
    for module in sorted(one.name for one in pkgutil.iter_modules(package.__path__)):
        make = getattr(import_module(f"vigie.web.api.{module}"), "routes", None)
        for made in make(site) if make is not None else ():
            if isinstance(made, Route):
                yield made.endpoint.operation  # type: ignore[attr-defined]  # put there by `operation`


def _types(found: Iterable[Operation]) -> list[Any]:
    wanted = {str(kind): kind for one in found for kind in (one.gives, one.given, one.asked, Problem) if kind is not None}
    return list(wanted.values())


def _hook(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return _DURATION
    raise NotImplementedError(kind)


def _described(one: Operation, by_type: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": _needs(one),
        "tags": [one.tag],
        "parameters": [*_path(one), *_query(one, by_type, components), *_headers(one)],
        "responses": _responses(one, by_type),
        "security": [] if isinstance(one.needs, Public) else [{"bearer": []}],
    }
    if one.given is not None:
        content = {media: {"schema": by_type[str(one.given)]} for media in one.takes}
        made["requestBody"] = {"required": not one.optional, "content": content}
    return made


def _needs(one: Operation) -> str:
    if isinstance(one.needs, Public):
        return "Needs no role."
    scope = {"VIEWER": "read", "RESPONDER": "respond", "EDITOR": "edit", "ADMIN": "admin"}[one.needs.name]
    return f"Needs the role {one.needs.name.lower()} (scope `{scope}`)."


def _path(one: Operation) -> list[dict[str, Any]]:
    kinds = {"int": {"type": "integer", "minimum": 0}}
    return [
        {"name": name, "in": "path", "required": True, "schema": kinds.get(kind, {"type": "string", "minLength": 1})}
        for name, kind in _PART.findall(one.path)
    ]


def _query(one: Operation, by_type: Mapping[str, Any], components: Mapping[str, Any]) -> list[dict[str, Any]]:
    struct = components[by_type[str(one.asked)]["$ref"].rpartition("/")[2]]
    found = []
    for name, schema in struct.get("properties", {}).items():
        about = schema.get("description", "")
        bare = {key: value for key, value in schema.items() if key not in ("description", "default")}
        choices = [each for each in bare.get("anyOf", []) if each != {"type": "null"}]
        if len(choices) == 1:
            bare = {**{key: value for key, value in bare.items() if key != "anyOf"}, **choices[0]}
        if schema.get("default") is not None:
            bare["default"] = schema["default"]
        found.append({"name": name, "in": "query", "required": False, "schema": bare, **({"description": about} if about else {})})
    return found


def _headers(one: Operation) -> list[dict[str, Any]]:
    found = []
    if one.guarded:
        about = "The ETag of what was read, or * for whatever is there."
        found.append(
            {"name": "If-Match", "in": "header", "required": True, "description": about, "schema": {"type": "string", "minLength": 1}}
        )
    if one.method == "POST":
        about = "A text of your own: a request that is sent again with it, within a day, is answered as the first one."
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": about,
                "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            }
        )
    return found


def _responses(one: Operation, by_type: Mapping[str, Any]) -> dict[str, Any]:
    content = {} if one.gives is None else {"content": {one.media: {"schema": by_type[str(one.gives)]}}}
    headers = {} if one.gives is None or one.media != "application/json" else {"ETag": {"schema": {"type": "string"}}}
    found: dict[str, Any] = {
        str(one.status): {"description": HTTPStatus(one.status).phrase, **content, **({"headers": headers} if headers else {})}
    }
    statuses = {*one.errors, 400, 401, 403, 421, 429, 503, *([501] if one.name != "describe" else [])}
    statuses |= {413, 415, 422} if one.given is not None else set()
    statuses |= {428} if one.guarded else set()
    statuses |= {409, 422} if one.method == "POST" else set()
    if one.method == "GET" and one.media == "application/json":
        found["304"] = {"description": HTTPStatus(304).phrase}
    for status in sorted(statuses):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": by_type[str(Problem)]}},
        }
    return found
