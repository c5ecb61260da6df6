"""From plain text to TLS: what each protocol needs before the handshake (each names its RFC)."""

from collections.abc import Awaitable, Callable
from typing import Literal, get_args

from vigie.probes.kit.stream import Dialogue, printable

Protocol = Literal[
    "smtp", "imap", "pop3", "ldap", "postgres", "mysql", "ftp", "xmpp", "xmpp-server", "sieve", "nntp", "irc"
]  # fmt: skip
USUAL_PORTS: dict[str, int] = {
    "smtp": 25, "imap": 143, "pop3": 110, "ldap": 389, "postgres": 5432, "mysql": 3306, "ftp": 21, "xmpp": 5222, "xmpp-server": 5269,
    "sieve": 4190, "nntp": 119, "irc": 6667,
}  # fmt: skip

_MAX_LINES = 200
_MAX_BYTES = 65_536
_MYSQL_SSL, _MYSQL_41, _MYSQL_SECURE = 0x0800, 0x0200, 0x8000  # capability flags of MySQL's protocol
_MYSQL_HEAD, _MYSQL_MAX = 4, 4096
_LDAP_STARTTLS = b"1.3.6.1.4.1.1466.20037"


async def negotiate(dialogue: Dialogue, protocol: str) -> None:
    """Bring the server to the point where the handshake may begin; raises CheckFailed if it refuses."""
    await _NEGOTIATIONS[protocol](dialogue)


async def _until(dialogue: Dialogue, wanted: Callable[[str], bool], ends: Callable[[str], bool], what: str) -> None:
    """Read lines up to the one that ends an answer, which must be as wanted."""
    for _ in range(_MAX_LINES):
        line = await dialogue.read_line()
        if ends(line):
            dialogue.expect(ok=wanted(line), message=what, got=line)
            return
    dialogue.expect(ok=False, message=f"{what}: an answer of more than {_MAX_LINES} lines")


def _numbered(greetings: tuple[str, ...], *talk: tuple[str, str]) -> Callable[[Dialogue], Awaitable[None]]:
    """A protocol whose answers begin with three digits; `{here}` is our own address as an SMTP client without a name says it."""

    async def run(dialogue: Dialogue) -> None:
        line = await _reply(dialogue)
        dialogue.expect(ok=line[:3] in greetings, message="the server does not send the expected greeting", got=line)
        here = f"[IPv6:{dialogue.own_address}]" if ":" in dialogue.own_address else f"[{dialogue.own_address}]"
        for said, code in talk:
            await dialogue.send(said.format(here=here).encode() + b"\r\n")
            line = await _reply(dialogue)
            dialogue.expect(ok=line[:3] == code, message=f"{said.partition(' {')[0]} is refused ({printable(line[:3].encode())})", got=line)

    return run


async def _reply(dialogue: Dialogue) -> str:
    """The last line of an answer; `220-` begins one that ends with `220 `, whatever is between (RFC 959 §4.2, RFC 5321 §4.2.1)."""
    first = line = await dialogue.read_line()
    for _ in range(_MAX_LINES if first[3:4] == "-" else 0):
        line = await dialogue.read_line()
        if line.startswith(f"{first[:3]} "):
            break
    return line


async def _imap(dialogue: Dialogue) -> None:
    """RFC 9051 §6.2.1."""
    greeting = await dialogue.read_line()
    dialogue.expect(ok=greeting.startswith("* OK"), message="the server does not send the expected greeting", got=greeting)
    await dialogue.send(b"a STARTTLS\r\n")
    await _until(dialogue, lambda line: line.startswith("a OK"), lambda line: line.startswith("a "), "STARTTLS is refused")


async def _pop3(dialogue: Dialogue) -> None:
    """RFC 2595 §4."""
    await _until(dialogue, lambda line: line.startswith("+OK"), lambda _: True, "the server does not send the expected greeting")
    await dialogue.send(b"STLS\r\n")
    await _until(dialogue, lambda line: line.startswith("+OK"), lambda _: True, "STLS is refused")


async def _sieve(dialogue: Dialogue) -> None:
    """RFC 5804 §2.2."""

    def ends(line: str) -> bool:
        return line.split(" ", 1)[0].upper() in ("OK", "NO", "BYE")

    await _until(dialogue, lambda line: line.upper().startswith("OK"), ends, "the server does not send the expected greeting")
    await dialogue.send(b"STARTTLS\r\n")
    await _until(dialogue, lambda line: line.upper().startswith("OK"), ends, "STARTTLS is refused")


async def _irc(dialogue: Dialogue) -> None:
    """IRCv3 `tls`: numeric 670 goes on, 691 does not; notices may come before."""
    await dialogue.send(b"STARTTLS\r\n")
    numbers = ("670", "691", "451", "421")
    await _until(dialogue, lambda line: " 670 " in line, lambda line: any(f" {one} " in line for one in numbers), "STARTTLS is refused")


def _xmpp(namespace: str) -> Callable[[Dialogue], Awaitable[None]]:
    """RFC 6120 §5.4, for clients or between servers."""

    async def run(dialogue: Dialogue) -> None:
        to = "".join(character for character in dialogue.peer.host if character not in "<>&'\"")
        head = f"<?xml version='1.0'?><stream:stream xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams'"
        await dialogue.send(f"{head} to='{to}' version='1.0'>".encode())
        features = await _passage(dialogue, b"</stream:features>", b"</stream:stream>")
        offered = b"urn:ietf:params:xml:ns:xmpp-tls" in features
        dialogue.expect(ok=offered, message="the server does not offer STARTTLS", got=features[-120:].decode("latin-1"))
        await dialogue.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        answer = await _passage(dialogue, b">")
        dialogue.expect(ok=b"<proceed" in answer, message="STARTTLS is refused", got=answer.decode("latin-1"))

    return run


async def _passage(dialogue: Dialogue, *ends: bytes) -> bytes:
    """Bytes up to one of the ends."""
    found = b""
    while not any(end in found for end in ends):
        dialogue.expect(ok=len(found) < _MAX_BYTES, message=f"an answer of more than {_MAX_BYTES} bytes without an end")
        piece = await dialogue.read_some(4096)
        dialogue.expect(ok=bool(piece), message="the connection was closed in the middle of an answer")
        found += piece
    return found


async def _ldap(dialogue: Dialogue) -> None:
    """RFC 4511 §4.14: an extended request, and an extended response whose result code must be 0."""
    request = bytes((0x80, len(_LDAP_STARTTLS))) + _LDAP_STARTTLS
    message = b"\x02\x01\x01" + bytes((0x77, len(request))) + request
    await dialogue.send(bytes((0x30, len(message))) + message)
    head = await dialogue.read_exactly(2)
    dialogue.expect(ok=head[0] == 0x30, message="the answer is not LDAP", got=head.decode("latin-1"))
    size = head[1]
    if size & 0x80:  # the long form of BER: that many bytes hold the length
        dialogue.expect(ok=1 <= size & 0x7F <= 4, message="the answer is not LDAP")
        size = int.from_bytes(await dialogue.read_exactly(size & 0x7F))
    dialogue.expect(ok=size <= _MAX_BYTES, message=f"an answer of {size} bytes, more than {_MAX_BYTES}")
    body = await dialogue.read_exactly(size)
    _, _, behind = body.partition(b"\x02\x01\x01\x78")
    at = behind.find(b"\x0a\x01", 0, 8)
    dialogue.expect(ok=at >= 0 and len(behind) > at + 2, message="the answer is not LDAP", got=body.decode("latin-1"))
    code = behind[at + 2]
    dialogue.expect(ok=code == 0, message=f"STARTTLS is refused (result code {code})")


async def _postgres(dialogue: Dialogue) -> None:
    """PostgreSQL documentation, §54.2.10: SSLRequest is answered by one byte, S or N."""
    await dialogue.send((8).to_bytes(4) + (80_877_103).to_bytes(4))
    answer = await dialogue.read_exactly(1)
    words = "the server does not offer TLS" if answer == b"N" else "the answer is not PostgreSQL's"
    dialogue.expect(ok=answer == b"S", message=words, got=answer.decode("latin-1"))


async def _mysql(dialogue: Dialogue) -> None:
    """MySQL's Protocol::HandshakeV10 and Protocol::SSLRequest."""
    head = await dialogue.read_exactly(_MYSQL_HEAD)
    size = int.from_bytes(head[:3], "little")
    dialogue.expect(ok=0 < size <= _MYSQL_MAX and head[3] == 0, message="the greeting is not MySQL's", got=head.decode("latin-1"))
    greeting = await dialogue.read_exactly(size)
    if greeting[0] == 0xFF:
        number = int.from_bytes(greeting[1:3], "little")
        dialogue.expect(ok=False, message=f"the server refuses the connection (error {number})", got=greeting[3:].decode("latin-1"))
    _, _, behind = greeting.partition(b"\0")
    capabilities = int.from_bytes(behind[13:15], "little")  # behind thread id (4), first challenge (8), filler (1)
    dialogue.expect(ok=greeting[0] == 10, message="the greeting is not MySQL's", got=greeting.decode("latin-1"))
    dialogue.expect(ok=bool(capabilities & _MYSQL_SSL), message="the server does not offer TLS")
    flags = _MYSQL_SSL | _MYSQL_41 | _MYSQL_SECURE
    await dialogue.send(b"\x20\0\0\x01" + flags.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x2d" + bytes(23))


_NEGOTIATIONS: dict[str, Callable[[Dialogue], Awaitable[None]]] = {
    "smtp": _numbered(("220",), ("EHLO {here}", "250"), ("STARTTLS", "220")),  # RFC 3207
    "ftp": _numbered(("220",), ("AUTH TLS", "234")),  # RFC 4217
    "nntp": _numbered(("200", "201"), ("STARTTLS", "382")),  # RFC 4642
    "imap": _imap,
    "pop3": _pop3,
    "sieve": _sieve,
    "irc": _irc,
    "xmpp": _xmpp("jabber:client"),
    "xmpp-server": _xmpp("jabber:server"),
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
}
PROTOCOLS: tuple[str, ...] = get_args(Protocol)
