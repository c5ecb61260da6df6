"""What the configuration says of access: where the page is reached, by which proxies, and who else may vouch for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vigie.accounts import Role
from vigie.net.names import is_loopback
from vigie.web.forwarded import Network


@dataclass(frozen=True, slots=True)
class OidcSetting:
    """An OpenID Connect provider. `claim` of the ID token or of userinfo is looked up in `roles`; `client` makes HTTP clients for a URL."""

    issuer: str
    client_id: str
    client_secret: str
    client: Callable[[str], Any]
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    default_role: Role | None = None
    domains: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccessSetting:
    """How the page is reached. `listen` is `address:port`."""

    listen: str = "127.0.0.1:8080"
    public_url: str | None = None
    trusted: tuple[Network, ...] = ()
    oidc: OidcSetting | None = None

    @property
    def private(self) -> bool:
        """Whether, by the configuration, this machine alone reaches the page: without accounts it may then stay open."""
        reached = "" if self.public_url is None else urlsplit(self.public_url).hostname or ""
        return not self.trusted and is_loopback(self.listen.rpartition(":")[0]) and (self.public_url is None or is_loopback(reached))

    @property
    def base(self) -> str:
        """The address of the page, without a slash at its end."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")
