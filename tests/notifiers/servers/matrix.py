"""A Matrix homeserver: spec.matrix.org, client-server API (send, event, whoami; m.thread, m.replace, m.mentions; errors)."""

import re
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from tests.notifiers.servers._room import Post, Room
from tests.notifiers.servers._shown import html

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_TOKEN, _ROOM = "syt_dmlnaWU_QkZxTHJkUGVhcmxz_1aB2cD", "!vGlxQuYGNTIBNnFZ:example.org"
_ELEMENTS = frozenset(("strong", "em", "a", "br", "code", "pre", "p", "b", "i", "ul", "ol", "li", "blockquote"))


def _no(status: int, code: str, error: str = "…", **more: Any) -> Answer:
    return Answer(status, {"errcode": code, "error": error, **more})


class Homeserver:
    kind = "matrix"
    secrets = (_TOKEN,)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.THREADS, Can.EDITS))
    refusals = MappingProxyType(
        {
            "limit": Refusal(
                DeliveryReason.RATE_LIMIT, False, 2_000, _no(429, "M_LIMIT_EXCEEDED", "Too many requests", retry_after_ms=2_000)
            ),
            "room": Refusal(DeliveryReason.RECIPIENT, True, None, _no(403, "M_FORBIDDEN", "User not in room")),
            "token": Refusal(DeliveryReason.AUTH, True, None, _no(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")),
            "too large": Refusal(DeliveryReason.REJECTED, True, None, _no(413, "M_TOO_LARGE", "event too large")),
            "not matrix": Refusal(DeliveryReason.CONFIG, True, None, _no(404, "M_UNRECOGNIZED", "Unrecognized request")),
            "login page": Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self) -> None:
        self.room = Room()
        self.redacted: set[str] = set()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"server": origin, "token": _TOKEN, "room": _ROOM}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _no(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        parts = [unquote(one) for one in request.path.removeprefix("/_matrix/client/v3/").split("/")]
        if request.method == "GET":
            return self._get(parts)
        if (request.method, parts[:1], parts[2:4]) != ("PUT", ["rooms"], ["send", "m.room.message"]):
            return _no(404, "M_UNRECOGNIZED", "Unrecognized request")
        if parts[1] != _ROOM:
            return _no(403, "M_FORBIDDEN", f"User not in room {parts[1]}")
        if len(request.body) > 65_000:
            return _no(413, "M_TOO_LARGE", "event too large")
        if (event := self.room.known(parts[4])) is None:
            event = f"$event{self.room.next()}"
            relation = json_of(request).get("m.relates_to", {})
            parent = relation.get("event_id", "") if relation.get("rel_type") == "m.thread" else ""
            self.room.posts[event] = Post(json_of(request), request.body, parent, parts[4])
        return Answer(200, {"event_id": event})

    def _get(self, parts: list[str]) -> Answer:
        if parts == ["account", "whoami"]:
            return Answer(200, {"user_id": "@vigie:example.org"})
        event = parts[-1]
        if parts[:3] != ["rooms", _ROOM, "event"] or event not in self.room.posts:
            return _no(404, "M_NOT_FOUND", "Event not found.")
        unsigned = {"redacted_because": {"type": "m.room.redaction"}} if event in self.redacted else {}
        return Answer(200, {"event_id": event, "type": "m.room.message", "unsigned": unsigned, "content": {}})

    def seen(self) -> list[Seen]:
        """Edits stand where their original stood, by what is in `m.new_content`; an original that is redacted shows nothing."""
        found: dict[str, Seen] = {}
        for event, post in self.room.posts.items():
            relation, content = post.body.get("m.relates_to", {}), post.body
            if relation.get("rel_type") == "m.replace":
                original = relation["event_id"]
                if original in self.room.posts:
                    before = self.room.posts[original]
                    found[original] = _shown(original, Post(content["m.new_content"], post.raw, before.parent, before.identity), content)
            else:
                found[event] = _shown(event, post, content)
        return [seen for event, seen in found.items() if event not in self.redacted]

    def forget(self) -> None:
        self.redacted |= set(self.room.posts)


def _shown(event: str, post: Post, sent: Any) -> Seen:
    """A client shows formatted_body; without m.mentions the old push rules look for names in `body`."""
    words, links = html(post.body["formatted_body"], _ELEMENTS)
    mentions = sent.get("m.mentions")
    legacy = re.findall(r"@room\b|@[a-z0-9._=/-]+:[a-z0-9.-]+", post.body["body"]) if mentions is None else []
    pings = [*legacy, *((["@room"] if mentions.get("room") else []) + mentions.get("user_ids", []) if mentions else [])]
    return Seen(words, post.identity, post.raw, event, post.parent, tuple(pings), links)


RIGS = {"account": lambda folder: service_rig(Homeserver())}
