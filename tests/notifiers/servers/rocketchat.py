"""Rocket.Chat: incoming webhooks and REST v1 (developer.rocket.chat); the words of errors as in apps/meteor/app/api/server/v1/chat.ts."""

import re
from types import MappingProxyType
from typing import Any

from tests.notifiers.servers._room import Post, Room
from tests.notifiers.servers._shown import markdown

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_HOOK, _TOKEN, _USER = "66b1f0a2c3d4e5f6a7b8c9d0/aXq3Z9kLmN7pR2tV5wY8", "Tk3n-9fHq2Lx7Vb5Nc8Md1Js4", "rbAXPnMktTFbNpwtJ"
_PING = re.compile(r"(?:^|\s|>)@([0-9A-Za-z-_.]+)", re.MULTILINE)
_WAIT = "Error, too many requests. Please slow down. You must wait 60 seconds before trying this endpoint again. [error-too-many-requests]"


def _no(status: int, error: str, kind: str = "") -> Answer:
    return Answer(status, {"success": False, "error": error} | ({"errorType": kind} if kind else {}))


_LIMIT = Refusal(DeliveryReason.RATE_LIMIT, False, 60_000, _no(429, _WAIT))
_PAGE = Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>"))


class Hook:
    kind = "rocketchat"
    secrets = tuple(_HOOK.split("/"))
    can = frozenset((Can.NETWORK, Can.WHOLE))
    refusals = MappingProxyType(
        {
            "limit": _LIMIT,
            "gone": Refusal(DeliveryReason.RECIPIENT, True, None, _no(404, "Invalid integration id or token provided.")),
            "room": Refusal(DeliveryReason.RECIPIENT, True, None, _no(400, "invalid-channel [invalid-channel]", "invalid-channel")),
            "login page": _PAGE,
        }
    )

    def __init__(self) -> None:
        self.room = Room()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}/hooks/{_HOOK}"}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        body = json_of(request)
        if request.path != f"/hooks/{_HOOK}":
            return _no(404, "Invalid integration id or token provided.")
        if len(body["text"]) > 5_000:
            return _no(400, "Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]", "error-message-size-exceeded")
        self.room.posts[str(self.room.next())] = Post(body, request.body)
        return Answer(200, {"success": True})

    def seen(self) -> list[Seen]:
        found = []
        for name, post in self.room.posts.items():
            words, links = markdown(post.body["text"])
            found.append(Seen(words, "", post.raw, name, post.parent, tuple(_PING.findall(post.body["text"])), links))
        return found

    def forget(self) -> None:
        self.room.posts.clear()


class Account(Hook):
    secrets = (_TOKEN,)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.THREADS, Can.EDITS))
    refusals = MappingProxyType(
        {
            "limit": _LIMIT,
            "login": Refusal(
                DeliveryReason.AUTH, True, None, Answer(401, {"status": "error", "message": "You must be logged in to do this."})
            ),
            "room": Refusal(
                DeliveryReason.RECIPIENT, True, None, _no(400, "The required param [error-room-not-found]", "error-room-not-found")
            ),
            "read-only": Refusal(DeliveryReason.RECIPIENT, True, None, _no(400, "Not allowed [error-not-allowed]", "error-not-allowed")),
            "login page": _PAGE,
        }
    )

    def settings(self, origin: str) -> dict[str, Any]:
        return {"server": origin, "user": _USER, "token": _TOKEN, "channel": "GENERAL"}

    def answer(self, request: Request) -> Answer:
        if (request.headers.get("x-auth-token"), request.headers.get("x-user-id")) != (_TOKEN, _USER):
            return Answer(401, {"status": "error", "message": "You must be logged in to do this."})
        method = request.path.removeprefix("/api/v1/")
        if method == "me":
            return Answer(200, {"success": True, "_id": _USER, "username": "vigie"})
        body = json_of(request)
        allowed = {"chat.postMessage": {"roomId", "text", "tmid"}, "chat.update": {"roomId", "msgId", "text"}}.get(method, set())
        if not set(body) <= allowed:
            return _no(400, "must NOT have additional properties [invalid-params]", "invalid-params")
        if body["roomId"] != "GENERAL":
            return _no(400, "The required [error-room-not-found]", "error-room-not-found")
        if len(body["text"]) > 5_000:
            return _no(400, "Message size exceeds Message_MaxAllowedSize [error-message-size-exceeded]", "error-message-size-exceeded")
        if method == "chat.update":
            if body["msgId"] not in self.room.posts:
                return _no(400, f'No message found with the id of "{body["msgId"]}".')
            self.room.posts[body["msgId"]].body, self.room.posts[body["msgId"]].raw = body, request.body
            return Answer(200, {"success": True, "message": {"_id": body["msgId"], "msg": body["text"]}})
        name = f"msg{self.room.next()}"
        self.room.posts[name] = Post(body, request.body, body.get("tmid", ""))
        return Answer(
            200, {"success": True, "ts": 1, "channel": "GENERAL", "message": {"_id": name, "rid": "GENERAL", "msg": body["text"]}}
        )


RIGS = {"webhook": lambda folder: service_rig(Hook()), "account": lambda folder: service_rig(Account())}
