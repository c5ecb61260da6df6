"""An MQTT broker: login, a ping, and a message that makes the round trip over a topic (MQTT 3.1.1 and 5, OASIS).

Packets have a few bytes of head, so they are spoken here and every phase is timed.
"""

import secrets
import struct
from typing import Annotated, Any, ClassVar, Literal

from vigie.net import SHOWN
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Meta
from vigie.probes.kit.service import Account, ServiceProbe, mismatch
from vigie.probes.kit.stream import Dialogue

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK, _PING, _PONG, _DISCONNECT = 0x10, 0x20, 0x30, 0x82, 0x90, 0xC0, 0xD0, 0xE0
_MAX_BYTES = 1_048_576
_KEEP_ALIVE_S = 60
_WORDS = {  # MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2.2
    0x01: "the broker does not speak this version of MQTT",
    0x02: "the broker rejects the client identifier",
    0x03: "the broker is not available",
    0x04: "the login is refused",
    0x05: "the login is refused",
    0x84: "the broker does not speak this version of MQTT",
    0x85: "the broker rejects the client identifier",
    0x86: "the login is refused",
    0x87: "the login is refused",
    0x88: "the broker is not available",
    0x89: "the broker is too busy",
    0x8A: "the broker has banned this client",
    0x97: "the broker's quota is used up",
    0x9C: "the broker asks to use another server",
    0x9D: "the broker has moved",
    0x9F: "the broker limits the rate of connections",
}


class Config(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One MQTT broker: port 1883, or 8883 with `tls: implicit`. A ping must come back, and a message where a topic is given for it."""

    schemes: ClassVar[dict[str, str]] = {"mqtt": "off", "mqtts": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 1883, "implicit": 8883}

    tls: Annotated[Literal["off", "implicit"], Meta(description="No TLS, or TLS from the first byte.")] = "off"
    version: Annotated[Literal["3.1.1", "5"], Meta(description="Version of MQTT.")] = "3.1.1"
    client_id: Annotated[str | None, Meta(description="Client identifier; a new one for every check if not set.")] = None
    topic: Annotated[
        str | None,
        Meta(description="Topic to which a message is published and from which it must come back.", examples=["health/vigie"], extra=SHOWN),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for a topic that cannot be published to, or a password that the version cannot carry alone."""
        super().__post_init__()
        if self.topic is not None and (not self.topic or any(character in "+#\0" for character in self.topic)):
            raise ValueError(f"{self.topic!r} is not a topic to publish to: it is empty or contains + or #")
        if self.password is not None and self.user is None and self.version == "3.1.1":
            raise ValueError("MQTT 3.1.1 has no password without a `user`")
        if any(len((text or "").encode()) > 65_535 for text in (self.user, self.secret, self.client_id, self.topic)):
            raise ValueError("a text in MQTT has at most 65,535 bytes")

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The topic."""
        return {"topic": path} if path else {}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer("mqtt"), deps, lambda dialogue: _Talk(config, dialogue).run())


class _Talk:
    """One session."""

    def __init__(self, config: Config, dialogue: Dialogue) -> None:
        self._config, self._dialogue = config, dialogue
        self._properties = b"\0" if config.version == "5" else b""  # none of them, where there could be some
        self._begun = b""  # what was read before its packet

    async def run(self) -> str:
        await self._connect()
        if self._config.topic is not None:
            await self._round_trip(self._config.topic)
        await self._say(_PING, b"")
        while (await self._hear())[0] != _PONG:
            pass
        await self._dialogue.say_goodbye(_packet(_DISCONNECT, b""))
        return "connected, pong" if self._config.topic is None else "connected, message came back, pong"

    async def _connect(self) -> None:
        config = self._config
        flags = 0x02 | (0x80 if config.user is not None else 0) | (0x40 if config.password is not None else 0)
        level = 5 if config.version == "5" else 4
        texts = [config.client_id or f"vigie{secrets.token_hex(8)}", config.user, None if config.password is None else config.secret]
        head = _text("MQTT") + struct.pack(">BBH", level, flags, _KEEP_ALIVE_S) + self._properties
        await self._say(_CONNECT, head + b"".join(_text(text) for text in texts if text is not None))
        self._begun = await self._dialogue.read_exactly(4)  # the shortest there is
        kind, body = await self._hear() if self._begun[0] == _CONNACK else (0, b"")
        if kind != _CONNACK or len(body) < 2:
            raise mismatch(self._dialogue, "the answer is not MQTT", answer=self._begun)
        if body[1]:
            raise mismatch(self._dialogue, _WORDS.get(body[1], "the broker refuses the connection"), f"0x{body[1]:02x}")

    async def _round_trip(self, topic: str) -> None:
        """Subscribe, publish, and wait for the very message; others on the topic are read over."""
        await self._say(_SUBSCRIBE, struct.pack(">H", 1) + self._properties + _text(topic) + b"\0")
        while (heard := await self._hear())[0] != _SUBACK:
            pass
        if heard[1][-1:] >= b"\x80" or not heard[1]:
            raise mismatch(self._dialogue, "the subscription is refused", f"0x{heard[1][-1:].hex()}")
        message = f"vigie {secrets.token_hex(8)}".encode()
        await self._say(_PUBLISH, _text(topic) + self._properties + message)
        while not ((heard := await self._hear())[0] & 0xF0 == _PUBLISH and heard[1].endswith(message)):
            pass

    async def _say(self, kind: int, body: bytes) -> None:
        await self._dialogue.send(_packet(kind, body))

    async def _hear(self) -> tuple[int, bytes]:
        """The kind and body of the next packet; raises CheckFailed when the broker disconnected, and for anything that is not a packet."""
        kind = (await self._take(1))[0]
        size = 0
        for place in range(4):
            digit = (await self._take(1))[0]
            size |= (digit & 0x7F) << 7 * place
            if digit < 0x80:
                break
        if digit >= 0x80 or size > _MAX_BYTES or kind < _CONNECT:
            raise mismatch(self._dialogue, "the answer is not MQTT, or too long", answer=bytes([kind]))
        body = await self._take(size)
        if kind == _DISCONNECT:
            raise mismatch(self._dialogue, "the broker disconnected", f"0x{body[:1].hex() or '00'}")
        return kind, body

    async def _take(self, count: int) -> bytes:
        taken, self._begun = self._begun[:count], self._begun[count:]
        return taken if len(taken) == count else taken + await self._dialogue.read_exactly(count - len(taken))


def _packet(kind: int, body: bytes) -> bytes:
    """A control packet: its kind, the length of its body in groups of seven bits, its body."""
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data
