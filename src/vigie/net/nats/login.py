"""Who logs in to a bus, and whom it trusts: what nats-py is given for a connection."""

import base64
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from vigie.errors import BusError, BusFault
from vigie.net.nats.address import Config
from vigie.net.nats.keys import UserKey, read_credentials, read_seed


def login(address: Config) -> tuple[dict[str, Any], UserKey | None]:
    """The options of a connection, and the key whose public half is sent; files are read anew each time. Raises BusError."""
    options: dict[str, Any] = {}
    if address.tls or address.ca_file or address.cert_file:
        options["tls"] = _trust(address)
    if address.user:
        options |= {"user": address.user, "password": "" if address.password is None else address.password.reveal()}
    elif address.token:
        options["token"] = address.token.reveal()
    elif address.creds:
        jwt, key = read_credentials(Path(address.creds))
        # A user that is a callback is never asked here; without one, what follows would not be sent.
        options |= {"user": str, "user_jwt_cb": lambda: jwt, "signature_cb": key.sign}
    elif address.nkey:
        key = read_seed(Path(address.nkey))
        return options | {"user": str, "signature_cb": key.sign}, key
    return options, None


def refused(address: Config, error: BusError) -> BusError:
    """Why a login is refused, where its credentials file says so itself: servers tell nobody."""
    if error.fault is not BusFault.AUTH or not address.creds:
        return error
    try:
        jwt, _ = read_credentials(Path(address.creds))
        body = jwt.split(b".")[1]
        expires = msgspec.json.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)), type=_Claims).exp
    except (BusError, ValueError, IndexError):
        return error
    if not 0 < expires <= time.time():
        return error
    when = datetime.fromtimestamp(expires, UTC)
    message = f"{error.message}: {address.creds} expired on {when:%Y-%m-%d %H:%M} UTC"
    return BusError(BusFault.AUTH, message, "make it anew by `nsc generate creds`; it is read again at each connection")


class _Claims(msgspec.Struct):
    """What a JWT says of how long it is valid, s since the epoch; 0: for ever."""

    exp: int = 0


def _trust(address: Config) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
        if address.cert_file is not None:
            context.load_cert_chain(address.cert_file, address.key_file)
    except (OSError, ssl.SSLError) as error:
        raise BusError(
            BusFault.TLS, f"the certificates of the bus cannot be read: {error}", "check ca_file, cert_file and key_file"
        ) from error
    return context
