"""Notices in the outbox, and the attempts at them."""

from dataclasses import dataclass
from enum import StrEnum

from vigie.core.notification import Notice, NoticeReason


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A notice that must be sent. `due_at` is epoch ms; `attempts` counts the failed sends so far."""

    notice: Notice
    due_at: int
    attempts: int = 0


class OutboxState(StrEnum):
    """What has become of a notice; stored by value."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    DROPPED = "dropped"  # a person decided that it is not sent


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A row of the outbox, and what has become of it."""

    row: OutboxRow
    state: OutboxState


DROPPED = "dropped"  # `Delivery.failure` of the entry that says who dropped a notice


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many notices there are."""

    waiting: int
    undeliverable: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt at one notice. `failure` is None when the channel took it; `answer` is what it said, secrets masked.

    Where a person dropped the notice, `failure` is `DROPPED`, `answer` says who, and `attempt` is 0.
    `reference` is what the provider calls the message, where it is of use later on.
    """

    key: str
    alert: str
    channel: str
    reason: NoticeReason
    at: int
    attempt: int
    failure: str | None
    answer: str
    duration_ms: int
    number: int = 0
    failover_for: str = ""
    reference: str = ""

    @classmethod
    def of(
        cls, notice: Notice, at: int, attempt: int, failure: str | None, answer: str, duration_ms: int, reference: str = ""
    ) -> "Delivery":
        """An attempt at this notice."""
        one = notice
        return cls(
            one.key, one.alert, one.channel, one.reason, at, attempt, failure, answer, duration_ms, one.number, one.failover_for, reference
        )  # fmt: skip
