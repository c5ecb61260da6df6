"""Channels with their receivers on loopback, for the laws of `notifier_suite` and other tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from html import unescape
from pathlib import Path
from typing import Any, Protocol

import msgspec

from vigie import plugins
from vigie.errors import DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps
from vigie.planning.duration import Duration
from vigie.ports import Notifier
from vigie.testing import smtp_server as smtp
from vigie.testing import webhook_server as hook

PATIENCE_SECONDS = 10.0  # for what is answered: a slow machine is not the channel's fault
SHORT_SECONDS = 0.3  # for what is never answered: the verdict is the same however late it is
_NOW = 1_767_225_700_000


class TestClock:
    """A wall clock that stands still."""

    def now(self) -> int:
        """Epoch ms."""
        return _NOW

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Real time."""
        await asyncio.sleep(seconds)  # slow: a clock has to


class Can(StrEnum):
    """What a channel is capable of; laws about the rest do not concern it."""

    WHOLE = "whole"  # a message of usual length arrives whole
    NETWORK = "network"  # it speaks with a server
    THREADS = "threads"  # later messages of a thread answer its first
    EDITS = "edits"  # an update replaces the first message


@dataclass(frozen=True, slots=True)
class Seen:
    """What reached the receiver: the words that a reader sees, the key that tells a copy, the bytes.

    `reference` is what the provider calls the message, `parent` the one that it answers; `pings` are those whom it notified by itself,
    `links` the addresses behind words that do not say them.
    """

    text: str
    identity: str
    raw: bytes
    reference: str = ""
    parent: str = ""
    pings: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way in which the receiver does not take a message, and the verdict that must follow. `answer` is how it says so over HTTP."""

    reason: DeliveryReason
    permanent: bool
    retry_after_ms: int | None = None
    answer: hook.Answer | None = None


OF_ANY_SERVER: Mapping[str, Refusal] = {
    **{str(status): Refusal(DeliveryReason.REJECTED, permanent=True) for status in (301, 302, 400, 404, 405, 410, 413, 422)},
    **{str(status): Refusal(DeliveryReason.AUTH, permanent=True) for status in (401, 403)},
    **{str(status): Refusal(DeliveryReason.RATE_LIMIT, permanent=False, retry_after_ms=7_000) for status in (408, 425, 429)},
    **{str(status): Refusal(DeliveryReason.SERVER, permanent=False, retry_after_ms=7_000) for status in (500, 502, 503, 504)},
    str(hook.STALL): Refusal(DeliveryReason.TIMEOUT, permanent=False),
    str(hook.CLOSE): Refusal(DeliveryReason.SERVER, permanent=False),
    str(hook.GARBAGE): Refusal(DeliveryReason.SERVER, permanent=False),
    str(hook.HALF): Refusal(DeliveryReason.SERVER, permanent=False),
}


class Rig(Protocol):
    """A channel with its receiver."""

    @property
    def notifier(self) -> Notifier:
        """The channel; it waits `SHORT_SECONDS` while the receiver refuses by never answering, else `PATIENCE_SECONDS`."""
        ...

    @property
    def config(self) -> Any:
        """Its configuration."""
        ...

    secrets: tuple[str, ...]
    refusals: Mapping[str, Refusal]
    can: frozenset[Can]

    def refuse(self, name: str) -> None:
        """From now on the receiver refuses so."""
        ...

    def accept(self) -> None:
        """From now on the receiver takes everything."""
        ...

    def seen(self) -> list[Seen]:
        """What arrived, oldest first."""
        ...

    async def quiet(self) -> None:
        """Wait until every connection has ended."""
        ...

    def at(self, port: int, *, tls: bool = False, seconds: float = PATIENCE_SECONDS) -> Notifier:
        """The same channel, its server at another port of this machine; it waits for so many seconds."""
        ...

    def forget(self) -> None:
        """Somebody deletes every message at the receiver."""


def deps_with(seconds: float) -> NotifierDeps:
    """What a channel is given that waits for so many seconds."""
    return NotifierDeps(TestClock(), "vigie.example.com", None, seconds)


class HookRig:
    """Any channel that POSTs JSON to a `url`."""

    refusals = OF_ANY_SERVER
    can = frozenset((Can.NETWORK, Can.WHOLE))

    def __init__(self, module: Any, server: hook.WebhookServer) -> None:
        extra = {"secret": "hmac-secret-04"} if "secret" in module.Config.__struct_fields__ else {}
        self.config = module.Config(url=Secret(server.url), **{key: Secret(text) for key, text in extra.items()})
        self.secrets = ("T0SECRET01", "b0SECRET02", "hushhush03", *extra.values())
        self._module, self._server = module, server
        self._patient, self._short = (module.build(self.config, deps_with(seconds)) for seconds in (PATIENCE_SECONDS, SHORT_SECONDS))

    @property
    def notifier(self) -> Notifier:
        """The channel."""
        built: Notifier = self._short if self._server.status == hook.STALL else self._patient
        return built

    def refuse(self, name: str) -> None:
        """Answer with this status, and echo the secrets."""
        self._server.status, self._server.answer = int(name), f"no: {' '.join(self.secrets)} {self._server.url}".encode()
        self._server.headers = {"Retry-After": "7", "Location": "https://elsewhere.example/"}

    def accept(self) -> None:
        """Answer 200, and echo the secrets."""
        self.refuse("200")

    def seen(self) -> list[Seen]:
        """Every text of every body."""
        return [
            Seen(unescape("\n".join(_texts(msgspec.json.decode(one.body)))), one.headers.get("idempotency-key", ""), one.body)
            for one in self._server.requests
            if one.method == "POST"  # an examination asks for a head, which is not a message
        ]

    async def quiet(self) -> None:
        """Wait until every connection has ended."""
        await self._server.quiet()

    def at(self, port: int, *, tls: bool = False, seconds: float = PATIENCE_SECONDS) -> Notifier:
        """Another port of loopback."""
        config = msgspec.structs.replace(self.config, url=Secret(f"http{'s' * tls}://127.0.0.1:{port}/services/T0SECRET01/b0SECRET02"))
        built: Notifier = self._module.build(config, deps_with(seconds))
        return built

    def forget(self) -> None:
        """A receiver of webhooks shows nothing."""


class MailRig:
    """Any channel that sends mail."""

    can = frozenset((Can.NETWORK, Can.WHOLE))
    refusals: Mapping[str, Refusal] = {
        "REFUSE_AUTH": Refusal(DeliveryReason.AUTH, permanent=False, retry_after_ms=300_000),
        "AUTH_REQUIRED": Refusal(DeliveryReason.AUTH, permanent=False, retry_after_ms=300_000),
        "REFUSE_SENDER": Refusal(DeliveryReason.REJECTED, permanent=True),
        "REFUSE_RECEIVERS": Refusal(DeliveryReason.RECIPIENT, permanent=True),
        "DEFER_RECEIVERS": Refusal(DeliveryReason.RECIPIENT, permanent=False),
        "RATE_LIMIT": Refusal(DeliveryReason.RATE_LIMIT, permanent=False),
        "TEMPORARY": Refusal(DeliveryReason.RATE_LIMIT, permanent=False),
        "REFUSE_MAIL": Refusal(DeliveryReason.REJECTED, permanent=True),
        "BUSY": Refusal(DeliveryReason.RATE_LIMIT, permanent=False),
        "BLOCKED": Refusal(DeliveryReason.SERVER, permanent=False, retry_after_ms=300_000),
        "STALLED": Refusal(DeliveryReason.TIMEOUT, permanent=False),
        "SILENT": Refusal(DeliveryReason.TIMEOUT, permanent=False),
        "CLOSED": Refusal(DeliveryReason.SERVER, permanent=False),
    }

    def __init__(self, module: Any, server: smtp.SmtpServer) -> None:
        self.secrets: tuple[str, ...] = ("pass word-é5",)
        self.config = module.Config(
            to=["team@example.com", "boss@example.com"],
            sender="vigie@example.com",
            host="localhost",
            port=server.port,
            password=Secret(self.secrets[0]),
            ca_file=str(server.ca_file),
            timeout=Duration(round(PATIENCE_SECONDS * 1000)),
        )
        self._module, self._server = module, server
        self._deps = NotifierDeps(TestClock(), "vigie.example.com")
        self._patient, self._short = (module.build(self._waits(seconds), self._deps) for seconds in (PATIENCE_SECONDS, SHORT_SECONDS))

    def _waits(self, seconds: float, **more: Any) -> Any:
        """Its configuration with another time-out."""
        return msgspec.structs.replace(self.config, timeout=Duration(round(seconds * 1000)), **more)

    @property
    def notifier(self) -> Notifier:
        """The channel."""
        fault = self._server.fault
        built: Notifier = self._short if fault is not None and fault.reply == smtp.STALL else self._patient
        return built

    def refuse(self, name: str) -> None:
        """Refuse as the constant of this name says, and echo the secrets."""
        fault: smtp.Fault = getattr(smtp, name)
        echo = "" if fault.reply in (smtp.STALL, smtp.CLOSE) else f" {' '.join(self.secrets)}"
        self._server.fault = replace(fault, reply=fault.reply + echo)

    def accept(self) -> None:
        """Take every mail."""
        self._server.fault = None

    def seen(self) -> list[Seen]:
        """Subject and plain text of every mail."""
        return [Seen(f"{one.mail['subject']}\n{_part(one, 'plain')}", str(one.mail["message-id"]), one.raw) for one in self._server.mails]

    async def quiet(self) -> None:
        """Wait until every connection has ended."""
        await self._server.quiet()

    def at(self, port: int, *, tls: bool = False, seconds: float = PATIENCE_SECONDS) -> Notifier:
        """Another port."""
        config = self._waits(seconds, port=port, tls="implicit" if tls else self.config.tls)
        built: Notifier = self._module.build(config, self._deps)
        return built

    def forget(self) -> None:
        """A mail that was delivered cannot be."""


def _part(received: smtp.Received, kind: str) -> str:
    part = received.mail.get_body((kind,))
    return "" if part is None else str(part.get_content())


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in _texts(one)]


@asynccontextmanager
async def open_rig(kind: str, folder: Path) -> AsyncIterator[Rig]:
    """The channel of a kind with its receiver."""
    module = plugins.load("notifiers", kind)
    fields = module.Config.__struct_fields__
    if "url" in fields:
        async with hook.WebhookServer() as receiver:
            yield HookRig(module, receiver)
    elif "host" in fields:
        async with smtp.SmtpServer(folder, password="pass word-é5") as server:  # noqa: S106 - of a test
            yield MailRig(module, server)
    else:
        raise AssertionError(f"{kind} needs a Rig of its own: it has neither `url` nor `host`")
