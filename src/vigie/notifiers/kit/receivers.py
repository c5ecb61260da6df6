"""Several receivers, each asked on its own, of a service without a key against copies: who has a notice is not asked again."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from vigie.errors import DeliveryError

log = logging.getLogger("vigie.outbox")
_REMEMBERED = 1_000


class Receivers:
    """Who has which notice, for as long as the process lives."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._have: dict[str, set[str]] = {}  # key -> receivers that have it, while others were put off

    async def deliver(self, key: str, send: Callable[[str], Awaitable[str]]) -> str:
        """Send to everybody left, and say who has it. Raises the DeliveryError of who was put off; of who was refused, if nobody has it."""
        have = self._have.get(key, set())
        said: list[str] = []
        later: list[DeliveryError] = []
        lost: list[DeliveryError] = []
        for name in self._names:
            if name in have:
                continue
            try:
                said.append(await send(name))
                have = have | {name}
            except DeliveryError as error:
                (lost if error.permanent else later).append(error)
                if not error.permanent and error.retry_after_ms is not None:
                    break  # it asks everybody to wait
        if later or not have:
            self._remember(key, have)
            raise (later or lost)[0]
        self._have.pop(key, None)
        for refusal in lost:
            log.warning("%s: %s (%s)", key, refusal.message, refusal.fix)
        answer = f"{len(have)} of {len(self._names)} receivers: {', '.join(filter(None, said))}"
        return f"{answer}; {lost[0].message}" if lost else answer

    def _remember(self, key: str, have: set[str]) -> None:
        self._have[key] = have
        if len(self._have) > _REMEMBERED:
            del self._have[next(iter(self._have))]
