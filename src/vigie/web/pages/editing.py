"""Monitors made and changed by page: the form of each kind, validated while it is filled in, tried before it is saved."""

import asyncio
import contextlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.commands.definitions import Definition, DefinitionKind, SaveResult
from vigie.commands.monitors import Tried
from vigie.errors import Fault
from vigie.text.dashboard import editing as texts
from vigie.web.access import Role, may, route
from vigie.web.managing import Texts, absent, by, moved, partial, submitted, unavailable
from vigie.web.monitor_forms import PREFIX, Editing, addressed, assign, entered, lines_of, of_body
from vigie.web.page import language_of
from vigie.web.rendering import LINKS, Words, page
from vigie.web.site import Site

_MONITOR = DefinitionKind.MONITOR
_PATIENCE_SECONDS = 3.0  # for the rest of the configuration, while somebody types


def routes(site: Site) -> list[BaseRoute]:
    """The form of a new one and of one that exists, what is done with it, and a trial of an address."""
    desk = _Desk(site)
    return [
        route("/monitors/new", desk.new, needs=Role.EDITOR),
        route("/monitors/new", desk.submit, needs=Role.EDITOR, methods=("POST",), name="monitor_create"),
        route("/monitors/validate", desk.validate, needs=Role.EDITOR, methods=("POST",), name="monitor_validate", audited=False),
        route("/monitors/try", desk.attempt, needs=Role.EDITOR, methods=("POST",), name="monitor_try"),
        route("/monitors/{id}/edit", desk.edit, needs=Role.EDITOR),
        route("/monitors/{id}/edit", desk.submit, needs=Role.EDITOR, methods=("POST",), name="monitor_edit"),
        route("/monitors/{id}/delete", desk.sure, needs=Role.EDITOR),
        route("/monitors/{id}/delete", desk.delete, needs=Role.EDITOR, methods=("POST",), name="monitor_delete"),
    ]


class _Desk:
    """What the routes do, over the site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def new(self, request: Request) -> Response:
        """An empty form; `url` and `kind` fill it in, `from` makes a copy of another monitor."""
        forms, query = self._site.forms, request.query_params
        if forms is None or self._site.commands.definitions is None:
            return unavailable()
        if origin := query.get("from"):
            known = await self._site.commands.definitions.definition(_MONITOR, origin)
            if known is None:
                return absent("There is no such monitor.\n")
            body = {name: value for name, value in known.body.items() if name != "id"}
            body["name"] = f"{body.get('name') or known.name} 2"
            made = of_body(forms, body)
            return await self._form(request, made, title=("head_copy", known.name))
        body = {"url": addressed(query["url"])} if query.get("url") else {}
        if (kind := query.get("kind")) and kind != forms.kind_of(body):
            body = {"type": kind, **body}
        return await self._form(request, of_body(forms, body))

    async def edit(self, request: Request) -> Response:
        """The form of one that exists; what is in the file is shown as it is there."""
        forms, commands = self._site.forms, self._site.commands.definitions
        if forms is None or commands is None:
            return unavailable()
        known = await commands.definition(_MONITOR, request.path_params["id"])
        made = None if known is None else of_body(forms, known.body)
        if known is None or made is None:
            return absent("There is no such monitor.\n")
        if known.where:
            return await self._form(request, made, known, title=("head_read_only", known.name))
        made.key, made.version = known.id, known.version
        return await self._form(request, made, known, title=("head_edit", known.name))

    async def submit(self, request: Request) -> Response:
        """What a button of the form asks for: other fields, a check of what was entered, a trial, or to save it."""
        found = await self._entered(request)
        if isinstance(found, Response):
            return found
        made, body, said = found
        match said.one("do"):
            case "kind":
                made.faults.clear()
            case "check":
                await self._validated(made, body)
                made.checked = True
            case "try":
                await self._tried(request, made, body)
            case _:
                return await self._saved(request, made, body)
        return await self._form(request, made, await self._known(made.key))

    async def validate(self, request: Request) -> Response:
        """The faults beside their fields, while somebody types; the whole form where the address asks for another kind."""
        found = await self._entered(request)
        if isinstance(found, Response):
            return found
        made, body, said = found
        if made.form.kind != said.line("kind"):
            made.faults.clear()
            response = await self._form(request, made, await self._known(made.key))
            response.headers["HX-Retarget"], response.headers["HX-Reselect"] = "#editor", "#editor"
            response.headers["HX-Reswap"] = "outerHTML"
            return response
        if not made.faults and body:
            await self._validated(made, body, patient=True)
        made.checked = bool(body)
        return await page(request, self._site, "editing_verdict.html.j2", {"made": made, "live": True}, texts)

    async def attempt(self, request: Request) -> Response:
        """A trial of the form, or of a bare address."""
        found = await submitted(request)
        if isinstance(found, Response):
            return found
        if self._site.forms is None or self._site.commands.trials is None:
            return unavailable()
        address = addressed(found.line("address", 2_000) or found.line("url", 2_000))
        if address:
            found = Texts([(f"{PREFIX}url", address), ("bare", "1")])
        read = entered(self._site.forms, found)
        if read is None:
            return absent("There is no such kind of check.\n")
        made, said = read
        await self._tried(request, made, dict(said.body))
        if partial(request):
            context = {**self._context(request, made), "bare": bool(address), "address": address}
            return await page(request, self._site, "editing_tried.html.j2", context, texts)
        return await self._form(request, made, await self._known(made.key))

    async def sure(self, request: Request) -> Response:
        """Whether it is really to be deleted."""
        known = await self._known(request.path_params["id"])
        if known is None or known.where:
            return absent("There is no such monitor that can be deleted here.\n")
        return await page(request, self._site, "editing_delete.html.j2", {"section": "overview", "known": known}, texts)

    async def delete(self, request: Request) -> Response:
        """Delete it; its history stays."""
        commands, key = self._site.commands.definitions, request.path_params["id"]
        if commands is None:
            return unavailable()
        saved = await commands.delete(_MONITOR, key)
        if saved.result is SaveResult.DONE:
            return moved("/", done="deleted")
        return absent("There is no such monitor that can be deleted here.\n")

    async def _known(self, key: str) -> Definition | None:
        commands = self._site.commands.definitions
        return None if commands is None or not key else await commands.definition(_MONITOR, key)

    async def _entered(self, request: Request) -> tuple[Editing, dict[str, Any], Texts] | Response:
        found = await submitted(request)
        if isinstance(found, Response):
            return found
        if self._site.forms is None or self._site.commands.definitions is None:
            return unavailable()
        read = entered(self._site.forms, found)
        if read is None:
            return absent("There is no such kind of check.\n")
        made, said = read
        made.key = request.path_params.get("id", made.key)
        return made, dict(said.body), found

    async def _validated(self, made: Editing, body: dict[str, Any], *, patient: bool = False) -> None:
        commands, forms = self._site.commands.definitions, self._site.forms
        if commands is None or forms is None or made.faults:
            return
        if faults := forms.faults(body):
            assign(made, faults, patient=patient)
            return
        with contextlib.suppress(TimeoutError):  # saving validates it in any case
            async with asyncio.timeout(_PATIENCE_SECONDS if patient else None):
                assign(made, await commands.validate(_MONITOR, body, made.key or None), patient=patient)

    async def _tried(self, request: Request, made: Editing, body: dict[str, Any]) -> None:
        trials = self._site.commands.trials
        if trials is None or made.faults:
            return
        made.tried = await trials.try_out(body, key=made.key or None, trusted=may(request, Role.ADMIN))
        request.state.audit = {"kind": made.form.kind}
        assign(made, made.tried.faults)

    async def _saved(self, request: Request, made: Editing, body: dict[str, Any]) -> Response:
        commands = self._site.commands.definitions
        if commands is None:
            return unavailable()
        if made.faults:
            return await self._form(request, made, await self._known(made.key), status=422)
        saved = await commands.save(
            _MONITOR, body, by(request), key=made.key or None, version=made.version or None, trusted=may(request, Role.ADMIN)
        )
        if saved.result is SaveResult.DONE and saved.definition is not None:
            request.state.audit = {"monitor": saved.definition.id}
            return moved(LINKS.monitor(saved.definition.id), done="saved")
        assign(made, saved.faults)
        made.refused = "" if saved.result is SaveResult.INVALID and saved.faults else f"fault_{saved.result.value}"
        if made.refused == "fault_invalid":
            made.refused, made.faults[""] = "", [Fault("it cannot be saved as it is")]
        return await self._form(request, made, await self._known(made.key), status=409 if saved.result is SaveResult.CONFLICT else 422)

    def _context(self, request: Request, made: Editing) -> dict[str, Any]:
        language = language_of(request, self._site.setting().language)
        result = made.tried.result if isinstance(made.tried, Tried) else None
        lines = [] if result is None else lines_of(result, Words(language, texts.TEXTS, texts.COUNTED))
        return {"made": made, "lines": lines, "known_texts": texts.TEXTS}

    async def _form(
        self,
        request: Request,
        made: Editing | None,
        known: Definition | None = None,
        *,
        title: tuple[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        if made is None or self._site.forms is None:
            return absent("There is no such kind of check.\n")
        if title is None:
            title = ("head_new", "") if known is None else ("head_edit", known.name)
        context = {
            **self._context(request, made),
            "section": "overview",
            "kinds": self._site.forms.kinds(),
            "known": known,
            "title_key": title[0],
            "title_name": title[1],
            "read_only": title[0] == "head_read_only",
            "live": False,
        }
        return await page(request, self._site, "editing.html.j2", context, texts, status=status)
