"""signal-cli-rest-api as its swagger file describes POST /v2/send: 201 and a timestamp, 400 for whatever signal-cli says."""

from collections.abc import Mapping
from typing import Any

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig


class Signal:
    """A bridge with one number, behind a proxy that wants a login."""

    kind = "signal"
    secrets: tuple[str, ...] = ("bridge-pass-01",)
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.EDITS))
    refusals: Mapping[str, Refusal] = {
        "400": Refusal(
            DeliveryReason.SERVER,
            permanent=False,
            retry_after_ms=300_000,
            answer=Answer(400, {"error": "Failed to send: bridge-pass-01 timeout"}),
        ),
        "unregistered": Refusal(
            DeliveryReason.RECIPIENT,
            permanent=True,
            answer=Answer(400, {"error": "Failed to send message: Unregistered user +33698765432"}),
        ),
    }

    def __init__(self, to: tuple[str, ...] = ("+33698765432", "+33611111111")) -> None:
        self.to = list(to)
        self.messages: dict[int, tuple[Any, bytes]] = {}
        self.stamp = 1_767_225_700_000

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": origin.replace("://", f"://vigie:{self.secrets[0]}@"), "number": "+33612345678", "to": self.to}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        asked = json_of(request)
        if "authorization" not in request.headers:
            return Answer(401, b"login")
        if (
            request.path != "/v2/send"
            or not isinstance(asked, dict)
            or asked.get("number") != "+33612345678"
            or asked["recipients"] != self.to
        ):
            return Answer(400, {"error": "Couldn't process request - invalid request"})
        replaced = asked.get("edit_timestamp")
        if replaced is not None and replaced not in self.messages:
            return Answer(400, {"error": "Failed to send message: no message with that timestamp"})
        self.stamp += 1
        name = self.stamp if replaced is None else replaced
        self.messages[name] = (asked, request.body)
        return Answer(201, {"timestamp": str(self.stamp)})

    def seen(self) -> list[Seen]:
        return [Seen(asked["message"], "", raw, reference=str(name)) for name, (asked, raw) in self.messages.items()]

    def forget(self) -> None:
        self.messages.clear()


RIGS = {"people": lambda folder: service_rig(Signal()), "group": lambda folder: service_rig(Signal(("group.aBcDeF==",)))}
