"""A status page as its owner wants it: what is on it, under which names, and how it looks. Nothing else of a monitor is for the public."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo


@dataclass(frozen=True, slots=True)
class Component:
    """A service on the page: the monitor's id, which is private, and the name and key by which the public knows it."""

    monitor: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Section:
    """Services under one heading; no heading where it is empty."""

    title: str
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture: its bytes, and its media type."""

    data: bytes = field(repr=False)
    media: str


@dataclass(frozen=True, slots=True)
class Accent:
    """The colour of links and buttons, `#rrggbb`, on light and on dark ground."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class StatusPage:
    """One page. `path` is where it is served (`/status/public`), `url` its whole address, None where nobody knows it.

    `words` are the owner's own for states. `mail` is the channel that sends to subscribers, None where mail cannot be subscribed to.
    """

    name: str
    title: str
    path: str
    sections: tuple[Section, ...]
    language: str = "en"
    zone: tzinfo = UTC
    public: bool = True
    domain: str | None = None
    url: str | None = None
    support: str | None = None
    logo: Logo | None = None
    accent: Accent | None = None
    words: tuple[tuple[str, str], ...] = ()
    show_latency: bool = False
    show_availability: bool = True
    announce_maintenance: bool = True
    mail: str | None = None
    webhooks: bool = True

    @property
    def components(self) -> Iterator[Component]:
        """All of its services."""
        return (one for section in self.sections for one in section.components)

    @property
    def monitors(self) -> tuple[str, ...]:
        """The ids of what is on it."""
        return tuple(dict.fromkeys(one.monitor for one in self.components))
