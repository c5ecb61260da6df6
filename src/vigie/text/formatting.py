"""How values are written in French and English: numbers, durations, times and dates. Pure; zones and instants come in as values."""

from datetime import UTC, datetime, timedelta, tzinfo
from math import floor

from vigie.text import pick, plural
from vigie.text.terms import MONTHS, NOUNS, SHORT_MONTHS

_NARROW = "\u202f"  # between groups of three digits in French
_HARD = "\u00a0"  # between a number and its sign in French
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (
    round((datetime(year, month, day, tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1)) for year, month, day in ((1, 1, 3), (9999, 12, 30))
)
_MAX_FIGURE = 1e15  # no figure of a report is larger


def sayable(value: float) -> bool:
    """Whether a number can be written: finite, and not astronomically large."""
    return -_MAX_FIGURE <= value <= _MAX_FIGURE  # NaN is not


def _near(value: float) -> float:
    return min(max(value, -_MAX_FIGURE), _MAX_FIGURE) if value == value else 0.0  # noqa: PLR0124 - NaN alone is unlike itself


def decimal(value: float, language: str) -> str:
    """`2.5` or, in French, `2,5`; whole numbers bare."""
    return _local(f"{_near(value):.3f}".rstrip("0").rstrip("."), language)


def grouped(value: float, language: str) -> str:
    """`12,000`, in French `12 000` with a narrow space; rounded to a whole number."""
    return f"{_near(value):,.0f}".replace(",", _NARROW if language == "fr" else ",")


def percent(ratio: float, language: str) -> str:
    """`99.512%`, in French `99,512 %`; never rounded up to a hundred."""
    text = "100" if ratio == 1 else f"{min(_near(ratio) * 100, 99.999):.3f}"
    return f"{_local(text, language)}{' ' if language == 'fr' else ''}%"


def hundredths(number: float, language: str) -> str:
    """`40%`, in French `40 %`, of a number of hundredths."""
    return f"{decimal(number, language)}{' ' if language == 'fr' else ''}%"


def availability(ratio: float, language: str) -> str:
    """`99.98%`, in French `99,98 %` with a space that does not break; rounded down, so that 100 means no loss."""
    known = 100 if ratio >= 1 else min(floor(round(ratio * 10_000, 6)), 9_999) / 100
    text = "100" if known == 100 else f"{known:.2f}"
    return f"{_local(text, language)}{_HARD if language == 'fr' else ''}%"


def _local(text: str, language: str) -> str:
    return text.replace(".", ",") if language == "fr" else text


def counted(number: int, noun: str, language: str) -> str:
    """`1 day`, `3 days`, `1,024 bytes`: a number with a noun of `terms.NOUNS`."""
    return f"{grouped(number, language)} {plural(NOUNS[noun], number, language)}"


def unsent_words(waiting: int, given_up: int, following: str) -> str:
    """What became of notices that were not delivered, for the log; `following` is the next `run` or `start`."""
    kept = f"{counted(waiting, 'notice', 'en')} unsent, kept in the outbox; the next {following} tries again" if waiting else ""
    lost = (
        f"{counted(given_up, 'notice', 'en')} undeliverable (`vigie incidents show` says why); tried again once the channel is configured "
        "otherwise, or in an hour while it still matters"
    )
    return "; ".join(filter(None, (kept, lost if given_up else "")))


def milliseconds(ms: float, language: str) -> str:
    """`31 ms`, `3,210 ms`; what rounds to nothing is `under 1 ms`."""
    if round(_near(ms)) < 1:
        return pick(("moins de 1 ms", "under 1 ms"), language)
    return f"{grouped(ms, language)} ms"


def latency(ms: float, language: str) -> str:
    """For a column: `< 1 ms`, `12 ms`, `2,312 ms`, and from ten seconds on `10.0 s` (French: `2 312 ms`, `10,0 s`)."""
    if ms < 9_999.5:
        return f"{grouped(ms, language)} ms" if round(_near(ms)) else "< 1 ms"
    return seconds(ms, language)


def response_time(ms: float, language: str) -> str:
    """For a page: `< 1 ms`, `410 ms`, `1.24 s`, `12.3 s` (French `1,24 s`)."""
    if ms < 999.5:
        return f"{ms:.0f} ms" if ms >= 0.5 else "< 1 ms"
    return f"{_local(f'{_near(ms) / 1000:.{2 if ms < 9_995 else 1}f}', language)} s"


def seconds(ms: float, language: str) -> str:
    """`10.0 s` (French `10,0 s`): for spans that are measured to a tenth of a second."""
    return f"{_local(f'{_near(ms) / 1000:.1f}', language)} s"


def duration(ms: int, language: str) -> str:
    """A span in its two largest units: `45 s`, `4 min 22 s`, `12 min`, `2 h 05 min`, `3 d 4 h` (French `3 j 4 h`).

    Seconds are left out from ten minutes on, minutes from two days on.
    """
    whole = max(ms, 0) // 1000
    minutes, hours = whole // _MINUTE, whole // _HOUR
    if whole < _MINUTE:
        return f"{whole} s"
    if minutes < 10 and whole % _MINUTE:
        return f"{minutes} min {whole % _MINUTE:02d} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{whole // _DAY} {pick(('j', 'd'), language)} {hours % 24} h"


def brief(ms: int, language: str) -> str:
    """A span in its largest unit alone, for a column: `11 s`, `38 min`, `2 h`, `3 d` (French `3 j`)."""
    whole = max(ms, 0) // 1000
    for size, unit in ((2 * _DAY, pick(("j", "d"), language)), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= size:
            return f"{whole // min(size, _DAY)} {unit}"
    return f"{whole} s"


def byte_size(number: int, language: str) -> str:
    """`950 B`, `38 MB`, `1.9 GB` (French `950 o`, `1,9 Go`): decimal units, a tenth below ten."""
    unit = pick(("o", "B"), language)
    value, prefix = float(number), ""
    for larger in ("k", "M", "G", "T"):
        if value < 1_000:
            break
        value, prefix = value / 1_000, larger
    text = f"{value:.1f}" if prefix and value < 9.95 else f"{value:.0f}"
    return f"{_local(text, language)} {prefix}{unit}"


def offset(at: datetime) -> str:
    """`UTC`, `UTC+1`, `UTC-3:30`: an offset cannot be mistaken, a zone's name can."""
    distance = at.utcoffset()
    minutes = round(distance.total_seconds() / 60) if distance else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def local_time(at: float, zone: tzinfo) -> datetime:
    """An instant in ms since the epoch, in a zone.

    Within the calendar's years, less the days that an offset may take: a certificate may end in 9999, and a server may send more.
    """
    return (_EPOCH + timedelta(milliseconds=min(max(at, _FIRST), _LAST))).astimezone(zone)


def timestamp(at: int, zone: tzinfo) -> str:
    """`2026-11-24 14:02:05 UTC+1`, for tables and terminals, where instants are compared line by line."""
    local = local_time(at, zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {offset(local)}"


def clock_time(at: int, zone: tzinfo) -> str:
    """`14:02:05 UTC+1`."""
    local = local_time(at, zone)
    return f"{local:%H:%M:%S} {offset(local)}"


def date(at: int, zone: tzinfo, language: str) -> str:
    """`24 November 2026`, in French `24 novembre 2026` and `1er novembre 2026`."""
    local = local_time(at, zone)
    day = "1er" if local.day == 1 and language == "fr" else str(local.day)
    return f"{day} {pick(MONTHS[local.month - 1], language)} {local.year}"


def month_name(month: int, year: int, language: str) -> str:
    """`November 2026` (French: `novembre 2026`)."""
    return f"{pick(MONTHS[month - 1], language)} {year}"


def date_time(at: int, zone: tzinfo, language: str) -> str:
    """`24 November 2026 at 14:02:05 UTC+1`, for sentences (French: `24 novembre 2026 à 14:02:05 UTC+1`)."""
    return f"{date(at, zone, language)} {pick(('à', 'at'), language)} {clock_time(at, zone)}"


def short_time(at: int, zone: tzinfo, language: str, seen_at: int | None = None) -> str:
    """`14:02 UTC+1`, for a first line; `24 Nov 14:02 UTC+1` when it is read on another day, with the year when in another year."""
    local = local_time(at, zone)
    seen = local if seen_at is None else local_time(seen_at, zone)
    day = f"{local.day} {pick(SHORT_MONTHS[local.month - 1], language)} "
    year = f"{local.year} " if local.year != seen.year else ""
    return f"{day + year if seen.date() != local.date() else ''}{local:%H:%M} {offset(local)}"


def _same_day(zone: tzinfo, *instants: int) -> bool:
    return len({local_time(at, zone).date() for at in instants}) == 1


def moment(at: int, zone: tzinfo, seen_at: int, language: str) -> str:
    """`14:02:05 UTC+1`, with its date when it is read on another day (`seen_at`, epoch ms)."""
    return clock_time(at, zone) if _same_day(zone, at, seen_at) else date_time(at, zone, language)


def at_moment(at: int, zone: tzinfo, seen_at: int, language: str) -> str:
    """`at 14:02:05 UTC+1` or `on 24 November 2026 at …` (French: `à …`, `le …`)."""
    before = ("à", "at") if _same_day(zone, at, seen_at) else ("le", "on")
    return f"{pick(before, language)} {moment(at, zone, seen_at, language)}"


def since_moment(at: int, zone: tzinfo, seen_at: int, language: str) -> str:
    """`since 14:02:05 UTC+1` or `since 24 November 2026 at …` (French: `depuis …`, `depuis le …`)."""
    before = ("depuis", "since") if _same_day(zone, at, seen_at) else ("depuis le", "since")
    return f"{pick(before, language)} {moment(at, zone, seen_at, language)}"


def between(start: int, end: int, zone: tzinfo, seen_at: int, language: str) -> str:
    """`from 14:02:05 UTC+1 to 14:32:05 UTC+1`, with dates unless both are of the day of reading.

    French: `de … à …`, `du … au …`.
    """
    if _same_day(zone, start, end, seen_at):
        first, second = clock_time(start, zone), clock_time(end, zone)
        return pick((f"de {first} à {second}", f"from {first} to {second}"), language)
    first, second = date_time(start, zone, language), date_time(end, zone, language)
    return pick((f"du {first} au {second}", f"from {first} to {second}"), language)
