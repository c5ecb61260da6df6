"""A WebSocket: the upgrade with its proof, a message said and one awaited, a ping (RFC 6455).

The handshake is one HTTP request and frames have two bytes of head, so both are spoken here and every phase is timed.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import struct
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import msgspec

from vigie.core.model import Cause
from vigie.errors import FieldError
from vigie.net import ADDRESS, USER_AGENT, Secret, WebUrl, readable_host, readable_url, redact_url, texts, web_url
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.config import Auth
from vigie.probes.kit.keys import CaFile, Family, Insecure, Latency, Meta, Resolver, TlsDays
from vigie.probes.kit.service import ServiceProbe, in_base64, mismatch, read_text
from vigie.probes.kit.stream import Dialogue, Peer
from vigie.probes.kit.verdict import TLS_DAYS, CheckFailed

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3})(?: .*)?")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.1
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_MAX_HEADERS, _MAX_MESSAGE, _CHUNK = 100, 1_048_576, 65_536
_EARLY_SECONDS = 0.03  # before the deadline, so that another message than the expected one is told from silence


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One WebSocket: the upgrade is made, what is to be said is said, and a ping must come back."""

    schemes: ClassVar[tuple[str, ...]] = ("ws", "wss")

    url: Annotated[str, Meta(description="What is watched.", examples=["wss://api.example.com/events"], extra=ADDRESS)]
    headers: Annotated[dict[str, Secret], Meta(description="Request headers.", examples=[{"Origin": "https://example.com"}])] = {}
    auth: Annotated[Auth, Meta(description="How to log in.")] = Auth()
    subprotocol: Annotated[str | None, Meta(description="Subprotocol that the server must agree to.", examples=["graphql-ws"])] = None
    send: Annotated[Secret | None, Meta(description="Text message that is sent.", examples=['{"type": "ping"}'])] = None
    expect: Annotated[str | None, Meta(description="Text that must be in a message; other messages before it are ignored.")] = None
    latency: Latency = None
    ip: Family = None
    resolver: Resolver = None
    ca_file: CaFile = None
    insecure: Insecure = False
    tls_days: TlsDays = TLS_DAYS

    def __post_init__(self) -> None:
        """Raise ValueError that says what is wrong with the URL, the resolver or a header."""
        Place.of(self.url)
        keys.check_resolver(self.resolver)
        for name, value in texts(self.headers).items():
            if not _FIELD_NAME.fullmatch(name) or not value.isprintable():
                raise FieldError(
                    ("headers", name), f"header {name!r}: a name cannot contain a space or colon, nor a value a control character"
                )
        if self.subprotocol is not None and not _FIELD_NAME.fullmatch(self.subprotocol):
            raise ValueError(f"{self.subprotocol!r} is not a valid subprotocol")

    @property
    def target(self) -> str:
        """The URL as people may read it."""
        read = _read(self.url)
        return redact_url(readable_url(self.url, read.href, read.host))

    @property
    def host(self) -> str:
        """The host, for limits and names."""
        return readable_host(self.url, _read(self.url).host)

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The one key that the URL is."""
        return {"url": url}


@dataclass(frozen=True, slots=True)
class Place:
    """A WebSocket's URL, taken apart; `resource` is what the request line asks for."""

    secure: bool
    host: str
    port: int
    resource: str

    @classmethod
    def of(cls, url: str) -> "Place":
        """ValueError for anything that is not a WebSocket URL (RFC 6455 §3); it is read as browsers read it."""
        read = _read(url)
        if read.has_login:
            raise ValueError("a WebSocket URL cannot contain a login; write it under `auth`")
        keys.check_host(read.host)
        return cls(read.scheme == "wss", read.host, read.port, read.resource)


def _read(url: str) -> WebUrl:
    try:
        read = web_url(url)
    except ValueError:
        read = None
    if read is None or read.scheme not in ("ws", "wss") or "#" in url:
        raise ValueError(f"{redact_url(url)!r} is not a WebSocket URL; write wss://api.example.com/events")
    return read


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    place = Place.of(config.url)
    secrets = (*_credentials(config.auth), *texts(config.headers).values())
    alpn = ("http/1.1",) if place.secure else ()
    peer = Peer.of(config, place.host, place.port, tls=place.secure, alpn=alpn, secrets=secrets)
    return ServiceProbe(peer, deps, lambda dialogue: _talk(config, place, dialogue))


def _credentials(auth: Auth) -> list[str]:
    """What is secret about a login, in every form in which it travels; the last one is what Authorization says."""
    if auth.bearer is not None:
        return [auth.bearer.reveal(), f"Bearer {auth.bearer.reveal()}"]
    if auth.basic is not None:
        both = in_base64(f"{auth.basic.user}:{auth.basic.password.reveal()}")
        return [auth.basic.password.reveal(), both, f"Basic {both}"]
    return []


async def _talk(config: Config, place: Place, dialogue: Dialogue) -> str:
    await _upgrade(config, place, dialogue)
    frames = _Frames(dialogue)
    if config.send is not None:
        await frames.say(_TEXT, config.send.reveal().encode())
    if config.expect is not None:
        await _await_text(config.expect, frames, dialogue)
    token = secrets.token_bytes(8)
    await frames.say(_PING, token)
    while await frames.hear() != (_PONG, token):
        pass
    await dialogue.say_goodbye(_frame(_CLOSE, struct.pack(">H", 1000)))
    return "upgraded, pong" if config.expect is None else "upgraded, message as expected, pong"


async def _upgrade(config: Config, place: Place, dialogue: Dialogue) -> None:
    """Ask for the upgrade; raises CheckFailed unless the server proves that it understood (RFC 6455 §4)."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    usual = 443 if place.secure else 80
    lines = {
        "Host": keys.host_port(place.host, None if place.port == usual else place.port),
        "User-Agent": USER_AGENT,
        **({"Authorization": _credentials(config.auth)[-1]} if config.auth != Auth() else {}),
        **texts(config.headers),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        **({"Sec-WebSocket-Protocol": config.subprotocol} if config.subprotocol else {}),
    }
    head = f"GET {place.resource} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    await dialogue.send(f"{head}\r\n".encode())
    line = await read_text(dialogue)
    match = _STATUS.fullmatch(line)
    if match is None:
        raise mismatch(dialogue, "the response is not HTTP", answer=line)
    if match[1] != "101":
        raise CheckFailed(Cause.HTTP_STATUS, f"HTTP {match[1]} instead of 101", {"status": int(match[1]), "expected": "101"})
    headers = await _headers(dialogue)
    proof = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()  # noqa: S324 - the protocol's own proof
    if headers.get("upgrade", "").lower() != "websocket" or headers.get("sec-websocket-accept") != proof:
        raise mismatch(dialogue, "the server agrees to an upgrade, but does not prove that it speaks WebSocket")
    agreed = headers.get("sec-websocket-protocol")
    if agreed != config.subprotocol:
        raise _unwanted(
            dialogue, "the server chose another subprotocol than the requested one", agreed or "none", config.subprotocol or "none"
        )


def _unwanted(dialogue: Dialogue, words: str, answer: str | bytes, wanted: str) -> CheckFailed:
    said = dialogue.quoted(answer)
    return CheckFailed(Cause.PROTOCOL_MISMATCH, f"{words} ({said})", {"wanted": wanted[:120], "got": said})


async def _headers(dialogue: Dialogue) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = await read_text(dialogue)
        if not line:
            return found
        name, _, value = line.partition(":")
        found[name.lower()] = value.strip()
    raise mismatch(dialogue, f"an answer of more than {_MAX_HEADERS} headers")


async def _await_text(wanted: str, frames: "_Frames", dialogue: Dialogue) -> None:
    """Read messages until one holds the text; raises CheckFailed when others come and time runs out."""
    heard = b""
    try:
        async with asyncio.timeout(max(dialogue.left_ms() / 1000 - _EARLY_SECONDS, 0.001)):
            while True:
                opcode, message = await frames.hear()
                if opcode in (_TEXT, _BINARY):
                    heard = message
                    if wanted.encode() in message:
                        return
    except TimeoutError:
        if heard:
            raise _unwanted(dialogue, "no message contains the expected text; the last one differs", heard, wanted) from None
        raise


def _frame(opcode: int, payload: bytes) -> bytes:
    """A whole message or control frame, masked as a client must (RFC 6455 §5.2)."""
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
    mask = secrets.token_bytes(4)
    covered = (int.from_bytes(payload) ^ int.from_bytes((mask * (size // 4 + 1))[:size])).to_bytes(size)
    return head + mask + covered


class _Frames:
    """Frames both ways; of a longer message the first MiB is kept."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._begun: int | None = None  # the opcode of a message that has not ended
        self._message = bytearray()

    async def say(self, opcode: int, payload: bytes) -> None:
        """Send a message or a control frame."""
        await self._dialogue.send(_frame(opcode, payload))

    async def hear(self) -> tuple[int, bytes]:
        """The next whole message or pong; pings are answered. Raises CheckFailed for a close, and for anything that is not a frame."""
        while True:
            first, second = await self._dialogue.read_exactly(2)
            opcode, last, size = first & 0x0F, bool(first & 0x80), second & 0x7F
            control = opcode >= _CLOSE
            if (
                first & 0x70
                or second & 0x80
                or opcode not in (0, _TEXT, _BINARY, _CLOSE, _PING, _PONG)
                or (control and (size > 125 or not last))
            ):
                raise mismatch(self._dialogue, "what arrived is not a WebSocket frame", answer=f"{first:02x} {second:02x}")
            if size > 125:
                size = int.from_bytes(await self._dialogue.read_exactly(2 if size == 126 else 8))
            payload = await self._payload(size)
            if opcode == _CLOSE:
                code = str(int.from_bytes(payload[:2])) if len(payload) > 1 else "1005"
                raise mismatch(self._dialogue, "the server closed the WebSocket", code, payload[2:])
            if opcode == _PING:
                await self.say(_PONG, payload)
            elif opcode == _PONG:
                return opcode, payload
            elif whole := self._joined(opcode, payload, last=last):
                return whole

    async def _payload(self, size: int) -> bytes:
        kept = bytearray()
        while size > 0:
            piece = await self._dialogue.read_exactly(min(size, _CHUNK))
            size -= len(piece)
            kept += piece if len(kept) < _MAX_MESSAGE else b""
        return bytes(kept)

    def _joined(self, opcode: int, payload: bytes, *, last: bool) -> tuple[int, bytes] | None:
        """A message whose last fragment this is."""
        if (opcode == 0) == (self._begun is None):
            raise mismatch(self._dialogue, "message fragments are out of order")
        self._begun = self._begun or opcode
        self._message += payload[: _MAX_MESSAGE - len(self._message)]
        if not last:
            return None
        whole = (self._begun, bytes(self._message))
        self._begun, self._message = None, bytearray()
        return whole
