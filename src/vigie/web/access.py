"""Who may call what: every route has a rule, and cannot be made without one.

A session, a token, or being on this machine makes an `Actor`; its role decides. What needs none says why (`Public`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from vigie.web.page import HEADERS

Endpoint = Callable[[Request], Awaitable[Response]]


class Role(IntEnum):
    """What somebody may do, each what those before it may; a token's scope is one of them, too."""

    VIEWER = 1  # read everything but secrets (scope `read`)
    RESPONDER = 2  # act on alerts, begin maintenance, check now (scope `respond`)
    EDITOR = 3  # monitors, status pages, test notices (scope `edit`)
    ADMIN = 4  # people, tokens, settings (scope `admin`)


class Public(Enum):
    """Why a route asks for no role."""

    ANYBODY = "it shows nothing that is not for everybody"
    LINK = "the secret in its address is what allows it"
    LOGIN = "it is the way in"


class ActorKind(StrEnum):
    """What makes somebody known."""

    LOCAL = "local"  # nobody has an account, and the page is reached from this machine alone
    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `name` is shown and recorded."""

    name: str
    role: Role
    kind: ActorKind = ActorKind.LOCAL
    id: str = ""


LOCAL_ADMIN = Actor("local", Role.ADMIN)
_ACTOR = "vigie.actor"


def actor_of(request: Request) -> Actor | None:
    """Who asks; None for a stranger."""
    found: Actor | None = request.scope.get(_ACTOR)
    return found


def known_as(scope: Scope, actor: Actor | None) -> Scope:
    """The same request, by somebody who was identified."""
    return {**scope, _ACTOR: actor}


def may(request: Request, role: Role) -> bool:
    """Whether who asks has at least this role; for pages that show a button or not."""
    actor = actor_of(request)
    return actor is not None and actor.role >= role


class GuardedRoute(Route):
    """A route that answers those alone whom its rule allows."""

    def __init__(self, path: str, endpoint: Endpoint, *, needs: Role | Public, methods: Sequence[str], name: str | None) -> None:
        super().__init__(path, endpoint, methods=list(methods), name=name)
        self.needs = needs

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        request = Request(scope, receive)
        if isinstance(self.needs, Public) or may(request, self.needs):
            await super().handle(scope, receive, send)
        else:
            await refusal(request, self.needs)(scope, receive, send)


def route(
    path: str, endpoint: Endpoint, *, needs: Role | Public, methods: Sequence[str] = ("GET",), name: str | None = None
) -> GuardedRoute:
    """A route with its rule: the only way to make one."""
    return GuardedRoute(path, endpoint, needs=needs, methods=methods, name=name)


def refusal(request: Request, needs: Role) -> Response:
    """The answer to somebody who may not."""
    actor = actor_of(request)
    if actor is None:
        return PlainTextResponse("Please log in.\n", status_code=401, headers=HEADERS)
    words = f"This needs the role {needs.name.lower()}; you are {actor.role.name.lower()}.\n"
    return PlainTextResponse(words, status_code=403, headers=HEADERS)
