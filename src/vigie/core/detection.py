"""When is trouble an incident, and who is told: values and questions, no state. Durations in ms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window: from `start` up to but not including `end`, epoch ms."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Policy:
    """How failures become an incident.

    `confirm` failures in a row open it, at the quick pace `confirm_every_ms` once the first is seen; `recover` good checks in
    a row close it; while it is open and nobody acknowledged it, `remind_ms` passes between reminders (0: never).
    `to` are the channels that are paged, `degraded_to` those that asked for degradations.
    """

    confirm: int = 3
    confirm_every_ms: int = 5_000
    recover: int = 2
    remind_ms: int = 14_400_000
    to: tuple[str, ...] = ()
    degraded_to: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    def muted_until(self, at: int) -> int | None:
        """The end of the maintenance window that holds `at`, or None; windows that touch or overlap count as one."""
        end: int | None = None
        for window in sorted(self.windows, key=lambda item: item.start):
            if window.start <= (at if end is None else end) < window.end:
                end = window.end
        return end
