"""SOCKS 4, 4a and 5 as a way to connect for httpx: RFC 1928, RFC 1929, and the two pages of SOCKS 4 (OpenSSH's copy).

`socks5` and `socks4` resolve the name here, `socks5h` and `socks4a` leave it to the proxy, as with curl. Written here because the library
that httpx would use (socksio) knows neither SOCKS 4a nor that difference, and has had no release since 2020.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Iterable
from typing import Any

import httpcore

from vigie.net.proxies import Proxy

_CONNECT = 1
_NO_LOGIN, _LOGIN = 0, 2  # RFC 1928 §3
_IPV4, _NAME, _IPV6 = 1, 3, 4  # RFC 1928 §4
_REPLIES = {  # RFC 1928 §6
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}
_GRANTED = 90  # SOCKS 4
_LONGEST = 255


class SocksBackend(httpcore.AsyncNetworkBackend):
    """Connects through a SOCKS proxy; what is spoken over the connection is httpcore's."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy, self._inner = proxy, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the host. Raises httpcore.ProxyError when the proxy refuses."""
        proxy = self._proxy
        stream = await self._inner.connect_tcp(proxy.host, proxy.port, timeout, local_address, socket_options)
        try:
            async with asyncio.timeout(timeout):
                await (_version_5 if proxy.scheme.startswith("socks5") else _version_4)(_Talk(stream), proxy, host, port)
        except TimeoutError:
            await stream.aclose()
            raise httpcore.ConnectTimeout("the SOCKS proxy does not answer") from None
        except BaseException:
            await stream.aclose()
            raise
        return stream


class _Talk:
    """Whole messages over a stream."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def say(self, message: bytes) -> None:
        await self._stream.write(message)

    async def hear(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            piece = await self._stream.read(length - len(found))
            if not piece:
                raise httpcore.ProxyError("the SOCKS proxy closed the connection")
            found += piece
        return found


async def _version_5(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    methods = bytes((_NO_LOGIN, _LOGIN)) if proxy.username is not None else bytes((_NO_LOGIN,))
    await talk.say(bytes((5, len(methods))) + methods)
    version, method = await talk.hear(2)
    if version != 5:
        raise httpcore.ProxyError("it does not speak SOCKS 5")
    if method == _LOGIN and proxy.username is not None:
        await talk.say(b"\x01" + _counted(proxy.username.encode()) + _counted(proxy.password.encode()))
        if (await talk.hear(2))[1] != 0:
            raise httpcore.ProxyError("the login was refused")
    elif method != _NO_LOGIN:
        raise httpcore.ProxyError("it requires a login")
    await talk.say(bytes((5, _CONNECT, 0)) + await _address(proxy, host) + struct.pack("!H", port))
    _, reply, _, kind = await talk.hear(4)
    if reply != 0:
        raise httpcore.ProxyError(_REPLIES.get(reply, f"reply {reply}"))
    length = {_IPV4: 4, _IPV6: 16}.get(kind) or (await talk.hear(1))[0]
    await talk.hear(length + 2)  # the address on its other side, which nobody needs


async def _version_4(talk: _Talk, proxy: Proxy, host: str, port: int) -> None:
    literal = _literal(host)
    if literal is None and proxy.scheme == "socks4":
        literal = ipaddress.ip_address(await _resolved(host, socket.AF_INET))
    if isinstance(literal, ipaddress.IPv6Address):
        raise httpcore.ProxyError("SOCKS 4 knows no IPv6 address")
    behind = b"" if literal is not None else host.encode("idna") + b"\0"
    address = literal.packed if literal is not None else b"\0\0\0\x01"  # 0.0.0.x: the name follows (SOCKS 4a)
    user = (proxy.username or "").encode()
    await talk.say(struct.pack("!BBH", 4, _CONNECT, port) + address + user + b"\0" + behind)
    reply = (await talk.hear(8))[1]
    if reply != _GRANTED:
        raise httpcore.ProxyError(f"request refused ({reply})")


async def _address(proxy: Proxy, host: str) -> bytes:
    literal = _literal(host)
    if literal is None and proxy.scheme == "socks5":
        literal = ipaddress.ip_address(await _resolved(host))
    if literal is None:
        return bytes((_NAME,)) + _counted(host.encode("idna"))
    return bytes((_IPV6 if literal.version == 6 else _IPV4,)) + literal.packed


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


async def _resolved(host: str, family: int = socket.AF_UNSPEC) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, family=family, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error  # its cause says that the name does not resolve
    return str(found[0][4][0]).partition("%")[0]


def _counted(text: bytes) -> bytes:
    """With its length before it; a byte holds no more than 255."""
    if len(text) > _LONGEST:
        raise httpcore.ProxyError("a name or a password is longer than 255 bytes")
    return bytes((len(text),)) + text
