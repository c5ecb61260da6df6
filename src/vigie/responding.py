"""How people act on alerts from messages: the page behind the links, and the buttons of chats. For `serve`, where it has a public URL."""

import asyncio
import logging
import socket
from collections.abc import Mapping

from vigie import plugins
from vigie.adapters import state_of
from vigie.app import Runtime
from vigie.config import Desired
from vigie.engine.buttons import Buttons
from vigie.engine.deciding import Deciding
from vigie.engine.masking import MaskedButtons
from vigie.engine.responses import Responses
from vigie.errors import VigieError
from vigie.net import system_ca_file
from vigie.notifiers import NotifierDeps
from vigie.ports import ButtonSource, Clock
from vigie.report.responses import button_secret

log = logging.getLogger("vigie.responses")


def button_sources(settings: Desired, clock: Clock) -> dict[str, ButtonSource]:
    """The channels whose messages have buttons, by name; a fault costs the buttons, never a message."""
    found: dict[str, ButtonSource] = {}
    if settings.web.public_url is None:
        return found
    deps = NotifierDeps(clock, socket.gethostname(), system_ca_file(), proxies=settings.proxies)
    for name, channel in settings.channels.items():
        make = getattr(plugins.load("notifiers", channel.kind), "buttons", None)
        if make is None:
            continue
        try:
            built: ButtonSource | None = make(channel.config.reveal(), deps, button_secret(state_of(settings).key(), name))
        except VigieError as error:
            log.warning("%s: messages carry no buttons: %s (%s)", name, error.message, error.fix)
            continue
        if built is not None:
            found[name] = MaskedButtons(built, channel.secrets)
    return found


class Responding:
    """The services behind links and buttons; `responses` and `buttons` are None without a public URL."""

    def __init__(self, runtime: Runtime, clock: Clock, deciding: Deciding) -> None:
        self._clock, self._url = clock, runtime.settings.web.public_url
        self.responses: Responses | None = None
        self.buttons: Buttons | None = None
        self._sources: dict[str, ButtonSource] = {}
        self._registering: list[asyncio.Task[None]] = []
        if self._url is not None:
            self.responses = Responses(runtime.store.archive, deciding, clock, runtime.composer)
            self.buttons = Buttons(self.responses, clock, {})
            self.use(button_sources(runtime.settings, clock))

    def use(self, sources: Mapping[str, ButtonSource]) -> None:
        """The channels in force."""
        self._sources = dict(sources)
        if self.buttons is not None:
            self.buttons.use(sources)

    def start(self) -> None:
        """Have chats send presses to us, each in its own time."""
        if self.buttons is None or self._url is None:
            return
        for task in self._registering:
            task.cancel()
        self._registering = [asyncio.create_task(self.buttons.register(name, self._url)) for name in self._sources]

    async def close(self) -> None:
        """Register and confirm nothing more."""
        for task in self._registering:
            task.cancel()
        await asyncio.gather(*self._registering, return_exceptions=True)
        if self.buttons is not None:
            await self.buttons.close()
