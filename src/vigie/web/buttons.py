"""Where a chat says that a button was pressed. Whether it was the chat is for its own signature to say."""

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.errors import StoreError
from vigie.web.access import Public, route
from vigie.web.forms import body_of
from vigie.web.page import HEADERS

PATHS = "/integrations/"
BODY_BYTES = 262_144  # a chat sends the whole message along


class ButtonService(Protocol):
    """Who does what a button asks. Raises StoreError."""

    async def press(self, channel: str, headers: Mapping[str, str], body: bytes) -> bool:
        """False for a request that is not the chat's."""


def routes(service: ButtonService) -> list[BaseRoute]:
    """The route over whoever does it."""

    async def answer(request: Request) -> Response:
        body = await body_of(request, BODY_BYTES)
        if body is None:
            return PlainTextResponse("too long, or too slow\n", status_code=413, headers=HEADERS)
        try:
            known = await service.press(request.path_params["channel"], dict(request.headers), body)
        except StoreError:
            return PlainTextResponse("try again later\n", status_code=503, headers=HEADERS)
        return Response(status_code=200 if known else 403, headers=HEADERS)

    return [route(PATHS + "{channel}", answer, needs=Public.LINK, methods=["POST"])]
