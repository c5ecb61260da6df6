"""The port of whoever probes."""

from collections.abc import Sequence
from typing import Protocol

from vigie.observation.check_spec import CheckSpec


class Agent(Protocol):
    """Who probes: in this process, in a process of its own, or far away."""

    async def assign(self, specs: Sequence[CheckSpec]) -> None:
        """Watch exactly these from now on; those whose spec is unchanged keep their probe and their phase."""

    async def pace(self, monitor_id: str, every_ms: int | None) -> None:
        """Check this monitor every `every_ms` from now on (next one in `every_ms`), or at its own pace again when None."""

    async def check_now(self, monitor_id: str) -> None:
        """Check this monitor once, out of turn; its schedule stays. Of one that is not watched nothing comes."""

    async def stop(self) -> None:
        """Start no more checks, let those under way end within their deadlines, publish what is left."""
