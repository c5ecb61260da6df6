"""The keys of `metrics:` in `vigie.yaml`."""

import re
from typing import Annotated, Any, Literal

import msgspec

from vigie.net import Secret
from vigie.planning.duration import Duration

Meta = msgspec.Meta
_SECURE = re.compile(r"https?://[^/\s@]+(/[!-~]*)?")


class Otlp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A collector that takes metrics by OTLP over HTTP. Needs `pip install 'vigie[otel]'`."""

    endpoint: Annotated[
        str,
        Meta(description="Where metrics are posted to.", examples=["http://localhost:4318/v1/metrics"]),
    ]
    headers: Annotated[dict[str, Secret], Meta(description="Request headers.", examples=[{"authorization": "Bearer ${OTLP_TOKEN}"}])] = (
        msgspec.field(default_factory=dict)
    )
    every: Annotated[Duration, Meta(description="How often.")] = msgspec.field(default_factory=lambda: Duration(60_000))
    compression: Annotated[Literal["gzip", "none"], Meta(description="How the body is packed.")] = "gzip"

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address, and for an interval that nobody would want."""
        if not _SECURE.fullmatch(self.endpoint):
            raise ValueError("`endpoint` is not a web address; write http://localhost:4318/v1/metrics, and logins in `headers`")
        if not 5_000 <= self.every <= 3_600_000:
            raise ValueError("`every` must be at least 5s and at most 1h")


class Metrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What other monitoring systems read and are sent."""

    otlp: Annotated[Otlp | None, Meta(description="A collector that metrics are sent to.")] = None
    modules: Annotated[
        dict[str, Any],
        Meta(
            description="Modules for `/probe` by name: keys of a monitor with its `type`, without what names a target, and `timeout`. "
            "Known without: http_2xx, http_post_2xx, tcp_connect, tls_connect, icmp, dns, grpc, grpc_plain.",
            examples=[{"api": {"type": "http", "method": "HEAD", "expect": {"status": "200,204"}}}],
        ),
    ] = {}
