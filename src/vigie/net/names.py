"""Host names: how they are spelt, which of them are addresses already, and which never leave this machine."""

import ipaddress
from functools import lru_cache

_LONGEST, _LONGEST_LABEL = 253, 63  # RFC 1035 §2.3.4
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


@lru_cache(maxsize=16_384)
def ascii_name(name: str) -> str:
    """The name in lower case as DNS and certificates spell it; ValueError where it cannot be spelt.

    Foreign letters as browsers take them: UTS #46 without the transitional mapping, so that `straße` is not `strasse`; what IDNA 2008
    has no place for (emoji) goes out in Punycode all the same.
    """
    if any(character <= " " or character == "\x7f" for character in name):
        raise ValueError("a host name cannot contain spaces or control characters")
    if not name.isascii():
        name = _mapped(name)
    labels = [label if label.isascii() else _label(label) for label in name.lower().split(".")]
    whole = ".".join(labels)
    if len(whole.removesuffix(".")) > _LONGEST or any(len(label) > _LONGEST_LABEL for label in labels):
        raise ValueError("a host name has at most 253 characters, and 63 between two dots")
    return whole


def _mapped(name: str) -> str:
    import idna

    if len(name) > _LONGEST:
        raise ValueError("a host name has at most 253 characters")
    return idna.uts46_remap(name, std3_rules=False, transitional=False)


def _label(label: str) -> str:
    import idna

    try:
        return idna.alabel(label).decode()
    except idna.IDNAError:
        return "xn--" + label.encode("punycode").decode()
