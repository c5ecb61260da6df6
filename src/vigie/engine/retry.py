"""Which unsent notices are tried again at once: when a process starts, and when channels are configured anew.

What waits has a time of its own, which only `once` and a changed channel overrule. What was given up is tried again where that may help:
its channel's configuration changed since (a mended address, a new password), or it still matters and nobody has tried it for an hour.
docs/decisions/0039 says why.
"""

from collections.abc import Collection

from vigie.core.notification import Notice
from vigie.engine.channel_health import ABOUT_CHANNELS
from vigie.planning.backoff import LONGEST_WAIT_MS
from vigie.ports import Archive, Ledger, OutboxState

MATTERS_MS = 86_400_000  # of an incident that is over: news of yesterday
CHANGED_MS = 7 * 86_400_000  # to whoever mended a channel: what it missed


async def to_retry(
    ledger: Ledger, archive: Archive, now: int, known: Collection[str], changed: Collection[str], *, everything: bool
) -> list[str]:
    """Keys of the rows to be tried now. `known` are the channels that there are, `changed` those configured anew. Raises StoreError."""
    waiting = await ledger.outbox(OutboxState.WAITING)
    found = [row.notice.key for row in waiting if everything or (row.attempts and row.notice.channel in changed)]
    for row in await ledger.outbox(OutboxState.UNDELIVERABLE):
        one = row.notice
        # That something was undeliverable is said by the notice itself, once it is delivered after all.
        if one.channel in known and one.reason not in ABOUT_CHANNELS and await _helps(archive, one, now, one.channel in changed):
            found.append(one.key)
    return found


async def still_lacking(ledger: Ledger, archive: Archive, known: Collection[str]) -> int:
    """How many notices of open incidents were given up by `known` channels and wait for no attempt. Raises StoreError."""
    given_up = [row.notice for row in await ledger.outbox(OutboxState.UNDELIVERABLE) if row.notice.channel in known]
    about = {alert: await archive.incident(alert) for alert in {one.alert for one in given_up}}
    return sum((found := about[one.alert]) is not None and found.closed_at is None for one in given_up)


async def _helps(archive: Archive, notice: Notice, now: int, changed: bool) -> bool:
    if now - notice.at > (CHANGED_MS if changed else MATTERS_MS):
        about = await archive.incident(notice.alert)
        if about is None or about.closed_at is not None:
            return False
    if changed:
        return True
    last = max((one.at for one in await archive.deliveries(notice.alert) if one.key == notice.key), default=0)
    return now - last > LONGEST_WAIT_MS
