"""Mail by SMTP: STARTTLS, TLS from the start, or plain when asked; text and HTML, threaded by stable ids.

A refused password needs a person, yet it is retried every five minutes: once it is mended, what waited goes out.
"""

import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from typing import Annotated, Any, Literal

import msgspec

from vigie.core.duration import Duration
from vigie.core.report.facts import Message
from vigie.errors import DeliveryError, DeliveryReason
from vigie.notifiers import NotifierDeps
from vigie.notifiers._mail_body import html, plain

ENVIRONMENT = {
    "host": "SMTP_SERVER",
    "port": "SMTP_PORT",
    "sender": "EMAIL_SENDER",
    "password": "EMAIL_PASSWORD",
    "to": "EMAIL_RECEIVER",
    "ca_file": "SMTP_CA_FILE",
}
REQUIRED = ("host", "sender", "to")
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_AUTH_RETRY_MS = 300_000
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail channel; what is not set comes from SMTP_* and EMAIL_* of the environment or `.env`."""

    to: Annotated[str | list[str], msgspec.Meta(description="Receivers (EMAIL_RECEIVER).", examples=[["team@example.com"]])]
    host: Annotated[str, msgspec.Meta(description="Mail server (SMTP_SERVER).", examples=["smtp.gmail.com"])]
    sender: Annotated[str, msgspec.Meta(description="Sender (EMAIL_SENDER).", examples=["vigie@example.com"])]
    port: Annotated[int, msgspec.Meta(description="Port (SMTP_PORT); 465 means TLS from the start.", ge=1, le=65_535)] = 587
    username: Annotated[str | None, msgspec.Meta(description="Login; the sender when only a password is set.")] = None
    password: Annotated[str | None, msgspec.Meta(description="Password (EMAIL_PASSWORD); for Gmail an app password.")] = None
    tls: Annotated[
        Literal["starttls", "implicit", "none"] | None,
        msgspec.Meta(description="How the connection is protected; by default `implicit` on port 465, else `starttls`."),
    ] = None
    ca_file: Annotated[str | None, msgspec.Meta(description="PEM file of a private authority (SMTP_CA_FILE).")] = None
    timeout: Annotated[Duration, msgspec.Meta(description="Longest wait for each answer of the server.")] = msgspec.field(
        default_factory=lambda: Duration(15_000)
    )

    def __post_init__(self) -> None:
        """Raise ValueError that names the address that is none."""
        for address in (*self.receivers, self.sender):
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no mail address")
        if not self.receivers:
            raise ValueError("nobody is named under `to`")

    @property
    def receivers(self) -> tuple[str, ...]:
        """Receivers, also out of a comma-separated text."""
        listed = re.split(r"[,;]", self.to) if isinstance(self.to, str) else self.to
        return tuple(address.strip() for address in listed if address.strip())

    @property
    def protection(self) -> str:
        """How the connection is protected."""
        return self.tls or ("implicit" if self.port == 465 else "starttls")

    def __repr__(self) -> str:
        return f"email to {', '.join(self.receivers)} by {self.host}:{self.port}"


def build(config: Config, deps: NotifierDeps) -> "Mail":
    """The channel."""
    return Mail(config, deps)


class Mail:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> str:
        """Send one mail to every receiver; those that were refused are named in the answer when others took it."""
        smtp = await self._connected()
        try:
            async with _Named(self._config):
                refused, answer = await smtp.send_message(self.mail(message))
        finally:
            smtp.close()
        left_out = f"; refused: {', '.join(refused)}" if refused else ""
        return f"{' '.join(answer.split())[:120]}{left_out}"

    async def examine(self) -> str:
        """Connect, protect and log in, without sending."""
        smtp = await self._connected()
        smtp.close()
        return f"{self._config.host}:{self._config.port} accepts the login ({self._config.protection})"

    async def _connected(self) -> Any:
        import aiosmtplib

        config = self._config
        seconds = config.timeout / 1000
        # The client keeps its connection under its own control, so that one object serves one message.
        smtp = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            timeout=seconds,
            use_tls=config.protection == "implicit",
            start_tls=config.protection == "starttls",
            tls_context=self._context() if config.protection != "none" else None,
        )
        async with _Named(config):
            await smtp.connect()
            if config.password:
                await smtp.login(config.username or config.sender, config.password)
        return smtp

    def _context(self) -> Any:
        import ssl

        try:
            return ssl.create_default_context(cafile=self._config.ca_file or self._deps.ca_file)
        except OSError as error:
            words = f"the file of trusted authorities cannot be read ({self._config.ca_file}: {error.strerror})"
            raise DeliveryError(DeliveryReason.CONFIG, words, fix="set SMTP_CA_FILE to a PEM file") from None

    def mail(self, message: Message) -> EmailMessage:
        """The mail: every notice of an incident in the thread of its first; a copy has the id of its original."""
        mail = EmailMessage(policy=SMTP.clone(max_line_length=200))
        mail["Subject"] = " ".join(message.subject.split())
        mail["From"] = formataddr(("Vigie", self._config.sender))
        mail["To"] = ", ".join(self._config.receivers)
        mail["Date"] = formatdate(message.at / 1000)
        root = self._id(f"{message.thread}.thread")
        own = root if message.opens_thread else self._id(message.key)
        mail["Message-ID"] = own
        if own != root:
            mail["In-Reply-To"] = root
            mail["References"] = root
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Vigie-Incident"] = _UNSAFE.sub(".", message.thread)
        mail["X-Vigie-Key"] = _UNSAFE.sub(".", message.key)
        mail.set_content(plain(message))
        mail.add_alternative(html(message), subtype="html")
        return mail

    def _id(self, key: str) -> str:
        return f"<{_UNSAFE.sub('.', key)}@{_UNSAFE.sub('-', self._deps.hostname) or 'localhost'}>"


class _Named:
    """Names what went wrong with a mail server, each kind with its fix and its retry verdict."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, DeliveryError):
            raise self._named(error) from None

    def _named(self, error: Exception) -> DeliveryError:
        import ssl

        import aiosmtplib

        where = f"{self._config.host}:{self._config.port}"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return self._auth(where, error.code)
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            return self._recipients(error)
        if isinstance(error, aiosmtplib.SMTPConnectTimeoutError | aiosmtplib.SMTPTimeoutError | TimeoutError):
            words = f"{where} did not answer within {self._config.timeout / 1000:g} s"
            return DeliveryError(DeliveryReason.TIMEOUT, words, fix="see SMTP_SERVER and SMTP_PORT; a firewall may drop the packets")
        cause = error.__cause__ or error.__context__
        text = f"{error} {cause or ''}".lower()
        if isinstance(cause, ssl.SSLError) or isinstance(error, ssl.SSLError) or "certificate" in text or "ssl" in text:
            return self._tls(where, text)
        if "starttls" in text:
            fix = "use port 465 (tls: implicit), or tls: none for a server in your own network"
            return DeliveryError(DeliveryReason.TLS, f"{where} offers no STARTTLS", fix=fix)
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._response(where, error)
        if "name or service" in text or "getaddrinfo" in text or "nodename" in text or "name resolution" in text:
            return DeliveryError(DeliveryReason.DNS, f"the name {self._config.host} does not resolve", fix="see SMTP_SERVER")
        if isinstance(error, aiosmtplib.SMTPConnectError | OSError) and "connect" in text:
            fix = "see SMTP_SERVER and SMTP_PORT, and whether the server runs"
            return DeliveryError(DeliveryReason.REFUSED, f"{where}: connection refused", fix=fix)
        return DeliveryError(DeliveryReason.OTHER, f"{where}: the connection broke ({type(error).__name__})")

    def _auth(self, where: str, code: int) -> DeliveryError:
        gmail = "gmail" in self._config.host or "google" in self._config.host
        fix = "see EMAIL_SENDER and EMAIL_PASSWORD"
        if gmail or self._config.sender.endswith("@gmail.com"):
            fix = "Gmail takes no account password here: make an app password in the security page of the Google account"
        words = f"{where}: authentication was refused ({code})"
        return DeliveryError(DeliveryReason.AUTH, words, fix=fix, retry_after_ms=_AUTH_RETRY_MS)

    @staticmethod
    def _recipients(error: Any) -> DeliveryError:
        codes = [one.code for one in error.recipients]
        named = ", ".join(one.recipient for one in error.recipients)
        lasting = all(code >= 500 for code in codes)
        words = f"no receiver was accepted: {named} ({', '.join(map(str, codes))})"
        return DeliveryError(DeliveryReason.RECIPIENT, words, fix="see EMAIL_RECEIVER (`to`)", permanent=lasting)

    @staticmethod
    def _tls(where: str, text: str) -> DeliveryError:
        if "wrong version number" in text or "record layer" in text:
            fix = "port 587 speaks STARTTLS (tls: starttls), port 465 TLS from the start (tls: implicit)"
            return DeliveryError(DeliveryReason.TLS, f"{where} does not speak TLS at once", fix=fix)
        words = f"{where}: the certificate was not accepted" if "certif" in text else f"{where}: TLS failed"
        return DeliveryError(DeliveryReason.TLS, words, fix="name a private authority with SMTP_CA_FILE; the name must match SMTP_SERVER")

    @staticmethod
    def _response(where: str, error: Any) -> DeliveryError:
        words = f"{where} answers {error.code}: {' '.join(str(error.message).split())[:120]}"
        if error.code >= 500:
            return DeliveryError(DeliveryReason.REJECTED, words, fix="see the server's words", permanent=True)
        limited = error.code in (421, 450, 451, 452)
        return DeliveryError(DeliveryReason.RATE_LIMIT if limited else DeliveryReason.SERVER, words)
