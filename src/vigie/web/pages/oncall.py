"""Who is on call now and next, four weeks ahead, and how people are reached."""

from dataclasses import dataclass
from datetime import tzinfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.planning.feed import calendar
from vigie.planning.rotation import Rotation, Shift
from vigie.queries.setup import Feed, RotationSetup, SetupQueries
from vigie.text.dashboard import oncall as texts
from vigie.text.formatting import local_time
from vigie.web.access import Public, Role, may, route
from vigie.web.managing import absent, is_secret, unavailable
from vigie.web.page import HEADERS
from vigie.web.rendering import page
from vigie.web.site import Site

_DAY_MS = 86_400_000
_WEEKS_MS, _FEED_MS = 28 * _DAY_MS, 180 * _DAY_MS
_WIDTH, _TURNS, _NAMED = 1_120, 60, 3
_MARGIN, _LETTER = 20, 7  # of the picture: a turn with less room than its name needs has none


@dataclass(frozen=True, slots=True)
class Bar:
    """A turn as the picture has it: where it begins and how wide it is, of 1,120; `shade` tells people apart."""

    x: float
    width: float
    person: str
    shade: int
    override: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Turns:
    """A rotation with its turns; `always` where only one person ever has one."""

    setup: RotationSetup
    now: Shift
    next: Shift | None
    shifts: tuple[Shift, ...]
    bars: tuple[Bar, ...]
    always: bool


def routes(site: Site) -> list[BaseRoute]:
    """The page, and its calendar."""

    async def show(request: Request) -> Response:
        return await _page(request, site)

    async def feed(request: Request) -> Response:
        if site.setup is None:
            return unavailable()
        if not is_secret(request, site.setup.feed_secret(Feed.ONCALL)):
            return absent()
        now = (await site.health.health()).now
        data = calendar((one.rotation for one in site.setup.rotations()), now, now + _FEED_MS, now)
        return Response(data, headers=HEADERS, media_type="text/calendar; charset=utf-8")

    return [route("/oncall", show, needs=Role.VIEWER), route("/oncall.ics", feed, needs=Public.LINK)]


async def _page(request: Request, site: Site) -> Response:
    setup = site.setup
    if setup is None:
        return unavailable()
    now, zone = (await site.health.health()).now, site.setting().zone
    rotations = [_turns(one, now) for one in setup.rotations()]
    names = list(dict.fromkeys(one.now.person for one in rotations))
    context = {
        "section": "oncall",
        "rotations": rotations,
        "names": names[:_NAMED],
        "more": len(names) - _NAMED,
        "days": _days(now, zone),
        "people": setup.people(),
        "feed": _feed(request, setup),
    }
    return await page(request, site, "oncall.html.j2", context, texts)


def _feed(request: Request, setup: SetupQueries) -> str:
    secret = setup.feed_secret(Feed.ONCALL) if setup.rotations() and may(request, Role.RESPONDER) else ""
    base = setup.general().public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}/oncall.ics?token={secret}" if secret else ""


def _turns(one: RotationSetup, now: int) -> Turns:
    rotation = one.rotation
    always = len({*rotation.people, *(item.person for item in rotation.overrides if item.end > now)}) == 1
    current = rotation.current(now)
    shifts, at = [current], current.end
    while at < now + _WEEKS_MS and len(shifts) < _TURNS and not always:
        shifts.append(following := rotation.current(at))
        at = following.end
    return Turns(one, current, None if always else rotation.current(current.end), tuple(shifts), _bars(rotation, shifts, now), always)


def _bars(rotation: Rotation, shifts: list[Shift], now: int) -> tuple[Bar, ...]:
    people = list(dict.fromkeys((*rotation.people, *(one.person for one in shifts))))
    found = []
    for one in shifts:
        left, right = (max(0.0, min(1.0, (at - now) / _WEEKS_MS)) * _WIDTH for at in (one.start, one.end))
        if right - left > 0:
            width = round(right - left, 1)
            found.append(
                Bar(
                    round(left, 1),
                    width,
                    one.person,
                    people.index(one.person) % 4 + 1,
                    one.override,
                    width >= _MARGIN + _LETTER * len(one.person),
                )
            )
    return tuple(found)


def _days(now: int, zone: tzinfo) -> list[tuple[float, int]]:
    """(where, day of the month) of every Monday ahead."""
    found = []
    for number in range(28):
        at = now + number * _DAY_MS
        local = local_time(at, zone)
        if local.weekday() == 0:
            found.append((round(number / 28 * _WIDTH, 1), local.day))
    return found
