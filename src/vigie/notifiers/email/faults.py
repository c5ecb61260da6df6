"""A mail server's refusals, each with its words, its fix and its retry verdict.

What the server says for good (5xx) about this mail, its sender or its receivers is permanent. What it says about the session (greeting,
encryption, login) is tried again, slowly where a person is needed: once the password is mended, what waited goes out.
"""

from collections.abc import Mapping
from typing import Any

from vigie.errors import DeliveryError, DeliveryReason
from vigie.notifiers.kit.connect import Fixes, named
from vigie.notifiers.kit.text import flat

AUTH_RETRY_MS = 300_000
_LIMITED = (421, 450, 451, 452)  # RFC 5321 §4.2.3, as mail providers use them to slow a sender down
_LOGIN = (530, 534, 535, 538)  # RFC 4954 §6
_FIXES = Fixes(
    address="check SMTP_SERVER and SMTP_PORT; the name must be the one on the server's certificate",
    trust="set SMTP_CA_FILE for a private certificate authority",
    protection="port 587 needs STARTTLS (tls: starttls), port 465 implicit TLS (tls: implicit)",
    timeout="check SMTP_SERVER and SMTP_PORT: a firewall may drop the packets, or port 465 needs implicit TLS (tls: implicit)",
)


def fault(error: Exception, host: str, port: int, seconds: float) -> DeliveryError:
    """The failure of a conversation with a mail server."""
    import aiosmtplib

    where = f"{host}:{port}"
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return receivers({one.recipient: one for one in error.recipients})
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answer(error, where, host)
    return named(error, where, seconds, _FIXES)


def _answer(error: Any, where: str, host: str) -> DeliveryError:
    import aiosmtplib

    code, said = error.code, flat(str(error.message), 160)
    words = f"{where} responded {code} {said}".rstrip()
    if code < 500:
        return DeliveryError(DeliveryReason.RATE_LIMIT if code in _LIMITED else DeliveryReason.SERVER, words)
    if code == 530 and "starttls" in said.lower():
        return DeliveryError(DeliveryReason.TLS, f"{where} accepts no email without encryption ({code})", fix="set tls: starttls")
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) or code in _LOGIN:
        return login(f"{where}: authentication was refused ({code} {said})", host)
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        fix = "EMAIL_SENDER must be an address that this login is allowed to send from"
        return DeliveryError(DeliveryReason.REJECTED, f"the sender {error.sender} was refused: {words}", fix=fix, permanent=True)
    if isinstance(error, aiosmtplib.SMTPDataError):
        fix = "the server's response says why it rejected the email"
        return DeliveryError(DeliveryReason.REJECTED, words, fix=fix, permanent=True)
    return DeliveryError(
        DeliveryReason.SERVER, words, fix="check whether this machine is allowed to use the server", retry_after_ms=AUTH_RETRY_MS
    )


def login(words: str, host: str) -> DeliveryError:
    """A refused login, with the fix that its provider needs."""
    fix = "check EMAIL_SENDER (or `username`) and EMAIL_PASSWORD"
    if host.lower().endswith((".gmail.com", ".googlemail.com", ".google.com")):
        fix = "Gmail refuses the account password: create an app password in the Google account's security settings for EMAIL_PASSWORD"
    return DeliveryError(DeliveryReason.AUTH, words, fix=fix, retry_after_ms=AUTH_RETRY_MS)


def no_starttls(where: str) -> DeliveryError:
    """The server offers no encryption, and none is not what was asked for."""
    fix = "use port 465 (SMTP_TLS=implicit); for a server in your own network without TLS: SMTP_TLS=none, or tls: none in vigie.yaml"
    return DeliveryError(DeliveryReason.TLS, f"{where} does not offer STARTTLS", fix=fix)


def no_login(where: str) -> DeliveryError:
    """The server knows no login over this connection."""
    fix = "leave out EMAIL_PASSWORD if the server needs none; some servers offer a login only over TLS"
    return DeliveryError(DeliveryReason.AUTH, f"{where} does not offer a login", fix=fix, retry_after_ms=AUTH_RETRY_MS)


def receivers(refusals: Mapping[str, Any]) -> DeliveryError:
    """Receivers that did not get the mail: permanent when every one was refused for good, else those put off are tried again."""
    lasting = all(one.code >= 500 for one in refusals.values())
    verb = "refused" if lasting else "deferred"
    named_ones = "; ".join(f"{flat(address, 100)} ({one.code} {flat(str(one.message), 80)})" for address, one in refusals.items())
    fix = "check EMAIL_RECEIVER (`to`); a server that does not relay needs a login" if lasting else ""
    return DeliveryError(DeliveryReason.RECIPIENT, f"recipients {verb}: {named_ones}", fix=fix, permanent=lasting)
