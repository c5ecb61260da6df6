"""What probes are built with: the resources of the process that they share, and their configuration as it travels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vigie.errors import VigieError
from vigie.net import Link, NameResolver, Secret, revealed
from vigie.planning.duration import Duration
from vigie.ports import Clock

_T = TypeVar("_T")


def configured(config_type: type, options: dict[str, object]) -> Any:
    """A probe's Config out of the values of an Assignment: here what is secret about them is revealed. Raises VigieError."""
    try:
        return msgspec.convert(revealed(options), config_type, dec_hook=_read)
    except (msgspec.ValidationError, ValueError) as error:
        raise VigieError(f"a probe's configuration could not be read by the prober: {error}") from error


def _read(kind: type, value: Any) -> Any:
    if kind is Duration:
        return Duration.of(value)
    if kind is Secret:
        return Secret(value)
    raise NotImplementedError(kind)


@dataclass(slots=True)
class ProbeDeps:
    """What probes are built with. One resolver, one trust store, one transport for all of them.

    `cache` is a folder for what may be lost at any time (None: nothing is kept).
    `evidence` is the folder for pictures of what went wrong; None where none are kept.
    `ahead`: what probes will need is started when they are built, not within the first check.
    """

    clock: Clock
    resolver: NameResolver
    link: Link
    ca_file: str | None = None
    cache: Path | None = None
    evidence: Path | None = None
    ahead: bool = False
    _shared: dict[str, tuple[Any, Callable[[], None]]] = field(default_factory=dict)

    def shared(self, key: str, make: Callable[[], _T], close: Callable[[_T], None]) -> _T:
        """The one resource of this process under `key`, made on first use and closed with the others."""
        if key not in self._shared:
            made = make()
            self._shared[key] = (made, lambda: close(made))
        return self._shared[key][0]  # type: ignore[no-any-return]  # the key decides the type

    def close(self) -> None:
        """Close what was shared."""
        for _, close in self._shared.values():
            close()
        self._shared.clear()
        self.link.close()
        self.resolver.close()
