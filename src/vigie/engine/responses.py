"""Who takes what people do about an alert: by the links of a message, by the buttons of a chat."""

import logging
from dataclasses import dataclass
from enum import StrEnum

from vigie.core.events import Acked, Resolved, Snoozed
from vigie.core.model import Incident
from vigie.engine.deciding import Deciding
from vigie.engine.messages import Composer
from vigie.ports import Archive, Clock
from vigie.report.render import RenderContext
from vigie.report.responses import Invitation, ResponseAction

log = logging.getLogger("vigie.responses")

SNOOZE_MS = 3_600_000  # by a button, which asks for no duration


class ResponseOutcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"  # somebody was faster
    OVER = "over"  # the alert has ended


@dataclass(frozen=True, slots=True)
class Concerned:
    """An alert as somebody is asked about it: its first incident and what that is called, what is still open of it, who acknowledged it."""

    first: Incident
    name: str
    open: tuple[tuple[Incident, str], ...]
    acked_by: str | None


class Responses:
    """Finds the alert of a link or button, and does what was asked. Raises StoreError."""

    def __init__(self, archive: Archive, ingest: Deciding, clock: Clock, composer: Composer) -> None:
        self._archive, self._ingest, self._clock, self._composer = archive, ingest, clock, composer

    @property
    def setting(self) -> RenderContext:
        """How messages speak now."""
        return self._composer.setting

    def now(self) -> int:
        """Epoch ms: links expire."""
        return self._clock.now()

    async def invited(self, alert: str, invitation: Invitation) -> Concerned | None:
        """The alert of a link, expired or not; None for a link that is not ours, or whose alert is gone. Changes nothing."""
        found, links = await self._archive.incident(alert), self.setting.responses
        if found is None or links is None or not links.accepts(found, invitation):
            return None
        return self._concerned(found)

    async def alert_of(self, token: str, channel: str) -> tuple[Concerned, ResponseAction] | None:
        """The open alert of a button; None for a button that is not ours, or whose alert has ended."""
        name, links = token.partition(":")[0], self.setting.responses
        if links is None or name not in ResponseAction.__members__.values():
            return None
        action = ResponseAction(name)
        open_ = {one.id: one for one in self._ingest.incidents()}
        for alert in dict.fromkeys(one.alert for one in open_.values()):
            first = open_.get(alert) or await self._archive.incident(alert)  # which began it, and may be over
            if first is not None and links.presses(first, action, channel, token):
                return self._concerned(first), action
        return None

    async def respond(self, alert: str, action: ResponseAction, by: str, *, note: str = "", snooze_ms: int = SNOOZE_MS) -> ResponseOutcome:
        """Do it, for every open incident of the alert where it is about incidents."""
        members = [one for one in self._ingest.incidents() if one.alert == alert]
        if not members:
            return ResponseOutcome.OVER
        now = self._clock.now()
        if action is ResponseAction.ACK and all(one.acked_by for one in members):
            return ResponseOutcome.ALREADY
        if action is ResponseAction.RESOLVE:
            for one in members:
                await self._ingest.handle(one.monitor, Resolved(now, by, note))
        else:
            event = Acked(now, by) if action is ResponseAction.ACK else Snoozed(now, by, now + snooze_ms)
            await self._ingest.handle(members[0].monitor, event)
        log.info("%s: %s by %s", alert, action, by)
        return ResponseOutcome.DONE

    def _concerned(self, first: Incident) -> Concerned:
        members = [one for one in self._ingest.incidents() if one.alert == first.alert]
        acked = next((one.acked_by for one in members if one.acked_by), first.acked_by)
        name = self._composer.name_of
        return Concerned(first, name(first), tuple((one, name(one)) for one in members), acked)
