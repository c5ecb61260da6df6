"""Telegram's Bot API: core.telegram.org/bots/api, with the descriptions of errors that its server (tdlib/telegram-bot-api) gives."""

import re
from types import MappingProxyType
from typing import Any

from tests.notifiers.servers._shown import MalformedError, html

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_TOKEN, _CHAT = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "-1001234567890"
_ELEMENTS = frozenset(("b", "strong", "i", "em", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler", "span"))
_MENTION = re.compile(r"(?<!\w)@[A-Za-z0-9_]{4,32}")


def _no(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description} | ({"parameters": parameters} if parameters else {})
    return Answer(code, body)


def _refusal(reason: DeliveryReason, code: int, description: str, **parameters: Any) -> Refusal:
    return Refusal(reason, permanent=True, answer=_no(code, description, **parameters))


class Telegram:
    kind = "telegram"
    secrets = (_TOKEN,)
    can = frozenset((Can.NETWORK, Can.WHOLE, Can.EDITS, Can.THREADS))
    refusals = MappingProxyType(
        {
            "limit": Refusal(DeliveryReason.RATE_LIMIT, False, 5_000, _no(429, "Too Many Requests: retry after 5", retry_after=5)),
            "internal": Refusal(DeliveryReason.SERVER, False, None, _no(500, "Internal Server Error")),
            "token": _refusal(DeliveryReason.AUTH, 401, "Unauthorized"),
            "no token": _refusal(DeliveryReason.AUTH, 404, "Not Found"),
            "chat": _refusal(DeliveryReason.RECIPIENT, 400, "Bad Request: chat not found"),
            "kicked": _refusal(DeliveryReason.RECIPIENT, 403, "Forbidden: bot was kicked from the supergroup chat"),
            "moved": _refusal(
                DeliveryReason.RECIPIENT, 400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1
            ),
            "rights": _refusal(DeliveryReason.RECIPIENT, 400, "Bad Request: not enough rights to send text messages to the chat"),
            "topic": _refusal(DeliveryReason.RECIPIENT, 400, "Bad Request: message thread not found"),
            "login page": Refusal(DeliveryReason.SERVER, False, None, Answer(200, b"<html>Sign in to the network</html>")),
        }
    )

    def __init__(self) -> None:
        self.messages: dict[int, tuple[int, Any, bytes]] = {}  # by ID: the one that it answers, the newest body
        self.last = 10

    def settings(self, origin: str) -> dict[str, Any]:
        return {"token": _TOKEN, "chat": _CHAT, "api": origin}

    def answer(self, request: Request) -> Answer:
        token, _, method = request.path.removeprefix("/bot").partition("/")
        body = json_of(request)
        if token != _TOKEN:
            return _no(401, "Unauthorized")
        if str(body["chat_id"]) != _CHAT:
            return _no(400, "Bad Request: chat not found")
        if method == "getChat":
            return Answer(200, {"ok": True, "result": {"id": int(_CHAT), "type": "supergroup", "title": "Ops"}})
        try:
            words, _ = html(body["text"], _ELEMENTS)
        except MalformedError as error:
            return _no(400, f"Bad Request: can't parse entities: {error}")
        if len(words.encode("utf-16-le")) // 2 > 4096:
            return _no(400, "Bad Request: message is too long")
        return (self._edit if method == "editMessageText" else self._send)(body, request)

    def _send(self, body: Any, request: Request) -> Answer:
        reply = body.get("reply_parameters", {})
        parent = reply.get("message_id", 0)
        if parent and parent not in self.messages:
            if not reply.get("allow_sending_without_reply"):
                return _no(400, "Bad Request: message to be replied not found")
            parent = 0
        self.last += 1
        self.messages[self.last] = parent, body, request.body
        return Answer(200, {"ok": True, "result": {"message_id": self.last, "chat": {"id": int(_CHAT)}, "text": body["text"]}})

    def _edit(self, body: Any, request: Request) -> Answer:
        name = body["message_id"]
        if name not in self.messages:
            return _no(400, "Bad Request: message to edit not found")
        parent, before, _ = self.messages[name]
        if before["text"] == body["text"]:
            return _no(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same")
        self.messages[name] = parent, body, request.body
        return Answer(200, {"ok": True, "result": {"message_id": name, "chat": {"id": int(_CHAT)}, "text": body["text"]}})

    def seen(self) -> list[Seen]:
        found = []
        for name, (parent, body, raw) in self.messages.items():
            words, links = html(body["text"], _ELEMENTS)
            bare = re.sub(r"<[^>]*>", "", body["text"])  # what a reader does not see breaks a name up
            found.append(Seen(words, "", raw, str(name), str(parent or ""), tuple(_MENTION.findall(bare)), links))
        return found

    def forget(self) -> None:
        self.messages.clear()


RIGS = {"bot": lambda folder: service_rig(Telegram())}
