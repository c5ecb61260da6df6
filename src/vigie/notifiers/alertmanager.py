"""Prometheus Alertmanager by its API v2: an alert that fires until Vigie says that it ended.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (postableAlerts) and
https://prometheus.io/docs/alerting/latest/clients/: an alert is known by its labels; one without `endsAt` ends by itself after
`resolve_timeout`, five minutes, unless it is sent again, because Prometheus sends every minute. Vigie does not: it sends `endsAt` far ahead
(`expires`), moves it along with every reminder, and sets it to now at the end. What is only to be known fires for five minutes.

Severity is a label, for routing, and may rise within an incident: whatever is sent of one severity ends what there was of the other.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from vigie.core.detection import Severity
from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.paging import Action, action, incident_key, notice_key
from vigie.notifiers.kit.plain import plain
from vigie.notifiers.kit.sending import send
from vigie.notifiers.kit.text import clean
from vigie.planning.duration import Duration
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("url",)
_KEY, _DESCRIPTION = 250, 8_000
_SHOWN_MS = 300_000
_SEVERITIES = {Severity.OUTAGE: "critical", Severity.DEGRADATION: "warning"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Alertmanager."""

    url: Annotated[
        Secret,
        msgspec.Meta(
            description="Its address, with the prefix of `--web.route-prefix` where it has one, and a login where it wants one.",
            examples=["http://alertmanager.example.com:9093", "https://vigie:${PASSWORD}@alerts.example.com"],
            extra_json_schema=WEB_ADDRESS,
        ),
    ]
    token: Annotated[Secret | None, msgspec.Meta(description="Bearer token, where a proxy before it wants one.")] = None
    labels: Annotated[
        dict[str, str],
        msgspec.Meta(description="Labels of every alert, for routing.", examples=[{"team": "web"}]),
    ] = {}
    expires: Annotated[
        Duration, msgspec.Meta(description="How long after the last notice an alert ends that Vigie never ends; longer than `remind`.")
    ] = msgspec.field(default_factory=lambda: Duration(7 * 86_400_000))

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, or labels that Alertmanager refuses."""
        check_url(self.url)
        for name in self.labels:
            if not name.isascii() or not name.isidentifier():  # [a-zA-Z_][a-zA-Z0-9_]*
                raise ValueError(f"{name!r} is not the name of a label: letters, digits and underscores")
            if name in ("alertname", "incident", "monitor", "severity", "target"):
                raise ValueError(f"the label {name} is Vigie's own; leave it out")
        if self.expires < _SHOWN_MS:
            raise ValueError("`expires` must be 5m or more")

    def __repr__(self) -> str:
        return f"Alertmanager at {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Alertmanager":
    """The channel."""
    return Alertmanager(config, deps)


class Alertmanager:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Send its alerts; doing it twice changes nothing."""
        message, now = clean(message), self._deps.clock.now()
        url = f"{self._config.url.reveal().rstrip('/')}/api/v2/alerts"
        headers = {"Authorization": f"Bearer {self._config.token.reveal()}"} if self._config.token else {}
        answer = await send(self._deps, self._config, url, self.alerts(message, now), headers)
        return Receipt(answer.words)

    async def examine(self) -> str:
        """Reach the host; nothing more can be tried without sending."""
        return await reach(self._deps, self._config.url.reveal())

    def alerts(self, message: Message, now: int) -> list[dict[str, Any]]:
        """What a clean message makes fire and ends. Of an acknowledgement there is nothing to say: people silence in Alertmanager."""
        wanted = action(message)
        if wanted in (Action.NOTE, Action.TRY):
            labels = {"alertname": "VigieNotice", "incident": notice_key(message, _KEY), "severity": "info"}
            return [self._alert(message, labels, now + _SHOWN_MS)]
        found = []
        for severity, name in _SEVERITIES.items():
            fires = wanted is not Action.CLOSE and severity is message.severity
            labels = {"alertname": "VigieAlert", "incident": incident_key(message, _KEY), "severity": name}
            found.append(self._alert(message, labels, now + self._config.expires if fires else now))
        return found

    def _alert(self, message: Message, labels: dict[str, str], ends_at: int) -> dict[str, Any]:
        own = {"monitor": message.monitor, "target": message.target}
        started = min(message.since or message.at, ends_at)
        link = {"generatorURL": message.links[0].url} if message.links else {}
        return {
            "labels": {**self._config.labels, **{name: value for name, value in own.items() if value}, **labels},
            "annotations": {"summary": message.headline, "description": plain(message, _DESCRIPTION)},
            "startsAt": _instant(started),
            "endsAt": _instant(ends_at),
            **link,
        }


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
