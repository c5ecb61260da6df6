"""ntfy as docs.ntfy.sh/publish/ and server/errors.go describe it: JSON to the root, a topic, 4,096 bytes, a sequence that is replaced."""

from collections.abc import Mapping
from typing import Any

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig


class Ntfy:
    """A server with one protected topic."""

    kind = "ntfy"
    secrets: tuple[str, ...] = ("vigie-9f3c1d77", "tk_secret0123456789")
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE, Can.EDITS))
    refusals: Mapping[str, Refusal] = {
        "no login": Refusal(
            DeliveryReason.AUTH,
            permanent=True,
            answer=Answer(401, {"code": 40101, "http": 401, "error": "unauthorized tk_secret0123456789"}),
        ),
        "not this topic": Refusal(
            DeliveryReason.AUTH, permanent=True, answer=Answer(403, {"code": 40301, "http": 403, "error": "forbidden"})
        ),
        "too many": Refusal(
            DeliveryReason.RATE_LIMIT,
            permanent=False,
            answer=Answer(429, {"code": 42908, "http": 429, "error": "limit reached: too many messages"}),
        ),
    }

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.number = 0

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}/{self.secrets[0]}", "token": self.secrets[1], "tags": ["shop"]}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        asked = json_of(request)
        if request.headers.get("authorization") != f"Bearer {self.secrets[1]}":
            return Answer(401, {"code": 40101, "http": 401, "error": "unauthorized"})
        if request.path != "/" or not isinstance(asked, dict) or asked.get("topic") != self.secrets[0]:
            return Answer(400, {"code": 40017, "http": 400, "error": "invalid request: request body must be message JSON"})
        if not 1 <= asked["priority"] <= 5 or len(asked.get("actions", [])) > 3 or len(asked["message"].encode()) > 4_096:
            return Answer(400, {"code": 40018, "http": 400, "error": "invalid request"})
        self.number += 1
        name = f"id{self.number}"
        sequence = asked.get("sequence_id", name)
        self.messages[sequence] = (asked, request.body)
        return Answer(200, {"id": name, "sequence_id": sequence, "event": "message", "topic": asked["topic"], "message": asked["message"]})

    def seen(self) -> list[Seen]:
        return [Seen(f"{asked['title']}\n{asked['message']}", "", raw, reference=name) for name, (asked, raw) in self.messages.items()]

    def forget(self) -> None:
        """Somebody clears them on the phone, where an update of one of them is then shown as a new one."""
        self.messages.clear()


RIGS = {"topic": lambda folder: service_rig(Ntfy())}
