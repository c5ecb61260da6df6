"""Who takes what people do about alerts by page and API."""

import asyncio
import logging
from collections.abc import Sequence

from vigie.commands.alerts import CAUSE, NOTE, REVIEW, SNOOZE_MS, Outcome
from vigie.core.alert import AlertState, Phase
from vigie.core.events import Acked, Resolved, Snoozed
from vigie.core.model import Incident
from vigie.core.subject import VIGIE_ID
from vigie.engine.deciding import Deciding
from vigie.engine.feedback import cause_of
from vigie.errors import VigieError
from vigie.ports import Clock, Store, StoredReview
from vigie.report.history import Remark

log = logging.getLogger("vigie.responses")

_MAX = 200  # remarks on one incident: a script that went astray cannot fill the disk
_PATIENCE_SECONDS = 2.0  # for an answer, while thousands of incidents are closed


class AlertDesk:
    """The AlertCommands port."""

    def __init__(self, store: Store, ingest: Deciding, clock: Clock) -> None:
        self._archive, self._catalog, self._ingest, self._clock = store.archive, store.catalog, ingest, clock
        self._closing: set[asyncio.Task[None]] = set()

    async def acknowledge(self, alert: str, by: str, note: str = "") -> Outcome:
        """Somebody is on it."""
        _check(note, NOTE)
        first, members = await self._concerned(alert)
        if first is None or not members:
            return _nothing(first)
        state = self._state(first)
        if state is not None and state.phase in (Phase.ACKED, Phase.WITHHELD_ACKED):
            return Outcome.ALREADY
        if not await self._ingest.handle(members[0].monitor, Acked(self._clock.now(), by)):
            return Outcome.BY_ITSELF
        log.info("%s: acknowledged by %s", first.alert, by)
        return await self._said(first, by, note=note) if note else Outcome.DONE

    async def snooze(self, alert: str, by: str, until: int) -> Outcome:
        """Nothing is sent about it until then."""
        now = self._clock.now()
        if not SNOOZE_MS[0] <= until - now <= SNOOZE_MS[1]:
            raise VigieError("an alert can be snoozed for one minute to 30 days", "choose another time")
        first, members = await self._concerned(alert)
        if first is None or not members:
            return _nothing(first)
        if not await self._ingest.handle(members[0].monitor, Snoozed(now, by, until)):
            return Outcome.BY_ITSELF
        log.info("%s: snoozed by %s", first.alert, by)
        return Outcome.DONE

    async def resolve(self, alert: str, by: str, note: str = "") -> Outcome:
        """Close its incidents."""
        _check(note, NOTE)
        first, members = await self._concerned(alert)
        if first is None or not members:
            return _nothing(first)
        if all(one.monitor == VIGIE_ID for one in members):
            return Outcome.BY_ITSELF
        log.info("%s: resolved by %s", first.alert, by)
        task = asyncio.create_task(self._close(members, Resolved(self._clock.now(), by, note)))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
        for one in done:
            one.result()
        return Outcome.DONE

    async def _close(self, members: Sequence[Incident], event: Resolved) -> None:
        await asyncio.gather(*(self._ingest.handle(monitor, event) for monitor in dict.fromkeys(one.monitor for one in members)))

    async def note(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what somebody found."""
        _check(text, NOTE)
        first, _ = await self._concerned(alert)
        return Outcome.UNKNOWN if first is None else await self._said(first, by, note=text)

    async def name_cause(self, alert: str, by: str, text: str) -> Outcome:
        """Keep what really was the cause."""
        _check(text, CAUSE)
        first, _ = await self._concerned(alert)
        return Outcome.UNKNOWN if first is None else await self._said(first, by, cause=cause_of(text) or text)

    async def review(self, alert: str, by: str, text: str, version: int) -> Outcome:
        """Keep the post-incident report."""
        _check(text, REVIEW)
        first, _ = await self._concerned(alert)
        if first is None:
            return Outcome.UNKNOWN
        kept = await self._catalog.save_review(StoredReview(first.id, version + 1, self._clock.now(), by, text))
        return Outcome.DONE if kept else Outcome.ALREADY

    async def _said(self, first: Incident, by: str, *, note: str = "", cause: str = "") -> Outcome:
        before = await self._catalog.remarks([first.id])
        if before and (before[-1].by, before[-1].note, before[-1].cause) == (by, note, cause):
            return Outcome.DONE  # sent twice by a double click, or by a reload
        if len(before) >= _MAX:
            return Outcome.ENOUGH
        await self._catalog.save_remark(Remark(first.id, self._clock.now(), by, None, cause, note))
        log.info("%s: %s by %s", first.id, "cause named" if cause else "note", by)
        return Outcome.DONE

    async def _concerned(self, alert: str) -> tuple[Incident | None, list[Incident]]:
        """The incident that began it, and its open members; the id of any member finds it."""
        found = await self._archive.incident(alert)
        if found is None:
            return None, []
        identity = found.alert or found.id
        first = found if found.id == identity else await self._archive.incident(identity) or found
        return first, [one for one in self._ingest.incidents() if one.alert == identity]

    def _state(self, first: Incident) -> AlertState | None:
        return next((one for one in self._ingest.alerts() if one.id == first.alert), None)


def _nothing(first: Incident | None) -> Outcome:
    return Outcome.UNKNOWN if first is None else Outcome.OVER


def _check(text: str, most: int) -> None:
    if len(text) > most:
        raise VigieError(f"{len(text):,} characters are too many", f"at most {most:,} are kept")
