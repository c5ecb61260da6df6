"""Splunk On-Call (VictorOps) by its REST endpoint: CRITICAL, ACKNOWLEDGEMENT and RECOVERY of one `entity_id`.

https://help.splunk.com/splunk-observability-cloud/splunk-on-call/integrations-with-splunk-on-call/rest-endpoint-integration-for-splunk-on-call:
`entity_id` ties the messages of one incident together; INFO is shown in the timeline, opens nothing and closes nothing; `state_message` has
at most 20,480 characters. The answer is `{"result": "success", "entity_id": …}`, or `{"result": "failure", "message": …}`.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from vigie.core.detection import Severity
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.paging import Action, action, incident_key, notice_key
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.sending import json_of, send
from vigie.notifiers.kit.text import clean
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"url": "SPLUNK_ONCALL_URL"}
REQUIRED = ("url",)
_ENTITY, _STATE = 250, 20_000
_ENDS = {Action.ACKNOWLEDGE: "ACKNOWLEDGEMENT", Action.CLOSE: "RECOVERY", Action.NOTE: "INFO"}
_NEWS = ("updated", "report")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A REST endpoint of Splunk On-Call."""

    url: Annotated[
        Secret,
        msgspec.Meta(
            description="Address of the REST endpoint, its routing key last (SPLUNK_ONCALL_URL).",
            examples=["${SPLUNK_ONCALL_URL}"],
            extra_json_schema=WEB_ADDRESS,
        ),
    ]
    degraded: Annotated[
        Literal["WARNING", "CRITICAL", "INFO"],
        msgspec.Meta(description="Message type of degradations; whether WARNING opens an incident is a setting of Splunk On-Call."),
    ] = "WARNING"

    wants_acks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, or still has its placeholder."""
        check_url(self.url)
        if "$routing_key" in self.url.reveal():
            raise ValueError("`url` still ends with $routing_key; write the routing key of your team there")

    def __repr__(self) -> str:
        return f"Splunk On-Call by {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Splunk":
    """The channel."""
    return Splunk(config, deps)


class Splunk:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Send its message; a test is ended at once."""
        message = clean(message)
        wanted = action(message)
        opens = "CRITICAL" if message.severity is Severity.OUTAGE else self._config.degraded
        # News of an open incident must not page again.
        kind = "INFO" if message.reason in _NEWS else _ENDS.get(wanted, opens)
        answer = await self._post(payload(message, kind))
        if wanted is Action.TRY:
            answer = await self._post(payload(message, "RECOVERY"))
        return Receipt(answer, incident_key(message, _ENTITY))

    async def examine(self) -> str:
        """Reach the host; what the address is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url.reveal())

    async def _post(self, body: dict[str, Any]) -> str:
        url = self._config.url.reveal()
        answer = await send(self._deps, self._config, url, body)
        if json_of(answer).get("result") == "failure":
            words = f"{host_of(url)} rejected the message ({answer.words})"
            raise DeliveryError(DeliveryReason.REJECTED, words, fix="check the address and its routing key", permanent=True)
        return answer.words


def payload(message: Message, kind: str) -> dict[str, Any]:
    """The JSON of a clean message."""
    return {
        "message_type": kind,
        "entity_id": incident_key(message, _ENTITY),
        "entity_display_name": message.headline,
        "state_message": f"{message.headline}\n{plain(message, _STATE)}",
        "state_start_time": (message.since or message.at) // 1000,
        "monitoring_tool": "Vigie",
        "monitor": message.monitor,
        "target": message.target,
        "notice": notice_key(message, _ENTITY),
    }
