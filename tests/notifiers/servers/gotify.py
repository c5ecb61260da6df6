"""Gotify as its API (gotify.net/api-docs) describes it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig


class Gotify:
    """A server with one application."""

    kind = "gotify"
    secrets: tuple[str, ...] = ("AbCdEfGh.0123456",)
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = MappingProxyType({})

    def __init__(self) -> None:
        self.messages: list[tuple[Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}/push/", "token": self.secrets[0]}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        if request.headers.get("x-gotify-key") != self.secrets[0]:
            words = "you need to provide a valid access token or user credentials to access this api"
            return Answer(401, {"error": "Unauthorized", "errorCode": 401, "errorDescription": words})
        asked = json_of(request)
        if request.path != "/push/message" or not isinstance(asked, dict) or not asked.get("message"):
            return Answer(400, {"error": "Bad Request", "errorCode": 400, "errorDescription": "Field 'message' is required"})
        self.messages.append((asked, request.body))
        return Answer(200, {"id": len(self.messages), "appid": 5, **asked, "date": "2026-01-01T00:00:00Z"})

    def seen(self) -> list[Seen]:
        return [Seen(f"{asked['title']}\n{asked['message']}", "", raw) for asked, raw in self.messages]

    def forget(self) -> None:
        self.messages.clear()


RIGS = {"application": lambda folder: service_rig(Gotify())}
