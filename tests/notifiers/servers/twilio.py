"""Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource): a form, 201 with a sid, errors with a code."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, service_rig

ACCOUNT, TOKEN = "AC" + "0123456789abcdef" * 2, "auth-token-0123456789"


class Twilio:
    """One account with one number."""

    kind = "twilio"
    secrets: tuple[str, ...] = (TOKEN,)
    can: frozenset[Can] = frozenset((Can.NETWORK,))
    refusals: Mapping[str, Refusal] = {
        "no such number": Refusal(
            DeliveryReason.RECIPIENT,
            permanent=True,
            answer=Answer(400, {"code": 21211, "message": f"Invalid 'To' Phone Number {TOKEN}", "status": 400}),
        ),
        "login": Refusal(
            DeliveryReason.AUTH, permanent=True, answer=Answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        ),
        "too many": Refusal(
            DeliveryReason.RATE_LIMIT, permanent=False, answer=Answer(429, {"code": 20429, "message": "Too Many Requests", "status": 429})
        ),
    }

    def __init__(self, **origin: str) -> None:
        self.origin = origin
        self.messages: list[tuple[dict[str, str], bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"account": ACCOUNT, "token": TOKEN, "to": ["+33612345678"], "url": origin, **self.origin}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        user = self.origin.get("key", ACCOUNT)
        if request.headers.get("authorization") != f"Basic {b64encode(f'{user}:{TOKEN}'.encode()).decode()}":
            return Answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), strict_parsing=True).items()}
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json" or ("From" in form) is ("MessagingServiceSid" in form):
            return Answer(400, {"code": 21603, "message": "A 'From' phone number is required", "status": 400})
        if not form["To"].startswith("+"):
            return Answer(400, {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400})
        if not 0 < len(form["Body"]) <= 1_600:
            return Answer(400, {"code": 21617, "message": "The concatenated message body exceeds the 1600 character limit", "status": 400})
        self.messages.append((form, request.body))
        return Answer(201, {"sid": f"SM{len(self.messages):032}", "status": "queued", "body": form["Body"]})

    def seen(self) -> list[Seen]:
        return [Seen(form["Body"], "", raw) for form, raw in self.messages]

    def forget(self) -> None:
        self.messages.clear()


RIGS = {
    "number": lambda folder: service_rig(Twilio(sender="+15005550006")),
    "service": lambda folder: service_rig(Twilio(service="MG" + "0" * 32, key="SK" + "1" * 32)),
}
