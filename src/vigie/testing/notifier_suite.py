"""The laws that every notifier keeps, run against a real receiver on loopback.

`open_rig(kind, folder)` builds the channel of a kind with its receiver: one that has a `url` gets a receiver of webhooks, one that has a
`host` a mail server; any other brings a Rig of its own. `LAWS` are the laws by name; each takes a rig and raises AssertionError.

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("kind", plugins.kinds("notifiers"))
    async def test_a_notifier_keeps_the_law(kind, law, tmp_path):
        async with open_rig(kind, tmp_path) as rig:
            await LAWS[law](rig)
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any, Protocol

import msgspec

from vigie import plugins
from vigie.core.duration import Duration
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps
from vigie.ports import Notifier
from vigie.report.facts import Message
from vigie.testing import smtp_server as smtp
from vigie.testing import webhook_server as hook
from vigie.testing.messages import every_sample, hostile

PATIENCE_SECONDS = 1.0
_SHOWN_FACTS = 8
_LONGEST_ERROR = 600
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


def _must(condition: object, words: str) -> None:
    if not condition:
        raise AssertionError(words)


async def refused(notifier: Notifier, message: Message) -> DeliveryError:
    """The error of a delivery that must fail."""
    try:
        answer = (await notifier.deliver(message)).answer
    except DeliveryError as error:
        return error
    raise AssertionError(f"delivered, though it was refused: {answer}")


async def _tells_all(rig: Rig) -> None:
    """Every reason in both languages arrives whole, once, and the answer is one line."""
    rig.accept()
    messages = every_sample()
    for message in messages:
        answer = (await rig.notifier.deliver(message)).answer
        _must(answer and "\n" not in answer, "the answer is one line")
    _must(len(rig.seen()) == len(messages), "one message, one arrival")
    for message, text in zip(messages, (seen.text for seen in rig.seen()), strict=True):
        wanted = [message.headline, *message.lines, message.footer, *(row.value for row in message.rows[:_SHOWN_FACTS])]
        analysis = message.analysis
        wanted += [message.analysis_label, *analysis.sentences] if analysis is not None else []
        for words in wanted:
            _must(words in text, f"{message.reason} in {message.language} lacks {words!r}")
        for dropped in analysis.dropped if analysis is not None else ():
            _must(dropped.text not in text, "what the check dropped stays here")


async def _keeps_its_frame(rig: Rig) -> None:
    """Texts that try to break out arrive as words of one bounded message."""
    rig.accept()
    await rig.notifier.deliver(hostile())
    _must(len(rig.seen()) == 1, "one arrival")
    seen = rig.seen()[0]
    _must("Shop Bcc: thief@example.net" in seen.text, "line breaks become spaces")
    _must("\U0001f468\u200d\U0001f469\u200d\U0001f467" in seen.text, "composed emoji stay whole")
    bad = [one for one in "\x00\x1b\u202e\u2066" if one in seen.text]
    _must(not bad, f"invisible characters arrive: {bad!r}")
    _must("javascript:" not in seen.text, "only web links")
    _must("dropped-" not in seen.text, "what the check dropped stays here")
    _must(len(seen.raw) < 512 * 1024, f"bounded: {len(seen.raw)} bytes")


async def _gives_verdicts(rig: Rig) -> None:
    """Each refusal has its verdict and tells no secret; the same channel delivers once it is over."""
    message = every_sample()[0]
    for name, wanted in rig.refusals.items():
        rig.refuse(name)
        error = await refused(rig.notifier, message)
        found = (error.reason, error.permanent, error.retry_after_ms)
        _must(found == (wanted.reason, wanted.permanent, wanted.retry_after_ms), f"{name}: {found}, {error}")
        _must(error.fix or not error.permanent, f"{name}: a permanent refusal has a fix")
        _must("\n" not in error.message and len(error.message) <= _LONGEST_ERROR, f"{name}: one line, not {error.message!r}")
        _tells_no_secret(rig, f"{error} {error.message} {error.fix} {error!r} {error.args}")
    rig.accept()
    _tells_no_secret(rig, (await rig.notifier.deliver(message)).answer)


async def _names_a_closed_port(rig: Rig) -> None:
    """Nobody listening is REFUSED, to be tried again; the same from `examine`."""
    channel = rig.unreachable()
    error = await refused(channel, every_sample()[0])
    _must((error.reason, error.permanent) == (DeliveryReason.REFUSED, False), f"{error.reason}: {error}")
    _tells_no_secret(rig, f"{error} {error.fix}")
    try:
        await channel.examine()
    except DeliveryError as found:
        _must(found.reason is DeliveryReason.REFUSED and found.fix, str(found))
    else:
        raise AssertionError("examine passed over a closed port")


async def _is_examined_without_sending(rig: Rig) -> None:
    """`examine` says one line and sends nothing."""
    rig.accept()
    line = await rig.notifier.examine()
    _must(line and "\n" not in line, "one line")
    _tells_no_secret(rig, line)
    _must(not rig.seen(), "nothing is sent")


async def _is_recognised_twice(rig: Rig) -> None:
    """A notice that is sent twice carries the same identity, another notice another one."""
    rig.accept()
    one, other = every_sample()[:2]
    other = replace(other, key="another-key", opens_thread=False)
    for message in (one, one, other):
        await rig.notifier.deliver(message)
    first, copy, third = (seen.identity for seen in rig.seen())
    _must(first == copy, "a copy has its original's identity")
    _must(not first or third != first, "another notice has its own")


async def _hides_its_secrets(rig: Rig) -> None:
    """Neither the log nor a printed configuration or channel shows a secret."""
    kept = _Kept()
    logger = logging.getLogger("vigie")
    before = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    try:
        await _gives_verdicts(rig)
    finally:
        logger.setLevel(before)
        logger.removeHandler(kept)
    _tells_no_secret(rig, f"{rig.config!r} {rig.config} {rig.notifier!r} {kept.text}")


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """One more line."""
        self.text += self.format(record) + "\n"


def _tells_no_secret(rig: Rig, text: str) -> None:
    shown = [secret for secret in rig.secrets if secret in text]
    _must(not shown, f"a secret shows in {text!r}")


async def _closes_when_cancelled(rig: Rig) -> None:
    """Cut off by the caller, it leaves no connection open."""
    rig.refuse(next(name for name, refusal in rig.refusals.items() if refusal.reason is DeliveryReason.TIMEOUT))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS / 2):
            await rig.notifier.deliver(every_sample()[0])
    except TimeoutError:
        pass
    else:
        raise AssertionError("a stalled receiver took a message")
    async with asyncio.timeout(2):
        await rig.quiet()
    rig.accept()
    await rig.notifier.deliver(every_sample()[0])


LAWS: dict[str, Callable[[Rig], Awaitable[None]]] = {
    "tells all": _tells_all,
    "keeps its frame": _keeps_its_frame,
    "gives verdicts": _gives_verdicts,
    "names a closed port": _names_a_closed_port,
    "is examined without sending": _is_examined_without_sending,
    "is recognised when sent twice": _is_recognised_twice,
    "hides its secrets": _hides_its_secrets,
    "closes its connection when cancelled": _closes_when_cancelled,
}
