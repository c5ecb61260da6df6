"""Tokens of programs: everybody who may edit makes their own, an admin sees and revokes them all."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.accounts import SCOPES, Token, scope_of
from vigie.text.dashboard import tokens as words
from vigie.web.access import Actor, ActorKind, Role, actor_of, route
from vigie.web.auth.login import form_of
from vigie.web.auth.people import made_token
from vigie.web.auth.sessions import accounts_of
from vigie.web.forms import line
from vigie.web.gate import problem
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site

_DAY_MS = 86_400_000
DAYS = {"30": 30, "90": 90, "365": 365, "never": None}


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has accounts."""
    if site.accounts is None:
        return []
    one = _Tokens(site)
    return [
        route("/settings/tokens", one.show, needs=Role.EDITOR, name="tokens"),
        route("/settings/tokens", one.create, needs=Role.EDITOR, methods=["POST"], name="token_create"),
        route("/settings/tokens/{token_id}/revoke", one.revoke, needs=Role.EDITOR, methods=["POST"], name="token_revoke"),
    ]


class _Tokens:
    def __init__(self, site: Site) -> None:
        self._site, self._accounts = site, accounts_of(site)

    async def show(self, request: Request) -> Response:
        """Those that one may see."""
        return await self._page(request)

    async def _page(self, request: Request, status: int = 200, **more: Any) -> Response:
        actor = actor_of(request)
        if actor is None or actor.kind is ActorKind.TOKEN:
            return problem(403, "tokens are made by people, or by `vigie token create`")
        done = request.query_params.get("done", "")
        context = {
            "section": "settings",
            "tokens": [one for one in await self._accounts.tokens() if _may_see(actor, one)],
            "scopes": [name for name, role in SCOPES.items() if role <= actor.role],
            "scope_of": scope_of,
            "days": list(DAYS),
            "done": done if f"done_{done}" in words.TEXTS else "",
            "fault": "",
            "form": {},
            "secret": "",
            **more,
        }
        return await page(request, self._site, "tokens.html.j2", context, words, status=status)

    async def create(self, request: Request) -> Response:
        """A new one, shown this once; it may do no more than who makes it."""
        actor, form, now = actor_of(request), await form_of(request), self._site.now()
        if actor is None or actor.kind is ActorKind.TOKEN:
            return problem(403, "tokens are made by people, or by `vigie token create`")
        name, scope, days = line(form.get("name", ""))[:100], SCOPES.get(form.get("scope", "")), form.get("days", "")
        if not name or scope is None or scope > actor.role or days not in DAYS:
            return await self._page(request, 422, fault="form", form=form)
        lasts = DAYS[days]
        until = None if lasts is None else now + lasts * _DAY_MS
        owner = actor.id if actor.kind is ActorKind.USER else ""
        secret, kept = made_token(name, scope, now, actor.name, owner=owner, expires_at=until)
        request.state.audit = {"token_id": kept.id, "name": name, "scope": form["scope"]}
        await self._accounts.add_token(kept)
        return await self._page(request, secret=secret)

    async def revoke(self, request: Request) -> Response:
        """Not valid any more, at once."""
        actor, wanted = actor_of(request), request.path_params["token_id"]
        known = next((one for one in await self._accounts.tokens() if one.id == wanted), None)
        if actor is None or actor.kind is ActorKind.TOKEN or known is None or not _may_see(actor, known):
            return await self._page(request, 404, fault="unknown")
        request.state.audit = {"name": known.name, "scope": scope_of(known.scope)}
        await self._accounts.revoke_token(wanted)
        return RedirectResponse("/settings/tokens?done=revoked", 303, HEADERS)


def _may_see(actor: Actor, one: Token) -> bool:
    return actor.role is Role.ADMIN or (bool(one.owner) and one.owner == actor.id)
