"""The shape of `vigie.yaml`: the keys that do not belong to an adapter."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from vigie.core.duration import Duration
from vigie.net import SHOWN

Meta = msgspec.Meta
# What a mail's link may hold: RFC 3986 §2 without what begins a query or a fragment, and without quotes.
_PUBLIC = re.compile(r"https?://[A-Za-z0-9\[\]:._~%!$&()*+,;=/-]+")
Identity = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When trouble is an incident, and who is told."""

    confirm: Annotated[int, Meta(description="Failures in a row that open an incident.", ge=1, le=100)] = 3
    confirm_every: Annotated[Duration, Meta(description="Pace of the re-checks that confirm.")] = msgspec.field(
        default_factory=lambda: Duration(5_000)
    )
    recover: Annotated[int, Meta(description="Good checks in a row that close it.", ge=1, le=100)] = 2
    remind: Annotated[Duration, Meta(description="Time between reminders while nobody acknowledged; 0 for none.")] = msgspec.field(
        default_factory=lambda: Duration(14_400_000)
    )
    to: Annotated[list[str] | None, Meta(description="Channels that are paged; every channel when not set.")] = None
    degraded_to: Annotated[list[str], Meta(description="Channels that are told of degradations.")] = []
    fallback: Annotated[list[str], Meta(description="Channels that stand in when one of `to` fails.")] = []


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log."""

    file: Annotated[str | None, Meta(description="Log file (LOG_FILE); none when null.")] = "service_check_log.txt"
    format: Annotated[Literal["text", "json"], Meta(description="`text` is `time - LEVEL - message`.")] = "text"
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="What is written.")] = "info"
    max_bytes: Annotated[int, Meta(description="The file is rotated at this size.", ge=1_000)] = 10_000_000
    keep: Annotated[int, Meta(description="How many rotated files are kept.", ge=0)] = 5


class Web(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status page."""

    listen: Annotated[str, Meta(description="Address and port.", examples=["127.0.0.1:8080"])] = "127.0.0.1:8080"
    enabled: Annotated[bool, Meta(description="Serve the page.")] = True
    public_url: Annotated[
        str | None,
        Meta(
            description="Where readers of mails reach this page, through a proxy for instance: an analysis then ends with two links that say "
            "whether it helped. None when not set.",
            examples=["https://vigie.example.com"],
        ),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless it is `address:port`, and a URL that a mail can carry."""
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"{self.listen!r} is no address and port; write 127.0.0.1:8080")
        if self.public_url is not None:
            _check_public(self.public_url)
            if not self.enabled:
                raise ValueError("`public_url` leads nowhere while `enabled` is false; take one of them away")


def _check_public(url: str) -> None:
    """Raise ValueError unless it is an http(s) URL of printable ASCII with nothing but host, port and path.

    A user name in it may come with a password, so that such a URL is not repeated.
    """
    try:
        parts = urlsplit(url)
        usual = bool(_PUBLIC.fullmatch(url)) and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is none, or brackets that are no address
        usual = False
    if "@" in url or not usual:
        quoted = "" if "@" in url else f": {url!r}"
        raise ValueError(f"`public_url` is an http(s) URL without user, query and fragment{quoted}; write https://vigie.example.com")


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of `llm` beside those of the provider."""

    provider: Annotated[str, Meta(description="`ollama`, or `none` for the plain report alone.", extra=SHOWN)] = "ollama"
    mode: Annotated[
        Literal["auto", "compose", "select", "off"],
        Meta(
            description="Who writes: `compose`, the model; `select`, code out of what the model chose; `off`, the plain report alone; "
            "`auto` goes by the model's size, its last `vigie report eval`, and what people said of its reports."
        ),
    ] = "auto"
    prompt: Annotated[str | None, Meta(description="Your own instructions to the model; facts, schema and checks stay.")] = None
    language: Annotated[Literal["fr", "en"] | None, Meta(description="Language of the report; that of the mails when not set.")] = None
    deadline: Annotated[Duration, Meta(description="Longest wait for a report.")] = msgspec.field(default_factory=lambda: Duration(60_000))
    hold: Annotated[Duration, Meta(description="How long a page waits for its report.")] = msgspec.field(
        default_factory=lambda: Duration(2_000)
    )


class Maintenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "until"}):
    """A span in which nothing pages."""

    start: Annotated[Any, Meta(description="Begin; without a zone, in `timezone`.", examples=["2026-03-01T22:00+01:00"])]
    end: Annotated[Any, Meta(description="End; without a zone, in `timezone`.", examples=["2026-03-01T23:30+01:00"])]
    monitors: Annotated[list[str], Meta(description="Ids of monitors; all when neither these nor tags are given.")] = []
    tags: Annotated[list[str], Meta(description="Tags of monitors.", extra=SHOWN)] = []


class Availability(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report on how available everything was."""

    report: Annotated[
        Literal["off", "weekly", "monthly"],
        Meta(
            description="Tell it once a week (Monday, 08:00 in `timezone`, or when Vigie runs next) or once a month (the 1st), for the last "
            "whole week or month."
        ),
    ] = "off"
    channels: Annotated[list[str] | None, Meta(description="Channels that it goes to; those of the alert `default` when not set.")] = None


class Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of every monitor, whatever its kind."""

    name: Annotated[str | None, Meta(description="What people read; the host when not set.", extra=SHOWN)] = None
    id: Annotated[Identity | None, Meta(description="Stable key; a slug of the name when not set.", extra=SHOWN)] = None
    type: Annotated[str, Meta(description="Kind of check.", extra=SHOWN)] = "http"
    every: Annotated[Duration, Meta(description="Time between checks (`vigie once` leaves it to cron).")] = msgspec.field(
        default_factory=lambda: Duration(60_000)
    )
    timeout: Annotated[Duration, Meta(description="Longest time of one whole check.")] = msgspec.field(
        default_factory=lambda: Duration(10_000)
    )
    alert: Annotated[str | Alert, Meta(description="Name of an alert, or one written here.", extra=SHOWN)] = "default"
    tags: Annotated[list[str], Meta(description="Tags.", extra=SHOWN)] = []
    baseline: Annotated[
        Literal["off", "low", "normal", "high"],
        Meta(description="How soon a check that is slower, or a page that is other, than this monitor's own normal is degraded."),
    ] = "normal"
    enabled: Annotated[bool, Meta(description="Watch it.")] = True

    def __post_init__(self) -> None:
        """Raise ValueError for times that cannot be kept."""
        if self.every < 1_000:
            raise ValueError("`every` is at least 1s")
        if not 1 <= self.timeout <= 300_000:
            raise ValueError("`timeout` is more than nothing and at most 5m")


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    language: Annotated[Literal["fr", "en"], Meta(description="Language of reports, mails and pages.")] = "en"
    timezone: Annotated[str | None, Meta(description="Zone of times; the machine's when not set.", examples=["Europe/Paris"])] = None
    store: Annotated[
        str,
        Meta(
            description="Database: a path relative to this file, or a URL whose scheme names the kind of store.",
            examples=["sqlite:////var/lib/vigie/vigie.db"],
        ),
    ] = "vigie.db"
    state: Annotated[
        str | None,
        Meta(
            description="Directory for the lock, the key that signs links and pictures of failures, relative to this file. When not set: beside "
            "the database, by its name and `.state`; `vigie.state` beside this file for a store that is no file.",
            examples=["/var/lib/vigie/state"],
        ),
    ] = None
    log: Annotated[Log, Meta(description="The log.")] = Log()
    web: Annotated[Web, Meta(description="The status page.")] = Web()
    llm: Annotated[dict[str, Any], Meta(description="The language model.")] = {}
    notify: Annotated[dict[str, Any], Meta(description="Channels by name; each has a `type`.")] = {}
    alerts: Annotated[dict[str, Alert], Meta(description="Policies by name; `default` serves monitors that name none.")] = {}
    control: Annotated[
        tuple[str, ...],
        Meta(
            description="`host:port` of control targets: asked when a check failed (and twice an hour), to tell whether Vigie's own link is "
            "at fault. Name two at least: one alone convicts nobody."
        ),
    ] = ("example.com:443", "iana.org:443")
    second_resolver: Annotated[
        str | None,
        Meta(
            description="A second DNS server, for the second look and to tell a failing resolver of ours from a dead zone.",
            examples=["9.9.9.9"],
        ),
    ] = None
    blind_after: Annotated[
        Duration, Meta(description="How long Vigie must have seen nothing, for a fault of its own, before one notice says so.")
    ] = msgspec.field(default_factory=lambda: Duration(120_000))
    availability: Annotated[Availability, Meta(description="The report on how available everything was.")] = Availability()
    maintenance: Annotated[list[Maintenance], Meta(description="Spans in which nothing pages.")] = []
    monitors: Annotated[list[Any], Meta(description="What is watched: a URL, or keys.")] = []
