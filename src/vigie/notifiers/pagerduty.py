"""PagerDuty by the Events API v2: one alert from open to close, and change events for what is only to be known.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/: `dedup_key` (≤ 255 characters) ties trigger, acknowledge and resolve
together; a trigger for an open key is added to it, one for a resolved key opens another alert, and acknowledge or resolve without an open
alert are dropped. `payload.summary` has at most 1,024 characters, an event 512 KB. Answers: 202 taken, 400 not to be tried again, 429 and
5xx to be. Change events notify nobody, and are refused for the keys of rulesets, which begin with R: those get an alert of severity `info`
that is resolved at once.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec

from vigie.core.detection import Severity
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.paging import Action, action, incident_key, notice_key
from vigie.notifiers.kit.sending import send
from vigie.notifiers.kit.text import clean, flat
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"routing_key": "PAGERDUTY_ROUTING_KEY"}
REQUIRED = ("routing_key",)
_KEY, _SUMMARY = 255, 1_024
_SEVERITIES = {Severity.OUTAGE: "critical", Severity.DEGRADATION: "warning"}
_VERBS = {Action.ACKNOWLEDGE: "acknowledge", Action.CLOSE: "resolve"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service of PagerDuty."""

    routing_key: Annotated[
        Secret,
        msgspec.Meta(
            description="Integration key of an Events API v2 integration (PAGERDUTY_ROUTING_KEY).", examples=["${PAGERDUTY_ROUTING_KEY}"]
        ),
    ]
    url: Annotated[
        str,
        msgspec.Meta(
            description="Address of the Events API; https://events.eu.pagerduty.com for accounts of the EU.", extra_json_schema=WEB_ADDRESS
        ),
    ] = "https://events.pagerduty.com"

    wants_acks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, or an empty key."""
        check_url(Secret(self.url))
        if not self.routing_key:
            raise ValueError("`routing_key` is empty")

    def __repr__(self) -> str:
        return f"PagerDuty by {host_of(self.url)}"


def build(config: Config, deps: NotifierDeps) -> "PagerDuty":
    """The channel."""
    return PagerDuty(config, deps)


class PagerDuty:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Send its event; a test, and what a ruleset takes no change event for, are resolved at once."""
        message = clean(message)
        wanted, key = action(message), incident_key(message, _KEY)
        if wanted is Action.NOTE:
            if not self._config.routing_key.reveal().startswith("R"):
                return Receipt(await self._post("/v2/change/enqueue", change(message)))
            key = notice_key(message, _KEY)
        first = event(message, _VERBS.get(wanted, "trigger"), key)
        if wanted is Action.NOTE:
            first["payload"]["severity"] = "info"
        answer = await self._post("/v2/enqueue", first)
        if wanted in (Action.TRY, Action.NOTE):
            answer = await self._post("/v2/enqueue", event(message, "resolve", key))
        return Receipt(answer, key)

    async def examine(self) -> str:
        """Reach the host; what the key is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url)

    async def _post(self, path: str, body: dict[str, Any]) -> str:
        sent = {"routing_key": self._config.routing_key.reveal(), **body}
        return (await send(self._deps, self._config, self._config.url.rstrip("/") + path, sent)).words


def event(message: Message, verb: str, key: str) -> dict[str, Any]:
    """An alert event of a clean message."""
    payload = {
        "summary": flat(message.headline, _SUMMARY),
        "source": _source(message),
        "severity": _SEVERITIES[message.severity],
        "timestamp": _instant(message.at),
        "component": message.monitor,
        "class": "" if message.cause is None else message.cause.value,
        "custom_details": details(message),
    }
    links = [{"href": link.url, "text": link.label} for link in message.links]
    return {"event_action": verb, "dedup_key": key, "client": "Vigie", "payload": payload, "links": links}


def change(message: Message) -> dict[str, Any]:
    """A change event: it is shown in the service's activity and notifies nobody."""
    payload = {
        "summary": flat(message.headline, _SUMMARY),
        "source": _source(message),
        "timestamp": _instant(message.at),
        "custom_details": details(message),
    }
    return {"payload": payload, "links": [{"href": link.url, "text": link.label} for link in message.links]}


def details(message: Message) -> dict[str, Any]:
    """What the first lines do not say; PagerDuty shows each name with its value."""
    analysis = message.analysis
    found: dict[str, Any] = {"message": "\n".join(message.lines), **{f"{row.id} {row.label}": row.value for row in message.rows}}
    if analysis is not None:
        found[message.analysis_label] = "\n".join(analysis.sentences)
    return found | {"notice": notice_key(message, _KEY), "more": message.footer}


def _source(message: Message) -> str:
    return message.target or message.monitor or "vigie"


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
