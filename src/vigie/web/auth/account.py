"""One's own account: password, one-time codes, passkeys, and where one is logged in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.accounts import User
from vigie.text.dashboard import account as words
from vigie.web.access import Actor, ActorKind, Role, actor_of, route
from vigie.web.auth import totp
from vigie.web.auth.login import form_of
from vigie.web.auth.passwords import SHORTEST, BusyError, Passwords, fault_of
from vigie.web.auth.people import changed
from vigie.web.auth.sessions import accounts_of
from vigie.web.gate import problem
from vigie.web.limits import BY_BOTH
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site

FRESH_MS = 3_600_000  # how long after a login somebody may change what they log in with


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has accounts."""
    if site.accounts is None:
        return []
    one = _Account(site)
    return [
        route("/account", one.show, needs=Role.VIEWER, name="account"),
        route("/account/password", one.password, needs=Role.VIEWER, methods=["POST"], name="account_password"),
        route("/account/codes", one.codes, needs=Role.VIEWER, methods=["GET", "POST"], name="account_codes"),
        route("/account/codes/off", one.codes_off, needs=Role.VIEWER, methods=["POST"], name="account_codes_off"),
        route("/account/passkeys/{key}/remove", one.passkey_remove, needs=Role.VIEWER, methods=["POST"], name="account_passkey_remove"),
        route("/account/sessions/end", one.sessions_end, needs=Role.VIEWER, methods=["POST"], name="account_sessions_end"),
    ]


async def owner(site: Site, request: Request) -> tuple[Actor, User] | Response:
    """Who is logged in; the answer to whoever has no account of their own."""
    actor = actor_of(request)
    if actor is None or actor.kind is ActorKind.TOKEN:
        return problem(403, "a token has no account")
    user = None if actor.kind is ActorKind.LOCAL else await accounts_of(site).user(actor.name)
    return RedirectResponse("/settings/users", 303, HEADERS) if user is None else (actor, user)


async def is_fresh(site: Site, actor: Actor) -> bool:
    """Whether they logged in lately: a session that was left open, or stolen, gives no way to keep the account."""
    found = await accounts_of(site).session(actor.session)
    return found is not None and site.now() - found[0].created_at < FRESH_MS


class _Account:
    def __init__(self, site: Site) -> None:
        self._site, self._accounts, self._passwords = site, accounts_of(site), Passwords()

    async def show(self, request: Request) -> Response:
        """The page."""
        known = await owner(self._site, request)
        return known if isinstance(known, Response) else await self._page(request, *known)

    async def _page(self, request: Request, actor: Actor, user: User, status: int = 200, **more: Any) -> Response:
        done = request.query_params.get("done", "")
        context: Mapping[str, Any] = {
            "user": user,
            "sessions": await self._accounts.sessions(user.id),
            "current": actor.session,
            "fresh": await is_fresh(self._site, actor),
            "shortest": SHORTEST,
            "done": done if f"done_{done}" in words.TEXTS else "",
            "fault": "",
            "recovery": (),
            **more,
        }
        return await page(request, self._site, "account.html.j2", context, words, status=status)

    async def _confirmed(self, user: User, actor: Actor, form: Mapping[str, str]) -> str:
        """Why it is not known to be them: their password, or a login of late; empty where it is."""
        if not user.password:
            return "" if await is_fresh(self._site, actor) else "stale"
        key = ("password", user.id)
        if self._site.door.limiter.wait(key):
            return "wait"
        try:
            if await self._passwords.verify(user.password, form.get("current", "")):
                self._site.door.limiter.forget(key)
                return ""
        except BusyError:
            return "busy"
        self._site.door.limiter.failed(BY_BOTH, key)
        return "current"

    async def password(self, request: Request) -> Response:
        """Set a new one; every other session ends."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return known
        actor, user = known
        form = await form_of(request)
        fresh = form.get("password", "")
        fault = await self._confirmed(user, actor, form) or fault_of(fresh, user.name) or ("differ" if form.get("again") != fresh else "")
        if fault:
            return await self._page(request, actor, user, 422, fault=fault)
        kept = await self._passwords.make(fresh)
        await changed(self._accounts, user.name, lambda one: replace(one, password=kept))
        await self._accounts.end_sessions(user.id, but=actor.session)
        return RedirectResponse("/account?done=password", 303, HEADERS)

    async def codes(self, request: Request) -> Response:
        """Show a new secret, or take the first code made with it."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return known
        actor, user = known
        if request.method != "POST":
            return await self._codes_page(request, user, totp.new_secret())
        form = await form_of(request)
        token = form.get("token", "")
        pending = self._site.door.pending(token, "codes")
        if pending is None or pending.user != user.id:
            return RedirectResponse("/account/codes", 303, HEADERS)
        secret = str(pending.data["secret"])
        if fault := await self._confirmed(user, actor, form):
            return await self._codes_page(request, user, secret, fault)
        step = totp.step_of(secret, form.get("code", ""), self._site.now(), 0)
        if step is None:
            return await self._codes_page(request, user, secret, "code")
        plain, hashes = totp.new_recovery()
        saved = await changed(self._accounts, user.name, lambda one: replace(one, totp=secret, totp_step=step, recovery=hashes))
        self._site.door.end(token)
        await self._accounts.end_sessions(user.id, but=actor.session)
        return await self._page(request, actor, saved or user, recovery=plain, done="codes")

    async def _codes_page(self, request: Request, user: User, secret: str, fault: str = "") -> Response:
        token = self._site.door.begin("codes", user.id, secret=secret)
        uri = totp.address_of(secret, user.name, "Vigie")
        grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        context = {"token": token, "qr": totp.picture(uri), "secret": grouped, "uri": uri, "fault": fault, "user": user}
        return await page(request, self._site, "account_codes.html.j2", context, words, status=422 if fault else 200)

    async def codes_off(self, request: Request) -> Response:
        """Ask for no codes any more."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return known
        actor, user = known
        if fault := await self._confirmed(user, actor, await form_of(request)):
            return await self._page(request, actor, user, 422, fault=fault)
        await changed(self._accounts, user.name, lambda one: replace(one, totp="", totp_step=0, recovery=()))
        return RedirectResponse("/account?done=codes_off", 303, HEADERS)

    async def passkey_remove(self, request: Request) -> Response:
        """Forget a passkey, unless nothing else would let them in."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return known
        actor, user = known
        key = request.path_params["key"]
        left = tuple(one for one in user.passkeys if one.id != key)
        if not left and not user.password and not user.subject:
            return await self._page(request, actor, user, 409, fault="last_way")
        await changed(self._accounts, user.name, lambda one: replace(one, passkeys=tuple(kept for kept in one.passkeys if kept.id != key)))
        return RedirectResponse("/account?done=passkey_removed", 303, HEADERS)

    async def sessions_end(self, request: Request) -> Response:
        """End one session, or all but this one."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return known
        actor, user = known
        wanted = (await form_of(request)).get("session", "")
        number = await self._accounts.end_sessions(user.id, only=wanted or None, but=None if wanted else actor.session)
        request.state.audit = {"ended": number}
        return RedirectResponse("/account?done=sessions", 303, HEADERS)
