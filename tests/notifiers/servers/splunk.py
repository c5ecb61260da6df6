"""The REST endpoint of Splunk On-Call (help.splunk.com): incidents by entity."""

from collections.abc import Mapping
from typing import Any

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

PATH = "/integrations/generic/20131114/alert/7c2e3f1a-key-0001/database-team"


class Splunk:
    """One endpoint. `incidents` by entity, with their states in turn."""

    kind = "splunk"
    secrets: tuple[str, ...] = ("7c2e3f1a-key-0001",)
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = {
        "failure": Refusal(
            DeliveryReason.REJECTED, permanent=True, answer=Answer(200, {"result": "failure", "message": "7c2e3f1a-key-0001 is unknown"})
        ),
    }

    def __init__(self) -> None:
        self.incidents: dict[str, list[str]] = {}
        self.messages: list[tuple[Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": f"{origin}{PATH}"}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        asked = json_of(request)
        if request.path != PATH or not isinstance(asked, dict):
            return Answer(200, {"result": "failure", "message": "unknown endpoint"})
        kind, entity = asked["message_type"], asked["entity_id"]
        if kind not in ("CRITICAL", "WARNING", "ACKNOWLEDGEMENT", "INFO", "RECOVERY") or len(asked["state_message"]) > 20_480:
            return Answer(200, {"result": "failure", "message": "invalid"})
        states = self.incidents.get(entity, [])
        if kind in ("CRITICAL", "WARNING"):
            self.incidents.setdefault(entity, []).append("open")
        elif kind in ("ACKNOWLEDGEMENT", "RECOVERY") and states and states[-1] != "RECOVERY":
            states.append(kind)
        self.messages.append((asked, request.body))
        return Answer(200, {"result": "success", "entity_id": entity})

    def seen(self) -> list[Seen]:
        """The timeline; the end of a test says nothing that its beginning did not."""
        shown: list[Seen] = []
        began = ""
        for asked, raw in self.messages:
            if not (asked["message_type"] == "RECOVERY" and began == asked["notice"]):
                shown.append(Seen(asked["state_message"], asked["notice"], raw))
            began = asked["notice"] if asked["message_type"] in ("CRITICAL", "WARNING") else ""
        return shown

    def forget(self) -> None:
        """Somebody resolves everything by hand."""
        for states in self.incidents.values():
            states.append("RECOVERY")


RIGS = {"endpoint": lambda folder: service_rig(Splunk())}
