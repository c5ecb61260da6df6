"""Which channels work: by every attempt, over restarts; the others are notified of one that fails, and of its recovery."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID, SubjectKind
from vigie.observation import channel
from vigie.observation.channel import Attempted, ChannelState, Decision, Passed, Spell
from vigie.ports import Archive, Delivery, Ledger, OutboxRow

log = logging.getLogger("vigie.outbox")

_REASONS = {Decision.FAILING: NoticeReason.CHANNEL_FAILING, Decision.RESTORED: NoticeReason.CHANNEL_RESTORED}
ABOUT_CHANNELS = (NoticeReason.UNDELIVERABLE, *_REASONS.values())  # reasons of notices that are about a channel


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt, or the time, makes of a channel, and the notices of it; nothing holds before `ChannelHealth.adopt`."""

    state: ChannelState
    rows: tuple[OutboxRow, ...] = ()
    decision: Decision | None = None


class ChannelHealth:
    """Holds the state of every channel. `others` gives groups of channels to notify of one that fails: the first group that works is."""

    def __init__(self, ledger: Ledger, archive: Archive, others: Callable[[str], Sequence[Collection[str]]]) -> None:
        self._ledger, self._archive, self._others = ledger, archive, others
        self._states: dict[str, ChannelState] | None = None

    async def after(self, delivery: Delivery, now: int, *, given_up: bool) -> Outcome | None:
        """What an attempt makes of its channel; None where it changes nothing. Raises StoreError."""
        before = (await self._known()).get(delivery.channel) or ChannelState(delivery.channel)
        after, decision = channel.step(before, Attempted(now, delivery.failure, delivery.answer, given_up))
        return None if after == before else self._outcome(after, decision, now)

    async def tick(self, now: int, configured: Collection[str], *, anew: bool = False) -> None:
        """Announce what has been failing for long by now, also untried ones; forget channels that went. Raises StoreError.

        `anew`: other servers send, too, and what they found is read first.
        """
        if anew:
            self._states = None
        for name, before in list((await self._known()).items()):
            if name not in configured and before != ChannelState(name):  # should it come back, it begins anew
                await self._ledger.save_channel(ChannelState(name))
                self.adopt(Outcome(ChannelState(name)))
                continue
            after, decision = channel.step(before, Passed(now))
            if decision is not None:
                outcome = self._outcome(after, decision, now)
                await self._ledger.save_channel(outcome.state, outcome.rows)
                self.adopt(outcome)

    def adopt(self, outcome: Outcome) -> None:
        """It is on the disk."""
        if self._states is not None:
            self._states[outcome.state.channel] = outcome.state
        name, spell = outcome.state.channel, outcome.state.failing
        told = f"; {', '.join(row.notice.channel for row in outcome.rows)} will say so" if outcome.rows else ""
        if outcome.decision is Decision.FAILING and spell is not None:
            fix = "" if told else ". No other channel can say so: add one under `notify`"
            log.critical("channel %s is FAILING (attempts: %d), the newest: %s%s%s", name, spell.attempts, spell.answer, told, fix)
        elif outcome.decision is Decision.RESTORED:
            log.warning("channel %s works again%s", name, told)

    def fails(self, name: str) -> bool:
        """Whether the newest attempt failed."""
        return self._spell(name) is not None

    def is_announced(self, name: str) -> bool:
        """Whether the others were notified that this channel fails."""
        spell = self._spell(name)
        return spell is not None and spell.announced_at is not None

    def stuck(self, configured: Collection[str], now: int) -> bool:
        """Whether no channel works, and none has for long: nobody can be notified of anything."""
        states = [(self._states or {}).get(name) for name in configured]
        failing = [one for one in states if one is not None and one.failing is not None]
        return bool(failing) and len(failing) == len(states) and any(channel.is_lasting(one, now) for one in failing)

    def _spell(self, name: str) -> Spell | None:
        state = (self._states or {}).get(name)
        return None if state is None else state.failing

    async def _known(self) -> dict[str, ChannelState]:
        if self._states is None:
            self._states = await self._archive.channels()
        return self._states

    def _outcome(self, after: ChannelState, decision: Decision | None, now: int) -> Outcome:
        spell = after.failing if decision is Decision.FAILING else after.last
        if decision is None or spell is None:
            return Outcome(after)
        thread, reason = channel.thread_of(after.channel, spell), _REASONS[decision]
        notified = spell.told if decision is Decision.RESTORED else self._working(after.channel)
        if decision is Decision.FAILING:
            after = replace(after, failing=replace(spell, told=notified))
        rows = tuple(
            OutboxRow(Notice(thread, VIGIE_ID, to, reason, now, failover_for=after.channel, subject=SubjectKind.VIGIE), now)
            for to in notified
        )
        return Outcome(after, rows, decision)

    def _working(self, failing: str) -> tuple[str, ...]:
        """Whom to notify that this one fails."""
        groups = ([one for one in group if one != failing and self._spell(one) is None] for group in self._others(failing))
        return tuple(next((dict.fromkeys(group) for group in groups if group), ()))
