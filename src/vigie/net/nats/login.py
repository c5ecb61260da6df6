"""Who logs in to a bus, and whom it trusts: what nats-py is given for a connection."""

import ssl
from pathlib import Path
from typing import Any

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
