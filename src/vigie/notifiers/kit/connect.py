"""Connecting to a server: the trust store, and a reason, a fix and whether to retry for everything that goes wrong before it answers.

What went wrong is read from the types in an exception's chain, never from its words: they hold host names, and some hosts are called `ssl`.
None of these faults is permanent: a minute later the connection may work again.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from vigie.errors import DeliveryError, DeliveryReason

# OpenSSL's own numbers of verification results (X509_V_ERR_…).
_EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 10, 62, 64
_HANDSHAKE_TIMEOUT = "SSL handshake"
_WAITING = (ssl.SSLWantReadError, ssl.SSLWantWriteError)  # what a handshake says while the peer is silent


@dataclass(frozen=True, slots=True)
class Fixes:
    """What the reader can do, in the words of the channel's own settings."""

    address: str
    trust: str
    protection: str
    timeout: str


async def trust_store(ca_file: str | None) -> ssl.SSLContext:
    """The authorities of a PEM file (None: the system's), read in a thread because it takes 20 ms; raises DeliveryError."""
    try:
        return await asyncio.to_thread(ssl.create_default_context, cafile=ca_file)
    except OSError as error:
        why = "it contains no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        words = f"the trusted authorities in {ca_file} cannot be used: {why}"
        raise DeliveryError(DeliveryReason.CONFIG, words, fix="set a readable PEM file (SMTP_CA_FILE or SSL_CERT_FILE)") from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, its causes, and the members of groups among them."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _chain(one)
        error = error.__cause__ or error.__context__


def named(error: BaseException, where: str, seconds: float, fixes: Fixes) -> DeliveryError:
    """The failure in one line. `seconds` is the patience that was had."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one, where, fixes)
    if any(isinstance(one, ssl.SSLError) and not isinstance(one, _WAITING) for one in chain):
        return DeliveryError(DeliveryReason.TLS, f"{where}: TLS negotiation failed", fix=fixes.protection)
    if any(isinstance(one, socket.gaierror) for one in chain):
        return DeliveryError(DeliveryReason.DNS, f"{where}: the name does not resolve", fix=fixes.address)
    if any(isinstance(one, TimeoutError) or _HANDSHAKE_TIMEOUT in str(one) for one in chain):
        return DeliveryError(DeliveryReason.TIMEOUT, f"{where} did not answer within {seconds:g} s", fix=fixes.timeout)
    if any(isinstance(one, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(one) for one in chain):
        return DeliveryError(DeliveryReason.REFUSED, f"{where} refused the connection", fix=fixes.address)
    if any(isinstance(one, ConnectionResetError | ConnectionAbortedError | BrokenPipeError) for one in chain):
        return DeliveryError(DeliveryReason.SERVER, f"{where} reset the connection")
    numbered = next((one for one in chain if isinstance(one, OSError) and one.strerror), None)
    if numbered is not None:
        return DeliveryError(DeliveryReason.REFUSED, f"{where} cannot be reached: {numbered.strerror}", fix=fixes.address)
    return DeliveryError(DeliveryReason.SERVER, f"{where} closed the connection ({type(error).__name__})")


def _certificate(error: ssl.SSLCertVerificationError, where: str, fixes: Fixes) -> DeliveryError:
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return DeliveryError(DeliveryReason.TLS, f"{where}: the certificate is for another name", fix=fixes.address)
    if error.verify_code == _EXPIRED:
        return DeliveryError(DeliveryReason.TLS, f"{where}: the certificate has expired", fix="whoever runs the server must renew it")
    return DeliveryError(DeliveryReason.TLS, f"{where}: the certificate is not trusted ({error.verify_message})", fix=fixes.trust)
