"""The services of another monitor's history as monitors of ours: by id or name, or with the alert `default`."""

import unicodedata
from collections.abc import Iterable

from vigie.config import Desired
from vigie.core.model import Monitor


def ours(settings: Desired, names: Iterable[str]) -> dict[str, Monitor]:
    """Each of these names as a monitor whose id is that name."""
    known: dict[str, Monitor] = {}
    for one in settings.monitors:
        known |= {_plain(one.monitor.name): one.monitor, _plain(one.monitor.id): one.monitor}
    return {name: _as(name, known.get(_plain(name)), settings) for name in names}


def _as(name: str, known: Monitor | None, settings: Desired) -> Monitor:
    detection, notification = (known.detection, known.notification) if known else (settings.detection, settings.notification)
    target, host, kind = (known.target, known.host, known.kind) if known else (name, "", "")
    return Monitor(name, name, kind, target, host, 60_000, 10_000, detection, notification)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
