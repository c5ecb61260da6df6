"""Who may call what: every route has a rule, and cannot be made without one.

A session, a token, or being on this machine makes an `Actor`; its role decides. What needs none says why (`Public`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from vigie.accounts import Role
from vigie.web.page import HEADERS

__all__ = [
    "LOCAL_ADMIN",
    "Actor",
    "ActorKind",
    "Gatekeeper",
    "GuardedRoute",
    "Public",
    "Role",
    "actor_of",
    "is_still",
    "known_as",
    "may",
    "route",
]

Endpoint = Callable[[Request], Awaitable[Response]]
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class Public(Enum):
    """Why a route asks for no role."""

    ANYBODY = "it shows nothing that is not for everybody"
    LINK = "the secret in its address is what allows it"
    LOGIN = "it is the way in"
    AGENT = "the token of an agent is what allows it, and that opens nothing else"


class ActorKind(StrEnum):
    """What makes somebody known."""

    LOCAL = "local"  # nobody has an account, and the page is reached from this machine alone
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `name` is shown and recorded; `id` is the user's or the token's, `session` the hash of a session."""

    name: str
    role: Role
    kind: ActorKind = ActorKind.LOCAL
    id: str = ""
    session: str = ""


LOCAL_ADMIN = Actor("local", Role.ADMIN)
_ACTOR, _GATE = "vigie.actor", "vigie.gate"


class Gatekeeper(Protocol):
    """Who refuses, and keeps the record, for all routes."""

    def forged(self, request: Request, needs: Role | Public) -> bool:
        """Whether another site's page makes somebody's browser ask for this."""

    async def is_still(self, request: Request) -> bool:
        """Whether who asked is still let in: they may have been logged out since, or their token revoked."""

    async def refusal(self, request: Request, needs: Role, *, forged: bool) -> Response:
        """The answer to somebody who may not."""

    async def recorded(self, request: Request, one: "GuardedRoute", send: Send, answer: Callable[[Send], Awaitable[None]]) -> None:
        """Have it answered, and put on record."""


def actor_of(request: Request) -> Actor | None:
    """Who asks; None for a stranger."""
    found: Actor | None = request.scope.get(_ACTOR)
    return found


def known_as(scope: Scope, actor: Actor | None, gate: Gatekeeper | None = None) -> Scope:
    """The same request, by somebody who was identified."""
    return {**scope, _ACTOR: actor, _GATE: gate}


def may(request: Request, role: Role) -> bool:
    """Whether who asks has at least this role; for pages that show a button or not."""
    actor = actor_of(request)
    return actor is not None and actor.role >= role


async def is_still(request: Request) -> bool:
    """Whether who asked for what goes on for long is still let in."""
    gate: Gatekeeper | None = request.scope.get(_GATE)
    return gate is None or await gate.is_still(request)


class GuardedRoute(Route):
    """A route that answers those alone whom its rule allows.

    `audited`: whether what it changes goes on record; `audited_get`: whether asking for it already changes something.
    """

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        needs: Role | Public,
        methods: Sequence[str],
        name: str | None,
        audited: bool = True,
        audited_get: bool = False,
    ) -> None:
        super().__init__(path, endpoint, methods=list(methods), name=name)
        self.needs, self.audited, self.audited_get = needs, audited, audited_get

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        scope.setdefault("state", {})
        request = Request(scope, receive)
        gate: Gatekeeper | None = scope.get(_GATE)
        answer = super().handle
        send = _embeddable(send) if self.needs is Public.ANYBODY else send
        changes = scope["method"] not in SAFE_METHODS and scope["method"] in (self.methods or ())
        forged = changes and gate is not None and gate.forged(request, self.needs)
        if forged or (isinstance(self.needs, Role) and not may(request, self.needs)):
            needs = self.needs if isinstance(self.needs, Role) else Role.VIEWER

            async def refuse(to: Send) -> None:
                response = await gate.refusal(request, needs, forged=forged) if gate is not None else plain_refusal(request, needs)
                await response(scope, receive, to)

            if gate is not None and changes and self.audited and actor_of(request) is not None:
                await gate.recorded(request, self, send, refuse)
            else:
                await refuse(send)
        elif gate is not None and ((changes and self.audited) or self.audited_get):
            await gate.recorded(request, self, send, lambda to: answer(scope, receive, to))
        else:
            await answer(scope, receive, send)


def route(
    path: str,
    endpoint: Endpoint,
    *,
    needs: Role | Public,
    methods: Sequence[str] = ("GET",),
    name: str | None = None,
    audited: bool = True,
    audited_get: bool = False,
) -> GuardedRoute:
    """A route with its rule: the only way to make one. Only what machines report all day long is not `audited`."""
    return GuardedRoute(path, endpoint, needs=needs, methods=methods, name=name, audited=audited, audited_get=audited_get)


def plain_refusal(request: Request, needs: Role) -> Response:
    """The answer to somebody who may not, where nobody makes a page of it."""
    actor = actor_of(request)
    if actor is None:
        return PlainTextResponse("Please log in.\n", status_code=401, headers=HEADERS)
    words = f"This needs the role {needs.name.lower()}; you are {actor.role.name.lower()}.\n"
    return PlainTextResponse(words, status_code=403, headers=HEADERS)


def _embeddable(send: Send) -> Send:
    """What is for everybody may be shown by other sites too: a badge in a README."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [one for one in message.get("headers", ()) if one[0].lower() != b"cross-origin-resource-policy"]
            message = {**message, "headers": [*headers, (b"cross-origin-resource-policy", b"cross-origin")]}
        await send(message)

    return sent
