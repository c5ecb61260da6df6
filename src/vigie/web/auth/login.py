"""The way in: the login with its second step, the way out, and the first account by the set-up link."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.accounts import Role, User
from vigie.errors import StoreError
from vigie.text.dashboard import door as words
from vigie.web.access import ActorKind, Public, actor_of, route
from vigie.web.auth import sessions
from vigie.web.auth.passwords import SHORTEST, BusyError, Passwords, fault_of, outdated
from vigie.web.auth.people import is_name, new_user, tidy_name
from vigie.web.auth.totp import verified
from vigie.web.door import Pending
from vigie.web.forms import body_of, fields_of, is_form
from vigie.web.gate import cookie_name, origin_in
from vigie.web.limits import BY_ACCOUNT, BY_ADDRESS, BY_BOTH, CODES, place_of
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site

_CODE_PATH = "/login/code"


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has accounts."""
    if site.accounts is None:
        return []
    door = _Login(site)
    return [
        route("/login", door.login, needs=Public.LOGIN, methods=["GET", "POST"], name="login"),
        route(_CODE_PATH, door.code, needs=Public.LOGIN, methods=["GET", "POST"], name="login_code"),
        route("/logout", door.logout, needs=Public.LOGIN, methods=["POST"], name="logout"),
        route("/setup/{token}", door.setup, needs=Public.LOGIN, methods=["GET", "POST"], name="setup"),
    ]


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; none of what is not one."""
    body = await body_of(request) if is_form(request) else None
    return {} if body is None else fields_of(body)


class _Login:
    def __init__(self, site: Site) -> None:
        self._site, self._accounts, self._limiter = site, sessions.accounts_of(site), site.door.limiter
        self._passwords = Passwords()

    async def login(self, request: Request) -> Response:
        """Ask for name and password, or take them."""
        if request.method == "POST":
            form = await form_of(request)
            return await self._taken(request, form, sessions.safe_next(form.get("next", "/")))
        next_ = sessions.safe_next(request.query_params.get("next", "/"))
        actor = actor_of(request)
        if actor is not None and actor.kind is ActorKind.USER:
            return RedirectResponse(next_, 303, HEADERS)
        fault = request.query_params.get("fault", "")
        return await self._form(request, next_, "" if f"fault_{fault}" not in words.TEXTS else fault)

    async def _form(self, request: Request, next_: str, fault: str = "", *, name: str = "", status: int = 200, wait: int = 0) -> Response:
        headers = {"Retry-After": str(wait)} if wait else {}
        oidc = self._site.access.oidc
        context = {
            "next": next_,
            "fault": fault,
            "name": name,
            "minutes": max((wait + 59) // 60, 1),
            "nobody": not await self._accounts.any_user(),
            "oidc": None if oidc is None else oidc.name or oidc.issuer.partition("//")[2].partition("/")[0],
        }
        return await page(request, self._site, "login.html.j2", context, words, status=status, headers=headers)

    async def _taken(self, request: Request, form: dict[str, str], next_: str) -> Response:
        name, password, address = tidy_name(form.get("name", "")), form.get("password", ""), origin_in(request).address
        place = place_of(address)
        both, here, account = ("login", name, place), ("login", "", place), ("login", name, "")
        request.state.audit = {"user": name[:64]}
        wait = self._limiter.wait(both, here)
        user = await self._accounts.user(name) if is_name(name) else None
        if not wait and (wait := self._limiter.wait(account)) and user is not None and await self._is_usual(user, place):
            wait = 0
        if wait:
            return await self._form(request, next_, "wait", name=name, status=429, wait=wait)
        # Counted before it is verified: of many guesses sent at once no more are heard than of those sent one by one.
        for limit, key in ((BY_BOTH, both), (BY_ADDRESS, here), (BY_ACCOUNT, account)):
            self._limiter.failed(limit, key)
        try:
            good = await self._passwords.verify(user.password if user else "", password)
        except BusyError:
            return await self._form(request, next_, "busy", name=name, status=503, wait=5)
        if user is None or not good or user.disabled:
            return await self._form(request, next_, "wrong", name=name, status=401)
        self._limiter.forget(both, here, account)
        if user.totp:
            answer: Response = RedirectResponse(_CODE_PATH, 303, HEADERS)
            token = self._site.door.begin("code", user.name, next_)
            sessions.set_cookie(request, answer, sessions.PENDING_COOKIE, token, 600, "/login")
            return answer
        return await self._in(request, await self._renewed(user, password), "password", next_)

    async def _is_usual(self, user: User, place: str) -> bool:
        """Whether they are logged in at this address: nobody elsewhere can lock them out of there."""
        return any(place_of(one.address) == place for one in await self._accounts.sessions(user.id))

    async def _renewed(self, user: User, password: str) -> User:
        """The account with its password kept as is done today."""
        if not outdated(user.password):
            return user
        return await self._accounts.save_user(replace(user, password=await self._passwords.make(password))) or user

    async def _in(self, request: Request, user: User, method: str, next_: str) -> Response:
        return await sessions.begin(request, self._site, user, method, RedirectResponse(next_, 303, HEADERS))

    async def code(self, request: Request) -> Response:
        """The second step: a one-time code, or a recovery code."""
        token = request.cookies.get(sessions.PENDING_COOKIE, "")
        pending = self._site.door.pending(token, "code")
        if pending is None:
            return RedirectResponse("/login?fault=again", 303, HEADERS)
        if request.method != "POST":
            return await page(request, self._site, "login_code.html.j2", {"fault": "", "minutes": 1}, words)
        return await self._code_taken(request, token, pending)

    async def _code_taken(self, request: Request, token: str, pending: Pending) -> Response:
        form, key = await form_of(request), ("code", pending.user)
        request.state.audit = {"user": pending.user}
        if wait := self._limiter.wait(key):
            context = {"fault": "wait", "minutes": max((wait + 59) // 60, 1)}
            return await page(request, self._site, "login_code.html.j2", context, words, status=429, headers={"Retry-After": str(wait)})
        pending.tries -= 1
        self._limiter.failed(CODES, key)
        user = await self._accounts.user(pending.user)
        after = None if user is None or user.disabled else verified(user, form.get("code", ""), self._site.now())
        saved = None if after is None else await self._accounts.save_user(after)
        if saved is None:
            return await page(request, self._site, "login_code.html.j2", {"fault": "code", "minutes": 1}, words, status=401)
        self._site.door.end(token)
        self._limiter.forget(key)
        return await self._in(request, saved, "totp", pending.next)

    async def logout(self, request: Request) -> Response:
        """End this session, wherever else it may be copied to."""
        actor = actor_of(request)
        answer = RedirectResponse("/login", 303, HEADERS)
        if actor is not None and actor.session:
            one = await self._accounts.session(actor.session)
            if one is not None:
                await self._accounts.end_sessions(actor.id, only=one[0].id)
        answer.delete_cookie(cookie_name(request), path="/", secure=sessions.is_secure(request), httponly=True, samesite="lax")
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    async def setup(self, request: Request) -> Response:
        """The first admin, by the link that the log shows."""
        place, token = place_of(origin_in(request).address), request.path_params["token"]
        key = ("setup", place)
        if self._limiter.wait(key) or not self._site.door.is_setup(token) or await self._accounts.any_user():
            self._limiter.failed(BY_ADDRESS, key)
            return await page(request, self._site, "setup.html.j2", {"fault": "gone", "name": "", "shortest": SHORTEST}, words, status=404)
        if request.method != "POST":
            return await self._setup_form(request)
        form = await form_of(request)
        name, password = tidy_name(form.get("name", "")), form.get("password", "")
        fault = "name" if not is_name(name) else fault_of(password, name) or ("differ" if form.get("again") != password else None)
        if fault is not None:
            return await self._setup_form(request, fault, name, 422)
        self._site.door.close_setup()
        request.state.audit_actor = name
        try:
            kept = await self._passwords.make(password)
            saved = await self._accounts.save_user(new_user(name, Role.ADMIN, self._site.now(), password=kept))
        except (StoreError, BusyError):
            self._site.door.reopen_setup(token)
            raise
        if saved is None:
            return await self._setup_form(request, "name", name, 409)
        return await self._in(request, saved, "password", "/")

    async def _setup_form(self, request: Request, fault: str = "", name: str = "", status: int = 200) -> Response:
        context = {"fault": fault, "name": name, "shortest": SHORTEST}
        return await page(request, self._site, "setup.html.j2", context, words, status=status)
