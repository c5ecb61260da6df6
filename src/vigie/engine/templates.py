"""A channel whose messages people word themselves. Whatever a template does, the message goes out: in the standard words if need be."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from vigie.errors import VigieError
from vigie.ports import Clock, Notifier, Receipt
from vigie.report.facts import Message
from vigie.report.variables import variables

log = logging.getLogger("vigie.templates")

Render = Callable[[Mapping[str, str], Mapping[str, object]], dict[str, str]]
_REST_SECONDS = 60.0  # a template that hangs costs its two seconds once a minute, not for every notice of a storm


@dataclass(frozen=True, slots=True)
class Wording:
    """The templates of a channel: those of every message, and by reason those in place of them. Each maps a part to its template.

    `lines` takes the place of the sentences, `body` of the sentences, the analysis and the facts.
    """

    usual: Mapping[str, str]
    by_reason: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, reason: str) -> dict[str, str]:
        """The templates for a reason."""
        own = self.by_reason.get(reason, {})
        usual = {part: text for part, text in self.usual.items() if not (part in _CONTENT and _CONTENT & own.keys())}
        return {**usual, **own}


_CONTENT = {"lines", "body"}


@dataclass(slots=True)
class TemplatedNotifier:
    """Implements Notifier by another one. `render` blocks, and raises VigieError."""

    notifier: Notifier
    name: str
    wording: Wording
    render: Render
    zone: tzinfo
    clock: Clock
    faulty: str = ""  # the fault that was logged
    rests: dict[str, float] = field(default_factory=dict)  # by reason: until when its templates are not tried, for they failed

    async def deliver(self, message: Message) -> Receipt:
        """Deliver the message in the words of the templates."""
        return await self.notifier.deliver(await self.worded(message))

    async def examine(self) -> str:
        """Examine."""
        return await self.notifier.examine()

    async def worded(self, message: Message) -> Message:
        """The message in the words of the templates; as it is where there is no template for it, or one that fails."""
        wanted, now = self.wording.of(message.reason), self.clock.monotonic()
        if not wanted or now < self.rests.get(message.reason, now):
            return message
        try:
            found = await asyncio.to_thread(self.render, wanted, variables(message, self.name, self.zone))
        except VigieError as error:
            self.rests[message.reason] = now + _REST_SECONDS
            if self.faulty != error.message:  # once, not for every notice
                self.faulty = error.message
                log.error("channel %s: a template failed: %s; the standard message is sent", self.name, error.message)  # noqa: TRY400 - the trace says nothing more
            return message
        if self.faulty:
            self.faulty = ""
            log.info("channel %s: its templates work again", self.name)
        return reworded(message, found)


def reworded(message: Message, texts: Mapping[str, str]) -> Message:
    """The message with these texts in place of its own. A first line that is empty stays as it was: it is what a phone shows."""
    subject, headline = (" ".join(texts.get(part, "").split()) for part in ("subject", "headline"))
    changed = replace(message, subject=subject or message.subject, headline=headline or message.headline)
    if "body" in texts:
        return replace(changed, lines=_lines(texts["body"]), rows=(), analysis=None, analysis_label="")
    return replace(changed, lines=_lines(texts["lines"])) if "lines" in texts else changed


def _lines(text: str) -> tuple[str, ...]:
    """Each line that is not empty."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
