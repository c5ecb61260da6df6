"""Who is told what was taken in, once it is committed."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from vigie.engine.steady import Plain
from vigie.engine.transition import Transition
from vigie.engine.transition_log import log_transition
from vigie.errors import StoreError

log = logging.getLogger("vigie.ingest")

Listener = Callable[[Transition], Awaitable[None]]
_What = TypeVar("_What")


class PlainListener(Protocol):
    """Who listens to results that decided nothing and came packed, many at a time."""

    @property
    def each(self) -> bool:
        """Whether it must be told every result as a transition now."""

    async def on_plain(self, plain: Plain) -> None:
        """These were taken in."""


class Announcer:
    """One listener's fault is logged, and keeps nothing from the others. `routine_level` is that of `Ingest`."""

    def __init__(self, listeners: Iterable[Listener], routine_level: int) -> None:
        self.routine_level = routine_level
        self._of_decisions, self._of_results, self._of_plain = list(listeners), list[Listener](), list[PlainListener]()

    def listen(self, listener: Listener) -> None:
        """Call this one too, after each commit that decided something."""
        self._of_decisions.append(listener)

    def listen_to_results(self, listener: Listener, plain: PlainListener | None = None) -> None:
        """Call this one for every transition, also where nothing was decided; `plain` has those that came packed and decided nothing."""
        self._of_results.append(listener)
        if plain is not None:
            self._of_plain.append(plain)

    @property
    def each(self) -> bool:
        """Whether every result must become a transition now: somebody waits for it, or it is logged."""
        return log.isEnabledFor(self.routine_level) or any(one.each for one in self._of_plain)

    async def show(self, transition: Transition) -> None:
        """A result that another server took in, for those who listen to results."""
        for listener in self._of_results:
            await _told(listener, transition, transition.monitor.name)

    async def announce(self, transitions: Iterable[Transition], plain: Iterable[Plain] = ()) -> None:
        """What was committed."""
        for transition in transitions:
            log_transition(transition, self.routine_level)
            for listener in self._of_results:
                await _told(listener, transition, transition.monitor.name)
            if transition.decisions or transition.before.quick != transition.after.quick:
                for listener in self._of_decisions:
                    await _told(listener, transition, transition.monitor.name)
        for one in plain:
            for plain_listener in self._of_plain:
                await _told(plain_listener.on_plain, one, one.location)


async def _told(listener: Callable[[_What], Awaitable[None]], what: _What, about: str) -> None:
    try:
        await listener(what)
    except Exception as error:  # what is decided is committed; one listener's fault must not keep it from the others
        log.error("%s: a listener failed: %s", about, error, exc_info=not isinstance(error, StoreError))  # noqa: TRY400 - a failing store needs no trace
