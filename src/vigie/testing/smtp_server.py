"""A real SMTP server on loopback for tests: STARTTLS, TLS from the start, AUTH; it keeps what it receives and misbehaves on demand.

Needs `trustme` (a development dependency) unless `tls="none"`. Use it as `async with SmtpServer(folder) as server:`; `server.fault` may be
changed at any time, so that a mail server that breaks and heals is one line each.
"""

import asyncio
import base64
import binascii
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from vigie.net import hang_up

Protection = Literal["starttls", "implicit", "none"]
STALL, CLOSE = "stall", "close"
_LIMIT = 16 * 1024 * 1024
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: at `command` the server says `reply`, or stalls, or closes; for `only`, when a command names it.

    Commands are those of SMTP, `CONNECT` for the greeting and `END` for the answer to a whole mail.
    """

    command: str
    reply: str
    only: str = ""


REFUSE_AUTH = Fault("AUTH", "535 5.7.8 Username and password not accepted")
AUTH_REQUIRED = Fault("MAIL", "530 5.7.0 Authentication required")
REFUSE_SENDER = Fault("MAIL", "553 5.7.1 Sender address rejected: not owned by user")
REFUSE_RECEIVERS = Fault("RCPT", "550 5.1.1 No such user")
DEFER_RECEIVERS = Fault("RCPT", "450 4.2.0 Greylisted, try again later")
RATE_LIMIT = Fault("MAIL", "421 4.7.0 Too many messages, slow down")
TEMPORARY = Fault("END", "451 4.3.0 Temporary local problem")
REFUSE_MAIL = Fault("END", "554 5.7.1 Message looks like spam")
BUSY = Fault("CONNECT", "421 4.3.2 Too many connections")
BLOCKED = Fault("CONNECT", "554 5.7.1 No service for this address")
STALLED = Fault("END", STALL)
SILENT = Fault("CONNECT", STALL)
CLOSED = Fault("END", CLOSE)


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that the server took: its envelope, its bytes, and how it came."""

    sender: str
    receivers: tuple[str, ...]
    raw: bytes
    encrypted: bool
    login: str | None

    @property
    def mail(self) -> EmailMessage:
        """Parsed by the standard library."""
        return message_from_bytes(self.raw, policy=default)


class SmtpServer:
    """Listens on a free port of 127.0.0.1 under the names of its certificate."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: Protection = "starttls",
        names: tuple[str, ...] = ("localhost", "127.0.0.1"),
        username: str = "vigie@example.com",
        password: str | None = None,
        fault: Fault | None = None,
    ) -> None:
        """`folder` takes the authority's PEM file; with a `password` mail is taken after a login only."""
        self.tls, self.names, self.username, self.password, self.fault = tls, names, username, password, fault
        self.ca_file = folder / "smtp-authority.pem"
        self.mails: list[Received] = []
        self.logins = 0
        self.commands: list[str] = []
        self.arrived = asyncio.Event()
        self.context: ssl.SSLContext | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def quiet(self) -> None:
        """Wait until every client has gone."""
        if self._talks:
            await asyncio.wait(set(self._talks))

    async def __aenter__(self) -> Self:
        if self.tls != "none":
            self.context = _certified(self.names, self.ca_file)
        secure = self.context if self.tls == "implicit" else None
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=secure, limit=_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._talks.add(task)
        try:
            await _Conversation(self, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the server was told to stop
        finally:
            self._talks.discard(task)
            hang_up(writer.transport)


def _certified(names: tuple[str, ...], ca_file: Path) -> ssl.SSLContext:
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


class _HangUpError(OSError):
    """The server hangs up."""


class _Conversation:
    """One connection, from greeting to QUIT."""

    def __init__(self, server: SmtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._encrypted = server.tls == "implicit"
        self._login: str | None = None
        self._sender = ""
        self._receivers: list[str] = []

    async def run(self) -> None:
        await self._answer("CONNECT", "", "220 localhost ESMTP ready")
        while line := await self._reader.readline():
            words = line.decode("utf-8", "replace").strip()
            command, _, rest = words.partition(" ")
            self._server.commands.append(words if command.upper() != "AUTH" else "AUTH")
            handle = getattr(self, f"_on_{command.lower()}", None)
            if handle is None:
                await self._say("502 5.5.2 Command not recognised")
            else:
                await handle(rest)

    async def _say(self, *lines: str) -> None:
        """A reply; the last line ends it."""
        text = [line[:3] + ("-" if number < len(lines) else " ") + line[4:] for number, line in enumerate(lines, 1)]
        self._writer.write("".join(f"{line}\r\n" for line in text).encode())
        await self._writer.drain()

    async def _answer(self, command: str, rest: str, *lines: str) -> bool:
        """Say the lines, or do what the fault of the moment wants; whether all went well."""
        fault = self._server.fault
        if fault is None or fault.command != command or fault.only not in rest:
            await self._say(*lines)
            return True
        if fault.reply == STALL:
            while await self._reader.read(_CHUNK):
                pass  # says nothing until the client gives up
            raise _HangUpError
        if fault.reply == CLOSE:
            raise _HangUpError
        await self._say(fault.reply)
        if fault.reply.startswith("421") or command == "CONNECT":
            raise _HangUpError
        return False

    async def _on_ehlo(self, rest: str) -> None:
        offers = ["250-localhost", "250-SIZE 1000000"]
        if self._server.tls == "starttls" and not self._encrypted:
            offers.append("250-STARTTLS")
        if self._server.password is not None and (self._encrypted or self._server.tls == "none"):
            offers.append("250-AUTH PLAIN LOGIN")
        await self._answer("EHLO", rest, *offers, "250 ENHANCEDSTATUSCODES")

    async def _on_starttls(self, rest: str) -> None:
        if self._server.context is None:
            await self._say("502 5.5.1 Not offered")
        elif await self._answer("STARTTLS", rest, "220 2.0.0 Go ahead"):
            await self._writer.start_tls(self._server.context)
            self._encrypted = True

    async def _on_auth(self, rest: str) -> None:
        method, _, first = rest.partition(" ")
        if method.upper() == "PLAIN":
            parts = self._decoded(first or await self._asked("")).split("\0")
            user, password = (parts[1], parts[2]) if len(parts) == 3 else ("", "")
        else:
            user = self._decoded(first or await self._asked("VXNlcm5hbWU6"))
            password = self._decoded(await self._asked("UGFzc3dvcmQ6"))
        if (user, password) != (self._server.username, self._server.password):
            await self._say(REFUSE_AUTH.reply)
        elif await self._answer("AUTH", rest, "235 2.7.0 Welcome"):
            self._login, self._server.logins = user, self._server.logins + 1

    async def _asked(self, challenge: str) -> str:
        await self._say(f"334 {challenge}")
        return (await self._reader.readline()).decode().strip()

    @staticmethod
    def _decoded(text: str) -> str:
        with suppress(binascii.Error, UnicodeDecodeError):
            return base64.b64decode(text).decode()
        return ""

    async def _on_mail(self, rest: str) -> None:
        if self._server.password is not None and self._login is None:
            await self._say("530 5.7.0 Authentication required")
        elif await self._answer("MAIL", rest, "250 2.1.0 Ok"):
            self._sender, self._receivers = _address(rest), []

    async def _on_rcpt(self, rest: str) -> None:
        if await self._answer("RCPT", rest, "250 2.1.5 Ok"):
            self._receivers.append(_address(rest))

    async def _on_data(self, rest: str) -> None:
        if not self._receivers:
            await self._say("503 5.5.1 No valid receivers")
        elif await self._answer("DATA", rest, "354 End with a dot"):
            raw = await self._reader.readuntil(b"\r\n.\r\n")
            raw = re.sub(rb"(?m)^\.\.", b".", raw[:-3])
            mail = Received(self._sender, tuple(self._receivers), raw, self._encrypted, self._login)
            if await self._answer("END", rest, f"250 2.0.0 Ok: queued as {len(self._server.mails) + 1:06d}"):
                self._server.mails.append(mail)
                self._server.arrived.set()

    async def _on_rset(self, rest: str) -> None:
        self._receivers = []
        await self._answer("RSET", rest, "250 2.0.0 Ok")

    async def _on_noop(self, rest: str) -> None:
        await self._answer("NOOP", rest, "250 2.0.0 Ok")

    async def _on_quit(self, rest: str) -> None:
        await self._answer("QUIT", rest, "221 2.0.0 Bye")
        raise _HangUpError


def _address(rest: str) -> str:
    match = re.search(r"<([^>]*)>", rest)
    return match[1] if match else ""
