"""A PostgreSQL server: TLS, login, a query and its value (protocol 3.0, postgresql.org/docs/current/protocol.html).

What health needs of the protocol is small, so it is spoken here and every phase is timed.
"""

import hashlib
import struct
from typing import Annotated, Any, ClassVar

from vigie.net import SHOWN
from vigie.probes.kit.comparison import check_key
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Meta
from vigie.probes.kit.service import Account, ServiceProbe, mismatch, value_mismatch
from vigie.probes.kit.stream import Dialogue
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.postgres.scram import Refused, Scram

_SSL_REQUEST, _VERSION = 80_877_103, 196_608
_MAX_BYTES = 1_048_576
_WORDS = {
    "28P01": "the login is refused",
    "28000": "the login is refused",
    "3D000": "the database does not exist",
    "53300": "the server has too many connections",
    "57P03": "the server is starting, stopping or recovering",
}
_UNWELL = ("53", "54", "57", "58", "XX")  # classes of SQLSTATE: resources, limits, stopping, the system's errors, the server's own
_SSL_MODES: dict[str, dict[str, Any]] = {  # of libpq
    "disable": {},
    "allow": {},
    "prefer": {},
    "require": {"tls": "starttls", "insecure": "true"},
    "verify-ca": {"tls": "starttls"},
    "verify-full": {"tls": "starttls"},
}


class Config(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One PostgreSQL server (or PgBouncer): port 5432. Without a user it is asked whether it takes connections, and nobody logs in."""

    schemes: ClassVar[dict[str, str]] = {"postgres": "off", "postgresql": "off"}
    ports: ClassVar[dict[str, int]] = {"off": 5432, "starttls": 5432, "implicit": 5432}

    database: Annotated[str | None, Meta(description="Database; the one with the user's name if not set.", extra=SHOWN)] = None
    query: Annotated[str, Meta(description="Query after the login.", examples=["SELECT count(*) FROM jobs"])] = "SELECT 1"
    expect: Annotated[
        str | int | float | None,
        Meta(description="First value of the first row; see [comparisons](comparisons.md).", examples=["< 1000"]),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for a login or query that cannot be sent."""
        super().__post_init__()
        check_key("expect", self.expect)
        if self.user is None and (self.password is not None or self.expect is not None):
            raise ValueError("a password or an expected value needs a `user`")
        if any("\0" in text for text in (self.user or "", self.secret, self.database or "", self.query)):
            raise ValueError("user, password, database and query cannot contain a zero byte")

    @property
    def target(self) -> str:
        """What is watched, as people may read it."""
        return f"{super().target}/{self.database}" if self.database else super().target

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that a URL stands for; libpq's `sslmode` is understood."""
        found = super().from_url(url)
        mode = _SSL_MODES.get(found.get("sslmode", ""))
        return found if mode is None else {**mode, **{name: value for name, value in found.items() if name != "sslmode"}}

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The database's name."""
        return {"database": path} if path else {}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer("postgresql"), deps, lambda dialogue: _Talk(config, dialogue).run())


class _Talk:
    """One session."""

    def __init__(self, config: Config, dialogue: Dialogue) -> None:
        self._config, self._dialogue, self._scram = config, dialogue, None if config.user is None else Scram("", config.secret)

    async def run(self) -> str:
        if self._config.tls == "starttls":
            await self._encrypt()
        await self._start()
        if self._config.user is None:
            words = await self._takes_connections()
        else:
            await self._login()
            words = await self._query()
        await self._dialogue.say_goodbye(_message(b"X", b""))
        return words

    async def _encrypt(self) -> None:
        await self._dialogue.send(struct.pack(">II", 8, _SSL_REQUEST))
        answer = await self._dialogue.read_exactly(1)
        if answer == b"E":
            raise self._error((await self._hear(answer))[1], "TLS is refused")
        if answer != b"S":
            if answer == b"N":
                raise mismatch(self._dialogue, "the server does not offer TLS", refused=True)
            raise mismatch(self._dialogue, "the answer is not PostgreSQL", answer=answer)
        await self._dialogue.start_tls()

    async def _start(self) -> None:
        words = ["user", self._config.user or "vigie", "application_name", "vigie"]
        words += ["database", self._config.database] if self._config.database else []
        body = struct.pack(">I", _VERSION) + "".join(f"{word}\0" for word in words).encode() + b"\0"
        await self._dialogue.send(struct.pack(">I", len(body) + 4) + body)

    async def _takes_connections(self) -> str:
        """Whether it would let somebody log in: it asks for a password, or only refuses this user."""
        kind, body = await self._hear()
        if kind == b"E" and _fields(body).get("C", "XX").startswith(_UNWELL):
            raise self._error(body, "the server does not accept connections")
        if kind not in (b"E", b"R"):
            raise mismatch(self._dialogue, "the answer is not PostgreSQL", answer=kind)
        return "accepts connections"

    async def _login(self) -> None:
        while (heard := await self._hear())[0] != b"Z":
            kind, body = heard
            if kind == b"E":
                raise self._error(body, "the login is refused")
            if kind == b"R":
                await self._authenticate(body)
            elif kind not in (b"S", b"K", b"N", b"v"):
                raise mismatch(self._dialogue, "the answer is not PostgreSQL", answer=kind)

    async def _authenticate(self, body: bytes) -> None:
        """Answer one request of the server (protocol, "AuthenticationOk" and what follows it)."""
        request, rest = int.from_bytes(body[:4]), body[4:]
        if request == 0:
            return
        if self._config.password is None:
            raise mismatch(self._dialogue, "the server wants a password", refused=True)
        if request == 3:
            if self._dialogue.tls is None:
                raise mismatch(
                    self._dialogue, "the server wants the password in clear text, which Vigie does not send without TLS", refused=True
                )
            await self._say(b"p", self._config.secret.encode() + b"\0")
        elif request == 5:
            await self._say(b"p", _md5(self._config.secret, self._config.user or "", rest[:4]) + b"\0")
        elif request in (10, 11, 12):
            await self._sasl(request, rest)
        else:
            raise mismatch(self._dialogue, "the server wants a login method other than a password", str(request))

    async def _sasl(self, request: int, rest: bytes) -> None:
        if self._scram is None:
            return
        try:
            if request == 10:
                if b"SCRAM-SHA-256" not in rest.split(b"\0"):
                    raise mismatch(
                        self._dialogue, "the server does not offer a password login", answer=rest.replace(b"\0", b" "), refused=True
                    )
                first = self._scram.first
                await self._say(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(first)) + first)
            elif request == 11:
                await self._say(b"p", await self._scram.final(rest))
            else:
                self._scram.check(rest)
        except Refused as refused:
            raise mismatch(self._dialogue, f"the login failed: {refused}", refused=True) from None

    async def _query(self) -> str:
        await self._say(b"Q", self._config.query.encode() + b"\0")
        rows: list[str] = []
        while (heard := await self._hear())[0] != b"Z":
            kind, body = heard
            if kind == b"E":
                raise self._error(body, "the query failed")
            if kind == b"D" and not rows:
                rows.append(_first_value(body))
            elif kind not in (b"T", b"D", b"C", b"I", b"N", b"S"):
                raise mismatch(self._dialogue, "the query returns no rows", answer=kind)
        wanted = self._config.expect
        if wanted is not None and (wrong := value_mismatch(self._dialogue, "value", rows[0] if rows else None, wanted)):
            raise wrong
        return "login accepted, query answered" if wanted is None else "login accepted, value as expected"

    def _error(self, body: bytes, words: str) -> CheckFailed:
        fields = _fields(body)
        code = fields.get("C", "")
        return mismatch(self._dialogue, _WORDS.get(code, words), code, fields.get("M", ""))

    async def _say(self, kind: bytes, body: bytes) -> None:
        await self._dialogue.send(_message(kind, body))

    async def _hear(self, begun: bytes = b"") -> tuple[bytes, bytes]:
        """The kind and body of the next message, of which `begun` was read already."""
        head = begun + await self._dialogue.read_exactly(5 - len(begun))
        size = int.from_bytes(head[1:]) - 4
        if not head[:1].isalpha() or not 0 <= size <= _MAX_BYTES:
            raise mismatch(self._dialogue, "the answer is not PostgreSQL, or too long", answer=head)
        return head[:1], await self._dialogue.read_exactly(size)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def _fields(body: bytes) -> dict[str, str]:
    """An error's fields: `C` is its SQLSTATE, `M` its text."""
    return {part[:1]: part[1:] for part in body.decode("utf-8", "replace").split("\0") if part}


def _md5(password: str, user: str, salt: bytes) -> bytes:
    """As servers before SCRAM want it (protocol, "AuthenticationMD5Password")."""
    inner = hashlib.md5(f"{password}{user}".encode()).hexdigest()  # noqa: S324 - the protocol's own
    return b"md5" + hashlib.md5(inner.encode() + salt).hexdigest().encode()  # noqa: S324


def _first_value(row: bytes) -> str:
    """The first column of a row as text; `NULL` where it has none."""
    count, size = int.from_bytes(row[:2]), int.from_bytes(row[2:6], signed=True)
    return "NULL" if count == 0 or size < 0 else row[6 : 6 + size].decode("utf-8", "replace")
