"""The address of a database: `postgresql://user:password@host:port/database?option=value`, as libpq writes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

_FORM = "postgresql://user:password@host:5432/vigie"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_NUMBERS = {"pool": (2, 4), "connect_timeout": (1, 300), "statement_timeout": (1, 3_600)}
_WORDS = ("schema", "application_name", "sslpassword")
_PORT = 5432


class Parts(NamedTuple):
    """What an address says; `options` by name, with files as paths from the root."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str
    database: str
    options: dict[str, str]


def parts_of(address: str, base: Path) -> Parts:
    """Taken apart; relative paths of certificates start at `base`. Raises ValueError, which never shows the password."""
    _, _, rest = address.partition("://")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    login, at, hosts = authority.rpartition("@")
    user, _, password = login.partition(":") if at else ("", "", "")
    database = unquote(path)
    if not database or "/" in database or "#" in rest:
        raise ValueError(f"a PostgreSQL store needs the name of its database: {_FORM}")
    options = _options(query, base)
    places = tuple(_host(one) for one in (hosts or options.pop("host", "localhost")).split(","))
    return Parts(places, unquote(user), unquote(password), database, options)


def _host(text: str) -> tuple[str, int]:
    name, colon, port = text.rpartition(":") if text.rpartition("]")[2].count(":") else (text, "", "")
    if colon and (not port.isdecimal() or not 0 < int(port) < 65_536):
        raise ValueError(
            f"a port of the PostgreSQL store is a number from 1 to 65535 ({_FORM}); in a password, `@ : / ? #` are written %40 ..."
        )
    return unquote(name.strip("[]")) or "localhost", int(port) if colon else _PORT


def _options(query: str, base: Path) -> dict[str, str]:
    try:
        found = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError("after the `?` of a PostgreSQL store stand options: ?sslmode=verify-full&pool=4") from None
    known = {"sslmode", "host", *FILES, *_NUMBERS, *_WORDS}
    if unknown := sorted(found.keys() - known):
        raise ValueError(f"a PostgreSQL store has no option {unknown[0]!r}; there are {', '.join(sorted(known - {'host'}))}")
    if (mode := found.get("sslmode", "prefer")) not in SSL_MODES:
        raise ValueError(f"sslmode of a PostgreSQL store is one of {', '.join(SSL_MODES)}, not {mode!r}")
    for name, (least, most) in _NUMBERS.items():
        if name in found and not (found[name].isdecimal() and least <= int(found[name]) <= most):
            raise ValueError(f"{name} of a PostgreSQL store is a number from {least} to {most}")
    if not found.get("schema", "vigie").isidentifier():
        raise ValueError("schema of a PostgreSQL store is a plain name, such as vigie")
    return _anchored(found, base)


def _anchored(options: Mapping[str, str], base: Path) -> dict[str, str]:
    return {name: str(base / Path(value).expanduser()) if name in FILES and value != "system" else value for name, value in options.items()}
