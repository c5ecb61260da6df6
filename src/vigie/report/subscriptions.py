"""How readers subscribe: which addresses are taken, and the links by which they confirm and leave, signed so that nobody can guess one."""

import hashlib
import hmac
import ipaddress
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vigie.report.publication import Subscriber

CONFIRM_WITHIN_MS = 2 * 86_400_000
# RFC 5321 §4.5.3.1: 64 characters before the @, 254 in all. Nothing that a mail header or a command to a server could be ended with.
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_WEB = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:/[!-~]*)?")
_LONGEST_MAIL, _LONGEST_WEB = 254, 500


def mail_address(text: str) -> str | None:
    """The address with its domain in small letters; None for what is not exactly one, in ASCII."""
    bare = text.strip()
    if len(bare) > _LONGEST_MAIL or not _MAIL.fullmatch(bare) or ".." in bare or bare.partition("@")[0].endswith("."):
        return None
    name, _, domain = bare.rpartition("@")
    return f"{name}@{domain.lower()}"


def web_address(text: str) -> str | None:
    """The address where it is an https URL of a named host; None for others. Whether the name leads inside is asked when it is used."""
    bare = text.strip()
    if len(bare) > _LONGEST_WEB or not _WEB.fullmatch(bare):
        return None
    try:
        host, port = urlsplit(bare).hostname or "", urlsplit(bare).port
    except ValueError:
        return None
    if port == 0 or "." not in host.strip(".") or host.rsplit(".", 1)[-1] in ("local", "localhost", "internal", "lan", "home", "arpa"):
        return None
    return bare if _is_name(host) else None


def _is_name(host: str) -> bool:
    """Whether it is a name: also `0x7f.1` and `2130706433` are addresses to some resolvers."""
    try:
        ipaddress.ip_address(host.strip("."))
    except ValueError:
        return re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)", host.strip(".").rsplit(".", 1)[-1]) is None
    return False


def is_public_address(address: str) -> bool:
    """Whether an IP address is one of the Internet: not private, local, shared, reserved, or one of those inside IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public_address(str(inner))
    return found.is_global and not found.is_multicast


@dataclass(frozen=True, slots=True)
class SubscriptionLinks:
    """The key that signs them."""

    key: bytes = field(repr=False)

    def token(self, one: Subscriber) -> str:
        """22 characters: HMAC-SHA256 (RFC 2104), cut as its §5 allows."""
        text = "\0".join(("vigie subscription", one.page, one.id, one.address, str(one.created_at)))
        digest = hmac.new(self.key, text.encode("utf-8", "replace"), hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:16]).decode().rstrip("=")

    def accepts(self, one: Subscriber, token: str) -> bool:
        """Whether a token is theirs, without telling by the time taken how much of it is right."""
        return hmac.compare_digest(self.token(one).encode(), token.encode("utf-8", "replace"))

    def confirm(self, url: str, one: Subscriber) -> str:
        """Where they confirm."""
        return f"{url}/confirm/{one.id}/{self.token(one)}"

    def unsubscribe(self, url: str, one: Subscriber) -> str:
        """Where they leave."""
        return f"{url}/unsubscribe/{one.id}/{self.token(one)}"
