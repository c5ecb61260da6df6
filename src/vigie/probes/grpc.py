"""A gRPC service: what grpc.health.v1.Health says of it (github.com/grpc/grpc/blob/master/doc/health-checking.md, PROTOCOL-HTTP2.md).

HTTP/2 with its compressed headers is spoken by h2, which does no I/O of its own: names, deadline and phases stay ours.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import unquote

import msgspec

from vigie.core.model import Cause
from vigie.errors import FieldError
from vigie.net import SHOWN, USER_AGENT, Secret, ascii_name, texts
from vigie.ports import Traits
from vigie.probes.kit import keys
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Meta
from vigie.probes.kit.service import Secured, ServiceProbe, mismatch
from vigie.probes.kit.stream import Dialogue, Peer
from vigie.probes.kit.verdict import CheckFailed

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from h2.events import Event

TRAITS = Traits(requires=("h2",))
_MAX_BYTES = 65_536
_SETTINGS, _MAX_SETTINGS = 4, 16_384
_METADATA = re.compile(r"[a-z0-9_.-]+")
_SERVING = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_WORDS = {
    "NOT_FOUND": "the server does not know this service",
    "UNIMPLEMENTED": "the server does not offer the health service grpc.health.v1.Health",
    "UNAUTHENTICATED": "the login is refused",
    "PERMISSION_DENIED": "the user is not allowed to ask for the service's health",
    "UNAVAILABLE": "the service is not available",
    "RESOURCE_EXHAUSTED": "the server is too busy",
}


class Config(Secured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gRPC service, asked by the health protocol `grpc.health.v1`: port 50051, or 443 with `tls: implicit`."""

    schemes: ClassVar[dict[str, str]] = {"grpc": "off", "grpcs": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 50051, "implicit": 443}

    tls: Annotated[Literal["off", "implicit"], Meta(description="No TLS, or TLS from the first byte.")] = "off"
    service: Annotated[
        str, Meta(description="Service to ask for; empty for the server as a whole.", examples=["shop.Orders"], extra=SHOWN)
    ] = ""
    token: Annotated[Secret | None, Meta(description="Bearer token.", examples=["${API_TOKEN}"])] = None
    headers: Annotated[dict[str, Secret], Meta(description="Metadata.", examples=[{"x-tenant": "shop"}])] = msgspec.field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        """Raise ValueError for metadata or a token that cannot be sent."""
        super().__post_init__()
        for name, value in texts(self.headers).items():
            if not _METADATA.fullmatch(name) or name.startswith("grpc-") or not (value.isascii() and value.isprintable()):
                raise FieldError(
                    ("headers", name),
                    f"metadata {name!r}: a name consists of a-z, 0-9, _, - and . and is not one of gRPC's own; a value is printable ASCII",
                )
        if self.token is not None and not re.fullmatch(r"[!-~]+", self.token.reveal()):
            raise ValueError("the token is empty or contains a space, a line break or a non-ASCII character")
        if len(self.service.encode()) > 1_000:
            raise ValueError("the service's name is too long")

    @property
    def target(self) -> str:
        """What is watched, as people may read it."""
        return f"{super().target}/{self.service}" if self.service else super().target

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The service's name."""
        return {"service": path} if path else {}

    def peer(self, *alpn: str) -> Peer:
        """The server to talk to."""
        return replace(super().peer(*alpn), secrets=tuple(one.reveal() for one in (self.token, *self.headers.values()) if one))


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer("h2"), deps, lambda dialogue: _Call(config, dialogue).run())


class _Call:
    """One call on one connection."""

    def __init__(self, config: Config, dialogue: Dialogue) -> None:
        self._config, self._dialogue = config, dialogue
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._ended = False

    async def run(self) -> str:
        from h2.config import H2Configuration
        from h2.connection import H2Connection

        if self._dialogue.tls is not None and self._dialogue.alpn != "h2":
            raise mismatch(self._dialogue, "the server does not agree to HTTP/2", answer=self._dialogue.alpn or "")
        connection = H2Connection(H2Configuration(client_side=True, header_encoding="latin-1"))
        connection.initiate_connection()
        connection.send_headers(1, self._request())
        message = _request_message(self._config.service)
        connection.send_data(1, b"\0" + len(message).to_bytes(4) + message, end_stream=True)
        await self._dialogue.send(connection.data_to_send())
        self._hear(connection, await self._preface())
        while not self._ended:
            await self._dialogue.send(connection.data_to_send())
            data = await self._dialogue.read_some()
            if not data:
                raise mismatch(self._dialogue, "the connection was closed before the call ended")
            self._hear(connection, data)
        status = self._judge()
        connection.close_connection()
        await self._dialogue.say_goodbye(connection.data_to_send())
        return status

    def _request(self) -> list[tuple[str, str]]:
        config = self._config
        return [
            (":method", "POST"),
            (":scheme", "http" if config.tls == "off" else "https"),
            (":path", "/grpc.health.v1.Health/Check"),
            (":authority", keys.host_port(ascii_name(config.host), config.effective_port)),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", USER_AGENT),
            ("grpc-timeout", f"{self._dialogue.left_ms()}m"),
            *([("authorization", f"Bearer {config.token.reveal()}")] if config.token else []),
            *texts(config.headers).items(),
        ]

    async def _preface(self) -> bytes:
        """The head of the server's first frame, which must be SETTINGS (RFC 9113 §3.4): h2 alone would wait for a frame of any length."""
        head = await self._dialogue.read_exactly(9)
        if head[3] != _SETTINGS or int.from_bytes(head[:3]) > _MAX_SETTINGS:
            raise mismatch(self._dialogue, "the response is not HTTP/2", answer=head)
        return head

    def _hear(self, connection: "H2Connection", data: bytes) -> None:
        from h2.exceptions import ProtocolError

        try:
            for event in connection.receive_data(data):
                self._take(event, connection)
        except ProtocolError:
            raise mismatch(self._dialogue, "the response is not HTTP/2", answer=data) from None

    def _take(self, event: "Event", connection: "H2Connection") -> None:
        from h2 import events

        match event:
            case events.ResponseReceived() | events.TrailersReceived():
                self._headers |= {str(name): str(value) for name, value in event.headers or ()}
            case events.DataReceived():
                self._body += event.data or b""
                if len(self._body) > _MAX_BYTES:
                    raise mismatch(self._dialogue, f"an answer of more than {_MAX_BYTES} bytes")
                connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            case events.StreamEnded():
                self._ended = True
            case events.StreamReset():
                raise mismatch(self._dialogue, "the server aborted the call", f"HTTP/2 error {int(event.error_code or 0)}")
            case events.ConnectionTerminated() if not self._ended:
                raise mismatch(self._dialogue, "the server closed the connection", f"HTTP/2 error {int(event.error_code or 0)}")

    def _judge(self) -> str:
        """`SERVING`; raises CheckFailed for anything else."""
        found = self._headers
        status = found.get(":status", "")
        if status != "200" and status.isdecimal():
            raise CheckFailed(Cause.HTTP_STATUS, f"HTTP {status} instead of 200", {"status": int(status), "expected": "200"})
        if not found.get("content-type", "").startswith("application/grpc") or not found.get("grpc-status", "").isdecimal():
            raise mismatch(self._dialogue, "the response is HTTP, but not gRPC", answer=found.get("content-type", ""))
        number = found["grpc-status"]
        if number != "0":
            code = _CODES[int(number)] if len(number) < 3 and int(number) < len(_CODES) else number
            raise mismatch(self._dialogue, _WORDS.get(code, "the call failed"), code, unquote(found.get("grpc-message", "")))
        serving = _serving(bytes(self._body))
        if serving is None:
            raise mismatch(self._dialogue, "the response is not a health status", answer=bytes(self._body))
        if serving != "SERVING":
            raise mismatch(self._dialogue, f"the service {self._config.service or 'as a whole'} is not serving", serving)
        return serving


def _request_message(service: str) -> bytes:
    """HealthCheckRequest: field 1 is the service's name, left out where it is empty."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])


def _serving(body: bytes) -> str | None:
    """The status out of a HealthCheckResponse in its frame: field 1 is its number, left out where it is 0. None for anything else."""
    message = body[5:]
    if len(body) < 5 or body[0] or int.from_bytes(body[1:5]) != len(message):
        return None
    if not message:
        return _SERVING[0]
    return _SERVING.get(message[1], str(message[1])) if len(message) == 2 and message[0] == 0x08 else None
