"""What goes wrong with a NATS server, in words: which fault it is, and what its administrator can do about it."""

import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final

from nats.errors import Error

from vigie.errors import BusError, BusFault

_ORDER: Final = (BusFault.UNSUITABLE, BusFault.AUTH, BusFault.TLS, BusFault.BUSY, BusFault.OTHER, BusFault.TIMEOUT, BusFault.UNREACHABLE)
_MAX_SAID: Final = 200
_WAIT: Final = "it is tried again; a cluster needs most of its servers"
# Of a JetStream error: its err_code (https://github.com/nats-io/nats-server/blob/main/server/errors.json), which fault it is, and the fix.
_CODES: Final[Mapping[int, tuple[BusFault, str, bool]]] = {
    10002: (BusFault.FULL, "raise the JetStream limits of the account", False),
    10005: (BusFault.UNSUITABLE, "start as many servers as `replicas` says, or lower it", False),
    10008: (BusFault.BUSY, _WAIT, False),
    10009: (BusFault.BUSY, _WAIT, False),
    10013: (BusFault.OTHER, "", False),
    10023: (BusFault.FULL, "give JetStream more room: max_file_store, or a larger disk", False),
    10026: (BusFault.FULL, "raise the number of consumers that the account may have", False),
    10027: (BusFault.FULL, "raise the number of streams that the account may have", False),
    10028: (BusFault.FULL, "raise max_memory_store of the server", False),
    10035: (BusFault.UNSUITABLE, "enable JetStream for the account: `jetstream: enabled`", False),
    10039: (BusFault.UNSUITABLE, "enable JetStream for the account: `jetstream: enabled`", False),
    10047: (BusFault.FULL, "give JetStream more room: max_file_store, a larger disk, or the limits of the account", False),
    10053: (BusFault.TOO_LARGE, "", True),
    10054: (BusFault.TOO_LARGE, "", True),
    10074: (BusFault.UNSUITABLE, "`replicas` above 1 need a cluster of NATS servers", True),
    10076: (BusFault.UNSUITABLE, "enable JetStream on the server: `jetstream { store_dir: … }`", False),
    10077: (BusFault.FULL, "raise max_bytes of the stream, or the limits of the account", False),
    10113: (BusFault.UNSUITABLE, "the account wants a limit for each stream: set max_bytes in the address of the bus", True),
    10120: (BusFault.FULL, "raise the limits of the account", False),
    10122: (BusFault.UNSUITABLE, "lower max_bytes in the address of the bus, or raise the limits of the account", True),
}


def answered(error: Mapping[str, Any], what: str) -> BusError:
    """A refusal by JetStream of `what`."""
    code, said = int(error.get("err_code") or 0), str(error.get("description") or "no reason given")
    if "maximum" in said and "exceeded" in said and code not in _CODES:
        return BusError(BusFault.FULL, f"{what}: {said}", "raise the limits of the stream or of the account")
    fault, fix, permanent = _CODES.get(code, (BusFault.BUSY if error.get("code") == 503 else BusFault.OTHER, "", False))
    return BusError(fault, f"{what}: {said}", fix, permanent=permanent)


def no_answer(what: str) -> BusError:
    """Nobody listens: JetStream is not there, or nobody has made the stream, or serves the request."""
    fix = "enable JetStream on the server and for the account, start most of a cluster; `vigie serve` makes the streams, and answers agents"
    return BusError(BusFault.UNSUITABLE, f"{what}: nobody answers", fix)


def denied(said: str) -> BusError:
    """A refusal by the permissions of the user; `said` names the subject."""
    return BusError(
        BusFault.RIGHTS, f"the permissions do not allow it: {said}", "`vigie bus permissions` prints what an agent needs", permanent=True
    )


def connecting(server: str, error: BaseException) -> BusError:
    """Why a server could not be used, by what connecting to it raised."""
    said = _line(str(error).removeprefix("nats: ").strip("'\" ")) or type(error).__name__
    low = said.lower()
    if isinstance(error, BusError):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return BusError(BusFault.TLS, f"{server}: its certificate is not trusted: {error.verify_message}", "set ca_file in the address")
    if isinstance(error, ssl.SSLError):
        return BusError(
            BusFault.TLS, f"{server}: TLS failed: {error.reason or said}", "set cert_file and key_file where the server wants a certificate"
        )
    if "authorization violation" in low or "authorization failed" in low or "user authentication" in low or "authentication expired" in low:
        return BusError(BusFault.AUTH, f"{server}: the login is refused", "check user, password, token, creds or nkey of the address")
    if "authentication timeout" in low:
        return BusError(BusFault.AUTH, f"{server}: no login in time", "check user, password, token, creds or nkey of the address")
    if "maximum" in low and "connections" in low:
        return BusError(BusFault.BUSY, f"{server}: {said}", "raise max_connections of the server or the account")
    if isinstance(error, TimeoutError) or "timeout" in low:
        return BusError(
            BusFault.TIMEOUT,
            f"{server}: no answer in time",
            "check that the server is well, and that the address is that of its client port",
        )
    if "tls" in low or "secure connection" in low:
        return BusError(BusFault.TLS, f"{server}: {said}", "use tls:// and the authorities of the server's certificate (ca_file)")
    if "info message" in low or "empty response" in low or not isinstance(error, OSError | Error):
        return BusError(BusFault.OTHER, f"{server}: this is not a NATS server", "the client port is 4222 by default")
    if isinstance(error, socket.gaierror):
        return BusError(BusFault.UNREACHABLE, f"{server}: the name is not known here", "check the name of the server, and the resolver")
    if isinstance(error, OSError):
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or said
        return BusError(BusFault.UNREACHABLE, f"{server}: {why}", "check that the server is running, and its port open from here")
    return BusError(BusFault.OTHER, f"{server}: {said}", "the log of the NATS server says why")


def _line(text: str) -> str:
    """What a server wrote, as part of a line of the log."""
    return "".join(one for one in text[:_MAX_SAID] if one.isprintable())


def foremost(errors: list[BusError]) -> BusError:
    """The one of several that tells most: a refused login is worth more than a server that is down."""
    return min(errors, key=lambda one: _ORDER.index(one.fault) if one.fault in _ORDER else len(_ORDER))
