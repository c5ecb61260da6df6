"""Everything on record of one incident, gathered for the post-incident report; and what people add to it afterwards."""

from vigie.adapters import monitors, zone_of
from vigie.config import Desired
from vigie.core.model import Incident
from vigie.engine.messages import Composer
from vigie.engine.queries import StoredQueries
from vigie.errors import VigieError
from vigie.observation.availability import Availability
from vigie.ports import DROPPED, Clock, Delivery, Store
from vigie.queries import accounts, collected
from vigie.report import measured
from vigie.report.history import Past, Remark
from vigie.report.postmortem import DeliveryAttempt, Document, Record, document
from vigie.report.render import RenderContext

_LOOK_BACK = 1_000
_MONTH_MS = 30 * 86_400_000


async def postmortem(settings: Desired, store: Store, clock: Clock, identity: str, language: str) -> Document:
    """The report of an incident. Raises VigieError when there is no such incident."""
    queries = StoredQueries(store, lambda: [one.monitor for one in settings.monitors])
    details = await queries.incidents.incident(identity)
    if details is None:
        raise VigieError(f"no such incident: {identity}", "see `vigie incidents list`")
    zone, now, incident, stored = zone_of(settings), clock.now(), details.incident, details.report
    composer = Composer(store.archive, clock, RenderContext(language, zone), monitors(settings))
    subject = await composer.subject(incident)
    known = await collected(lambda cursor, limit: queries.incidents.incidents(cursor=cursor, limit=limit), _LOOK_BACK)
    said = await store.catalog.remarks([one.id for one in known])
    month = await queries.availability.availability([incident.monitor], now - _MONTH_MS, now)
    record = Record(
        subject=subject,
        bundle=stored.bundle if stored else measured.bundle(subject, (), now, zone),
        analysis=stored.analysis if stored else None,
        decisions=tuple((entry.at, entry.decision) for entry in details.timeline),
        attempts=tuple(_attempt(one) for one in details.deliveries),
        remarks=details.remarks,
        past=tuple([await _past(composer, one, said) for one in known if one.closed_at is not None and one.cause is incident.cause]),
        month=month[incident.monitor].known if incident.monitor in month else Availability(0, 0),
        now=now,
        accounts=tuple(accounts(details.notices, details.deliveries)),
    )
    return document(record, language, zone)


def _attempt(one: Delivery) -> DeliveryAttempt:
    """A delivery attempt."""
    if one.failure == DROPPED:
        return DeliveryAttempt(one.at, one.channel, str(one.reason), dropped_by=one.answer)
    return DeliveryAttempt(one.at, one.channel, str(one.reason), "" if one.failure is None else f"{one.failure}: {one.answer}")


async def _past(composer: Composer, one: Incident, said: list[Remark]) -> Past:
    subject = await composer.subject(one)
    return Past(one, subject.monitor.host, subject.result.timings, tuple(remark for remark in said if remark.incident == one.id))
