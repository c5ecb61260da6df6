"""Mail by SMTP: STARTTLS, TLS from the start, plain or as offered when asked; text and HTML, threaded by stable ids.

Ids: the first mail of an incident has the id of its thread, every later one its own and a reference to the first. They are made of the
notice's key and the incident's start, so that a mail sent twice (a crash between sending and recording) is recognised and shown once,
while an incident of the same name in another installation, or after the store was removed, is another mail. Their domain is the sender's,
because a container has another host name at every start.
"""

import base64
import ipaddress
import logging
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Annotated, Any, Literal

import msgspec

from vigie.errors import DeliveryError
from vigie.net import AUTHORITIES, NO_SECRETS, SHOWN, Secret, Secrets, ascii_name, hang_up, redact
from vigie.notifiers import NotifierDeps
from vigie.notifiers.email import body, faults, greeting
from vigie.notifiers.email.body import html, plain
from vigie.notifiers.email.letters import written
from vigie.notifiers.kit.connect import trust_store
from vigie.notifiers.kit.text import clean, flat, token
from vigie.planning.duration import Duration
from vigie.ports import Receipt
from vigie.report.facts import Message
from vigie.report.letters import Mail as Letter

log = logging.getLogger("vigie.notifiers.email")

ENVIRONMENT = {
    "host": "SMTP_SERVER",
    "port": "SMTP_PORT",
    "sender": "EMAIL_SENDER",
    "password": "EMAIL_PASSWORD",
    "to": "EMAIL_RECEIVER",
    "ca_file": "SMTP_CA_FILE",
    "tls": "SMTP_TLS",
    "helo": "SMTP_HELO",
}
REQUIRED = ("host", "sender", "to")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_HOST = re.compile(r"[A-Za-z0-9_.-]+")
_IMPLICIT_PORT = 465
_LONGEST_MS = 30_000  # the outbox gives a whole delivery no more
_GOODBYE_SECONDS = 1.0
_ANSWER = 120
_REMEMBERED = 1_000
# Everything that ids and keys make stays below 78 characters a line, because the standard library encodes longer ones beyond recognition.
_KEY, _DOMAIN = 56, 24
_ID = 26


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail channel; what is not set comes from SMTP_* and EMAIL_* of the environment or `.env`."""

    to: Annotated[str | list[str], msgspec.Meta(description="Recipients (EMAIL_RECEIVER).", examples=[["team@example.com"]])]
    host: Annotated[str, msgspec.Meta(description="Mail server (SMTP_SERVER).", examples=["smtp.gmail.com"], extra=SHOWN)]
    sender: Annotated[str, msgspec.Meta(description="Sender (EMAIL_SENDER).", examples=["vigie@example.com"])]
    port: Annotated[int, msgspec.Meta(description="Port (SMTP_PORT); 465 means implicit TLS.", ge=1, le=65_535)] = 587
    username: Annotated[str | None, msgspec.Meta(description="Login; by default the sender, if a password is set.")] = None
    password: Annotated[Secret | None, msgspec.Meta(description="Password (EMAIL_PASSWORD); for Gmail an app password.")] = None
    tls: Annotated[
        Literal["starttls", "implicit", "opportunistic", "none"] | None,
        msgspec.Meta(
            description="How the connection is protected (SMTP_TLS); by default `implicit` on port 465, else `starttls`. `opportunistic`: "
            "STARTTLS where the server offers it, whatever its certificate, never with a password; the default of a `.env` alone that sets "
            "no EMAIL_PASSWORD, together with port 25."
        ),
    ] = None
    helo: Annotated[
        str | None,
        msgspec.Meta(
            description="The name that greets the server (SMTP_HELO); by default the full name of this machine, else the sender's domain.",
            examples=["monitoring.example.com"],
            extra=SHOWN,
        ),
    ] = None
    ca_file: Annotated[str | None, msgspec.Meta(description="PEM file of a private authority (SMTP_CA_FILE).", extra=AUTHORITIES)] = None
    timeout: Annotated[Duration, msgspec.Meta(description="Maximum wait for each response of the server, at most 30s.")] = msgspec.field(
        default_factory=lambda: Duration(20_000)
    )

    def __post_init__(self) -> None:
        """Raise ValueError that names what cannot be."""
        for address in (*self.receivers, self.sender):
            if not _ADDRESS.fullmatch(_spelt(address)):
                raise ValueError(f"{address!r} is not an email address; write just name@example.com, in plain ASCII")
        if not self.receivers:
            raise ValueError("`to` (EMAIL_RECEIVER) is empty; write team@example.com")
        if not _is_host(self.host):
            raise ValueError(f"{self.host!r} is not a host name; write the name only, and the port in `port` (SMTP_PORT)")
        if not 0 < self.timeout <= _LONGEST_MS:
            raise ValueError("`timeout` must be above 0 and at most 30s, the limit of a whole delivery")
        if self.username and not self.password:
            raise ValueError("`username` is set but no `password` (EMAIL_PASSWORD)")
        if self.password and self.tls == "opportunistic":
            raise ValueError("`tls: opportunistic` (SMTP_TLS) could send the password unencrypted; write starttls, implicit or none")
        if self.helo is not None and not greeting.is_valid(self.helo):
            raise ValueError(
                f"{self.helo!r} is not a name to greet with; `helo` (SMTP_HELO) is a host name or an address such as [192.0.2.1]"
            )

    @property
    def receivers(self) -> tuple[str, ...]:
        """Receivers, also out of comma-separated texts, each once."""
        listed = [self.to] if isinstance(self.to, str) else self.to
        parts = (part.strip() for text in listed for part in re.split(r"[,;]", text))
        return tuple(dict.fromkeys(_spelt(part) for part in parts if part))

    @property
    def sent_from(self) -> str:
        """The sender as mail servers take it."""
        return _spelt(self.sender)

    @property
    def protection(self) -> str:
        """How the connection is protected."""
        return self.tls or ("implicit" if self.port == _IMPLICIT_PORT else "starttls")

    @property
    def cautions(self) -> tuple[tuple[str, str, str], ...]:
        """What works and should be known: key, words, fix."""
        if self.tls != "none" or not self.password:
            return ()
        fix = "use starttls or implicit, or leave out the password if the server needs none"
        return (("tls", f"the password is sent to {self.host}:{self.port} unencrypted", fix),)

    def __repr__(self) -> str:
        return f"email to {', '.join(self.receivers)} by {self.host}:{self.port}"


def _spelt(address: str) -> str:
    """An address with its domain as mail servers take it (IDNA); as it is where that cannot be."""
    name, at, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{name}{at}{ascii_name(domain)}"
    except ValueError:
        return address


def _is_host(text: str) -> bool:
    """A name or an address; a colon is only in IPv6 addresses, elsewhere it would begin a port."""
    if ":" not in text:
        with suppress(ValueError):
            return bool(_HOST.fullmatch(ascii_name(text)))
        return False
    with suppress(ValueError):
        return bool(ipaddress.IPv6Address(text))
    return False


def preload() -> None:
    """Import and read what a delivery uses."""
    import encodings.ascii
    import encodings.idna  # noqa: F401 - of every look-up of a name

    import aiosmtplib  # noqa: F401

    body.preload()


def build(config: Config, deps: NotifierDeps) -> "Mail":
    """The channel."""
    return Mail(config, deps)


class Mail:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps
        self._have: dict[str, set[str]] = {}  # key -> receivers that have it, while others were put off

    async def deliver(self, message: Message) -> Receipt:
        """Send one mail to every receiver.

        Those refused for good are named in the answer when others took it. When some are put off, the delivery fails for now, and
        the next attempt goes to those alone.
        """
        have = self._have.get(message.key, set())
        left = [one for one in self._config.receivers if one not in have]
        mail = self.mail(message)
        async with self._session() as smtp:
            refusals, said = await self._send(smtp, left, mail)
        have = have | {one for one in left if one not in refusals}
        later = {address: answer for address, answer in refusals.items() if answer.code < 500}
        if later or not have:
            self._remember(message.key, have)
            raise self._masked(faults.receivers(later or refusals))
        self._have.pop(message.key, None)
        answer = redact(flat(said, _ANSWER), self._secrets())
        if refusals:
            lost = self._masked(faults.receivers(refusals))
            log.warning("%s: %s (%s)", message.key, lost.message, lost.fix)
            answer += f"; {lost.message}"
        return Receipt(answer)

    async def send(self, letter: Letter, key: str) -> str:
        """Send one letter of a status page to its one reader; the server's answer. Raises DeliveryError."""
        mail = written(letter, self._config.sent_from, self._deps.clock.now(), f"<{token(key, _ID)}@{self._domain()}>")
        async with self._session() as smtp:
            refusals, said = await self._send(smtp, [letter.to], mail)
        if refusals:
            raise self._masked(faults.receivers(refusals))
        return redact(flat(said, _ANSWER), self._secrets())

    async def examine(self) -> str:
        """Connect, protect and log in, without sending; a server without a login is asked whether it takes mail for the recipients."""
        async with self._session() as smtp:
            if not self._config.password:
                await self._ask_for_relaying(smtp)
            secure = self._config.protection != "opportunistic"
            how = self._config.protection if secure else "starttls, unverified" if smtp.get_transport_info("sslcontext") else "unencrypted"
        login = " and the login" if self._config.password else ""
        return f"{self._config.host}:{self._config.port} accepts the connection ({how}){login}"

    async def _ask_for_relaying(self, smtp: Any) -> None:
        """Only a refusal for good counts: a server that puts off strangers (greylisting) takes the mail later."""
        import aiosmtplib

        await smtp.ehlo()
        await smtp.mail(self._config.sender)
        for address in self._config.receivers:
            try:
                await smtp.rcpt(address)
            except aiosmtplib.SMTPRecipientRefused as error:
                if error.code >= 500:
                    raise aiosmtplib.SMTPRecipientsRefused([error]) from None
        await smtp.rset()

    async def _send(self, smtp: Any, receivers: Iterable[str], mail: EmailMessage) -> tuple[dict[str, Any], str]:
        """Who was refused, with the server's answer to each, and its answer to the mail."""
        import aiosmtplib

        try:
            refusals, said = await smtp.sendmail(self._config.sent_from, list(receivers), mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {one.recipient: one for one in error.recipients}, ""
        return refusals, said

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        """A connection, protected and logged in as configured; whatever fails in it comes out as DeliveryError."""
        import aiosmtplib

        config = self._config
        smtp = aiosmtplib.SMTP(
            hostname=ascii_name(config.host),
            port=config.port,
            timeout=config.timeout / 1000,
            use_tls=config.protection == "implicit",
            start_tls=False,  # done below, where its absence is told apart
            tls_context=await self._trust(),
            local_hostname=config.helo or greeting.default(self._deps.hostname, config.sent_from),
        )
        transport: Any = None
        try:
            await smtp.connect()
            transport = smtp.transport  # the client forgets it on some failures, and then nobody would end it
            await self._open(smtp)
            yield smtp
            with suppress(aiosmtplib.SMTPException, OSError):
                await smtp.quit(timeout=_GOODBYE_SECONDS)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._masked(faults.fault(error, config.host, config.port, config.timeout / 1000)) from None
        finally:
            smtp.close()
            if transport is not None:
                hang_up(transport)  # a stalled peer would keep a closing TLS connection for half a minute

    async def _trust(self) -> ssl.SSLContext | None:
        """Whose certificates are accepted; anybody's where encryption is only taken as it comes, as between mail servers (RFC 7435)."""
        if self._config.protection == "none":
            return None
        if self._config.protection == "opportunistic":
            return ssl._create_unverified_context()  # noqa: S323, SLF001 - what an eavesdropper could have in plain text without it
        return await trust_store(self._config.ca_file or self._deps.ca_file)

    async def _open(self, smtp: Any) -> None:
        config, where = self._config, f"{self._config.host}:{self._config.port}"
        if config.protection in ("starttls", "opportunistic"):
            await smtp.ehlo()
            if smtp.supports_extension("starttls"):
                await smtp.starttls()
            elif config.protection == "starttls":
                raise faults.no_starttls(where)
        if config.password:
            await smtp.ehlo()
            if not smtp.supported_auth_methods:
                raise faults.no_login(where)
            await smtp.login(config.username or config.sender, config.password.reveal())

    def mail(self, message: Message) -> EmailMessage:
        """The mail: every notice of an incident in the thread of its first; a copy has the id of its original."""
        message = clean(message)
        mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # passes servers without 8BITMIME
        mail["Subject"] = message.subject
        mail["From"] = formataddr(("Vigie", self._config.sent_from))
        mail["To"] = ", ".join(self._config.receivers)
        mail["Date"] = formatdate(self._deps.clock.now() / 1000)
        root = self._id(message, message.thread)
        mail["Message-ID"] = root if message.opens_thread else self._id(message, message.key)
        if not message.opens_thread:
            mail["In-Reply-To"] = root
            mail["References"] = root
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Vigie-Incident"] = token(message.thread, _KEY)
        mail["X-Vigie-Key"] = token(message.key, _KEY)
        mail.set_content(plain(message))
        mail.add_alternative(html(message), subtype="html")
        return mail

    def _id(self, message: Message, key: str) -> str:
        return f"<{token(key, _ID)}.{message.since or message.at:x}@{self._domain()}>"

    def _domain(self) -> str:
        domain = self._config.sent_from.rpartition("@")[2].strip(".-")
        while len(domain) > _DOMAIN and "." in domain:
            domain = domain.partition(".")[2]
        return domain[-_DOMAIN:].strip(".-") or "vigie"

    def _remember(self, key: str, have: set[str]) -> None:
        self._have[key] = have
        if len(self._have) > _REMEMBERED:
            del self._have[next(iter(self._have))]

    def _secrets(self) -> Secrets:
        """The password, plain and as AUTH sends it."""
        if not self._config.password:
            return NO_SECRETS
        password, user = self._config.password.reveal(), self._config.username or self._config.sender
        forms = (password, f"\0{user}\0{password}")
        return Secrets(map(Secret, (password, *(base64.b64encode(one.encode()).decode() for one in forms))))

    def _masked(self, error: DeliveryError) -> DeliveryError:
        """The same, should the server have echoed the password."""
        error.message = redact(error.message, self._secrets())
        error.args = (error.message,)
        return error
