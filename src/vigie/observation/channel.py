"""Whether a channel works, by its attempts: state machine 4. It decides when the other channels are notified that one fails.

Laws
1. A spell of failure begins with the first failed attempt after one that worked, and ends with the next one that works.
2. It is announced once: when it has lasted `LASTING_MS` and was no matter of one or two attempts, unless a notice was given up in it;
   or when `MANY` notices were given up.
3. Its end is announced if it was.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

LASTING_MS = 900_000
MANY = 3  # attempts, and notices that were given up


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which every attempt failed. Instants in epoch ms; `failure` and `answer` are those of the newest attempt.

    `attempts` are those that failed, `given_up` the notices that could not be delivered at all, `told` the channels that announced it.
    """

    since: int
    attempts: int = 0
    given_up: int = 0
    failure: str = ""
    answer: str = ""
    announced_at: int | None = None
    until: int | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What is known of one channel. `failing` is the spell that lasts, `last` the newest announced one that is over."""

    channel: str
    failing: Spell | None = None
    last: Spell | None = None

    def spell(self, thread: str) -> Spell | None:
        """The spell that a thread of notices is about."""
        return next((one for one in (self.failing, self.last) if one is not None and thread_of(self.channel, one) == thread), None)


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt ended. `failure` is None when it worked; `given_up`: the notice is not tried again."""

    at: int
    failure: str | None = None
    answer: str = ""
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """Time went by."""

    at: int


class Decision(StrEnum):
    """What the other channels are notified of."""

    FAILING = "failing"
    RESTORED = "restored"


Step = tuple[ChannelState, Decision | None]


def step(state: ChannelState, event: Attempted | Passed) -> Step:
    """What an event makes of a channel. Total: every event is accepted in every state."""
    if isinstance(event, Passed):
        return _announced(state, event.at)
    if event.failure is not None:
        before = state.failing or Spell(event.at)
        spell = replace(
            before,
            attempts=before.attempts + 1,
            given_up=before.given_up + event.given_up,
            failure=event.failure,
            answer=event.answer,
        )
        return _announced(replace(state, failing=spell), event.at)
    if state.failing is None:
        return state, None
    if state.failing.announced_at is None:
        return replace(state, failing=None), None
    return ChannelState(state.channel, None, replace(state.failing, until=event.at)), Decision.RESTORED


def _announced(state: ChannelState, at: int) -> Step:
    """Law 2."""
    spell = state.failing
    if spell is None or spell.announced_at is not None:
        return state, None
    lasting = at - spell.since >= LASTING_MS and (spell.given_up > 0 or spell.attempts >= MANY)
    if not lasting and spell.given_up < MANY:
        return state, None
    return replace(state, failing=replace(spell, announced_at=at)), Decision.FAILING


def thread_of(channel: str, spell: Spell) -> str:
    """What the notices about a spell have in place of an alert."""
    return f"channel-{channel}-{spell.since // 1000}"


def is_lasting(state: ChannelState, at: int) -> bool:
    """Whether it has been failing for long."""
    return state.failing is not None and at - state.failing.since >= LASTING_MS
