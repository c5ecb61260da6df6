"""Alertmanager's API v2 (api/v2/openapi.yaml): an alert is its labels; it fires from startsAt up to endsAt."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig, texts_of

Labels = frozenset[tuple[str, str]]


class Alertmanager:
    """One server behind a login. `alerts` by their labels: until when each fires, epoch s."""

    kind = "alertmanager"
    secrets: tuple[str, ...] = ("am-password-01",)
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = MappingProxyType({})

    def __init__(self) -> None:
        self.alerts: dict[Labels, float] = {}
        self.requests: list[tuple[Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": origin.replace("://", f"://vigie:{self.secrets[0]}@") + "/am", "labels": {"team": "web"}}

    def firing(self, at: float) -> list[dict[str, str]]:
        """The labels of what fires at an instant."""
        return [dict(labels) for labels, ends in self.alerts.items() if ends > at]

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        asked = json_of(request)
        if request.path != "/am/api/v2/alerts" or "authorization" not in request.headers:
            return Answer(404, b"not found")
        if not isinstance(asked, list) or not all(one["labels"] and all(texts_of(one["labels"])) for one in asked):
            return Answer(400, "bad request")
        for one in asked:
            starts, ends = (datetime.fromisoformat(one[name]).timestamp() for name in ("startsAt", "endsAt"))
            if ends < starts:
                return Answer(400, "start time must be before end time")
            self.alerts[frozenset(one["labels"].items())] = ends
        self.requests.append((asked, request.body))
        return Answer(200, b"")

    def seen(self) -> list[Seen]:
        return [Seen("\n".join(texts_of(asked[0])), "", raw) for asked, raw in self.requests]

    def forget(self) -> None:
        """It lost its memory."""
        self.alerts.clear()


RIGS = {"api": lambda folder: service_rig(Alertmanager())}
