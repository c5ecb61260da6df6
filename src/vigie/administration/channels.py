"""What people do about channels: a marked test notice, as `vigie notify test` sends it, and notices that are tried again or dropped."""

from collections.abc import Callable

from vigie.adapters import send_test
from vigie.commands.channels import ChannelTested
from vigie.config import Desired
from vigie.errors import DeliveryError
from vigie.ports import Clock, Ledger
from vigie.unsent import UNSENT, with_earlier


class ChannelDesk:
    """Implements ChannelCommands."""

    def __init__(self, settings: Callable[[], Desired], clock: Clock, ledger: Ledger, wake: Callable[[], None]) -> None:
        self._settings, self._clock, self._ledger, self._wake = settings, clock, ledger, wake

    async def test(self, channel: str) -> ChannelTested | None:
        """Send a marked test notice."""
        settings = self._settings()
        if channel not in settings.channels:
            return None
        try:
            return ChannelTested(await send_test(settings, self._clock, channel))
        except DeliveryError as error:
            return ChannelTested("", error.message, error.fix)

    async def retry(self, key: str) -> bool:
        """Have an unsent notice tried at once, with those that wait before it."""
        unsent = await self._ledger.notices(states=UNSENT)
        keys = with_earlier([one.row.notice for one in unsent], [key])
        if key not in keys:
            return False
        await self._ledger.retry(keys, self._clock.now())
        self._wake()
        return True

    async def drop(self, key: str, by: str) -> bool:
        """Give an unsent notice up."""
        if all(one.row.notice.key != key for one in await self._ledger.notices(states=UNSENT)):
            return False
        await self._ledger.drop([key], by, self._clock.now())
        return True
