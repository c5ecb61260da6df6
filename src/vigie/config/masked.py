"""Entries of the configuration as plain values, and their secrets: masked when they are shown, kept when a mask is sent back."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args
from urllib.parse import SplitResult, urlsplit

import msgspec

from vigie.config.convert import fields_of, struct_of
from vigie.config.tree import Path
from vigie.config.variables import VARIABLE
from vigie.net import MASK, Secret
from vigie.net.redact import host_of

# Keys beside URLs that change where a secret goes, or who can read it on the way.
_ADDRESSES = frozenset(
    ("host", "port", "url", "type", "server", "resolver", "proxy", "ip", "tls", "insecure", "ca_file", "command", "script")
)
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
Keys = Mapping[str, Any]  # the type of each key


def keys_of(*structs: type[msgspec.Struct]) -> Keys:
    """The types of the keys of Structs that lie beside each other."""
    return {one.encode_name: one.type for struct in structs for one in fields_of(struct)}


def masked(values: Any, keys: Keys) -> Any:
    """The same with every secret as `***`, but for `${NAME}`. What is under a key of unknown type may be one."""
    return {name: _masked(value, keys.get(name, Secret)) for name, value in values.items()}


def _masked(value: Any, kind: Any) -> Any:
    if isinstance(value, dict):
        inner = _inner_keys(kind)
        return {name: _masked(one, inner.get(str(name), _item(kind))) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, _item(kind)) for one in value]
    if not isinstance(value, str):
        return value
    value = VARIABLE.sub(_without_default, value)
    if holds_secret(kind):
        return value if _refers(value) else MASK
    return masked_url(value) if "://" in value else value


def _refers(text: str) -> bool:
    """Whether it names a variable, which is not a secret."""
    return any(match[1] for match in VARIABLE.finditer(text))


def _without_default(match: re.Match[str]) -> str:
    return match[0] if match[2] is None else f"${{{match[1]}:-{MASK}}}"


def holds_secret(kind: Any) -> bool:
    """Whether an annotation asks for a Secret, itself or in one of its parts that is not a Struct."""
    return kind is Secret or any(holds_secret(part) for part in get_args(kind))


def _inner_keys(kind: Any) -> Keys:
    struct = struct_of(kind)
    return {} if struct is None else keys_of(struct)


def _item(kind: Any) -> Any:
    """What a list or a mapping holds; the annotation itself where it says nothing of that."""
    if (struct := struct_of(kind)) is not None:
        return struct
    parts = [part for part in get_args(kind) if part is not type(None) and part is not Ellipsis]
    return Secret if holds_secret(kind) else parts[-1] if parts else kind


def masked_url(url: str) -> str:
    """The URL with `***` for its password and the values of its query, so that it can be sent back and completed again."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    login, at, host = parts.netloc.rpartition("@")
    user, colon, password = login.partition(":")
    if colon and not _refers(password):
        login = f"{user}:{MASK}"
    elif len(user) >= 8 and any(map(str.isdigit, user)) and not _refers(user):
        login = MASK  # a token often goes where a user name would
    query = "&".join(_pair(one) for one in parts.query.split("&")) if parts.query else ""
    return _together(parts, f"{login}{at}{host}", query)


def _pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return pair if not equals or _refers(value) else f"{name}={MASK}"


def _together(parts: SplitResult, netloc: str, query: str) -> str:
    """As it was written: `urlunsplit` leaves out what is empty."""
    text = f"{parts.scheme}://{netloc}{parts.path}"
    return text + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def restored(new: Any, old: Any, shown: Any) -> Any:
    """Values as somebody sends them, each mask replaced by what it hid: `old` are the values as kept, `shown` those as they were masked."""
    if isinstance(new, dict):
        return {name: restored(one, _at(old, name), _at(shown, name)) for name, one in new.items()}
    if isinstance(new, list):
        return [restored(one, _at(old, index), _at(shown, index)) for index, one in enumerate(new)]
    if not (isinstance(new, str) and isinstance(old, str) and MASK in new):
        return new
    return old if new == shown else _completed(new, old)


def hosts_in(values: Any, key: str = "") -> set[str]:
    """Where an entry has something sent: the hosts of its addresses, and what decides whose certificate is believed."""
    if isinstance(values, dict):
        return {host for name, one in values.items() for host in hosts_in(one, str(name))}
    if isinstance(values, list):
        return {host for one in values for host in hosts_in(one, key)}
    if isinstance(values, str) and "://" in values:
        return {_origin(values)}
    return {f"{key}={values}"} if key in _ADDRESSES else set()


def _origin(url: str) -> str:
    """Scheme, host and port: another port is another program, and who asks by another scheme shows what it sends to others on the way."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    return f"{parts.scheme.lower()}://{host_of(url)}:{_PORTS.get(parts.scheme.lower()) if port is None else port}"


def _at(values: Any, key: Any) -> Any:
    if isinstance(values, dict):
        return values.get(key)
    return values[key] if isinstance(values, list) and isinstance(key, int) and key < len(values) else None


def _completed(new: str, old: str) -> str:
    """A URL that was edited: its masked password and values of its query are those of before, as long as the host is."""
    if "://" not in new or "://" not in old:
        return new
    try:
        now, before = urlsplit(new), urlsplit(old)
    except ValueError:
        return new
    if now.hostname != before.hostname:
        return new
    login, at, host = now.netloc.rpartition("@")
    if MASK in login and login == urlsplit(masked_url(old)).netloc.rpartition("@")[0]:
        login = before.netloc.rpartition("@")[0]
    known = dict(pair.partition("=")[::2] for pair in before.query.split("&"))
    pairs = [one.partition("=") for one in now.query.split("&")] if now.query else []
    query = "&".join(f"{name}{equals}{known.get(name, value) if value == MASK else value}" for name, equals, value in pairs)
    return _together(now, f"{login}{at}{host}", query)


def left(values: Any, keys: Keys) -> Iterator[Path]:
    """Where a mask is still in place of a secret."""
    for name, value in values.items():
        yield from _left(value, keys.get(name, Any), (name,))


def _left(value: Any, kind: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        inner = _inner_keys(kind)
        for name, one in value.items():
            yield from _left(one, inner.get(str(name), _item(kind)), (*path, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _left(one, _item(kind), (*path, index))
    elif isinstance(value, str) and MASK in value and (_is_masked(value) if "://" in value else value == MASK and holds_secret(kind)):
        yield path


def _is_masked(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    values = [one.partition("=")[2] for one in parts.query.split("&")]
    return MASK in parts.netloc.rpartition("@")[0] or MASK in values
