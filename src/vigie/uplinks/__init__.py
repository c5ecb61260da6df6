"""How an agent reaches its servers: one file per way, named by the scheme of their address.

Each has a `Config` (with `of(address)`, which raises ValueError), and `build(config, deps)`, which gives an `Uplink`. `KEEP_MS`, where a
module has it, is how long batches are kept in the spool after they were handed over, because who took them might still lose them; they
are handed over again when the link comes back within that time.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vigie.net import DIRECT, Proxies, Secret
from vigie.ports import Clock

_ALSO = {"http": "https", "tls": "nats"}


@dataclass(frozen=True, slots=True)
class UplinkDeps:
    """What an uplink is given. `ca_file` is a PEM file of authorities in place of the system's.

    `timeout_seconds` is how long an answer may take, `hello_seconds` that to a hello; `plain` allows a connection to another machine that
    is not encrypted.
    """

    clock: Clock
    token: Secret | None = None
    proxies: Proxies = DIRECT
    ca_file: Path | None = None
    timeout_seconds: float = 30.0
    hello_seconds: float = 30.0
    plain: bool = False


def kind_of(address: str) -> str:
    """The kind of uplink that an address asks for: its scheme, or another that the same file serves."""
    scheme = urlsplit(address).scheme.lower()
    return _ALSO.get(scheme, scheme)
