"""Who takes what people say of an analysis by the links of a notice."""

import logging

from vigie.engine.messages import Composer
from vigie.ports import Archive, Asked, Catalog, Clock
from vigie.report.history import Remark
from vigie.report.hypotheses import catalogue
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.web import READER

log = logging.getLogger("vigie.feedback")

_MAX = 30  # remarks on one incident; a link that went astray cannot fill the disk


class FeedbackService:
    """Finds what a link is about, and keeps what was said. Raises StoreError."""

    def __init__(self, archive: Archive, catalog: Catalog, clock: Clock, composer: Composer) -> None:
        self._archive, self._catalog, self._clock, self._composer = archive, catalog, clock, composer

    @property
    def setting(self) -> RenderContext:
        """How notices speak now."""
        return self._composer.setting

    async def find(self, incident: str, signature: str) -> Asked | None:
        """What a link asks about; None for a link that is not ours, or whose incident is gone. Changes nothing."""
        found = await self._archive.incident(incident)
        links = self.setting.feedback
        if found is None or links is None or not links.accepts(found, signature):
            return None
        stored = await self._archive.report(found.id)
        return Asked(found, self._composer.name_of(found), stored.analysis if stored else None)

    async def keep(self, asked: Asked, *, helpful: bool, cause: str, note: str) -> bool:
        """Keep it, once; False when enough was said. An unknown cause goes into the note, since nobody could compare it."""
        known = cause_of(cause)
        words = " – ".join(part for part in ("" if known else cause, note) if part)
        said = Remark(asked.incident.id, self._clock.now(), pick(READER, self.setting.language), helpful, known, words)
        before = await self._catalog.remarks([asked.incident.id])
        if before and _same(before[-1], said):  # sent twice by a double click, or by a reload
            return True
        if len(before) >= _MAX:
            return False
        await self._catalog.save_remark(said)
        log.info("%s: a reader says the analysis %s", asked.incident.id, "was helpful" if helpful else "was misleading")
        return True


def _same(one: Remark, other: Remark) -> bool:
    return (one.helpful, one.cause, one.note) == (other.helpful, other.cause, other.note)


def cause_of(text: str) -> str:
    """The id of the cause that a person named, by its id or its words in either language; empty for an unknown one."""
    wanted = " ".join(text.split()).casefold()
    return next((known for known, words in catalogue().items() if wanted in (known, *(word.casefold() for word in words))), "")
