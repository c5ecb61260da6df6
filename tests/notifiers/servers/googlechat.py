"""Google Chat's webhooks: developers.google.com/workspace/chat/quickstart/webhooks and …/reference/rest/v1/spaces.messages/create."""

import re
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.notifiers.servers._room import Post, Room
from tests.notifiers.servers._shown import MalformedError, html

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_KEY, _TOKEN = "AIzaSyDdI0hCZtE6vySjMm-WEfRq3CPzqKqqsHI", "kT9q2Lx7Vb5Nc8Md1Js4Rw6Zp3Yh0Gf"
_ELEMENTS = frozenset(("b", "i", "u", "strike", "font", "a", "br", "ul", "ol", "li"))


def _no(code: int, status: str, message: str) -> Answer:
    return Answer(code, {"error": {"code": code, "message": message, "status": status}})


def _lasting(reason: DeliveryReason, code: int, status: str, message: str) -> Refusal:
    return Refusal(reason, True, None, _no(code, status, message))


class Space:
    kind = "googlechat"
    secrets = (_KEY, _TOKEN)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.THREADS))
    refusals = MappingProxyType(
        {
            "quota": Refusal(
                DeliveryReason.RATE_LIMIT, False, None, _no(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
            ),
            "unavailable": Refusal(DeliveryReason.SERVER, False, None, _no(503, "UNAVAILABLE", "The service is currently unavailable.")),
            "key": _lasting(DeliveryReason.AUTH, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
            "off": _lasting(DeliveryReason.RECIPIENT, 403, "PERMISSION_DENIED", "The caller does not have permission"),
            "gone": _lasting(DeliveryReason.RECIPIENT, 404, "NOT_FOUND", "Requested entity was not found."),
            "card": _lasting(DeliveryReason.REJECTED, 400, "INVALID_ARGUMENT", "Invalid JSON payload received."),
            "login page": Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self) -> None:
        self.room = Room()
        self.threads: dict[str, str] = {}  # by key: its first message

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}/v1/spaces/AAAABBBBCCC/messages?key={_KEY}&token={_TOKEN}"}

    def answer(self, request: Request) -> Answer:
        place = urlsplit(request.path)
        query = {key: value[0] for key, value in parse_qs(place.query).items()}
        if request.method == "HEAD":
            return Answer(404, b"")
        if query.get("key") != _KEY or query.get("token") != _TOKEN:
            return _no(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
        body = json_of(request)
        if len(request.body) > 32_000 or len(body.get("text", "")) > 4_096 or len(body["thread"]["threadKey"]) > 4_000:
            return _no(400, "INVALID_ARGUMENT", "Message cannot be greater than 32,000 bytes.")
        try:
            html(_text(body), _ELEMENTS)
        except MalformedError as error:
            return _no(400, "INVALID_ARGUMENT", str(error))
        if (name := self.room.known(query.get("requestId", ""))) is None:
            name = f"spaces/AAAABBBBCCC/messages/m{self.room.next()}"
            key = body["thread"]["threadKey"] if "messageReplyOption" in query else name
            root = self.threads.setdefault(key, name)
            self.room.posts[name] = Post(body, request.body, "" if root == name else root, query.get("requestId", ""))
        return Answer(200, {"name": name, "thread": {"name": "spaces/AAAABBBBCCC/threads/t1"}})

    def seen(self) -> list[Seen]:
        found = []
        for name, post in self.room.posts.items():
            words, links = html(_text(post.body), _ELEMENTS)
            title = post.body["cardsV2"][0]["card"]["header"]["title"]
            pings = re.findall(r"<(users/[^>]+)>", post.body.get("text", ""))
            found.append(Seen(f"{title}\n{words}", post.identity, post.raw, name, post.parent, tuple(pings), links))
        return found

    def forget(self) -> None:
        self.room.posts.clear()
        self.threads.clear()


def _text(body: Any) -> str:
    return str(body["cardsV2"][0]["card"]["sections"][0]["widgets"][0]["textParagraph"]["text"])


RIGS = {"space": lambda folder: service_rig(Space())}
