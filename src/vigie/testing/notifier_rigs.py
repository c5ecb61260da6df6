"""Channels with their receivers on loopback, for the laws of `notifier_suite` and other tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any, Protocol

import msgspec

from vigie import plugins
from vigie.core.duration import Duration
from vigie.errors import DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps
from vigie.ports import Notifier
from vigie.testing import smtp_server as smtp
from vigie.testing import webhook_server as hook

PATIENCE_SECONDS = 1.0
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


@dataclass(frozen=True, slots=True)
class Seen:
    """What reached the receiver: the words that a reader sees, the key that tells a copy, the bytes."""

    text: str
    identity: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """A way in which the receiver does not take a message, and the verdict that must follow."""

    reason: DeliveryReason
    permanent: bool
    retry_after_ms: int | None = None


class Rig(Protocol):
    """A channel with its receiver."""

    notifier: Notifier
    secrets: tuple[str, ...]
    config: Any
    refusals: Mapping[str, Refusal]

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

    def unreachable(self) -> Notifier:
        """The same channel, where nobody listens."""
        ...


class HookRig:
    """Any channel that POSTs JSON to a `url`."""

    refusals: Mapping[str, Refusal] = {
        **{str(status): Refusal(DeliveryReason.REJECTED, permanent=True) for status in (301, 302, 400, 404, 405, 410, 413, 422)},
        **{str(status): Refusal(DeliveryReason.AUTH, permanent=True) for status in (401, 403)},
        **{str(status): Refusal(DeliveryReason.RATE_LIMIT, permanent=False, retry_after_ms=7_000) for status in (408, 425, 429)},
        **{str(status): Refusal(DeliveryReason.SERVER, permanent=False, retry_after_ms=7_000) for status in (500, 502, 503, 504)},
        str(hook.STALL): Refusal(DeliveryReason.TIMEOUT, permanent=False),
        str(hook.CLOSE): Refusal(DeliveryReason.SERVER, permanent=False),
        str(hook.GARBAGE): Refusal(DeliveryReason.SERVER, permanent=False),
    }

    def __init__(self, module: Any, server: hook.WebhookServer) -> None:
        extra = {"secret": "hmac-secret-04"} if "secret" in module.Config.__struct_fields__ else {}
        self.config = module.Config(url=Secret(server.url), **{key: Secret(text) for key, text in extra.items()})
        self.secrets = ("T0SECRET01", "b0SECRET02", "hushhush03", *extra.values())
        self._module, self._server = module, server
        self._deps = NotifierDeps(TestClock(), "vigie.example.com", None, PATIENCE_SECONDS)
        self.notifier: Notifier = module.build(self.config, self._deps)

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

    def unreachable(self) -> Notifier:
        """Port 1 of loopback."""
        config = msgspec.structs.replace(self.config, url=Secret("http://127.0.0.1:1/services/T0SECRET01/b0SECRET02"))
        built: Notifier = self._module.build(config, self._deps)
        return built


class MailRig:
    """Any channel that sends mail."""

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
        self.notifier: Notifier = module.build(self.config, self._deps)

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

    def unreachable(self) -> Notifier:
        """Port 1 of loopback."""
        built: Notifier = self._module.build(msgspec.structs.replace(self.config, port=1), self._deps)
        return built


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
