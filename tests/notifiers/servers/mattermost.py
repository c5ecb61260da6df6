"""Mattermost: incoming webhooks and API v4 (developers.mattermost.com); the ids of errors as in server/channels/app/post.go."""

import re
from types import MappingProxyType
from typing import Any

from tests.notifiers.servers._room import Post, Room
from tests.notifiers.servers._shown import markdown

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_HOOK, _TOKEN, _CHANNEL = "xj3u8f1y9pbz5kq7m2w4c6e8ra", "9xuqwrwgstrb3mzrxb83nb357a", "4xp9fdt77pncbef59f4k1qe83o"
_PING = re.compile(r"(?<![A-Za-z0-9_])@([a-z0-9][a-z0-9._-]*)")


def _no(status: int, name: str, message: str = "…") -> Answer:
    return Answer(status, {"id": name, "message": message, "detailed_error": "", "request_id": "1", "status_code": status})


def _seen(room: Room, key: str) -> list[Seen]:
    found = []
    for name, post in room.posts.items():
        words, links = markdown(post.body[key])
        found.append(Seen(words, "", post.raw, name, post.parent, tuple(_PING.findall(post.body[key])), links))
    return found


class Hook:
    kind = "mattermost"
    secrets = (_HOOK,)
    can = frozenset((Can.NETWORK, Can.WHOLE))
    refusals = MappingProxyType(
        {
            "gone": Refusal(DeliveryReason.REJECTED, True, None, _no(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")),
            "off": Refusal(DeliveryReason.AUTH, True, None, _no(403, "web.incoming_webhook.disabled.app_error")),
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
            return _no(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")
        if not body.get("text"):
            return _no(400, "web.incoming_webhook.text.app_error", "No text specified.")
        for start in range(0, len(body["text"]), 16_383):  # a longer one is cut into several posts
            self.room.posts[str(self.room.next())] = Post({"text": body["text"][start : start + 16_383]}, request.body)
        return Answer(200, b"ok", {"Content-Type": "text/plain"})

    def seen(self) -> list[Seen]:
        return _seen(self.room, "text")

    def forget(self) -> None:
        self.room.posts.clear()


class Bot:
    kind = "mattermost"
    secrets = (_TOKEN,)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.THREADS, Can.EDITS))
    refusals = MappingProxyType(
        {
            "expired": Refusal(DeliveryReason.AUTH, True, None, _no(401, "api.context.session_expired.app_error")),
            "permissions": Refusal(DeliveryReason.RECIPIENT, True, None, _no(403, "api.context.permissions.app_error")),
            "archived": Refusal(DeliveryReason.RECIPIENT, True, None, _no(400, "api.post.create_post.can_not_post_to_deleted.error")),
            "limit": Refusal(
                DeliveryReason.RATE_LIMIT, False, 1_000, Answer(429, b"limit exceeded", {"Retry-After": "1", "X-RateLimit-Reset": "1"})
            ),
            "pending": Refusal(DeliveryReason.SERVER, False, None, _no(500, "api.post.deduplicate_create_post.pending")),
            "login page": Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self) -> None:
        self.room = Room()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"server": f"{origin}/", "token": _TOKEN, "channel": _CHANNEL}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _no(401, "api.context.session_expired.app_error")
        if request.method == "GET":
            return Answer(200, {"id": _CHANNEL, "display_name": "Ops"}) if request.path == f"/api/v4/channels/{_CHANNEL}" else _no(404, "x")
        body = json_of(request)
        if len(body["message"]) > 16_383:
            return _no(400, "model.post.is_valid.message_length.app_error")
        if request.method == "PUT":
            return self._patch(request.path.split("/")[4], body, request)
        if body["channel_id"] != _CHANNEL:
            return _no(403, "api.context.permissions.app_error")
        root = body.get("root_id", "")
        if root and (root not in self.room.posts or self.room.posts[root].parent):
            return _no(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
        if (name := self.room.known(body.get("pending_post_id", ""))) is None:
            name = f"post{self.room.next()}"
            self.room.posts[name] = Post(body, request.body, root, body.get("pending_post_id", ""))
        return Answer(201, {"id": name, "channel_id": _CHANNEL, "root_id": root, "message": body["message"]})

    def _patch(self, name: str, body: Any, request: Request) -> Answer:
        if name not in self.room.posts:
            return _no(404, "app.post.get.app_error", "Unable to get the post.")
        self.room.posts[name].body, self.room.posts[name].raw = body, request.body
        return Answer(200, {"id": name, "channel_id": _CHANNEL, "message": body["message"]})

    def seen(self) -> list[Seen]:
        return _seen(self.room, "message")

    def forget(self) -> None:
        self.room.posts.clear()


RIGS = {"webhook": lambda folder: service_rig(Hook()), "bot": lambda folder: service_rig(Bot())}
