"""Opsgenie by its Alert API: created, acknowledged and closed under one alias. Jira Service Management takes the same at another address.

https://docs.opsgenie.com/docs/alert-api: `alias` (≤ 512 characters) names an alert while it is open, a creation with the alias of an open
alert is counted in it; `message` has at most 130 characters, `description` 15,000, `note` 25,000, `source` 100, `entity` 512, a detail
8,000 in all. Requests are queued and answered by 202; 429 and 5xx are to be tried again, other 4xx are not
(https://docs.opsgenie.com/docs/response). News go to the alert as a note. What is only to be known becomes an alert of the lowest priority
that is closed at once, because a note without an alert would be lost.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from vigie.core.detection import Severity
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.paging import Action, action, incident_key, notice_key
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.sending import send
from vigie.notifiers.kit.text import clean, flat
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"api_key": "OPSGENIE_API_KEY"}
REQUIRED = ("api_key",)
_ALIAS, _MESSAGE, _DESCRIPTION, _NOTE, _ENTITY = 250, 130, 15_000, 25_000, 512
_ROWS, _DETAIL = 12, 300
_LOWEST = "P5"
Priority = Literal["P1", "P2", "P3", "P4", "P5"]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An API integration of Opsgenie or Jira Service Management."""

    api_key: Annotated[Secret, msgspec.Meta(description="Key of the API integration (OPSGENIE_API_KEY).", examples=["${OPSGENIE_API_KEY}"])]
    url: Annotated[
        str,
        msgspec.Meta(
            description="Address of the API; https://api.eu.opsgenie.com for accounts of the EU, "
            "https://api.atlassian.com/jsm/ops/integration for Jira Service Management.",
            extra_json_schema=WEB_ADDRESS,
        ),
    ] = "https://api.opsgenie.com"
    priority: Annotated[Priority, msgspec.Meta(description="Of outages.")] = "P1"
    degraded_priority: Annotated[Priority, msgspec.Meta(description="Of degradations.")] = "P3"
    teams: Annotated[list[str], msgspec.Meta(description="Names of teams that respond; the integration's own if not set.")] = []
    tags: Annotated[list[str], msgspec.Meta(description="Tags of every alert.", max_length=20)] = []

    wants_acks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, or an empty key."""
        check_url(Secret(self.url))
        if not self.api_key:
            raise ValueError("`api_key` is empty")

    def __repr__(self) -> str:
        return f"Opsgenie by {host_of(self.url)}"


def build(config: Config, deps: NotifierDeps) -> "Opsgenie":
    """The channel."""
    return Opsgenie(config, deps)


class Opsgenie:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Ask for what it is about; what is only to be known, and a test, is closed at once."""
        message = clean(message)
        wanted, alias = action(message), incident_key(message, _ALIAS)
        match wanted:
            case Action.CLOSE | Action.ACKNOWLEDGE:
                answer = await self._post(f"/{alias}/{'close' if wanted is Action.CLOSE else 'acknowledge'}", _noted(message))
            case Action.OPEN:
                answer = await self._post("", self.alert(message, alias))
                if message.reason != "opened":  # which a creation of an open alias does not say in full
                    await self._post(f"/{alias}/notes", _noted(message))
            case _:
                alias = notice_key(message, _ALIAS)
                await self._post("", self.alert(message, alias, None if wanted is Action.TRY else _LOWEST))
                answer = await self._post(f"/{alias}/close", {"source": "Vigie"})
        return Receipt(answer, alias)

    async def examine(self) -> str:
        """Reach the host; what the key is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url)

    def alert(self, message: Message, alias: str, priority: str | None = None) -> dict[str, Any]:
        """The creation of an alert for a clean message."""
        usual = self._config.priority if message.severity is Severity.OUTAGE else self._config.degraded_priority
        found: dict[str, Any] = {
            "message": flat(message.headline, _MESSAGE),
            "alias": alias,
            "description": plain(message, _DESCRIPTION),
            "entity": flat(message.target or message.monitor, _ENTITY),
            "source": "Vigie",
            "priority": priority or usual,
            "details": {f"{row.id} {row.label}": flat(row.value, _DETAIL) for row in message.rows[:_ROWS]},
        }
        if self._config.teams:
            found["responders"] = [{"name": team, "type": "team"} for team in self._config.teams]
        if self._config.tags:
            found["tags"] = self._config.tags
        return found

    async def _post(self, path: str, body: dict[str, Any]) -> str:
        url = f"{self._config.url.rstrip('/')}/v2/alerts{path}" + ("?identifierType=alias" if path else "")
        headers = {"Authorization": f"GenieKey {self._config.api_key.reveal()}"}
        return (await send(self._deps, self._config, url, body, headers)).words


def _noted(message: Message) -> dict[str, str]:
    return {"source": "Vigie", "note": f"{message.headline}\n{plain(message, _NOTE - 300)}"}
