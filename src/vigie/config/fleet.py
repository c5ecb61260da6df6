"""The shape of `fleet`: what a server is called where several share one PostgreSQL, and what it does beside."""

import re
from typing import Annotated

import msgspec

Meta = msgspec.Meta


class FleetKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several `vigie serve` on one PostgreSQL share the work and fail over."""

    name: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")] | None,
        Meta(
            description="What this server is called in `vigie fleet status`, the log and metrics; by default its host's name and four "
            "characters that tell its state directory.",
            examples=["vigie-1"],
        ),
    ] = None
    url: Annotated[
        str | None,
        Meta(
            description="Address at which the others, agents and people reach this very server, not a load balancer; by default "
            "`web.listen`.",
            examples=["http://10.0.0.5:8080"],
        ),
    ] = None
    probe: Annotated[
        bool,
        Meta(
            description="Whether this server also checks, as its `location`: while it evaluates, and while it stands by for one at another "
            "location. False where agents do all of it.",
        ),
    ] = True

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        if self.url is not None and not re.match(r"^https?://[^/\s@?#]+/?$", self.url):
            raise ValueError("`url` must be an http(s) address without user, path or query; write http://10.0.0.5:8080")
