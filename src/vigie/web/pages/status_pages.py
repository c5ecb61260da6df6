"""Where people publish on status pages: responders post and update, editors also correct, delete and remove subscribers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.commands.status_pages import NewPost, StatusPageCommands
from vigie.queries.status_pages import Draft, StatusPageQueries
from vigie.report.publication import STAGES, Impact, Post, PostKind, Stage
from vigie.report.status_page import StatusPage
from vigie.text.dashboard import status_pages as texts
from vigie.text.formatting import local_time
from vigie.web.access import Role, actor_of, route
from vigie.web.forms import body_of, is_form, line
from vigie.web.page import HEADERS, shown
from vigie.web.rendering import page as rendered
from vigie.web.site import Site
from vigie.web.status.drawing import headline

_TITLE, _TEXT = 120, 2_000  # characters
_BODY, _FIELDS = 65_536, 1_200  # a page may have hundreds of services to tick
_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::\d\d)?", re.ASCII)
Act = Callable[[Request, StatusPage, "_Form", StatusPageCommands], Awaitable[str]]


class BadForm(Exception):  # noqa: N818 - says what it is
    """What a form brought cannot be published; the key of the words that say why."""


class _Form:
    """The fields of a form; of one that may be there several times, all."""

    def __init__(self, body: bytes) -> None:
        try:
            self._fields = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_FIELDS)
        except ValueError:
            self._fields = {}

    def all(self, name: str) -> list[str]:
        """Each value of a field."""
        return self._fields.get(name, [])

    def one(self, name: str) -> str:
        """The last value, or nothing."""
        return self._fields.get(name, [""])[-1]

    def title(self) -> str:
        """Raise BadForm for one that is empty or too long."""
        text = line(self.one("title"))
        if not 0 < len(text) <= _TITLE:
            raise BadForm("bad_title")
        return text

    def text(self) -> str:
        """Paragraphs without what hides in them; raise BadForm for one that is empty or too long."""
        lines = (shown(" ".join(part.split())) for part in self.one("text").replace("\r\n", "\n").split("\n"))
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        if not 0 < len(text) <= _TEXT:
            raise BadForm("bad_text")
        return text

    def stage(self, kind: PostKind) -> Stage:
        """Raise BadForm for one that this kind has not."""
        wanted = self.one("stage")
        if wanted not in {one.value for one in STAGES[kind]}:
            raise BadForm("bad_stage")
        return Stage(wanted)

    def at(self, name: str, page: StatusPage) -> int | None:
        """A date and time as a form has it, in the page's zone; None where it is empty. Raise BadForm."""
        text = self.one(name).strip()
        if not text:
            return None
        if not _LOCAL.fullmatch(text):
            raise BadForm("bad_time")
        try:
            return round(datetime.fromisoformat(text).replace(tzinfo=page.zone).timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            raise BadForm("bad_time") from None


def routes(site: Site) -> list[BaseRoute]:
    """The list, a page, and what is done there."""
    desk = _Desk(site)
    own, post = "/status-pages/{name}", "/status-pages/{name}/posts/{post}"
    acts: list[tuple[str, Act, str, Role, str]] = [
        (f"{own}/posts", _publish, "published", Role.RESPONDER, "status_page_publish"),
        (f"{post}/updates", desk.update, "updated", Role.RESPONDER, "status_page_update"),
        (f"{post}/updates/{{number:int}}/edit", _amend, "saved", Role.EDITOR, "status_page_amend"),
        (f"{post}/updates/{{number:int}}/delete", _retract, "deleted", Role.EDITOR, "status_page_retract"),
        (f"{post}/delete", _retract, "deleted", Role.EDITOR, "status_page_delete"),
        (f"{own}/subscribers/{{subscriber}}/delete", _remove, "removed", Role.EDITOR, "status_page_remove_subscriber"),
    ]
    return [
        route("/status-pages", desk.listed, needs=Role.VIEWER, name="status_pages"),
        route(own, desk.managed, needs=Role.VIEWER, name="status_page"),
        *(route(path, desk.done(act, what), needs=role, methods=["POST"], name=name) for path, act, what, role, name in acts),
    ]


def _by(request: Request) -> str:
    actor = actor_of(request)
    return "" if actor is None else actor.name


async def _publish(request: Request, page: StatusPage, form: _Form, commands: StatusPageCommands) -> str:
    kind = PostKind.MAINTENANCE if form.one("kind") == "maintenance" else PostKind.INCIDENT
    keys = {one.key: one.monitor for one in page.components}
    impact = form.one("impact") if kind is PostKind.INCIDENT else "none"
    start, until = form.at("start", page), form.at("until", page) if kind is PostKind.MAINTENANCE else None
    if kind is PostKind.MAINTENANCE and (start is None or until is None or start >= until):
        raise BadForm("bad_time")
    post = NewPost(
        kind=kind,
        title=form.title(),
        monitors=[keys[one] for one in form.all("service") if one in keys],
        impact=Impact(impact) if impact in {one.value for one in Impact} else Impact.NONE,
        stage=form.stage(kind),
        text=form.text(),
        start=start if start is not None else _now(request),
        until=until,
        next_update=form.at("next", page),
        alert=line(form.one("alert"))[:200],
    )
    request.state.audit = {"page": page.name, "title": post.title}
    await commands.publish(page.name, post, _by(request), send=form.one("send") == "yes")
    return ""


def _now(request: Request) -> int:
    found: int = request.state.now
    return found


async def _amend(request: Request, page: StatusPage, form: _Form, commands: StatusPageCommands) -> str:
    at = request.path_params
    return "" if await commands.amend(page.name, at["post"], at["number"], form.text()) else "gone"


async def _retract(request: Request, page: StatusPage, form: _Form, commands: StatusPageCommands) -> str:  # noqa: ARG001 - a signature
    at = request.path_params
    return "" if await commands.retract(page.name, at["post"], at.get("number")) else "gone"


async def _remove(request: Request, page: StatusPage, form: _Form, commands: StatusPageCommands) -> str:  # noqa: ARG001 - a signature
    return "" if await commands.remove_subscriber(page.name, request.path_params["subscriber"]) else "gone"


class _Desk:
    """The pages for those who publish."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def listed(self, request: Request) -> Response:
        """Every page, with how it reads."""
        queries = self._site.status_pages
        rows = (
            []
            if queries is None
            else [(one, await queries.public(one.name), await queries.subscribers(one.name)) for one in queries.pages()]
        )
        context = {"section": "status_pages", "rows": rows, "headline_of": lambda public: headline(public, public.page.language)}
        return await rendered(request, self._site, "status_pages.html.j2", context, texts)

    async def managed(self, request: Request) -> Response:
        """One page."""
        return await self._page(request, 200)

    async def _page(self, request: Request, status: int, fault: str = "", form: Mapping[str, str] | None = None) -> Response:
        queries = self._site.status_pages
        page = None if queries is None else queries.page(request.path_params["name"])
        if queries is None or page is None:
            return await rendered(request, self._site, "status_pages.html.j2", {"section": "status_pages", "rows": None}, texts, status=404)
        context = await self._context(request, queries, page)
        context |= {"fault": fault, "form": dict(form or {})}
        return await rendered(request, self._site, "status_page_manage.html.j2", context, texts, status=status)

    async def _context(self, request: Request, queries: StatusPageQueries, page: StatusPage) -> dict[str, Any]:
        posts, public, drafts = await queries.posts(page.name), await queries.public(page.name), await queries.drafts(page.name)
        wanted = request.query_params.get("draft", "")
        draft = next((one for one in drafts if one.alert == wanted), None)
        names = {one.monitor: one.name for one in page.components}
        now = (await self._site.health.health()).now
        return {
            "section": "status_pages",
            "page": page,
            "public": public,
            "headline": "" if public is None else headline(public, page.language),
            "posts": posts,
            "names_of": lambda post: [names[one] for one in post.monitors if one in names],
            "subscribers": await queries.subscribers(page.name),
            "drafts": drafts,
            "draft": draft,
            "field": _prefilled(draft, page, now),
            "stages": {kind.value: [one.value for one in some] for kind, some in STAGES.items()},
            "impacts": [one.value for one in Impact],
            "ticked": [one.key for one in page.components if draft is not None and one.monitor in draft.monitors],
            "base": page.path,
            "done_key": request.query_params.get("done", "") if request.query_params.get("done", "") in _DONE else "",
            "local": lambda at: _written(at, page),
        }

    def done(self, act: Act, what: str) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that acts and leads back to the page."""

        async def endpoint(request: Request) -> Response:
            queries, commands = self._site.status_pages, self._site.commands.status_pages
            page = None if queries is None else queries.page(request.path_params["name"])
            body = await body_of(request, _BODY) if is_form(request) else None
            if page is None or commands is None:
                return await self._page(request, 404)
            form = _Form(body or b"")
            request.state.now = (await self._site.health.health()).now
            try:
                gone = await act(request, page, form, commands)
            except BadForm as fault:
                kept = {name: form.one(name)[:_TEXT] for name in ("kind", "title", "text", "start", "until", "next")}
                return await self._page(request, 400, str(fault), kept)
            if gone:
                return await self._page(request, 404)
            query = urlencode({"done": what})
            return RedirectResponse(f"/status-pages/{page.name}?{query}", status_code=303, headers=HEADERS)

        return endpoint

    async def update(self, request: Request, page: StatusPage, form: _Form, commands: StatusPageCommands) -> str:
        """How a post goes on."""
        queries, wanted = self._site.status_pages, request.path_params["post"]
        posts: list[Post] = [] if queries is None else await queries.posts(page.name)
        post = next((one for one in posts if one.id == wanted), None)
        if post is None:
            return "gone"
        stage, text, next_update = form.stage(post.kind), form.text(), form.at("next", page)
        request.state.audit = {"page": page.name, "title": post.title, "stage": stage.value}
        sent = form.one("send") == "yes"
        return "" if await commands.update(page.name, wanted, stage, text, _by(request), next_update=next_update, send=sent) else "gone"


_DONE = ("published", "updated", "saved", "deleted", "removed")


def _prefilled(draft: Draft | None, page: StatusPage, now: int) -> dict[str, str]:
    """What the form for an incident holds at first."""
    if draft is None:
        return {"start": _written(now, page), "impact": "down"}
    return {
        "title": draft.title,
        "text": draft.text,
        "start": _written(draft.start, page),
        "impact": draft.impact.value,
        "alert": draft.alert,
    }


def _written(at: int | None, page: StatusPage) -> str:
    """As a form's field for a date and time has it."""
    return "" if at is None else f"{local_time(at, page.zone):%Y-%m-%dT%H:%M}"
