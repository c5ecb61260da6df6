"""When a failed send is tried again. Durations in ms, instants epoch ms."""

import hashlib

from vigie.core.notification import Notice

_BASE_MS = 2_000
_CAP_MS = 600_000
_GIVE_UP_MS, _GIVE_UP_ATTEMPTS = 86_400_000, 8
LONGEST_WAIT_MS = 3_600_000


def backoff_ms(attempt: int, key: str) -> int:
    """How long to wait after the `attempt`-th failure (from 1): 2 s doubled each time up to 10 min, ± 20 % by a hash of the key.

    The jitter is a hash, not chance, so that it can be replayed; different notices still spread out.
    """
    wait = min(_BASE_MS << min(attempt - 1, 20), _CAP_MS)
    digest = hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=4).digest()
    return round(wait * (0.8 + 0.4 * int.from_bytes(digest) / 0xFFFFFFFF))


def retry_at(now: int, notice: Notice, attempt: int, waited_ms: int, *, permanent: bool, retry_after_ms: int | None = None) -> int | None:
    """When to try again after the `attempt`-th failure, epoch ms, at most an hour later; None gives up.

    That is a permanent fault, or a notice that has waited for a day and failed eight times: a machine that was off or asleep
    over a notice has not tried yet.
    """
    if permanent or (waited_ms > _GIVE_UP_MS and attempt >= _GIVE_UP_ATTEMPTS):
        return None
    return now + min(max(backoff_ms(attempt, notice.key), retry_after_ms or 0), LONGEST_WAIT_MS)
