"""What the kinds that check one service over one connection have in common: the keys, the URLs that stand for them, the probe."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from vigie.core.model import Cause, CheckResult, Scalar
from vigie.net import Secret
from vigie.probes.kit import keys
from vigie.probes.kit.comparison import Comparison, in_words
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import CaFile, Family, Host, Insecure, Latency, MaybePort, Meta, Resolver, TlsDays
from vigie.probes.kit.stream import Dialogue, Peer, converse
from vigie.probes.kit.verdict import TLS_DAYS, CheckFailed

Talk = Callable[[Dialogue], Awaitable[str]]
_SHOWN = 120


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of every kind that asks a service over one connection.

    A kind declares the schemes of its URLs and its usual ports.
    """

    schemes: ClassVar[dict[str, str]]  # scheme -> value of `tls`; the first one of a value names the target
    ports: ClassVar[dict[str, int]]  # value of `tls` -> usual port

    host: Host
    port: MaybePort = None
    latency: Latency = None
    ip: Family = None
    resolver: Resolver = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid host or resolver."""
        keys.check_host(self.host)
        keys.check_resolver(self.resolver)

    @property
    def mode(self) -> str:
        """The value of `tls`."""
        return "off"

    @property
    def effective_port(self) -> int:
        """The port in force."""
        return self.port or self.ports[self.mode]

    @property
    def target(self) -> str:
        """What is watched, as people may read it."""
        scheme = next((name for name, mode in self.schemes.items() if mode == self.mode), next(iter(self.schemes)))
        return f"{scheme}://{keys.host_port(self.host, self.effective_port)}"

    def peer(self) -> Peer:
        """The server to talk to."""
        latency = None if self.latency is None else int(self.latency)
        return Peer(self.host, self.effective_port, ip=self.ip, resolver=self.resolver, latency_ms=latency)

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that a URL stands for, those of its query (`?tls=starttls`) among them; ValueError says what is wrong with it."""
        parts = urlsplit(url)
        if parts.scheme not in cls.schemes:
            raise ValueError(f"the URL must begin with one of {', '.join(f'{scheme}://' for scheme in cls.schemes)}")
        try:
            port = parts.port
        except ValueError:  # its words may hold half a password
            raise ValueError("the port is not a number; in a password write %2F for /, %23 for #, %3F for ?, %40 for @") from None
        found: dict[str, Any] = {"host": parts.hostname or "", "port": port}
        found |= {"user": unquote(parts.username or "") or None, "password": unquote(parts.password or "") or None}
        if cls.schemes[parts.scheme] != "off":
            found["tls"] = cls.schemes[parts.scheme]
        found |= cls.keys_of_path(unquote(parts.path).strip("/")) | dict(parse_qsl(parts.query))
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The keys that a URL's path stands for; most kinds have none."""
        if path:
            raise ValueError(f"{next(iter(cls.schemes))}:// URLs cannot have a path")
        return {}


class Secured(Service, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a service that may speak TLS."""

    tls: Annotated[
        Literal["off", "starttls", "implicit"],
        Meta(
            description="`off`: no TLS. `starttls`: TLS after the protocol's own request for it, and the check fails without "
            "it. `implicit`: TLS from the first byte."
        ),
    ] = "off"
    ca_file: CaFile = None
    insecure: Insecure = False
    tls_days: TlsDays = TLS_DAYS

    @property
    def mode(self) -> str:
        """The value of `tls`."""
        return self.tls

    def peer(self, *alpn: str) -> Peer:
        """The server to talk to, and what is asked of its certificate; `alpn` names the protocol in TLS."""
        return Peer.of(self, self.host, self.effective_port, tls=self.tls == "implicit", alpn=alpn)


class Account(Secured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a service that one logs in to."""

    user: Annotated[str | None, Meta(description="User name.")] = None
    password: Annotated[Secret | None, Meta(description="Password; write `${NAME}` and keep it in `.env`.")] = None

    @property
    def secret(self) -> str:
        """The password, revealed; empty without one."""
        return self.password.reveal() if self.password is not None else ""

    def peer(self, *alpn: str) -> Peer:
        """The server to talk to, with the password in every form that protocols send it in: they are masked if the server repeats them."""
        user, password = self.user or "", self.secret
        forms = (password, in_base64(password), sasl_plain(user, password)) if password else ()
        return replace(super().peer(*alpn), secrets=forms)


class MailAccount(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of a mail server: its protocols send passwords in clear text, so a login needs TLS (RFC 8314 §3)."""

    def __post_init__(self) -> None:
        """Raise ValueError for half a login, or one whose password would travel unencrypted."""
        super().__post_init__()
        if (self.user is None) != (self.password is None):
            raise ValueError("write user and password, or neither")
        if self.password is not None and self.tls == "off":
            raise ValueError("the password would travel unencrypted; write `tls: starttls` or `tls: implicit`")

    @classmethod
    def from_url(cls, url: str) -> dict[str, Any]:
        """The keys that a URL stands for; one with a password means TLS."""
        found = super().from_url(url)
        return {"tls": "starttls"} | found if "password" in found else found


async def read_text(dialogue: Dialogue) -> str:
    """The next line, decoded as UTF-8 with replacement characters."""
    return (await dialogue.read_line()).encode("latin-1").decode("utf-8", "replace")


def in_base64(text: str) -> str:
    """A text's UTF-8 bytes in Base64."""
    return base64.b64encode(text.encode()).decode()


def sasl_plain(user: str, password: str) -> str:
    """What SASL PLAIN sends (RFC 4616)."""
    return in_base64(f"\0{user}\0{password}")


def value_mismatch(dialogue: Dialogue, name: str, value: str | None, wanted: str | float) -> CheckFailed | None:
    """The failure for a value that does not satisfy the comparison `wanted`, else None; a `value` of None is a missing one."""
    comparison = Comparison.of(wanted)
    if comparison.holds_for_text(value):
        return None
    got = "missing" if value is None else dialogue.quoted(value)
    figures: dict[str, Scalar] = {"field": name, "wanted": in_words(comparison)[:_SHOWN], "got": got}
    return CheckFailed(Cause.PROTOCOL_MISMATCH, f"{name} is {got}, expected {figures['wanted']}", figures)


def mismatch(dialogue: Dialogue, words: str, code: str = "", answer: str | bytes = "", *, refused: bool = False) -> CheckFailed:
    """The failure for an exchange that did not go as expected: our words, then the server's code and text, which are figures too.

    The figure `refused` tells reports that the right protocol was spoken (what carries a code is a refusal), `foreign` that another was.
    """
    code, said = dialogue.quoted(code), dialogue.quoted(answer)
    quote = ": ".join(part for part in (code, said) if part)
    figures: dict[str, Scalar] = {"refused" if refused or code else "foreign": True}
    figures |= {name: value for name, value in (("code", code), ("got", said)) if value}
    return CheckFailed(Cause.PROTOCOL_MISMATCH, f"{words} ({quote})" if quote else words, figures)


@dataclass(frozen=True, slots=True)
class ServiceProbe:
    """Checks one service, with one connection per check."""

    peer: Peer
    deps: ProbeDeps
    talk: Talk

    async def check(self, timeout_ms: int) -> CheckResult:
        """One check within `timeout_ms`; never raises for the service's fault."""
        return await converse(self.peer, self.deps, timeout_ms, self.talk)
