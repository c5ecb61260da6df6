"""Channels of which every failure is an outcome: whatever a channel raises, and one that could not be built, is a DeliveryError."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from vigie.errors import DeliveryError, DeliveryReason, VigieError
from vigie.ports import Receipt
from vigie.report.facts import Message

log = logging.getLogger("vigie.outbox")

_T = TypeVar("_T")


def crashed(found: BaseException) -> DeliveryError:
    """A fault that the channel itself did not foresee; tried again like any other, for it may lie in the message."""
    return DeliveryError(DeliveryReason.OTHER, f"{type(found).__name__}: {found}")


@dataclass(frozen=True, slots=True)
class UnusableNotifier:
    """Implements Notifier in place of one that could not be built."""

    fault: DeliveryError

    async def deliver(self, _message: Message) -> Receipt:
        """Raise why not."""
        raise self.fault

    async def examine(self) -> str:
        """Raise why not."""
        raise self.fault


async def guarded(work: Awaitable[_T]) -> _T:
    """What a channel's delivery or examination gives. Raises VigieError and nothing else."""
    try:
        return await work
    except VigieError:
        raise
    except asyncio.CancelledError as found:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        raise crashed(found) from found  # a channel's own; nobody cancelled this
    except Exception as found:
        log.exception("a channel crashed")
        raise crashed(found) from found
