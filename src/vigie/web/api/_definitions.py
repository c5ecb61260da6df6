"""Monitors and status pages are made, changed and removed in one way: only what they show differs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.routing import BaseRoute

from vigie.commands.definitions import Definition, DefinitionCommands, DefinitionKind, Saved, SaveResult
from vigie.web.access import Role
from vigie.web.api._kit import JSON, MERGE_PATCH, ROOT, Answer, Call, Operation, missing, operation, stale, there
from vigie.web.api._shapes import faults
from vigie.web.problems import ProblemError
from vigie.web.site import Site

Body = dict[str, Any]
Show = Callable[[Definition], Awaitable[msgspec.Struct]]


class Defined:
    """The operations on the definitions of one kind. `path` is that of the list, `what` one of them in words."""

    def __init__(self, site: Site, kind: DefinitionKind, path: str, what: str, gives: type[msgspec.Struct], show: Show) -> None:
        self._site, self._kind, self._path, self._what, self._gives, self._show = site, kind, path, what, gives, show

    def routes(self) -> list[BaseRoute]:
        """Get, create, replace, patch, delete."""
        name, one, what = self._kind.value.replace("_", " ").title().replace(" ", ""), f"{self._path}/{{id}}", self._what
        change: dict[str, Any] = {"needs": Role.EDITOR, "gives": self._gives, "guarded": True}
        made: list[tuple[Operation, Any]] = [
            (Operation(f"get{name}", "GET", one, f"One {what}.", Role.VIEWER, self._gives, errors=(404,)), self._get),
            (
                Operation(
                    f"create{name}", "POST", self._path, f"Add a {what}; it is in force on return.", Role.EDITOR, self._gives,
                    given=Body, status=201, errors=(409, 422),
                ),
                self._create,
            ),
            (
                Operation(
                    f"replace{name}", "PUT", one, f"Replace a {what}; it is in force on return.", given=Body,
                    errors=(404, 409, 412, 422), **change
                ),
                self._replace,
            ),
            (
                Operation(
                    f"patch{name}", "PATCH", one, f"Change some keys of a {what} (RFC 7396: null removes one).", given=Body,
                    errors=(404, 409, 412, 422), takes=(MERGE_PATCH, JSON), **change,
                ),
                self._patch,
            ),
            (
                Operation(
                    f"delete{name}", "DELETE", one, f"Remove a {what}; its history stays.", Role.EDITOR, None, status=204,
                    errors=(404, 409, 412, 422), guarded=True,
                ),
                self._delete,
            ),
        ]  # fmt: skip
        return [operation(self._site, *each) for each in made]

    @property
    def _commands(self) -> DefinitionCommands:
        return there(self._site.commands.definitions)

    async def _found(self, call: Call) -> Definition:
        found = await self._commands.definition(self._kind, call.path("id"))
        if found is None:
            raise missing(self._what, call.path("id"))
        return found

    async def _get(self, call: Call) -> Answer:
        return await self._shown(await self._found(call))

    async def _shown(self, one: Definition, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer(await self._show(one), headers or {}, one.version)

    async def _create(self, call: Call) -> Answer:
        saved = await self._commands.save(self._kind, call.body, call.by, trusted=call.trusted)
        made = self._done(saved, "")
        return await self._shown(made, {"Location": f"{ROOT}{self._path}/{quote(made.id, safe='')}"})

    async def _replace(self, call: Call) -> Answer:
        return await self._changed(call, await self._own(call), call.body)

    async def _patch(self, call: Call) -> Answer:
        found = await self._own(call)
        return await self._changed(call, found, merged(dict(found.body), call.body))

    async def _own(self, call: Call) -> Definition:
        found = await self._found(call)
        if found.where:
            raise read_only(found)
        return found

    async def _changed(self, call: Call, found: Definition, body: Body) -> Answer:
        version = call.matches(found.version)
        saved = await self._commands.save(self._kind, body, call.by, key=found.id, version=version, trusted=call.trusted)
        return await self._shown(self._done(saved, found.id, version))

    async def _delete(self, call: Call) -> None:
        key = call.path("id")
        # Of a clash with the file, the one that was made is meant: the file's cannot be deleted.
        found = next((one for one in await self._commands.definitions(self._kind) if one.id == key and not one.where), None)
        if found is None:
            raise read_only(await self._found(call))
        version = call.matches(found.version)
        self._done(await self._commands.delete(self._kind, key, version=version), key, version, deleted=True)

    def _done(self, saved: Saved, key: str, version: str | None = None, *, deleted: bool = False) -> Definition:
        """The definition as it is now. Raises ProblemError."""
        match saved.result:
            case SaveResult.DONE if saved.definition is not None:
                return saved.definition
            case SaveResult.DONE if deleted:
                return Definition(self._kind, key, "", {})
            case SaveResult.READ_ONLY if saved.definition is not None:
                raise read_only(saved.definition)
            case SaveResult.CONFLICT if not saved.faults and version is not None:
                raise stale()
            case SaveResult.CONFLICT:
                raise ProblemError(409, "the name or the id is taken", "taken", errors=faults(saved.faults))
            case SaveResult.INVALID:
                raise ProblemError(422, f"the {self._what} is not valid as it would be", "validation", errors=faults(saved.faults))
            case _:
                raise missing(self._what, key)


def read_only(found: Definition) -> ProblemError:
    """What the file has is changed there."""
    return ProblemError(409, f"it is defined in {found.where}: change it there", "read-only")


def merged(body: Any, patch: Any) -> Any:
    """RFC 7396: the keys of a patch replace those of a body, null removes one."""
    if not isinstance(patch, dict):
        return patch
    found = dict(body) if isinstance(body, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found
