"""The keys of `web:` in `vigie.yaml`."""

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from vigie.net import Secret, ascii_name

Meta = msgspec.Meta
# What a mail's link may hold: RFC 3986 §2 without what begins a query or a fragment, and without quotes.
_PUBLIC = re.compile(r"https?://[A-Za-z0-9\[\]:._~%!$&()*+,;=/-]+")
_HOST_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+\.?")


class Oidc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An OpenID Connect provider: Keycloak, Authentik, Entra ID, Google, Okta and the like.

    Its redirect URI is `<public_url>/login/oidc/callback`.
    """

    issuer: Annotated[str, Meta(description="URL of the provider; its discovery document lies below.", examples=["https://id.example.com"])]
    client_id: Annotated[str, Meta(description="Client ID that the provider gave Vigie.", examples=["vigie"])]
    client_secret: Annotated[Secret, Meta(description="Client secret that goes with it.", examples=["${OIDC_CLIENT_SECRET}"])]
    name: Annotated[str, Meta(description="What the login button calls it; by default the host of `issuer`.")] = ""
    scopes: Annotated[tuple[str, ...], Meta(description="Scopes that are asked for.")] = ("openid", "profile", "email")
    claim: Annotated[str, Meta(description="Claim that decides roles; dots lead into it (`realm_access.roles`).")] = "groups"
    roles: Annotated[
        dict[str, Literal["viewer", "responder", "editor", "admin"]],
        Meta(
            description="Role by value of the claim; the strongest counts, at each login.", examples=[{"sre": "admin", "staff": "viewer"}]
        ),
    ] = {}
    default_role: Annotated[
        Literal["viewer", "responder", "editor", "admin"] | None,
        Meta(description="Role of whoever has none of these values. When not set, they are refused."),
    ] = None
    domains: Annotated[tuple[str, ...], Meta(description="Domains of verified mail addresses that may log in; any when empty.")] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what is not an issuer, and where nobody could log in."""
        if not re.fullmatch(r"https?://[^/\s?#@]+(?:[/@][^\s?#]*)?", self.issuer):  # pattern: a constant, against the user's own URL
            raise ValueError(f"`issuer` is not a web address; write https://id.example.com, not {self.issuer!r}")
        if not self.roles and self.default_role is None:
            raise ValueError("`oidc` gives nobody a role; set `roles` or `default_role`")


class Web(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status page."""

    listen: Annotated[str, Meta(description="Address and port.", examples=["127.0.0.1:8080"])] = "127.0.0.1:8080"
    enabled: Annotated[bool, Meta(description="Serve the page.")] = True
    public_url: Annotated[
        str | None,
        Meta(
            description="Public URL of this page, for instance behind a reverse proxy: messages with an analysis then end with two links to "
            "rate it. No links if not set.",
            examples=["https://vigie.example.com"],
        ),
    ] = None

    pings_listen: Annotated[
        str | None,
        Meta(
            description="Address and port where jobs report in and nothing else is served, so that jobs elsewhere can reach it while the page "
            "stays on `listen`.",
            examples=["0.0.0.0:8081"],
        ),
    ] = None
    hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="More host names under which the page may be opened (`*.example.com` for every name below one). Known without: that of "
            "`public_url`, IP addresses, localhost, and the machine's own where others can reach `listen`. Pings are accepted under any name.",
            examples=["status.example.com"],
        ),
    ] = ()

    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks of reverse proxies: `Forwarded` and `X-Forwarded-For`, `-Proto` and `-Host` are believed from "
            "these alone.",
            examples=[["127.0.0.1", "10.0.0.0/8"]],
        ),
    ] = ()
    allow_internal: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that monitors made by people who are not admins may check all the same. Else internal addresses (this "
            "machine, private networks, metadata services of clouds) are refused to them.",
            examples=[["10.20.0.0/16"]],
        ),
    ] = ()
    oidc: Annotated[Oidc | None, Meta(description="Login by an OpenID Connect provider.")] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless it is `address:port`, names of hosts, networks, and a URL that a mail can carry."""
        _check_networks("trusted_proxies", self.trusted_proxies)
        _check_networks("allow_internal", self.allow_internal)
        if self.oidc is not None and self.public_url is None:
            raise ValueError("`oidc` needs `public_url`, to which the provider sends people back")
        _check_listen(self.listen)
        if self.pings_listen is not None:
            _check_listen(self.pings_listen)
            if self.enabled and self.pings_listen == self.listen and not self.listen.endswith(":0"):
                raise ValueError(f"`pings_listen` must be another address and port than `listen`, which takes pings too: {self.listen!r}")
        for name in self.hosts:
            _check_host(name)
        if self.public_url is not None:
            _check_public(self.public_url)
            if not self.enabled:
                raise ValueError("`public_url` needs the page, but `enabled` is false; remove one of them")


def _check_networks(key: str, texts: tuple[str, ...]) -> None:
    """Raise ValueError unless each is an address or a network."""
    for one in texts:
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise ValueError(f"`{key}`: {one!r} is not an address or a network; write 10.0.0.0/8") from None


def _check_listen(text: str) -> None:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65_535:
        raise ValueError(f"{text!r} is not an address and port; write 127.0.0.1:8080")


def _check_host(name: str) -> None:
    """Raise ValueError unless it is a host name without scheme, port and path."""
    try:
        spelt = ascii_name(name.removeprefix("*."))
    except ValueError as error:
        raise ValueError(f"`hosts`: {error}") from None
    if not _HOST_NAME.fullmatch(spelt):
        raise ValueError(f"`hosts`: {name!r} is not a host name; write status.example.com, without scheme and port")


def _check_public(url: str) -> None:
    """Raise ValueError unless it is an http(s) URL of printable ASCII with nothing but host, port and path.

    A user name in it may come with a password, so that such a URL is not repeated.
    """
    try:
        parts = urlsplit(url)
        usual = bool(_PUBLIC.fullmatch(url)) and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, or brackets without a valid address in them
        usual = False
    if "@" in url or not usual:
        quoted = "" if "@" in url else f": {url!r}"
        raise ValueError(f"`public_url` must be an http(s) URL without user, query or fragment{quoted}; write https://vigie.example.com")
