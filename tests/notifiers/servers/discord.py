"""Discord's webhooks: docs.discord.com/developers/resources/webhook, …/resources/message, …/topics/opcodes-and-status-codes."""

import re
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.notifiers.servers._shown import markdown

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_ID, _TOKEN, _CHANNEL = "223704706495545344", "3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372", "199737254929760256"
_UNITS = {"title": 256, "description": 4096}


def _no(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"message": message, "code": code})


class Discord:
    kind = "discord"
    secrets = (_TOKEN,)
    refusals = MappingProxyType(
        {
            "limit": Refusal(
                DeliveryReason.RATE_LIMIT,
                permanent=False,
                retry_after_ms=650,
                answer=Answer(429, {"message": "You are being rate limited.", "retry_after": 0.65, "global": False}, {"Retry-After": "1"}),
            ),
            "gone": Refusal(DeliveryReason.RECIPIENT, permanent=True, answer=_no(404, 10015, "Unknown Webhook")),
            "token": Refusal(DeliveryReason.AUTH, permanent=True, answer=_no(401, 50027, "Invalid Webhook Token")),
            "forum": Refusal(
                DeliveryReason.CONFIG, permanent=True, answer=_no(400, 220001, "Webhooks posted to forum channels must have …")
            ),
            "login page": Refusal(DeliveryReason.SERVER, permanent=False, answer=Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self, *, forum: bool = False) -> None:
        self.forum = forum
        self.can = frozenset((Can.NETWORK, Can.WHOLE, Can.EDITS, *((Can.THREADS,) if forum else ())))
        self.messages: dict[str, tuple[str, Any, bytes]] = {}  # by ID: the thread it is in, the newest body
        self.last = 1000

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}/api/webhooks/{_ID}/{_TOKEN}", "forum": self.forum}

    def answer(self, request: Request) -> Answer:
        place = urlsplit(request.path)
        query, parts = parse_qs(place.query), place.path.strip("/").split("/")
        if parts[:4] != ["api", "webhooks", _ID, _TOKEN]:
            return _no(401, 50027, "Invalid Webhook Token")
        if request.method == "GET":
            return Answer(200, {"id": _ID, "type": 1, "channel_id": _CHANNEL, "name": "Vigie"})
        body, thread = json_of(request), query.get("thread_id", [""])[0]
        if (bad := self._bad(body)) is not None:
            return bad
        if thread and thread not in self.messages:
            return _no(404, 10003, "Unknown Channel")
        if request.method == "PATCH":
            return self._edit(parts[-1], body, request)
        if request.method != "POST" or query.get("wait") != ["true"]:
            return Answer(204, b"")
        if self.forum and not thread and "thread_name" not in body:
            return _no(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        if not self.forum and "thread_name" in body:
            return _no(400, 220003, "Webhooks can only create threads in forum channels")
        self.last += 1
        name = str(self.last)
        self.messages[name] = thread, body, request.body
        return Answer(200, {"id": name, "channel_id": thread or (name if self.forum else _CHANNEL), "type": 0, "embeds": body["embeds"]})

    def _bad(self, body: Any) -> Answer | None:
        if not isinstance(body, dict) or not (body.get("embeds") or body.get("content")):
            return _no(400, 50006, "Cannot send an empty message")
        embed = body["embeds"][0]
        lengths = {key: len(embed[key].encode("utf-16-le")) // 2 for key in _UNITS}
        long = [key for key, length in lengths.items() if length > _UNITS[key]] or sum(lengths.values()) > 6000
        if long or len(body.get("content", "")) > 2000 or len(body.get("thread_name", "")) > 100:
            return _no(400, 50035, "Invalid Form Body")
        return None

    def _edit(self, name: str, body: Any, request: Request) -> Answer:
        if name not in self.messages:
            return _no(404, 10008, "Unknown Message")
        self.messages[name] = self.messages[name][0], body, request.body
        return Answer(200, {"id": name, "channel_id": _CHANNEL, "type": 0, "embeds": body["embeds"]})

    def seen(self) -> list[Seen]:
        found = []
        for name, (thread, body, raw) in self.messages.items():
            embed = body["embeds"][0]
            title, more = markdown(embed["title"])
            words, links = markdown(embed["description"])
            found.append(Seen(f"{title}\n{words}", "", raw, name, thread, _pings(body), links + more))
        return found

    def forget(self) -> None:
        self.messages.clear()


def _pings(body: dict[str, Any]) -> tuple[str, ...]:
    """Embeds never ping; what `content` names is filtered by `allowed_mentions`, and all of it counts where that is missing."""
    content, allowed = body.get("content", ""), body.get("allowed_mentions", {"parse": ["everyone", "roles", "users"]})
    found = [one for one in ("@everyone", "@here") if one in content and "everyone" in allowed["parse"]]
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        found += [one for one in re.findall(pattern, content) if kind in allowed["parse"] or one in allowed.get(kind, ())]
    return tuple(found)


RIGS = {
    "webhook": lambda folder: service_rig(Discord()),
    "forum": lambda folder: service_rig(Discord(forum=True)),
}
