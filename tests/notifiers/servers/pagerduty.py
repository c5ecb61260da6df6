"""PagerDuty's Events API v2 (developer.pagerduty.com/docs/events-api-v2): alerts by key, and change events."""

from collections.abc import Mapping
from typing import Any

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig, texts_of


class PagerDuty:
    """One service. `alerts` are its alerts, oldest first; one that was resolved is never opened again."""

    kind = "pagerduty"
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = {
        "invalid": Refusal(
            DeliveryReason.REJECTED,
            permanent=True,
            answer=Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["'routing_key' is invalid"]}),
        ),
    }

    def __init__(self, key: str = "0123456789abcdef0123456789abcdef") -> None:
        self.secrets = (key,)
        self.alerts: list[dict[str, Any]] = []
        self.events: list[tuple[Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"routing_key": self.secrets[0], "url": origin}

    def open_alert(self, key: str) -> dict[str, Any] | None:
        """The one that events of this key are about."""
        return next((one for one in self.alerts if one["key"] == key and one["state"] != "resolved"), None)

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        asked = json_of(request)
        if not isinstance(asked, dict) or asked.get("routing_key") != self.secrets[0]:
            return Answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]})
        if request.path == "/v2/change/enqueue":
            if self.secrets[0].startswith("R"):
                return Answer(400, {"status": "invalid event", "message": "change events are not supported by rulesets"})
            self.events.append((asked, request.body))
            return Answer(202, {"status": "success", "message": "Change event processed"})
        return self._alert(request, asked)

    def _alert(self, request: Request, asked: dict[str, Any]) -> Answer:
        payload, verb, key = asked["payload"], asked["event_action"], asked["dedup_key"]
        valid = (
            payload["severity"] in ("critical", "error", "warning", "info") and payload["source"] and 0 < len(payload["summary"]) <= 1_024
        )
        if request.path != "/v2/enqueue" or not valid or not 0 < len(key) <= 255 or len(request.body) > 512 * 1024:
            return Answer(400, {"status": "invalid event", "message": "Event object is invalid"})
        found = self.open_alert(key)
        if verb == "trigger" and found is None:
            self.alerts.append({"key": key, "state": "triggered", "severity": payload["severity"], "log": [payload["summary"]]})
        elif verb == "trigger" and found is not None:
            found["log"].append(payload["summary"])
        elif found is not None:
            found["state"] = {"acknowledge": "acknowledged", "resolve": "resolved"}[verb]
        self.events.append((asked, request.body))
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def seen(self) -> list[Seen]:
        """Every event with its words, but for the end of what is resolved at once, which has none of its own."""
        triggered: set[str] = set()
        shown = []
        for asked, raw in self.events:
            notice = asked["payload"]["custom_details"]["notice"]
            if asked.get("event_action") == "resolve" and notice in triggered:
                continue
            if asked.get("event_action") == "trigger":
                triggered.add(notice)
            links = [text for link in asked["links"] for text in link.values()]
            names = asked["payload"]["custom_details"]
            shown.append(Seen("\n".join((*texts_of(asked["payload"]), *names, *links)), notice, raw))
        return shown

    def forget(self) -> None:
        """Somebody resolves everything by hand."""
        for one in self.alerts:
            one["state"] = "resolved"


RIGS = {"service": lambda folder: service_rig(PagerDuty()), "ruleset": lambda folder: service_rig(PagerDuty("R" + "0123456789abcdef" * 2))}
