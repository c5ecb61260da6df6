r"""The TCP probe: whether a port accepts, whether what is said there is answered as expected, plain or over TLS.

`figures` of a result, by name: `steps` (those that went well), `banner` (how the first answer begins), `wanted` and `got`
(protocol.mismatch), and those of every connection (`limit_ms`, `measured_ms`, `days_left`, `detail`).
"""

import asyncio
from typing import Annotated, Any

import msgspec

from vigie.core.model import Cause, CheckResult
from vigie.net import Secret, Secrets, redact
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import CaFile, Family, Host, Insecure, Latency, Meta, Port, Resolver, TlsDays
from vigie.probes.kit.pattern import Pattern, Searches, check_pattern, unescaped
from vigie.probes.kit.starttls import Protocol, negotiate
from vigie.probes.kit.stream import Dialogue, Peer, converse, printable
from vigie.probes.kit.verdict import TLS_DAYS, CheckFailed
from vigie.probes.kit.workers import shared_workers

_EXAMPLE = "tcp://db.example.com:5432"
_MAX_BYTES, _READ = 65_536, 1_000
_SEARCH_SPARE = 0.2  # before the deadline, too: a search that is not done says nothing about the server
_EARLY_SECONDS = 0.03  # before the deadline, so that an answer that never becomes the expected one is told from silence


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""One exchange: what is said, then what must come back. `\r`, `\n`, `\t`, `\0`, `\xHH` and `\\` are read in texts."""

    send: Annotated[Secret | None, Meta(description="Text that is sent.", examples=["PING\\r\\n"])] = None
    expect: Annotated[str | None, Meta(description="Text that must come back.", examples=["+PONG"])] = None
    regex: Annotated[
        str | None,
        Meta(description="Regular expression that must match what comes back; line breaks are seen as `\\n`.", examples=["^220 .*ESMTP"]),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for a step without anything, or with what cannot be read."""
        if self.send is None and self.expect is None and self.regex is None:
            raise ValueError("a step of an exchange needs `send`, `expect` or `regex`")
        if self.expect is not None and self.regex is not None:
            raise ValueError("write `expect` or `regex`, not both; a second step may have the other")
        for text in (self.send.reveal() if self.send is not None else None, self.expect):
            if text is not None and not unescaped(text):
                raise ValueError("a text in an exchange is empty")
        if self.regex is not None:
            check_pattern(self.regex)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TCP port: that it accepts, and, where asked, what is said there. Also written `tcp://host:port`."""

    host: Host
    port: Port
    tls: Annotated[
        bool | Protocol, Meta(description="TLS from the first byte, or after the STARTTLS of this protocol.", examples=[True, "smtp"])
    ] = False
    exchange: Annotated[
        list[Step],
        Meta(description="What is sent and expected, step by step.", examples=[[{"send": "PING\\r\\n", "expect": "+PONG"}]]),
    ] = []
    latency: Latency = None
    ip: Family = None
    resolver: Resolver = None
    ca_file: CaFile = None
    insecure: Insecure = False
    tls_days: TlsDays = TLS_DAYS

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid host or resolver."""
        keys.check_host(self.host)
        keys.check_resolver(self.resolver)

    @property
    def target(self) -> str:
        """What is watched, as a URL."""
        return f"tcp://{keys.host_port(self.host, self.port)}"

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that `tcp://host:port?tls=smtp` stands for; ValueError says what is wrong with it."""
        found = keys.Url.of(url, _EXAMPLE).plain(_EXAMPLE)
        if "port" not in found:
            raise ValueError(f"{url!r} names no port; write {_EXAMPLE}")
        return found | {key: value == "true" for key, value in found.items() if value in ("true", "false")}


def build(config: Config, deps: ProbeDeps) -> "TcpProbe":
    """The probe of one monitor."""
    return TcpProbe(config, deps)


class TcpProbe:
    """Connects once a check and goes through the exchange."""

    def __init__(self, config: Config, deps: ProbeDeps) -> None:
        self._config, self._deps = config, deps
        self._steps = [_Ready(step) for step in config.exchange]
        self._peer = Peer.of(config, config.host, config.port, tls=config.tls is True)

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises for the target's fault."""
        return await converse(self._peer, self._deps, timeout_ms, self._talk)

    async def _talk(self, dialogue: Dialogue) -> str:
        if isinstance(self._config.tls, str):
            await negotiate(dialogue, self._config.tls)
            await dialogue.start_tls()
        searches = Searches(shared_workers(self._deps), self, lambda: dialogue.left_ms() / 1000 - _SEARCH_SPARE)
        heard = _Heard(dialogue, searches, [part for step in self._steps for part in step.said])
        for number, step in enumerate(self._steps, 1):
            await heard.step(step)
            dialogue.figures["steps"] = number
        connect = dialogue.timings.connect or 0.0
        return f"{len(self._steps)} exchange(s) as expected" if self._steps else f"connected in {connect:.0f} ms"


class _Ready:
    """A step with its texts as bytes and its pattern compiled."""

    def __init__(self, step: Step) -> None:
        self.send = None if step.send is None else unescaped(step.send.reveal())
        self.text = None if step.expect is None else unescaped(step.expect)
        self.pattern = None if step.regex is None else Pattern(step.regex)
        self.said = _parts("" if self.send is None else self.send.decode("utf-8", "replace"))
        self.wanted = step.expect or step.regex or ""

    async def end(self, data: bytes, searches: Searches) -> int | None:
        """Where in the data what is hoped for ends; None while it has not come."""
        if self.text is not None:
            at = data.find(self.text)
            return None if at < 0 else at + len(self.text)
        if self.pattern is None:
            return 0
        text = data.decode("utf-8", "surrogateescape")
        found = await self.pattern.search(text.replace("\r\n", "\n"), searches)
        if found is None or found.end is None:
            return None
        return len(text[: _before_lines(text, found.end)].encode("utf-8", "surrogateescape"))


def _parts(said: str) -> list[str]:
    """What of a text that we send may be a secret and is not repeated to people: its lines, and each word behind a line's first."""
    lines = said.splitlines()
    return [*(line.strip() for line in lines), *(word for line in lines for word in line.split()[1:])]


def _before_lines(text: str, end: int) -> int:
    """The position in the original text of a position in the text with normalised line breaks."""
    at = 0
    for line in text.split("\r\n"):
        if end <= len(line):
            break
        at, end = at + len(line) + 2, end - len(line) - 1
    return at + end


class _Heard:
    """What came and was not yet taken by a step."""

    def __init__(self, dialogue: Dialogue, searches: Searches, said: list[str]) -> None:
        self._dialogue, self._data, self._searches = dialogue, b"", searches
        self._said = Secrets(map(Secret, said))

    async def step(self, step: _Ready) -> None:
        """Say, then wait for what is hoped for; raises CheckFailed when something else comes."""
        if step.send is not None:
            await self._dialogue.send(step.send)
        try:
            async with asyncio.timeout(max(self._dialogue.left_ms() / 1000 - _EARLY_SECONDS, 0.001)):
                while (end := await step.end(self._data, self._searches)) is None:
                    await self._more(step)
        except TimeoutError:
            if step.pattern is not None and self._searches.busy:
                raise step.pattern.too_long(len(self._data)) from None
            if self._data:
                raise self._other(step, "and nothing more came in time") from None
            raise
        self._data = self._data[end:]

    async def _more(self, step: _Ready) -> None:
        if len(self._data) >= _MAX_BYTES:
            raise self._other(step, f"not within {_MAX_BYTES} bytes")
        piece = await self._dialogue.read_some(_MAX_BYTES - len(self._data))
        if not piece:
            raise self._other(step, "then the connection was closed") if self._data else self._closed(step)
        self._data += piece
        self._dialogue.figures.setdefault("banner", self._shown(self._data))

    def _other(self, step: _Ready, how: str) -> CheckFailed:
        got = self._shown(self._data)
        return CheckFailed(
            Cause.PROTOCOL_MISMATCH, f"{step.wanted[:80]!r} was expected, {got!r} came, {how}", {"wanted": step.wanted[:80], "got": got}
        )

    def _closed(self, step: _Ready) -> CheckFailed:
        words = f"the connection was closed where {step.wanted[:80]!r} was expected"
        return CheckFailed(Cause.PROTOCOL_MISMATCH, words, {"wanted": step.wanted[:80]})

    def _shown(self, data: bytes) -> str:
        # First hidden, then cut: half a password is one too.
        return printable(redact(data[:_READ].strip().decode("utf-8", "replace"), self._said).encode())
