"""How MySQL and MariaDB log in (dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)."""

import hashlib
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NATIVE, CACHING, SHA256, CLEAR = "mysql_native_password", "caching_sha2_password", "sha256_password", "mysql_clear_password"
TLS = 0x0800  # CLIENT_SSL; the others: LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH
_USUAL, _WITH_DATABASE = 0x0001 | 0x0200 | 0x2000 | 0x8000 | 0x0008_0000, 0x0008
_UTF8MB4 = 45
_OK, _MORE, _SWITCH, ERROR = 0x00, 0x01, 0xFE, 0xFF
_FAST_DONE, _WHOLE = b"\x03", b"\x04"
_WANT_KEY = {CACHING: b"\x02", SHA256: b"\x01"}


class Unfit(ValueError):  # noqa: N818 - it is the server's wish that does not fit
    """What the server wants of a login and does not get; in words."""


class Unwilling(Unfit):
    """The server wants the whole password by a way on which another than the server could read it, and nobody allowed that."""


class Wire(Protocol):
    """Packets both ways; `encrypted` since TLS is agreed on."""

    async def hear(self) -> bytes:
        """The next packet's body, never empty."""
        ...

    async def say(self, body: bytes) -> None:
        """Send a packet."""
        ...

    @property
    def encrypted(self) -> bool:
        """Whether nobody else hears."""
        ...


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the server says first."""

    version: str
    capabilities: int
    nonce: bytes
    plugin: str

    @classmethod
    def of(cls, body: bytes) -> "Greeting":
        """Raises ValueError for anything that is not a greeting of protocol 10."""
        version, zero, rest = body[1:].partition(b"\0")
        if body[0] != 10 or not zero or len(rest) < 20:
            raise ValueError("no greeting of protocol 10")
        low, high, length = *struct.unpack_from("<H3xH", rest, 13), (rest[20] if len(rest) > 20 else 0)
        second = rest[31 : 31 + max(13, length - 8)]
        plugin = rest[31 + max(13, length - 8) :].partition(b"\0")[0].decode("latin-1")
        return cls(version.decode("latin-1"), low | high << 16, rest[4:12] + second[:12], plugin or NATIVE)


def asking_for_tls(database: str | None) -> bytes:
    """The packet before TLS begins."""
    flags = _USUAL | TLS | (_WITH_DATABASE if database else 0)
    return struct.pack("<IIB23x", flags, 1 << 24, _UTF8MB4)


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in. Without a password an empty one is tried, whatever the server wants.

    Without TLS the whole password goes out under the server's public key alone: `public_key`, PEM, or with `ask_key` whatever key the
    server sends, which may be anybody's (MySQL's clients: --server-public-key-path, --get-server-public-key).
    """

    user: str
    password: str | None
    database: str | None
    public_key: bytes | None = None
    ask_key: bool = False

    async def run(self, greeting: Greeting, wire: Wire) -> bytes:
        """Go through the login; the body of the OK or ERR that ends it. Raises Unfit where the server wants what is not given."""
        plugin, nonce = greeting.plugin, greeting.nonce
        answer = self._answer(plugin, nonce, wire)
        if answer is None:  # the server will ask again for what its user needs
            plugin, answer = NATIVE, self._native(nonce)
        flags = _USUAL | (TLS if wire.encrypted else 0) | (_WITH_DATABASE if self.database else 0)
        head = struct.pack("<IIB23x", flags, 1 << 24, _UTF8MB4) + self.user.encode() + b"\0" + bytes([len(answer)]) + answer
        await wire.say(head + (f"{self.database}\0".encode() if self.database else b"") + f"{plugin}\0".encode())
        for _ in range(10):
            body = await wire.hear()
            if body[0] in (_OK, ERROR):
                return body
            if body[0] == _SWITCH:
                name, _, data = body[1:].partition(b"\0")
                plugin, nonce = name.decode("latin-1"), data[:20]
                again = self._answer(plugin, nonce, wire)
                if again is None:
                    raise Unfit(f"the server wants the login method {plugin or 'of old'}")
                await wire.say(again)
            elif body[0] == _MORE:
                await self._more(plugin, nonce, body[1:], wire)
            else:
                break
        raise Unfit("the login does not follow MySQL's protocol")

    def _answer(self, plugin: str, nonce: bytes, wire: Wire) -> bytes | None:
        """What a plugin wants to hear first; None for one that is not known."""
        if self.password is None:
            return b""
        ways: dict[str, Callable[[], bytes]] = {
            NATIVE: lambda: self._native(nonce),
            CACHING: lambda: self._caching(nonce),
            SHA256: lambda: self._whole(SHA256, nonce, wire),
            CLEAR: lambda: self._private(wire),
        }
        return ways[plugin]() if plugin in ways else None

    async def _more(self, plugin: str, nonce: bytes, data: bytes, wire: Wire) -> None:
        """The server's cache does not know the user: it wants the whole password, by TLS or under its public key."""
        if data == _FAST_DONE:
            return
        if data == _WHOLE and plugin == CACHING:
            await wire.say(self._whole(CACHING, nonce, wire))
        elif data.startswith(b"-----BEGIN") and plugin in _WANT_KEY and self.ask_key:
            await wire.say(self._sealed(data, nonce))
        else:
            raise Unfit("the login does not follow MySQL's protocol")

    def _whole(self, plugin: str, nonce: bytes, wire: Wire) -> bytes:
        """The whole password, or the request for the key that it will be sent under."""
        if wire.encrypted or not self.password:
            return self._clear()
        if self.public_key is not None:
            return self._sealed(self.public_key, nonce)
        if self.ask_key:
            return _WANT_KEY[plugin]
        raise Unwilling(
            "the server wants the whole password, which Vigie sends over TLS only: write `tls: starttls`, or name the server's key "
            "with `server_public_key` (`get_server_public_key: true` takes whatever key the server sends)"
        )

    def _private(self, wire: Wire) -> bytes:
        if not wire.encrypted:
            raise Unfit("the server wants the password in clear text, which Vigie does not send without TLS")
        return self._clear()

    def _clear(self) -> bytes:
        return (self.password or "").encode() + b"\0"

    def _native(self, nonce: bytes) -> bytes:
        if not self.password:
            return b""
        once = hashlib.sha1(self.password.encode()).digest()  # noqa: S324 - the protocol's own
        twice = hashlib.sha1(once).digest()  # noqa: S324
        return _mixed(once, hashlib.sha1(nonce + twice).digest())  # noqa: S324

    def _caching(self, nonce: bytes) -> bytes:
        if not self.password:
            return b""
        once = hashlib.sha256(self.password.encode()).digest()
        twice = hashlib.sha256(once).digest()
        return _mixed(once, hashlib.sha256(twice + nonce).digest())

    def _sealed(self, pem: bytes, nonce: bytes) -> bytes:
        try:
            key = serialization.load_pem_public_key(pem)
            if not isinstance(key, rsa.RSAPublicKey) or not nonce:
                raise Unfit("the server's public key cannot be used")
            veiled = _mixed(self._clear(), bytes(itertools.islice(itertools.cycle(nonce), len(self._clear()))))
            return key.encrypt(veiled, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))  # noqa: S303 - the protocol's own
        except (ValueError, UnsupportedAlgorithm):
            raise Unfit("the server's public key cannot be used") from None


def _mixed(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))
