"""Channels: one file or package each, found by its name; `kit` holds what they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo

from vigie.errors import VigieError
from vigie.net import DIRECT, Proxies
from vigie.ports import Clock

TIMEOUT_SECONDS = 15.0
Render = Callable[[Mapping[str, str], Mapping[str, object]], dict[str, str]]


def _no_templates(templates: Mapping[str, str], values: Mapping[str, object]) -> dict[str, str]:  # noqa: ARG001 - a signature
    raise VigieError("templates cannot be rendered here")


@dataclass(frozen=True, slots=True)
class NotifierDeps:
    """What channels are built with.

    `render` makes texts of templates by their names, and blocks; it raises VigieError. `channel` is the channel's own name, `zone` that
    of times.
    `hostname` is the name of this machine, `ca_file` the trust store (None: the system's), `proxies` how web addresses are reached.
    """

    clock: Clock
    hostname: str
    ca_file: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS
    proxies: Proxies = DIRECT
    render: Render = _no_templates
    channel: str = ""
    zone: tzinfo = UTC
