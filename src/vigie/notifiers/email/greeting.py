"""How this machine greets a mail server (EHLO, RFC 5321 §4.1.3): servers refuse names that cannot be anybody's."""

import ipaddress
import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 253
# Names that no other machine knows: RFC 6761, RFC 6762 (.local), RFC 8375, ICANN's .internal, and what systems make up.
_NOBODYS = ("localhost", "localdomain", "local", "internal", "lan", "home.arpa")
_LOCALHOST = ("localhost", "localdomain")
_LITERAL = "[127.0.0.1]"  # RFC 5321 §4.1.4: where the machine has no name; its address behind a router would be worth no more


def default(hostname: str, sender: str) -> str:
    """The machine's full name if it is one; else the sender's domain, which the mail is from anyway; else an address.

    Never looked up, which may take seconds. A container's name is different at every start, and without a dot.
    """
    if _is_full(hostname := hostname.rstrip("."), _NOBODYS):
        return hostname
    domain = sender.rpartition("@")[2].rstrip(".")
    return domain if _is_full(domain, _LOCALHOST) else _LITERAL


def _is_full(name: str, nobodys: tuple[str, ...]) -> bool:
    """Whether it has several labels of letters, digits and hyphens, in a domain that the other side may know."""
    if "." not in name or not _is_name(name) or name.rpartition(".")[2].isdigit():
        return False
    return not name.lower().endswith(tuple(f".{one}" for one in nobodys))


def is_valid(text: str) -> bool:
    """Whether somebody may greet so: any host name, or an address in brackets."""
    if text.startswith("[") and text.endswith("]"):
        try:
            return bool(ipaddress.ip_address(text[1:-1].removeprefix("IPv6:")))
        except ValueError:
            return False
    return _is_name(text)


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST and bool(_NAME.fullmatch(name))
