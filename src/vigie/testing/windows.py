"""One-off maintenance written into a policy, for tests that need no calendar."""

from dataclasses import dataclass

from vigie.core.model import Monitor
from vigie.core.notification import Circumstances, NotificationPolicy


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window: from `start` up to but not including `end`, epoch ms."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WindowedPolicy(NotificationPolicy):
    """A policy, and when its monitor is in maintenance."""

    windows: tuple[Window, ...] = ()

    def muted_until(self, at: int) -> int | None:
        """The end of the maintenance window that holds `at`, or None; windows that touch or overlap count as one."""
        end: int | None = None
        for window in sorted(self.windows, key=lambda item: item.start):
            if window.start <= (at if end is None else end) < window.end:
                end = window.end
        return end


def one_off(monitor: Monitor, at: int) -> Circumstances:
    """The calendar of the windows in the policy itself."""
    policy = monitor.notification
    return Circumstances(policy.muted_until(at) if isinstance(policy, WindowedPolicy) else None)
