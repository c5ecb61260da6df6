"""Slack: incoming webhooks and the Web API (docs.slack.dev: messaging/sending-messages-using-incoming-webhooks, reference/methods)."""

import re
from html import unescape
from types import MappingProxyType
from typing import Any

from tests.notifiers.servers._room import Post, Room

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_PATH = "/services/T0SECRET01/b0SECRET02/hushhush03hushhush03abcd"
_TOKEN, _CHANNEL = "xoxb-2345678901-abcdefghijklmnop", "C0123456789"
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")
_PING = re.compile(r"<(!(?:channel|here|everyone|subteam\^)[^>]*|@[UW][^>]*)>")


def texts(body: Any) -> list[tuple[str, bool]]:
    """Every text that is shown, and whether it is markup."""
    inner = [one for block in body["blocks"] for one in ([block["text"]] if "text" in block else block["elements"])]
    return [(one["text"], one["type"] == "mrkdwn") for one in inner]


def fault(body: Any) -> str:
    """What is wrong with a message (reference/block-kit/blocks): at most 50 blocks, 150 characters of a header, 3,000 of a section."""
    if not isinstance(body, dict) or not body.get("text"):
        return "no_text"
    limits = {"header": 150, "section": 3000, "context": 3000}
    for block in body["blocks"]:
        inner = [block["text"]] if "text" in block else block["elements"]
        if not all(0 < len(one["text"]) <= limits[block["type"]] for one in inner):
            return "invalid_blocks"
    return "invalid_blocks" if len(body["blocks"]) > 50 else "msg_too_long" if len(body["text"]) > 40_000 else ""


def shown(name: str, post: Post) -> Seen:
    """What a reader sees."""
    marked = [text for text, markup in texts(post.body) if markup] + [post.body["text"]]
    words = "\n".join(unescape(_LINK.sub(r"\2", text)) if markup else text for text, markup in texts(post.body))
    pings = tuple(match for text in marked for match in _PING.findall(text))
    links = tuple(unescape(match[0]) for text in marked for match in _LINK.findall(text))
    return Seen(words, "", post.raw, name, post.parent, pings, links)


class Hook:
    kind = "slack"
    secrets = ("T0SECRET01", "b0SECRET02", "hushhush03hushhush03abcd")
    can = frozenset((Can.NETWORK, Can.WHOLE))
    refusals = MappingProxyType(
        {
            name: Refusal(reason, permanent=True, answer=Answer(status, name.encode()))
            for name, status, reason in (
                ("invalid_payload", 400, DeliveryReason.REJECTED),
                ("action_prohibited", 403, DeliveryReason.AUTH),
                ("no_service", 404, DeliveryReason.REJECTED),
                ("channel_is_archived", 410, DeliveryReason.REJECTED),
            )
        }
    )

    def __init__(self) -> None:
        self.room = Room()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": origin + _PATH}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(302, b"", {"Location": "https://slack.com/"})
        if request.path != _PATH:
            return Answer(404, b"no_service")
        body = json_of(request)
        if why := fault(body):
            return Answer(400, why.encode())
        self.room.posts[str(self.room.next())] = Post(body, request.body)
        return Answer(200, b"ok", {"Content-Type": "text/html"})

    def seen(self) -> list[Seen]:
        return [shown(name, post) for name, post in self.room.posts.items()]

    def forget(self) -> None:
        self.room.posts.clear()


def _no(error: str, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {"ok": False, "error": error}, headers)


def _refused(reason: DeliveryReason, *errors: str) -> dict[str, Refusal]:
    return {error: Refusal(reason, permanent=True, answer=_no(error)) for error in errors}


class Bot:
    kind = "slack"
    secrets = (_TOKEN,)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.THREADS, Can.EDITS))
    refusals = MappingProxyType(
        {
            **_refused(
                DeliveryReason.AUTH, "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"
            ),
            **_refused(DeliveryReason.RECIPIENT, "channel_not_found", "not_in_channel", "is_archived", "restricted_action"),
            **_refused(DeliveryReason.REJECTED, "msg_too_long", "invalid_blocks", "as_yet_unheard_of"),
            "ratelimited": Refusal(
                DeliveryReason.RATE_LIMIT, False, 30_000, Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"})
            ),
            "rate_limited": Refusal(DeliveryReason.RATE_LIMIT, False, None, _no("rate_limited")),
            **{
                one: Refusal(DeliveryReason.SERVER, False, None, _no(one))
                for one in ("internal_error", "fatal_error", "service_unavailable")
            },
            "no error": Refusal(DeliveryReason.REJECTED, True, None, Answer(200, {"ok": False})),
            "login page": Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self) -> None:
        self.room = Room()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"token": _TOKEN, "channel": "#ops", "api": f"{origin}/api"}

    def answer(self, request: Request) -> Answer:
        method, body = request.path.removeprefix("/api/"), json_of(request)
        if request.headers.get("authorization") != f"Bearer {_TOKEN}":
            return _no("invalid_auth")
        if method == "auth.test":
            return Answer(200, {"ok": True, "team": "Shop", "user": "vigie"})
        if why := fault(body):
            return _no(why)
        if method == "chat.update":
            if body["channel"] != _CHANNEL:
                return _no("channel_not_found")
            if body["ts"] not in self.room.posts:
                return _no("message_not_found")
            self.room.posts[body["ts"]].body, self.room.posts[body["ts"]].raw = body, request.body
            return Answer(200, {"ok": True, "channel": _CHANNEL, "ts": body["ts"], "text": body["text"]})
        if method != "chat.postMessage":
            return _no("unknown_method")
        if body["channel"] not in ("#ops", _CHANNEL):
            return _no("channel_not_found")
        parent = body.get("thread_ts", "")
        if parent and parent not in self.room.posts:
            return _no("thread_not_found")
        ts = f"1767225600.{self.room.next():06}"
        self.room.posts[ts] = Post(body, request.body, parent)
        return Answer(200, {"ok": True, "channel": _CHANNEL, "ts": ts, "message": {"text": body["text"], "blocks": body["blocks"]}})

    def seen(self) -> list[Seen]:
        return [shown(name, post) for name, post in self.room.posts.items()]

    def forget(self) -> None:
        self.room.posts.clear()


RIGS = {"webhook": lambda folder: service_rig(Hook()), "bot": lambda folder: service_rig(Bot())}
