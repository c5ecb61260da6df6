"""Opsgenie's Alert API (docs.opsgenie.com/docs/alert-api): requests are queued, an alias names an alert while it is open."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig, texts_of

KEY = "eb243592-faa2-4ba2-a551-1afdf565c889"


class Opsgenie:
    """One integration. `alerts` are its alerts, oldest first."""

    kind = "opsgenie"
    secrets: tuple[str, ...] = (KEY,)
    can: frozenset[Can] = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = {
        "key": Refusal(
            DeliveryReason.REJECTED, permanent=True, answer=Answer(422, {"message": f"Key format is not valid: {KEY}", "took": 0.001})
        ),
    }

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        return {"api_key": KEY, "url": origin, "teams": ["ops"], "tags": ["shop"]}

    def open_alert(self, alias: str) -> dict[str, Any] | None:
        """The one that this alias names."""
        return next((one for one in self.alerts if one["alias"] == alias and one["state"] != "closed"), None)

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(200, b"")
        if request.headers.get("authorization") != f"GenieKey {KEY}":
            return Answer(401, {"message": "Could not authenticate", "took": 0.0})
        parts, asked = urlsplit(request.path), json_of(request)
        way = parts.path.removeprefix("/v2/alerts").strip("/").split("/")
        if not parts.path.startswith("/v2/alerts") or not isinstance(asked, dict):
            return Answer(404, {"message": "Not found"})
        if way == [""]:
            return self._created(request, asked)
        alias, verb = way
        if parse_qs(parts.query) != {"identifierType": ["alias"]} or len(asked.get("note", "")) > 25_000:
            return Answer(422, {"message": "Request body is not processable"})
        if (found := self.open_alert(alias)) is not None:
            found["log"].append(verb)
            found["state"] = {"close": "closed", "acknowledge": "acknowledged"}.get(verb, found["state"])
            found["notes"] += [asked["note"]] if "note" in asked else []
        self.requests.append((alias, verb, asked, request.body))
        return Answer(202, {"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c"})

    def _created(self, request: Request, asked: dict[str, Any]) -> Answer:
        limits = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}
        long = [name for name, limit in limits.items() if len(asked[name]) > limit]
        if long or not asked["message"] or sum(len(name) + len(value) for name, value in asked["details"].items()) > 8_000:
            return Answer(422, {"message": "Request body is not processable", "errors": dict.fromkeys(long, "is too long")})
        found = self.open_alert(asked["alias"])
        if found is None:
            self.alerts.append(
                {"alias": asked["alias"], "state": "open", "priority": asked["priority"], "count": 1, "log": [], "notes": []}
            )
        else:
            found["count"] += 1
        self.requests.append((asked["alias"], "create", asked, request.body))
        return Answer(202, {"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5d"})

    def seen(self) -> list[Seen]:
        """Whatever has words; a note beside the creation that it explains is no second message."""
        shown, last = list[Seen](), ("", "")
        for alias, verb, asked, raw in self.requests:
            beside = verb == "notes" and (alias, "create") == last
            if verb == "create" or ("note" in asked and not beside):
                shown.append(Seen("\n".join(texts_of(asked)), "", raw))
            last = (alias, verb)
        return shown

    def forget(self) -> None:
        """Somebody closes everything by hand."""
        for one in self.alerts:
            one["state"] = "closed"


RIGS = {"integration": lambda folder: service_rig(Opsgenie())}
