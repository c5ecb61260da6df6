"""A MySQL or MariaDB server: TLS, login, ping, a query and its value.

What health needs of the protocol (dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html) is small, so it is spoken here and every
phase is timed.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from vigie.core.model import Cause, Status
from vigie.net import SHOWN
from vigie.probes.kit.comparison import check_key
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Meta
from vigie.probes.kit.service import Account, ServiceProbe, mismatch, value_mismatch
from vigie.probes.kit.stream import Dialogue
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.mysql import login
from vigie.probes.mysql.login import ERROR, Greeting, Login, Unfit, Unwilling

_MAX_BYTES = 1_048_576
_PING, _QUERY, _QUIT = 0x0E, 0x03, 0x01
_NULL, _END = 0xFB, 0xFE
_STRANGER = "vigie"
_DENIED = ("1045", "1698", "3159")  # what a server that works says to a stranger
_WORDS = {
    "1040": "the server has too many connections",
    "1044": "the user may not use the database",
    "1045": "the login is refused",
    "1049": "the database does not exist",
    "1053": "the server is stopping",
    "1129": "the server blocks this machine after too many broken connections",
    "1130": "the server does not accept connections from this machine",
    "1203": "the user has too many connections",
    "1226": "the user has used up its quota",
    "1698": "the login is refused",
    "3118": "the user is locked",
    "3159": "the server wants TLS",
}


class Config(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One MySQL or MariaDB server: port 3306. Without a user a stranger knocks, and being denied by a server that works is good."""

    schemes: ClassVar[dict[str, str]] = {"mysql": "off", "mariadb": "off"}
    ports: ClassVar[dict[str, int]] = {"off": 3306, "starttls": 3306}

    tls: Annotated[
        Literal["off", "starttls"], Meta(description="No TLS, or TLS as the protocol asks for it, without which the check fails.")
    ] = "off"
    database: Annotated[str | None, Meta(description="Database.", extra=SHOWN)] = None
    server_public_key: Annotated[
        str | None,
        Meta(description="PEM file of the server's public key: without TLS the whole password is sent under it alone.", extra=SHOWN),
    ] = None
    get_server_public_key: Annotated[
        bool, Meta(description="Without TLS, take whatever public key the server sends: whoever can pose as the server gets the password.")
    ] = False
    query: Annotated[str | None, Meta(description="Query after the login; a ping if not set.", examples=["SELECT count(*) FROM jobs"])] = (
        None
    )
    expect: Annotated[
        str | int | float | None,
        Meta(description="First value of the first row; see [comparisons](comparisons.md).", examples=["< 1000"]),
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for a login or query that cannot be sent."""
        super().__post_init__()
        check_key("expect", self.expect)
        if self.user is None and (self.password is not None or self.query is not None or self.database is not None):
            raise ValueError("a password, database or query needs a `user`")
        if self.expect is not None and self.query is None:
            raise ValueError("an expected value needs a `query`")
        if any("\0" in (text or "") for text in (self.user, self.secret, self.database)):
            raise ValueError("user, password and database cannot contain a zero byte")

    @property
    def target(self) -> str:
        """What is watched, as people may read it."""
        return f"{super().target}/{self.database}" if self.database else super().target

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The database's name."""
        return {"database": path} if path else {}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    key = None if config.server_public_key is None else Path(config.server_public_key).read_bytes()
    return ServiceProbe(config.peer(), deps, lambda dialogue: _Talk(config, dialogue, key).run())


class _Packets:
    """Packets both ways: three bytes of length, a number that counts on, a body."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue, self._number = dialogue, 0

    @property
    def encrypted(self) -> bool:
        return self._dialogue.tls is not None

    async def hear(self) -> bytes:
        head = await self._dialogue.read_exactly(4)
        size, self._number = int.from_bytes(head[:3], "little"), (head[3] + 1) % 256
        if not 0 < size <= _MAX_BYTES:
            raise mismatch(self._dialogue, "the answer is not MySQL, or too long", answer=head)
        return await self._dialogue.read_exactly(size)

    async def say(self, body: bytes) -> None:
        await self._dialogue.send(len(body).to_bytes(3, "little") + bytes([self._number]) + body)
        self._number = (self._number + 1) % 256

    async def command(self, code: int, rest: bytes = b"") -> bytes:
        """Begin a new exchange; the first answer."""
        self._number = 0
        await self.say(bytes([code]) + rest)
        return await self.hear()


class _Talk:
    """One session."""

    def __init__(self, config: Config, dialogue: Dialogue, key: bytes | None) -> None:
        self._config, self._dialogue, self._packets = config, dialogue, _Packets(dialogue)
        password = None if config.password is None else config.secret
        self._account = Login(config.user or _STRANGER, password, config.database, key, config.get_server_public_key)

    async def run(self) -> str:
        greeting = await self._greeting()
        if self._config.tls == "starttls":
            if not greeting.capabilities & login.TLS:
                raise mismatch(self._dialogue, "the server does not offer TLS", refused=True)
            await self._packets.say(login.asking_for_tls(self._config.database))
            await self._dialogue.start_tls()
        if not await self._login(greeting):
            return "accepts connections"
        answer = await self._packets.command(_PING)
        if answer[0] != 0:
            raise self._error(answer, "the server rejects the ping")
        words = "login accepted, ping answered" if self._config.user is not None else "accepts connections"
        if self._config.query is not None:
            words = await self._query(self._config.query)
        await self._dialogue.say_goodbye(b"\x01\0\0\0" + bytes([_QUIT]))
        return words

    async def _greeting(self) -> Greeting:
        body = await self._packets.hear()
        if body[0] == ERROR:
            raise self._error(body, "the server refuses the connection in its greeting")
        try:
            greeting = Greeting.of(body)
        except ValueError:
            raise mismatch(self._dialogue, "the greeting is not MySQL's", answer=body) from None
        self._dialogue.figures["software"] = self._dialogue.quoted(greeting.version.removeprefix("5.5.5-"))  # MariaDB's, for old clients
        return greeting

    async def _login(self, greeting: Greeting) -> bool:
        """Whether we are in; a stranger may well be denied. Raises CheckFailed otherwise."""
        config = self._config
        try:
            answer = await self._account.run(greeting, self._packets)
        except Unwilling as unwilling:  # the server may well be fine: it is the configuration that lacks something
            raise CheckFailed(Cause.PROBE_ERROR, str(unwilling), status=Status.UNKNOWN) from None
        except Unfit as unfit:
            raise mismatch(self._dialogue, str(unfit), refused=True) from None
        if answer[0] != ERROR:
            return True
        if config.user is None and _code(answer) in _DENIED:
            return False
        raise self._error(answer, "the login is refused")

    async def _query(self, query: str) -> str:
        answer = await self._packets.command(_QUERY, query.encode())
        if answer[0] in (ERROR, _NULL):  # the latter asks for a file of ours
            raise self._error(answer, "the query failed")
        value = None if answer[0] == 0 else await self._first_value()
        wanted = self._config.expect
        if wanted is not None and (wrong := value_mismatch(self._dialogue, "value", value, wanted)):
            raise wrong
        return "login accepted, query answered" if wanted is None else "login accepted, value as expected"

    async def _first_value(self) -> str | None:
        """The first column of the first row as text, after all of them were read; None where there is no row."""
        await self._until_end()  # the columns' descriptions
        rows = await self._until_end()
        return None if rows is None else _text(rows)

    async def _until_end(self) -> bytes | None:
        """The first of the packets until one that ends them; raises CheckFailed for an error among them."""
        first = None
        while True:
            body = await self._packets.hear()
            if body[0] == ERROR:
                raise self._error(body, "the query failed")
            if body[0] == _END and len(body) < 9:
                return first
            first = first or body

    def _error(self, body: bytes, words: str) -> CheckFailed:
        code = _code(body) if body[0] == ERROR else ""
        said = body[9:] if body[3:4] == b"#" else body[3:]
        return mismatch(self._dialogue, _WORDS.get(code, words), code, said if code else b"")


def _code(body: bytes) -> str:
    return str(int.from_bytes(body[1:3], "little"))


def _text(row: bytes) -> str:
    """The first value of a row: a length, then so many bytes; `NULL` where it has none."""
    first = row[0]
    if first == _NULL:
        return "NULL"
    wide = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
    size = int.from_bytes(row[1 : 1 + wide], "little") if wide else first
    return row[1 + wide : 1 + wide + size].decode("utf-8", "replace")
