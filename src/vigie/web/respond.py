"""Where the links of a message lead: a page that asks before it acknowledges, snoozes or resolves an alert. Opening it changes nothing.

The signature in the address is what allows to act: who has no link has nothing to forge, so that no cookie and no token is needed.
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Protocol

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from vigie.core.model import Incident
from vigie.errors import StoreError
from vigie.report.render import RenderContext
from vigie.report.responses import Invitation, ResponseAction
from vigie.report.wording import cause_words
from vigie.text.formatting import date_time
from vigie.web.access import Public, route
from vigie.web.forms import body_of, fields_of, is_form, line
from vigie.web.page import LINK_HEADERS, language_of, say

BY, NOTE = 60, 500  # characters
SNOOZES_MS = (900_000, 3_600_000, 14_400_000, 28_800_000, 86_400_000)
_DEFAULT_SNOOZE = 1
_SHOWN = 20


class Concerned(Protocol):
    """An alert as somebody is asked about it."""

    @property
    def first(self) -> Incident:
        """The incident that began it."""

    @property
    def name(self) -> str:
        """What that incident's monitor is called."""

    @property
    def open(self) -> tuple[tuple[Incident, str], ...]:
        """Its open incidents, each with what its monitor is called."""

    @property
    def acked_by(self) -> str | None:
        """Who acknowledged it."""


class ResponseService(Protocol):
    """Who knows what a link is about, and does what it asks. Raises StoreError."""

    @property
    def setting(self) -> RenderContext:
        """The language and the zone of the configuration."""

    def now(self) -> int:
        """Epoch ms."""

    async def invited(self, alert: str, invitation: Invitation) -> Concerned | None:
        """The alert of a link, expired or not; None for a link that is not ours."""

    async def respond(self, alert: str, action: ResponseAction, by: str, *, note: str = "", snooze_ms: int = SNOOZES_MS[1]) -> str:
        """Do it: `done`, `already` or `over`."""


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """What a form brought. A text may be too long, a number may be none that was offered."""

    by: str = ""
    note: str = ""
    snooze_ms: int = SNOOZES_MS[_DEFAULT_SNOOZE]

    @property
    def usable(self) -> bool:
        """Whether it is within the bounds."""
        return len(self.by) <= BY and len(self.note) <= NOTE and self.snooze_ms in SNOOZES_MS


_NONE = ResponseForm()


def routes(service: ResponseService, pages: Environment) -> list[BaseRoute]:
    """The route over whoever does what people ask."""
    template = pages.get_template("respond.html.j2")

    def page(
        request: Request,
        status: int,
        state: str,
        about: Concerned | None = None,
        asked: Invitation | None = None,
        form: ResponseForm = _NONE,
    ) -> Response:
        language = language_of(request, service.setting.language)
        context = _context(about, asked, form, state, language, service)
        return HTMLResponse(template.render(**context), status_code=status, headers=LINK_HEADERS)

    async def answer(request: Request) -> Response:
        asked = _invitation(request)
        try:
            about = None if asked is None else await service.invited(request.path_params["alert"], asked)
            if about is None or asked is None:
                return page(request, 404, "gone")
            if service.now() > asked.until:
                return page(request, 410, "expired", about, asked)
            if not about.open:
                return page(request, 200, "over", about, asked)
            return await taken(request, about, asked) if request.method == "POST" else page(request, 200, "", about, asked)
        except StoreError:
            return page(request, 503, "later")

    async def taken(request: Request, about: Concerned, asked: Invitation) -> Response:
        body = await body_of(request) if is_form(request) else None
        form = _NONE if body is None else _read(body)
        if body is None or not form.usable:
            return page(request, 400, "bad", about, asked, form)
        by = form.by or say(service.setting.language, "respond_by", channel=asked.channel)
        outcome = await service.respond(about.first.alert or about.first.id, asked.action, by, note=form.note, snooze_ms=form.snooze_ms)
        return page(request, 200, outcome, about, asked, form)

    return [route("/respond/{action}/{alert}", answer, needs=Public.LINK, methods=["GET", "POST"])]


def _invitation(request: Request) -> Invitation | None:
    """What the address says; None for one that no link of ours has."""
    query, action = request.query_params, request.path_params["action"]
    until = query.get("until", "")
    if action not in ResponseAction.__members__.values() or not until.isascii() or not until.isdigit() or len(until) > 15:
        return None
    return Invitation(ResponseAction(action), query.get("to", ""), int(until), query.get("sig", ""))


def _read(body: bytes) -> ResponseForm:
    fields = fields_of(body)
    snooze = fields.get("snooze", str(SNOOZES_MS[_DEFAULT_SNOOZE]))
    known = {str(one): one for one in SNOOZES_MS}
    return ResponseForm(line(fields.get("by", "")), line(fields.get("note", "")), known.get(snooze, 0))


def _span(ms: int) -> str:
    """One of the durations offered, in both languages alike; "1 h", where a measured one would be "1 h 00 min"."""
    hours = ms // 3_600_000
    return f"{hours} h" if hours else f"{ms // 60_000} min"


def _context(
    about: Concerned | None, asked: Invitation | None, form: ResponseForm, state: str, language: str, service: ResponseService
) -> dict[str, Any]:
    zone: tzinfo = service.setting.zone

    def words(key: str, **values: object) -> str:
        return say(language, f"respond_{key}", **values)

    return {
        "words": words,
        "about": about,
        "asked": asked,
        "form": form,
        "state": state,
        "action": asked.action if asked else "",
        "since": date_time(about.first.started_at, zone, language) if about else "",
        "cause": cause_words(about.first.cause, {}, language) if about else "",
        "members": about.open[:_SHOWN] if about else (),
        "more": max(len(about.open) - _SHOWN, 0) if about else 0,
        "snoozes": [(one, _span(one)) for one in SNOOZES_MS],
        "lasts": _span(form.snooze_ms),
        "by_length": BY,
        "note_length": NOTE,
        "language": language,
    }
