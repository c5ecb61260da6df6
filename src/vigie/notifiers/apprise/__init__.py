"""Apprise: a hundred more services, each by one address (https://github.com/caronc/apprise/wiki).

Apprise blocks, and its plug-ins are many people's code: a notice goes out in a process of its own, which is killed when it takes too
long. The addresses, which hold the secrets, reach it on its standard input and never as arguments. It says only whether a service took
the notice, so that nothing but an unknown address is refused for good; services that took it are not asked again.
"""

import asyncio
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import msgspec

from vigie import subprocesses
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret, Secrets, held_by, redact
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import PERSON_RETRY_MS
from vigie.notifiers.kit.text import Tone, clean, flat, tone
from vigie.planning.duration import Duration
from vigie.ports import Problem, Receipt, Traits
from vigie.report.facts import Message
from vigie.subprocesses import Bounds, Command, End, Ran

TRAITS = Traits(requires=("apprise",))
ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("urls",)
_LONGEST_MS = 25_000  # a whole delivery has 30 s
_AT_ONCE, _REMEMBERED = 4, 1_000
_ANSWER, _BODY = 160, 8_000
_KINDS = {Tone.BAD: "failure", Tone.WARNING: "warning", Tone.GOOD: "success", Tone.NEUTRAL: "info"}
_STATUS = re.compile(r"error=(\d{3})\b")  # how Apprise logs the status of an HTTP answer
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any service that Apprise knows."""

    urls: Annotated[
        list[Secret],
        msgspec.Meta(
            description="Addresses of services as Apprise writes them, see https://github.com/caronc/apprise/wiki.",
            examples=[["${APPRISE_URL}", "mastodon://token@social.example/@ops"]],
            min_length=1,
        ),
    ]
    timeout: Annotated[Duration, msgspec.Meta(description="How long one notice may take, at most 25s; then its process is killed.")] = (
        msgspec.field(default_factory=lambda: Duration(20_000))
    )

    def __post_init__(self) -> None:
        """Raise ValueError for what is not an address; which services there are, only Apprise knows."""
        for number, url in enumerate(self.urls, 1):
            if not _SCHEME.match(url.reveal()):
                raise ValueError(f"address {number} does not begin with the name of a service, such as `mastodon://`")
        if not 0 < self.timeout <= _LONGEST_MS:
            raise ValueError("`timeout` must be above 0 and at most 25s, because a whole delivery has 30s")

    def __repr__(self) -> str:
        return f"apprise by {', '.join(_service(url) for url in self.urls)}"


def _service(url: Secret) -> str:
    """`mastodon`: all that is behind it may be secret."""
    return url.reveal().partition("://")[0].lower()


def verify(config: Config) -> Iterator[Problem]:
    """Whether the installed Apprise knows these services, and their addresses are complete."""
    asked = {"urls": [url.reveal() for url in config.urls]}
    ran = subprocesses.run(_command(asked, subprocesses.inherited()), _within(config.timeout, time.monotonic))
    found = _read(ran)
    for number in () if found is None else found["unknown"]:
        words = f"Apprise knows no service at this address ({_service(config.urls[number])}://…)"
        yield Problem(f"urls.{number}", words, "see https://github.com/caronc/apprise/wiki for how the service's address is written")


def _command(asked: dict[str, Any], environment: dict[str, str]) -> Command:
    return Command(_COMMAND, shell=False, environment=environment, given=msgspec.json.encode(asked))


def _within(timeout_ms: int, monotonic: Callable[[], float]) -> Bounds:
    return Bounds(monotonic() + timeout_ms / 1000, monotonic, threading.Event())


def _read(ran: Ran) -> dict[str, Any] | None:
    """What the process said, however it ended afterwards; None where it said nothing."""
    try:
        return msgspec.json.decode(ran.out, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def build(config: Config, deps: NotifierDeps) -> "Apprise":
    """The channel."""
    return Apprise(config, deps)


class Apprise:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps
        self._pool = ThreadPoolExecutor(_AT_ONCE, "vigie-apprise")  # its threads end with it
        self._secrets = Secrets((*held_by(config), *(Secret(text) for url in config.urls for text in _hidden(url.reveal()))))
        self._have: dict[str, set[int]] = {}  # key -> services that have it, while others failed

    async def deliver(self, message: Message) -> Receipt:
        """To every service that has not taken it yet."""
        message = clean(message)
        have = self._have.get(message.key, set())
        left = [number for number in range(len(self._config.urls)) if number not in have]
        asked = {
            "urls": [self._config.urls[number].reveal() for number in left],
            "title": message.headline,
            "body": body(message),
            "kind": _KINDS[tone(message)],
        }
        said = await self._run(asked)
        have = have | {left[position] for position in said["sent"]}
        if said["failed"]:
            self._remember(message.key, have)
            raise self._failure(said["failed"][0]["words"], _service(self._config.urls[left[said["failed"][0]["position"]]]))
        self._have.pop(message.key, None)
        lost = [_service(self._config.urls[left[position]]) for position in said["unknown"]]
        if not have:
            raise _unknown(lost)
        taken = ", ".join(_service(self._config.urls[number]) for number in sorted(have))
        return Receipt(f"taken by {taken}" + (f"; unknown: {', '.join(lost)}" if lost else ""))

    async def examine(self) -> str:
        """Whether Apprise knows the services; more cannot be tried without sending."""
        problems = await asyncio.to_thread(lambda: list(verify(self._config)))
        if problems:
            raise DeliveryError(DeliveryReason.CONFIG, problems[0].message, fix=problems[0].fix, retry_after_ms=PERSON_RETRY_MS)
        return f"Apprise knows {', '.join(map(_service, self._config.urls))} (`vigie notify test` sends)"

    async def _run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One process; it is gone when this returns."""
        bounds = _within(self._config.timeout, self._deps.clock.monotonic)
        command = _command(asked, self._environment())
        try:
            ran = await asyncio.get_running_loop().run_in_executor(self._pool, subprocesses.run, command, bounds)
        except OSError as error:
            words = f"the process of Apprise could not be started ({error.strerror or type(error).__name__})"
            raise DeliveryError(DeliveryReason.OTHER, words) from None
        finally:
            bounds.stop.set()
        if (found := _read(ran)) is not None:
            return found
        if ran.end is End.LATE:
            words = f"Apprise did not end within {self._config.timeout / 1000:g} s and was killed"
            raise DeliveryError(DeliveryReason.TIMEOUT, words, fix="the service may be overloaded, or a firewall drops the packets")
        last = ran.err.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise DeliveryError(DeliveryReason.OTHER, f"Apprise broke: {self._masked(last[0])}")

    def _environment(self) -> dict[str, str]:
        """What `requests`, by which Apprise sends, reads of it."""
        proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
        trust = {"REQUESTS_CA_BUNDLE": self._deps.ca_file} if self._deps.ca_file else {}
        return {**subprocesses.inherited(), **proxies, **trust}

    def _failure(self, log: str, service: str) -> DeliveryError:
        """What Apprise logged. It may have been this service or a proxy before it: nothing says that trying again is useless."""
        words = f"{service} did not take it" + (f": {said}" if (said := self._masked(log)) else "")
        status = int(found[1]) if (found := _STATUS.search(log)) else 0
        if status in (401, 403):
            fix = "check the login in the service's address"
            return DeliveryError(DeliveryReason.AUTH, words, fix=fix, retry_after_ms=PERSON_RETRY_MS)
        if status == 429:
            return DeliveryError(DeliveryReason.RATE_LIMIT, words)
        return DeliveryError(DeliveryReason.SERVER, words)

    def _masked(self, text: str) -> str:
        return flat(redact(flat(text, _ANSWER * 4), self._secrets), _ANSWER)

    def _remember(self, key: str, have: set[int]) -> None:
        self._have[key] = have
        if len(self._have) > _REMEMBERED:
            del self._have[next(iter(self._have))]


# -I and -S: nothing of the environment is imported but what this process has; the path says where that is.
_COMMAND = [
    *(sys.executable, "-I", "-S", "-c"),
    f"import sys; sys.path[:] = {sys.path!r}; from vigie.notifiers.apprise.child import main; main()",
]


def _unknown(services: list[str]) -> DeliveryError:
    words = f"Apprise knows no service at this address ({', '.join(services)})"
    return DeliveryError(DeliveryReason.CONFIG, words, fix="`vigie config check` says which", permanent=True)


def _hidden(url: str) -> list[str]:
    """Whatever in an address could be a secret, since its form is the service's own: all behind its scheme, and its longer parts."""
    rest = url.partition("://")[2]
    return [rest, *(part for part in re.split(r"[/:@?&=,]+", rest) if len(part) >= 8)]


def body(message: Message) -> str:
    """A clean message as plain text, the most important first; a service cuts off what it has no room for."""
    analysis = message.analysis
    parts = [
        "\n".join(message.lines),
        "" if analysis is None else "\n".join((message.analysis_label, *analysis.sentences)),
        "\n".join(f"{row.label}: {row.value}" for row in message.rows),
        "\n".join(f"{link.label}: {link.url}" for link in message.links),
        message.footer,
    ]
    return "\n\n".join(filter(None, parts))[:_BODY]
