"""Everything on record of one incident, gathered for the post-incident report; and what people add to it afterwards."""

from vigie.app import monitors, zone_of
from vigie.config import Desired
from vigie.core.availability import Availability
from vigie.core.model import Incident
from vigie.engine.availability import availabilities
from vigie.engine.messages import Composer
from vigie.errors import VigieError
from vigie.ports import Archive, Catalog, Clock
from vigie.report import measured
from vigie.report.history import Past, Remark
from vigie.report.postmortem import DeliveryAttempt, Document, Record, document
from vigie.report.render import RenderContext

_LOOK_BACK = 1_000
_MONTH_MS = 30 * 86_400_000


async def postmortem(settings: Desired, archive: Archive, catalog: Catalog, clock: Clock, identity: str, language: str) -> Document:
    """The report of an incident. Raises VigieError when there is no such incident."""
    incident = await archive.incident(identity)
    if incident is None:
        raise VigieError(f"no such incident: {identity}", "see `vigie incidents list`")
    zone, now = zone_of(settings), clock.now()
    composer = Composer(archive, clock, RenderContext(language, zone), monitors(settings))
    subject = await composer.subject(incident)
    known = await archive.incidents(limit=_LOOK_BACK)
    said = await catalog.remarks([one.id for one in known] or [identity])
    stored = await archive.report(identity)
    record = Record(
        subject=subject,
        bundle=stored.bundle if stored else measured.bundle(subject, (), now, zone),
        analysis=stored.analysis if stored else None,
        decisions=tuple((entry.at, entry.decision) for entry in await archive.timeline(identity)),
        attempts=tuple(await _attempts(archive, identity)),
        remarks=tuple(one for one in said if one.incident == identity),
        past=tuple([await _past(composer, one, said) for one in known if one.closed_at is not None and one.cause is incident.cause]),
        month=(await availabilities(archive, now - _MONTH_MS, now)).get(incident.monitor, Availability(0, 0)),
        now=now,
    )
    return document(record, language, zone)


async def _attempts(archive: Archive, identity: str) -> list[DeliveryAttempt]:
    """Every delivery attempt."""
    found = await archive.deliveries(identity)
    return [
        DeliveryAttempt(one.at, one.channel, str(one.reason), "" if one.failure is None else f"{one.failure}: {one.answer}")
        for one in found
    ]


async def _past(composer: Composer, one: Incident, said: list[Remark]) -> Past:
    subject = await composer.subject(one)
    return Past(one, subject.monitor.host, subject.result.timings, tuple(remark for remark in said if remark.incident == one.id))
