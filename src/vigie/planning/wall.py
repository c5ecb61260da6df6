"""The clock on the wall of a zone, and the instants at which it shows a time.

Where the clocks change, a time may not come at all, or twice. Everything here reads it as people mean it (and as Debian's cron runs jobs):
a time that is skipped counts as the moment of the change; of a time that comes twice, what begins then begins at the first, and what
ends then ends at the second.
"""

from datetime import UTC, datetime, timedelta, tzinfo

_SECOND = timedelta(seconds=1)


def begins(local: datetime, zone: tzinfo) -> int:
    """The first instant at which the zone's clock shows this time or a later one, epoch ms. `local` has no zone of its own."""
    earlier, later = _readings(local, zone)
    return _ms(earlier if earlier <= later else _change(later, earlier, zone))


def ends(local: datetime, zone: tzinfo) -> int:
    """The instant from which on the zone's clock shows this time or later ones only, epoch ms."""
    earlier, later = _readings(local, zone)
    return _ms(later if earlier <= later else _change(later, earlier, zone))


def shown(at: int, zone: tzinfo) -> datetime:
    """What the zone's clock shows at an instant, epoch ms: a time without a zone."""
    return datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None)


def _readings(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The time by the offset before a change of the clocks, and by the one after it (PEP 495): the same on every other day."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC), local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _change(first: datetime, last: datetime, zone: tzinfo) -> datetime:
    """The instant after `first` and up to `last` at which the zone's offset becomes that of `last`."""
    wanted = last.astimezone(zone).utcoffset()
    while last - first > _SECOND:
        middle = first + timedelta(seconds=(last - first) // _SECOND // 2)
        first, last = (first, middle) if middle.astimezone(zone).utcoffset() == wanted else (middle, last)
    return last


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
