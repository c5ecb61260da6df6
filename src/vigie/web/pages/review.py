"""The post-incident report of an alert: drafted from what is on record, edited by people, kept with its versions, taken away as a file."""

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.commands.alerts import REVIEW, Outcome
from vigie.errors import VigieError
from vigie.queries.alerts import AlertDetails
from vigie.report.postmortem import markdown as written
from vigie.report.wording import printable
from vigie.text.dashboard import alert as words_of_alert
from vigie.web import markdown
from vigie.web.access import Role, route
from vigie.web.forms import body_of, fields_of, is_form
from vigie.web.page import HEADERS
from vigie.web.pages.alert import by_of, gone_to, setting_of, unknown
from vigie.web.rendering import LINKS, packed, page, rendered
from vigie.web.site import Site

_BODY_BYTES = 4 * REVIEW  # percent-encoded by a form


def routes(site: Site) -> list[BaseRoute]:
    """View, edit, save, and take away."""

    async def show(request: Request) -> Response:
        return await _show(site, request, editing="edit" in request.query_params)

    async def save(request: Request) -> Response:
        return await _save(site, request)

    async def export(request: Request) -> Response:
        return await _export(site, request)

    return [
        route("/alerts/{alert}/review", show, needs=Role.VIEWER, name="alert_review"),
        route("/alerts/{alert}/review", save, needs=Role.RESPONDER, methods=["POST"], name="alert_review_save"),
        route("/alerts/{alert}/review.{kind}", export, needs=Role.VIEWER, name="alert_review_export"),
    ]


async def _text(site: Site, request: Request, found: AlertDetails) -> str:
    """As a person left it, else the draft in the reader's language."""
    if found.review is not None:
        return found.review.text
    setting, _ = setting_of(request, site)
    return "" if site.drafts is None else written(await site.drafts(found.alert.first.id, setting.language))


async def _found(site: Site, request: Request) -> AlertDetails | None:
    return None if site.alerts is None else await site.alerts.alert(request.path_params["alert"])


async def _show(site: Site, request: Request, *, editing: bool, mine: str = "", said: str = "", status: int = 200) -> Response:
    found = await _found(site, request)
    if found is None:
        return await unknown(request, site)
    text = await _text(site, request, found)
    _, words = setting_of(request, site)
    shown = await asyncio.get_running_loop().run_in_executor(site.renderer, markdown.html, text)
    version = found.review.version if found.review is not None else 0
    context = {
        "alert": found.alert,
        "review": found.review,
        "version": version,
        "text": mine or text,
        "html": shown,
        "editing": editing,
        "said": said,
        "notice": words("done_review") if request.query_params.get("done") == "review" else "",
        "section": "alerts",
        "longest": REVIEW,
    }
    return await page(request, site, "alert_review.html.j2", context, words_of_alert, status=status, headers={"ETag": f'"{version}"'})


async def _save(site: Site, request: Request) -> Response:
    body = await body_of(request, _BODY_BYTES) if is_form(request) else None
    commands, alert = site.commands.alerts, request.path_params["alert"]
    _, words = setting_of(request, site)
    fields = {} if body is None else fields_of(body)
    text, version = fields.get("text", "").replace("\r\n", "\n"), fields.get("version", "")
    if commands is None or not text.strip() or not (version.isascii() and version.isdecimal() and len(version) < 10):
        return await _show(site, request, editing=True, said=words("said_bad"), status=400)
    try:
        outcome = await commands.review(alert, by_of(request, words), text, int(version))
    except VigieError:
        return await _show(site, request, editing=True, mine=text[:REVIEW], said=words("review_long"), status=400)
    request.state.audit = {"version": int(version) + 1, "outcome": outcome.value}
    if outcome is Outcome.UNKNOWN:
        return await unknown(request, site)
    if outcome is Outcome.ALREADY:
        found = await _found(site, request)
        by = printable(found.review.by, 80) if found is not None and found.review is not None else ""
        return await _show(site, request, editing=True, mine=text, said=words("review_changed", by=by), status=409)
    return gone_to(request, f"{LINKS.alert(alert)}/review?done=review")


async def _export(site: Site, request: Request) -> Response:
    """A file: Markdown, or one page of HTML that needs nothing else."""
    found, kind = await _found(site, request), request.path_params["kind"]
    if found is None or kind not in ("md", "html"):
        return await unknown(request, site)
    text, name = await _text(site, request, found), quote(found.alert.first.id, safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}.{kind}"}
    if kind == "md":
        return await packed(request, site, text, "text/markdown; charset=utf-8", headers=headers)
    setting, _ = setting_of(request, site)
    context = {"title": found.alert.first.id, "language": setting.language, "html": markdown.html(text)}
    whole = await rendered(site, "alert_review_file.html.j2", context)
    return await packed(request, site, whole, "text/html; charset=utf-8", headers={**HEADERS, **headers})
