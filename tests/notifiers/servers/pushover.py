"""Pushover as pushover.net/api describes it: forms, a status of 1, limits on lengths, emergencies that repeat until they are stopped."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, service_rig

TOKEN, USER = "azGDORePK8gMaC0QOYAMyEEuzJnyUi", "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"


class Pushover:
    """The service, with one application and one user. `repeating` are the tags of emergencies that nobody has stopped."""

    kind = "pushover"
    secrets: tuple[str, ...] = (TOKEN, USER)
    can: frozenset[Can] = frozenset((Can.NETWORK,))
    refusals: Mapping[str, Refusal] = {
        "no such user": Refusal(
            DeliveryReason.REJECTED,
            permanent=True,
            answer=Answer(400, {"user": "invalid", "errors": [f"user identifier {USER} is not a valid user"], "status": 0}),
        ),
        "quota": Refusal(
            DeliveryReason.RATE_LIMIT, permanent=False, answer=Answer(429, {"status": 0, "errors": ["application is over its quota"]})
        ),
    }

    def __init__(self, *, emergency: bool = False) -> None:
        self.emergency = emergency
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.repeating: set[str] = set()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"user": USER, "token": TOKEN, "url": origin, "emergency": self.emergency}

    def answer(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True, strict_parsing=True).items()}
        if form.get("token") != TOKEN:
            return Answer(400, {"token": "invalid", "errors": ["application token is invalid"], "status": 0})
        if request.path.startswith("/1/receipts/cancel_by_tag/"):
            tag = request.path.removeprefix("/1/receipts/cancel_by_tag/").removesuffix(".json")
            cancelled = tag in self.repeating
            self.repeating.discard(tag)
            return Answer(200, {"status": 1, "canceled": int(cancelled)})
        if form.get("user") != USER:
            return Answer(400, {"user": "invalid", "errors": ["user identifier is not a valid user"], "status": 0})
        if request.path == "/1/users/validate.json":
            return Answer(200, {"status": 1, "devices": ["phone"]})
        return self._message(request, form)

    def _message(self, request: Request, form: dict[str, str]) -> Answer:
        limits = {"message": 1_024, "title": 250, "url": 512, "url_title": 100}
        wrong = [f"{name} is too long" for name, limit in limits.items() if len(form.get(name, "")) > limit]
        if not form.get("message"):
            wrong.append("message cannot be blank")
        if form["priority"] == "2":
            if not int(form["retry"]) >= 30 or not int(form["expire"]) <= 10_800:
                wrong.append("retry or expire is out of range")
            self.repeating.add(form["tags"])
        if request.path != "/1/messages.json" or wrong:
            return Answer(400, {"status": 0, "errors": wrong})
        self.messages.append((form, request.body))
        return Answer(
            200, {"status": 1, "request": "647d2300", **({"receipt": "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"} if form["priority"] == "2" else {})}
        )

    def seen(self) -> list[Seen]:
        return [Seen(f"{form['title']}\n{form['message']}", "", raw) for form, raw in self.messages]

    def forget(self) -> None:
        self.messages.clear()


RIGS = {"usual": lambda folder: service_rig(Pushover()), "emergency": lambda folder: service_rig(Pushover(emergency=True))}
