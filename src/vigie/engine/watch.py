"""Whether this machine can be believed: a starved loop, a suspended machine or a stepped clock spoils the checks under way."""

import logging
from dataclasses import dataclass

from vigie.ports import Clock

log = logging.getLogger("vigie.prober")

_TICK_SECONDS = 1.0
_LATE_SECONDS = 2.0
_STEP_MS = 2_000


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood when a check began: wall minus monotonic time in ms, and how often the loop had been starved."""

    offset: int
    starved: int


class Watch:
    """Ticks once a second; a tick that comes late means that nothing else on this loop was on time either."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ticked_at = clock.monotonic()
        self._starved, self._starved_seconds = 0, 0.0

    async def run(self) -> None:
        """Tick for ever, and say what was noticed."""
        offset = self._offset()
        self._ticked_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            late, drift = self._late_seconds(), self._offset() - offset
            self._ticked_at = self._clock.monotonic()
            if abs(drift) > _STEP_MS:
                offset += drift
                log.warning("%s: checks under way are void", _jumped(drift))
            elif late > _LATE_SECONDS:
                self._starved, self._starved_seconds = self._starved + 1, late
                log.warning("%s: checks under way are void", _busy(late))

    def mark(self) -> Mark:
        """To be taken at the start of a check."""
        return Mark(self._offset(), self._starved)

    def spoilt(self, since: Mark) -> str | None:
        """Why a check that began at `since` and ends now cannot be believed; None when it can. Needs no tick in between."""
        drift = self._offset() - since.offset
        if abs(drift) > _STEP_MS:
            return _jumped(drift)
        late = self._late_seconds()
        if late > _LATE_SECONDS:
            return _busy(late)
        return _busy(self._starved_seconds) if self._starved != since.starved else None

    def _offset(self) -> int:
        return self._clock.now() - round(self._clock.monotonic() * 1000)

    def _late_seconds(self) -> float:
        return self._clock.monotonic() - self._ticked_at - _TICK_SECONDS


def _jumped(drift_ms: int) -> str:
    return f"the clock jumped by {drift_ms / 1000:+.1f} s (a step, or the machine was suspended)"


def _busy(seconds: float) -> str:
    return f"this machine was too busy for {seconds:.1f} s"
