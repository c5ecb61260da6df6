"""Who has an account: added, given a role, kept out, and given a new password by an admin."""

import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.accounts import Role, User, role_named
from vigie.text.dashboard import users as words
from vigie.web.access import ActorKind, actor_of, route
from vigie.web.auth.login import form_of
from vigie.web.auth.passwords import SHORTEST, Passwords, fault_of
from vigie.web.auth.people import changed, is_name, last_admin, new_user, tidy_name
from vigie.web.auth.sessions import accounts_of
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has accounts."""
    if site.accounts is None:
        return []
    one = _Users(site)
    return [
        route("/settings/users", one.show, needs=Role.ADMIN, name="users"),
        route("/settings/users", one.add, needs=Role.ADMIN, methods=["POST"], name="user_add"),
        route("/settings/users/{user}/role", one.role, needs=Role.ADMIN, methods=["POST"], name="user_role"),
        route("/settings/users/{user}/disable", one.disable, needs=Role.ADMIN, methods=["POST"], name="user_disable"),
        route("/settings/users/{user}/enable", one.enable, needs=Role.ADMIN, methods=["POST"], name="user_enable"),
        route("/settings/users/{user}/reset", one.reset, needs=Role.ADMIN, methods=["POST"], name="user_reset"),
        route("/settings/users/{user}/logout", one.logout, needs=Role.ADMIN, methods=["POST"], name="user_logout"),
    ]


class _Users:
    def __init__(self, site: Site) -> None:
        self._site, self._accounts, self._passwords = site, accounts_of(site), Passwords()

    async def show(self, request: Request) -> Response:
        """Everybody."""
        return await self._page(request)

    async def _page(self, request: Request, status: int = 200, **more: Any) -> Response:
        known = await self._accounts.users()
        done = request.query_params.get("done", "")
        actor = actor_of(request)
        context = {
            "section": "settings",
            "users": known,
            "roles": [one.name.lower() for one in Role],
            "shortest": SHORTEST,
            "done": done if f"done_{done}" in words.TEXTS else "",
            "fault": "",
            "form": {},
            "once": None,
            "here": actor is not None and actor.kind is ActorKind.LOCAL,
            "self_name": "" if actor is None else actor.name,
            **more,
        }
        return await page(request, self._site, "users.html.j2", context, words, status=status)

    async def add(self, request: Request) -> Response:
        """Somebody new: with the password given, or one that is shown once. The first is an admin: else nobody could change anything."""
        form = await form_of(request)
        name, role, first = tidy_name(form.get("name", "")), role_named(form.get("role", "")), not await self._accounts.any_user()
        role = Role.ADMIN if first else role
        given = form.get("password", "")
        password = given or secrets.token_urlsafe(15)
        request.state.audit = {"name": name, "role": "" if role is None else role.name.lower()}
        fault = "name" if not is_name(name) else "role" if role is None else fault_of(password, name)
        if fault is not None or role is None:
            return await self._page(request, 422, fault=fault or "role", form=form)
        fresh = new_user(name, role, self._site.now(), password=await self._passwords.make(password))
        if await self._accounts.save_user(fresh) is None:
            return await self._page(request, 409, fault="taken", form=form)
        if first and given:
            return RedirectResponse("/login", 303, HEADERS)
        if given:
            return RedirectResponse("/settings/users?done=added", 303, HEADERS)
        return await self._page(request, once=(name, password), closed=first)

    async def role(self, request: Request) -> Response:
        """What they may do, from now on."""
        wanted = role_named((await form_of(request)).get("role", ""))
        if wanted is None:
            return await self._page(request, 422, fault="role")
        request.state.audit = {"role": wanted.name.lower()}
        return await self._done(request, "role", lambda one: replace(one, role=wanted), weaker=wanted is not Role.ADMIN)

    async def disable(self, request: Request) -> Response:
        """No login, no session, no token."""
        return await self._done(request, "disabled", lambda one: replace(one, disabled=True), weaker=True, logout=True)

    async def enable(self, request: Request) -> Response:
        """They may log in again."""
        return await self._done(request, "enabled", lambda one: replace(one, disabled=False))

    async def logout(self, request: Request) -> Response:
        """End every session of theirs."""
        return await self._done(request, "logout", lambda one: one, logout=True)

    async def reset(self, request: Request) -> Response:
        """A new password, shown once, and no second factor: for who lost theirs."""
        password = secrets.token_urlsafe(15)
        kept = await self._passwords.make(password)

        def change(one: User) -> User:
            return replace(one, password=kept, totp="", totp_step=0, recovery=(), passkeys=())

        name = request.path_params["user"]
        answer = await self._done(request, "reset", change, logout=True)
        return await self._page(request, once=(name, password)) if answer.status_code == 303 else answer

    async def _done(self, request: Request, what: str, change: Any, *, weaker: bool = False, logout: bool = False) -> Response:
        name = request.path_params["user"]
        if weaker and await last_admin(self._accounts, name):
            return await self._page(request, 409, fault="last_admin")
        saved = await changed(self._accounts, name, change)
        if saved is None:
            return await self._page(request, 404, fault="unknown")
        if logout:
            await self._accounts.end_sessions(saved.id)
        return RedirectResponse(f"/settings/users?done={what}#u-{quote(name)}", 303, HEADERS)
