"""Every request passes here: where it comes from, who asks, whether another site made a browser ask, and what goes on record.

docs/decisions/0060 says how people are identified, 0061 why a change is on record before it is done.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Scope, Send

from vigie.accounts import SESSION_IDLE_MS, SESSION_MS, AuditEntry, Role
from vigie.errors import StoreError
from vigie.net.names import is_loopback as is_loopback_name
from vigie.text import LANGUAGES
from vigie.text.dashboard import door as words_of_door
from vigie.web.access import LOCAL_ADMIN, Actor, ActorKind, GuardedRoute, Public, actor_of, known_as
from vigie.web.door import hashed
from vigie.web.forwarded import Origin, is_loopback, origin_of
from vigie.web.hosts import name_of
from vigie.web.limits import TOKENS, Limiter, place_of
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site

log = logging.getLogger("vigie.web")

TOKEN_PREFIX = "vigie_"  # noqa: S105 - what tokens begin with, so that scanners of source code find them
COOKIE, SECURE_COOKIE = "vigie", "__Host-vigie"
_ORIGIN, _FAULT = "vigie.origin", "vigie.fault"
_NOBODY_ASKED = ("/static/", "/ping/", "/api/push/", "/integrations/", "/agent/")
_TOUCH_MS = 60_000
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_SECRET_PARTS = ("token", "signature", "secret", "code")
_TEXT = 200
_STRANGERS_PER_HOUR = 600  # records of people who are not known; more are not kept, so that nobody fills the disk


def cookie_name(request: Request) -> str:
    """What the session's cookie is called: over TLS by a name that no other host and no plain connection can set."""
    return SECURE_COOKIE if request.scope["scheme"] == "https" else COOKIE


def origin_in(request: Request) -> Origin:
    """Where a request comes from."""
    found: Origin = request.scope[_ORIGIN]
    return found


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as RFC 9457 has it."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(msgspec.json.encode(body), status, {**HEADERS, **(headers or {})}, "application/problem+json")


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


Outage = Callable[[Request, StoreError], Awaitable[Response]]  # the answer where the database fails


class Gate:
    """The Gatekeeper of a site."""

    def __init__(self, site: Site, outage: Outage) -> None:
        self._site, self._setting, self._accounts, self._outage = site, site.access, site.accounts, outage
        self._limiter: Limiter = site.door.limiter
        self._any_user = False
        self._strangers = (0, 0)  # (hour, how many were recorded in it)

    def located(self, scope: Scope) -> Scope:
        """The request as the client made it, by what trusted proxies say."""
        origin = origin_of(scope, self._setting.trusted)
        headers = scope["headers"]
        if origin.trusted and origin.host is not None:
            headers = [(b"host", origin.host.encode("latin-1", "replace")), *(one for one in headers if one[0] != b"host")]
        return {**scope, "headers": headers, "scheme": origin.scheme, "client": (origin.address, 0), _ORIGIN: origin}

    async def identified(self, scope: Scope) -> Scope:
        """The request with who asks. What is wrong with a token given concerns the routes that need one."""
        if scope["path"].startswith(_NOBODY_ASKED):
            return known_as(scope, None, self)
        try:
            found = await self._who(Request(scope))
        except StoreError as error:
            request = Request(known_as(scope, None, self))
            later = problem(503, "the database cannot be read now; try again later", {"Retry-After": "5"})
            found = await self._outage(request, error) if wants_page(request) else later
        if isinstance(found, Response):
            return {**known_as(scope, None, self), _FAULT: found}
        return known_as(scope, found, self)

    def hardened(self, scope: Scope, send: Send) -> Send:
        """Answers with what every answer carries."""
        secure = scope["scheme"] == "https"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if not any(name.lower() == b"x-content-type-options" for name, _ in headers):
                    headers.append((b"x-content-type-options", b"nosniff"))
                message = {**message, "headers": [*headers, _HSTS] if secure else headers}
            await send(message)

        return sent

    async def is_still(self, request: Request) -> bool:
        """Whether who asked is still let in. This does not count as use: a page that is left open does not keep a session alive."""
        try:
            return isinstance(await self._who(request, touch=False), Actor)
        except StoreError:
            return True

    async def _who(self, request: Request, *, touch: bool = True) -> Actor | Response | None:
        given = request.headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(request, token.strip())
        if (cookie := request.cookies.get(cookie_name(request), "")) and (actor := await self._by_session(request, cookie, touch=touch)):
            return actor
        return LOCAL_ADMIN if await self.is_open(request) else None

    async def any_user(self) -> bool:
        """Whether anybody has an account. Once somebody has, that stays so."""
        if not self._any_user and self._accounts is not None:
            self._any_user = await self._accounts.any_user()
        return self._any_user

    async def is_open(self, request: Request) -> bool:
        """Whether whoever is on this machine may do everything: nobody has an account, and nobody else can be asking."""
        origin, host = origin_in(request), request.headers.get("host")
        here = is_loopback(origin.address)
        # By another name it is a proxy that brings somebody; where there are no accounts at all, the names are for `Hosts` to say.
        named = host is None or self._accounts is None or is_loopback_name(name_of(host) or "")
        return self._setting.private and here and named and not origin.proxied and not await self.any_user()

    async def _by_token(self, request: Request, token: str) -> Actor | Response:
        refused = problem(401, "this token is not valid, has expired or was revoked", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if self._accounts is None or not token.startswith(TOKEN_PREFIX):
            return refused
        key, now = ("token", place_of(origin_in(request).address)), self._site.now()
        if wait := self._limiter.wait(key):
            return problem(429, "too many wrong tokens from this address", {"Retry-After": str(wait)})
        found = await self._accounts.token(hashed(token))
        if found is None:
            self._limiter.failed(TOKENS, key)
            return refused
        one, owner = found
        if (one.expires_at is not None and one.expires_at <= now) or (one.owner and (owner is None or owner.disabled)):
            return refused
        if one.used_at is None or now - one.used_at >= _TOUCH_MS:
            await _noted(self._accounts.touch_token(one.id, now))
        role = one.scope if owner is None else min(one.scope, owner.role)
        return Actor(one.name, role, ActorKind.TOKEN, one.id)

    async def _by_session(self, request: Request, cookie: str, *, touch: bool) -> Actor | None:
        if self._accounts is None or (found := await self._accounts.session(hashed(cookie))) is None:
            return None
        session, user = found
        now = self._site.now()
        if user.disabled or now - session.created_at > SESSION_MS or now - session.seen_at > SESSION_IDLE_MS:
            return None
        if touch and now - session.seen_at >= _TOUCH_MS:
            await _noted(self._accounts.touch_session(session.hash, now, origin_in(request).address))
        return Actor(user.name, user.role, ActorKind.USER, user.id, session.hash)

    def forged(self, request: Request, needs: Role | Public) -> bool:
        """Whether another site's page makes somebody's browser ask. A link's secret and a token are known to no other site."""
        actor = actor_of(request)
        if needs in (Public.LINK, Public.ANYBODY, Public.AGENT) or (actor is not None and actor.kind is ActorKind.TOKEN):
            return False
        if (site := request.headers.get("sec-fetch-site")) is not None:
            return site not in ("same-origin", "none")
        if (origin := request.headers.get("origin")) is not None:
            return not self._is_ours(origin, request.headers.get("host", ""))
        return actor is not None and actor.kind is ActorKind.USER  # every browser says one of the two; programs have tokens

    def _is_ours(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
            ours = {host.lower(), urlsplit(self._setting.public_url or "").netloc.lower()} - {""}
        except ValueError:
            return False
        usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
        named = parts.netloc.lower()
        return bool(named) and bool({named, named + usual, named.removesuffix(usual)} & ours)

    async def refusal(self, request: Request, needs: Role, *, forged: bool) -> Response:
        """The way to the login for people, a problem for programs."""
        if (fault := request.scope.get(_FAULT)) is not None and not forged:
            return fault  # type: ignore[no-any-return]  # put there by `identified`
        actor = actor_of(request)
        if forged:
            return await self._refused(request, "forged", "this was asked by the page of another site")
        if actor is None and request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={**HEADERS, "HX-Redirect": "/login"})
        if actor is None and wants_page(request):
            return RedirectResponse(login_path(request), 303, HEADERS)
        if actor is None:
            return problem(401, "log in, or send a token: Authorization: Bearer vigie_…", {"WWW-Authenticate": 'Bearer realm="Vigie"'})
        detail = f"this needs the role {needs.name.lower()}; yours is {actor.role.name.lower()}"
        return await self._refused(request, "forbidden", detail, needs=needs.name.lower())

    async def _refused(self, request: Request, reason: str, detail: str, **more: Any) -> Response:
        if not wants_page(request):
            return problem(403, detail)
        return await page(request, self._site, "refused.html.j2", {"reason": reason, **more}, words_of_door, status=403)

    async def recorded(self, request: Request, one: GuardedRoute, send: Send, answer: Callable[[Send], Awaitable[None]]) -> None:
        """Have it answered, and put on record: of somebody known before it is done, of a stranger once it is known to matter."""
        accounts, actor = self._accounts, actor_of(request)
        if accounts is None:
            await answer(send)
            return
        number: int | None = None
        entry = _entry(request, one, actor, self._site.now())
        if actor is not None:
            try:
                number = await accounts.begin_audit(entry)
            except StoreError as error:
                log.error("%s was refused: it could not be put on record: %s. %s", one.name, error, error.fix)  # noqa: TRY400 - the trace says nothing more
                later = problem(503, "nothing was done: it could not be put on record; try again later", {"Retry-After": "5"})
                later = await self._outage(request, error) if wants_page(request) else later
                await later(request.scope, request.receive, send)
                return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._complete(request, one, entry, number, int(message["status"]))
            await send(message)

        await answer(sent)

    async def _complete(self, request: Request, one: GuardedRoute, entry: AuditEntry, number: int | None, status: int) -> None:
        """What came of it, before anybody hears of it."""
        assert self._accounts is not None  # noqa: S101 - asked by the caller
        details = _texts(getattr(request.state, "audit", {}))
        try:
            if number is not None:
                await self._accounts.end_audit(number, status, details)
            elif (one.needs is Public.LOGIN or status < 400) and self._may_record():
                name = str(getattr(request.state, "audit_actor", entry.actor))[:_TEXT]
                await self._accounts.begin_audit(replace(entry, actor=name, details=details, outcome=status))
        except StoreError as error:
            log.error("the outcome %d of %s by %s could not be recorded: %s", status, entry.action, entry.actor, error)  # noqa: TRY400

    def _may_record(self) -> bool:
        hour = self._site.now() // 3_600_000
        seen = self._strangers[1] if self._strangers[0] == hour else 0
        self._strangers = (hour, seen + 1)
        return seen < _STRANGERS_PER_HOUR


async def _noted(work: Awaitable[object]) -> None:
    """When somebody was seen last: a database that is full must not lock people out of what it can still show."""
    with contextlib.suppress(StoreError):
        await work


def login_path(request: Request) -> str:
    """The login that leads back to what was asked for, in the language that was asked for."""
    query = request.url.query
    asked = request.url.path + (f"?{query}" if query else "") if request.method in ("GET", "HEAD") else "/"
    language = request.query_params.get("lang", "")
    given = {"next": "" if asked == "/" else asked, "lang": language if language in LANGUAGES else ""}
    wanted = urlencode({name: value for name, value in given.items() if value}, safe="")
    return "/login" + (f"?{wanted}" if wanted else "")


def _entry(request: Request, one: GuardedRoute, actor: Actor | None, now: int) -> AuditEntry:
    objects = {name: value for name, value in request.path_params.items() if name not in _SECRET_PARTS}
    name, kind = (actor.name, actor.kind.value) if actor is not None else ("", "")
    return AuditEntry(now, name, kind, one.name, _texts(objects), {}, origin_in(request).address)


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {str(name)[:_TEXT]: str(value)[:_TEXT] for name, value in list(found.items())[:20]}
