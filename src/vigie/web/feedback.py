"""Where the links of a notice lead: a page that asks whether the analysis helped. Looking changes nothing, since scanners of mail look too.

The signature in the address is what allows to answer: who has no link has nothing to forge, so that no cookie and no token is needed.
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError
from vigie.ports import Asked
from vigie.report.hypotheses import catalogue
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.formatting import date_time
from vigie.web.access import Public, route
from vigie.web.forms import body_of, fields_of, is_form, line
from vigie.web.page import LINK_HEADERS, language_of, say


class FeedbackService(Protocol):
    """Who knows what a link is about, and stores what people answer. Raises StoreError."""

    @property
    def setting(self) -> RenderContext:
        """The language and the zone of the configuration."""
        ...

    async def find(self, incident: str, signature: str) -> Asked | None:
        """What a link asks about; None for one that is not ours."""
        ...

    async def keep(self, asked: Asked, *, helpful: bool, cause: str, note: str) -> bool:
        """Store an answer; False when there are enough already."""
        ...


CAUSE, NOTE = 120, 500  # characters; in a form each may become nine bytes
_HELPFUL = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class FeedbackForm:
    """What a form brought, each text one line; `helpful` None where it was not given. A text may still be too long."""

    helpful: bool | None = None
    cause: str = ""
    note: str = ""

    @property
    def usable(self) -> bool:
        """Whether it says whether the analysis helped, within the bounds."""
        return self.helpful is not None and len(self.cause) <= CAUSE and len(self.note) <= NOTE


def routes(service: FeedbackService, pages: Environment) -> list[BaseRoute]:
    """The route over whoever stores what people answer."""
    template = pages.get_template("feedback.html.j2")

    def page(request: Request, status: int, asked: Asked | None, form: FeedbackForm, *, state: str = "") -> Response:
        text = template.render(**_context(asked, form, state, language_of(request, service.setting.language), service.setting.zone))
        return HTMLResponse(text, status_code=status, headers=LINK_HEADERS)

    async def answer(request: Request) -> Response:
        try:
            asked = await service.find(request.path_params["incident"], request.path_params["signature"])
            if asked is None:
                return page(request, 404, None, FeedbackForm(), state="gone")
            if request.method != "POST":
                return page(request, 200, asked, FeedbackForm(_HELPFUL.get(request.query_params.get("helpful", ""))))
            return await taken(request, asked)
        except StoreError:
            return page(request, 503, None, FeedbackForm(), state="later")

    async def taken(request: Request, asked: Asked) -> Response:
        if not is_form(request):
            return page(request, 415, asked, FeedbackForm(), state="bad")
        body = await body_of(request)
        if body is None:
            return page(request, 413, asked, FeedbackForm(), state="bad")
        form = _read(body)
        if form.helpful is None or not form.usable:
            return page(request, 400, asked, form, state="bad")
        kept = await service.keep(asked, helpful=form.helpful, cause=form.cause, note=form.note)
        return page(request, 200 if kept else 429, asked, form, state="thanks" if kept else "enough")

    return [route("/feedback/{incident}/{signature}", answer, needs=Public.LINK, methods=["GET", "POST"])]


def _context(asked: Asked | None, form: FeedbackForm, state: str, language: str, zone: tzinfo) -> dict[str, object]:
    def words(key: str, **values: object) -> str:
        return say(language, f"ask_{key}", **values)

    return {
        "words": words,
        "asked": asked,
        "form": form,
        "state": state,
        "since": date_time(asked.incident.started_at, zone, language) if asked else "",
        "causes": list(dict.fromkeys(pick(one, language) for one in catalogue().values())),
        "cause_length": CAUSE,
        "note_length": NOTE,
        "language": language,
        "other": "fr" if language == "en" else "en",
        "other_name": say(language, "other"),
    }


def _read(body: bytes) -> FeedbackForm:
    """The form's fields."""
    fields = fields_of(body)
    return FeedbackForm(_HELPFUL.get(fields.get("helpful", "")), line(fields.get("cause", "")), line(fields.get("note", "")))
