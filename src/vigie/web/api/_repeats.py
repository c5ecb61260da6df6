"""Requests that are sent again (`Idempotency-Key`): done once, answered as often as they are sent.

Kept for a day in memory, the newest 500 of a route: what is sent again after a restart is done again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from vigie.web.problems import ProblemError

_DAY_MS, MAX_KEPT = 86_400_000, 500
Key = tuple[str, ...]


@dataclass(slots=True)
class _Kept:
    digest: bytes
    at: int
    response: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None


class Repeats:
    """What was answered lately; `now` is epoch ms."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    async def answered(self, key: Key, data: bytes, answer: Callable[[], Awaitable[Response]]) -> Response:
        """The answer of before, or a new one. Raises ProblemError for a key that was used for something else, or is being used."""
        digest, now = hashlib.blake2b(data, digest_size=16).digest(), self._now()
        while self._kept and (len(self._kept) >= MAX_KEPT or now - next(iter(self._kept.values())).at > _DAY_MS):
            self._kept.popitem(last=False)
        known = self._kept.get(key)
        if known is not None:
            return _again(known, digest)
        kept = self._kept[key] = _Kept(digest, now)
        try:
            response = await answer()
        except BaseException:
            self._kept.pop(key, None)  # nothing was done
            raise
        kept.response = (response.status_code, list(response.raw_headers), bytes(response.body))
        return response


def _again(known: _Kept, digest: bytes) -> Response:
    if known.digest != digest:
        raise ProblemError(422, "this Idempotency-Key was used for another request", "idempotency-key")
    if known.response is None:
        raise ProblemError(
            409, "the first request with this Idempotency-Key is still being done", "in-progress", headers={"Retry-After": "1"}
        )
    status, headers, body = known.response
    again = Response(body, status)
    again.raw_headers = [*headers, (b"idempotency-replayed", b"true")]
    return again
