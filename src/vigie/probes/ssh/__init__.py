"""An SSH server: its identification, its key exchange and the proof of its host key (RFC 4253). Nobody logs in.

Those first messages are unencrypted and few, so they are spoken here and every phase is timed.
"""

import re
import struct
from typing import Annotated, Any, ClassVar

import msgspec

from vigie import __version__
from vigie.core.model import Cause
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.service import Service, ServiceProbe, mismatch
from vigie.probes.kit.stream import Dialogue
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.ssh import keys

_OURS = f"SSH-2.0-Vigie_{__version__}".encode()
_IDENTIFICATION = re.compile(r"SSH-(2\.0|1\.99)-(\S+)(?: .*)?")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_MAX_LINES, _MAX_PACKET, _MAX_PACKETS = 50, 35_000, 20
_DISCONNECT, _IGNORED = 1, (2, 3, 4, 7)  # IGNORE, UNIMPLEMENTED, DEBUG, EXT_INFO
_GOODBYE = keys.packet(bytes([_DISCONNECT]) + struct.pack(">I", 11) + keys.string(b"checked") + keys.string(b""))


class Config(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SSH server: port 22. It proves its host key; nobody logs in."""

    schemes: ClassVar[dict[str, str]] = {"ssh": "off"}
    ports: ClassVar[dict[str, int]] = {"off": 22}

    host_key: Annotated[
        str | list[str] | None,
        msgspec.Meta(
            description="Fingerprints, one of which the host key must have; an Ed25519 key is requested first, then ECDSA, then RSA.",
            examples=["SHA256:uNiVztksCsDhcc0u9e8BrwcjvSPrYwmTQuivfiNxEZU"],
        ),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid fingerprint."""
        super().__post_init__()
        for wanted in self.fingerprints:
            if not _FINGERPRINT.fullmatch(wanted):
                raise ValueError(f"{wanted!r} is not a fingerprint; `ssh-keygen -lf` prints SHA256: and 43 characters")

    @property
    def fingerprints(self) -> list[str]:
        """Those that are expected."""
        return [self.host_key] if isinstance(self.host_key, str) else self.host_key or []

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that a URL stands for; its user is left out, because nobody logs in."""
        return {name: value for name, value in super().from_url(url).items() if name != "user"}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer(), deps, lambda dialogue: _talk(config, dialogue))


async def _talk(config: Config, dialogue: Dialogue) -> str:
    await dialogue.send(_OURS + b"\r\n")
    theirs = await _identification(dialogue)
    try:
        key = await _host_key(dialogue, theirs)
    except keys.Garbled as garbled:
        raise mismatch(dialogue, f"the key exchange failed: {garbled}") from None
    if key is not None:
        dialogue.figures["host_key"] = keys.fingerprint(key)
    _judge(config.fingerprints, dialogue)
    await dialogue.say_goodbye(_GOODBYE)
    return "SSH answers" if key is None else "SSH answers, host key proven"


async def _identification(dialogue: Dialogue) -> bytes:
    """The server's first line; others may precede it (RFC 4253 §4.2)."""
    line = ""
    for _ in range(_MAX_LINES):
        line = await dialogue.read_line()
        if line.startswith("SSH-"):
            break
    match = _IDENTIFICATION.fullmatch(line)
    if match is None:
        raise mismatch(dialogue, "the server does not identify itself as SSH 2", answer=line.encode("latin-1"))
    dialogue.figures["software"] = dialogue.quoted(match[2])
    return line.encode("latin-1")


async def _host_key(dialogue: Dialogue, theirs: bytes) -> bytes | None:
    """The host key, proven; None where no key exchange of ours is among the server's."""
    init = await _message(dialogue)
    offer = keys.Offer.of(init)
    agreed = offer.agreed()
    if agreed is None:
        return None
    ours, half = offer.reply(), keys.Half.of(agreed[0])
    await dialogue.send(keys.packet(ours) + keys.packet(bytes([keys.ECDH_INIT]) + keys.string(half.public)))
    reply = await _message(dialogue)
    if reply[0] != keys.ECDH_REPLY:
        raise keys.Garbled(f"message {reply[0]} instead of a reply")
    return keys.proven_key(reply, half, (_OURS, theirs, ours, init))


async def _message(dialogue: Dialogue) -> bytes:
    """The payload of the next message that matters; raises CheckFailed when the server closed the connection."""
    for _ in range(_MAX_PACKETS):
        length, fill = struct.unpack(">IB", await dialogue.read_exactly(5))
        if not fill + 2 <= length <= _MAX_PACKET:
            raise keys.Garbled(f"a packet of {length} bytes")
        payload = (await dialogue.read_exactly(length - 1))[: length - 1 - fill]
        if payload[0] == _DISCONNECT:
            fields = keys.Fields(payload[1:])
            raise mismatch(dialogue, "the server closed the connection", str(fields.number()), fields.string())
        if payload[0] not in _IGNORED:
            return payload
    raise keys.Garbled(f"more than {_MAX_PACKETS} irrelevant messages")


def _judge(wanted: list[str], dialogue: Dialogue) -> None:
    found = dialogue.figures.get("host_key")
    if not wanted or found in wanted:
        return
    if found is None:
        raise mismatch(dialogue, "the host key cannot be requested: no key exchange in common", refused=True)
    raise CheckFailed(
        Cause.PROTOCOL_MISMATCH,
        f"the host key is not the expected one ({found})",
        {"wanted": ", ".join(wanted)[:120], "got": found},
    )
