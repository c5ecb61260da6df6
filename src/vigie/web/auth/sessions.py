"""Logins that last: made anew at each login, so that nobody can be given a session that somebody else knows."""

import secrets
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from vigie.accounts import SESSION_MS, Session, User
from vigie.ports import Accounts
from vigie.web.door import hashed
from vigie.web.forms import line
from vigie.web.gate import cookie_name, origin_in
from vigie.web.site import Site

PENDING_COOKIE = "vigie-login"
_AGENT = 200


def accounts_of(site: Site) -> Accounts:
    """The accounts of a site that has some: its routes are made for those alone."""
    if site.accounts is None:
        raise TypeError("nobody can log in to a site without accounts")
    return site.accounts


async def begin(request: Request, site: Site, user: User, method: str, answer: Response) -> Response:
    """Log somebody in: the answer with the cookie of a new session; an earlier one of this browser ends. Raises StoreError."""
    accounts, now = accounts_of(site), site.now()
    earlier = await accounts.session(hashed(request.cookies.get(cookie_name(request), "")))
    if earlier is not None:
        await accounts.end_sessions(earlier[0].user, only=earlier[0].id)
    token = secrets.token_urlsafe(32)
    agent = line(request.headers.get("user-agent", ""))[:_AGENT]
    one = Session(hashed(token), secrets.token_hex(8), user.id, now, now, agent, origin_in(request).address, method)
    await accounts.add_session(one)
    await accounts.save_user(replace(user, seen_at=now))
    set_cookie(request, answer, cookie_name(request), token, SESSION_MS // 1000)
    answer.delete_cookie(PENDING_COOKIE, path="/login", httponly=True, samesite="lax", secure=is_secure(request))
    request.state.audit_actor = user.name
    request.state.audit = {"method": method}
    return answer


def is_secure(request: Request) -> bool:
    """Whether the browser reaches us by TLS."""
    return bool(request.scope["scheme"] == "https")


def set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int, path: str = "/") -> None:
    """A cookie that no script reads and no other site's form sends."""
    answer.set_cookie(name, value, max_age=seconds, path=path, secure=is_secure(request), httponly=True, samesite="lax")


def safe_next(text: str) -> str:
    """Where a login leads: a path of ours, or the overview."""
    usual = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text and len(text) <= 2_000
    return text if usual and not text.startswith(("/login", "/logout", "/setup")) else "/"
