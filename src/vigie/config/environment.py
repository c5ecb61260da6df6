"""Variables of the environment that other programs share with Vigie (proxies, authorities, time zone), and what is wrong with them.

None of them stops Vigie: a monitor that does not start is worse than one that sends by another channel. Each fault is one line that
names its variable, told by `config check`, by `doctor` and at every start.
"""

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from vigie.config.variables import Variables
from vigie.errors import Fault
from vigie.net import Proxies

# POSIX's own notation of zones (Base Definitions §8.3): CET-1CEST,M3.5.0,M10.5.0/3
_POSIX_ZONE = re.compile(r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d{1,3}(?::\d\d){0,2}(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)?.*")


def faults(known: Variables, proxies: Proxies, timezone: str | None) -> Iterator[Fault]:
    """What is wrong with shared variables; `timezone` is that of the configuration, which goes before TZ."""
    for one in proxies.faults:
        yield known.fault(one.variable, one.message, one.fix)
    if (file := known.values.get("SSL_CERT_FILE")) and (why := _unusable_authorities(file)):
        yield known.fault("SSL_CERT_FILE", why, "name a readable PEM file, or leave it out for the system's authorities")
    if known.values.get("SSL_CERT_DIR") and not known.values.get("SSL_CERT_FILE"):
        yield known.fault("SSL_CERT_DIR", "is not used: certificates are read from one PEM file", "name it in SSL_CERT_FILE")
    zone = os.environ.get("TZ")
    if timezone is None and zone and not _is_zone(zone.removeprefix(":")):
        yield Fault(
            f"{zone[:60]!r} is not a time zone, so times are in UTC", "write TZ=Europe/Paris, or set `timezone`", "TZ", "environment"
        )


def _unusable_authorities(file: str) -> str:
    """Why a file of authorities cannot be used; empty when it can."""
    if not Path(file).is_file():
        return f"names {file}, which is not a file; the system's authorities are used"
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return f"names {file}, which contains no certificate: no TLS connection can be verified"
    except OSError as error:
        return f"names {file}, which cannot be read ({error.strerror}): no TLS connection can be verified"
    return ""


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    if name.startswith("/"):
        return Path(name).is_file()
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return bool(_POSIX_ZONE.fullmatch(name))
    return True
