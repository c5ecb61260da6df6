"""Host names: how they are spelt, which of them are addresses already, and which never leave this machine."""

import ipaddress
import re
from functools import lru_cache

_LONGEST, _LONGEST_LABEL = 253, 63  # RFC 1035 §2.3.4
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")  # URL standard §3.3: full-width forms turn into these
LOOPBACK = ("::1", "127.0.0.1")


def literal(host: str) -> str | None:
    """The address that a host is written as, with or without brackets; None for a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def is_localhost(name: str) -> bool:
    """Whether a name is this machine's whatever any resolver says (RFC 6761 §6.3)."""
    bare = name.lower().removesuffix(".")
    return bare == "localhost" or bare.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a host, name or address, is this machine itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return is_localhost(host)


@lru_cache(maxsize=16_384)
def ascii_name(name: str) -> str:
    """The name in lower case as DNS and certificates spell it; ValueError where it cannot be spelt.

    Foreign letters as browsers take them, by the same library that reads URLs: UTS #46 without the transitional mapping, so that
    `straße` is not `strasse`; what IDNA 2008 has no place for (emoji) goes out in Punycode all the same.
    """
    if any(character <= " " or character == "\x7f" for character in name):
        raise ValueError("a host name cannot contain spaces or control characters")
    whole = name.lower() if name.isascii() else _spelt(name)
    if len(whole.removesuffix(".")) > _LONGEST or any(len(label) > _LONGEST_LABEL for label in whole.split(".")):
        raise ValueError("a host name has at most 253 characters, and 63 between two dots")
    return whole


def _spelt(name: str) -> str:
    import ada_url

    if len(name) > _LONGEST:
        raise ValueError("a host name has at most 253 characters")
    try:
        found = ada_url.idna.encode(name).decode()
    except UnicodeEncodeError:  # half of a surrogate pair
        found = ""
    if not found or _FORBIDDEN.search(found):
        raise ValueError("a host name cannot contain these characters")
    return found


def readable_name(name: str) -> str:
    """The name with its foreign letters, as people write it, where Punycode stands for some; else the name as it is."""
    if "xn--" not in name.lower():
        return name
    import ada_url

    found = ada_url.idna.decode(name)
    return found or name
