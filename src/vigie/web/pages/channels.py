"""Channels: where alerts go, whether they get there, what waits; a test, a preview, and what is unsent tried again or dropped."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from vigie.commands.channels import ChannelTested
from vigie.core.notification import NoticeReason
from vigie.queries.setup import ChannelSetup, ChannelWork, SetupQueries
from vigie.text.dashboard import channels as texts
from vigie.web.access import Role, route
from vigie.web.managing import absent, by, moved, noticed, partial, submitted, unavailable
from vigie.web.rendering import LINKS, page
from vigie.web.site import Site

_SHOWN = (NoticeReason.OPENED, NoticeReason.REMINDER, NoticeReason.RECOVERED)


def routes(site: Site) -> list[BaseRoute]:
    """The list, the page of each, and what people do there."""

    async def show(request: Request) -> Response:
        return await _list(request, site)

    async def one(request: Request) -> Response:
        return await _one(request, site, request.path_params["name"])

    async def test(request: Request) -> Response:
        commands, name = site.commands.channels, request.path_params["name"]
        if commands is None:
            return unavailable()
        tested = await commands.test(name)
        if tested is None:
            return absent("There is no such channel.\n")
        request.state.audit = {"channel": name, "delivered": not tested.failure}
        if partial(request):
            return await page(request, site, "channel_tested.html.j2", {"tested": tested}, texts)
        return await _one(request, site, name, tested)

    async def act(request: Request) -> Response:
        found = await submitted(request)
        if isinstance(found, Response):
            return found
        commands, key = site.commands.channels, found.one("key")
        if commands is None:
            return unavailable()
        dropping = found.one("do") == "drop"
        request.state.audit = {"key": key[:200], "do": "drop" if dropping else "retry"}
        done = await commands.drop(key, by(request)) if dropping else await commands.retry(key)
        return moved(LINKS.channel(request.path_params["name"]), done=("dropped" if dropping else "retried") if done else "gone")

    return [
        route("/channels", show, needs=Role.VIEWER),
        route("/channels/{name:path}/test", test, needs=Role.EDITOR, methods=("POST",), name="channel_test"),
        route("/channels/{name:path}/notices", act, needs=Role.RESPONDER, methods=("POST",), name="channel_notices"),
        route("/channels/{name:path}", one, needs=Role.VIEWER),
    ]


def _failing(work: ChannelWork) -> bool:
    return work.state is not None and work.state.failing is not None


async def _list(request: Request, site: Site) -> Response:
    if site.setup is None:
        return unavailable()
    channels = site.setup.channels()
    work = await site.setup.work([one.name for one in channels])
    rows = sorted(((one, work[one.name]) for one in channels), key=lambda row: not _failing(row[1]))
    untried = sum(one.delivered_at is None for one in work.values())
    context = {
        "section": "settings",
        "rows": rows,
        "failing": sum(_failing(one) for one in work.values()),
        "fails": _failing,
        "untried": untried,
    }
    return await page(request, site, "channels.html.j2", context, texts)


async def _one(request: Request, site: Site, name: str, tested: ChannelTested | None = None) -> Response:
    setup = site.setup
    if setup is None:
        return unavailable()
    channel = _named(setup.channels(), name)
    if channel is None:
        return absent("There is no such channel.\n")
    context = {
        "section": "settings",
        "channel": channel,
        "work": (await setup.work([name]))[name],
        "previews": await _previews(setup, name),
        "tested": tested,
        "notice_name": noticed(request, texts.TEXTS),
    }
    return await page(request, site, "channel.html.j2", context, texts)


async def _previews(setup: SetupQueries, name: str) -> list[tuple[str, object]]:
    shown = await setup.previews(name, _SHOWN)
    return [(f"reason_{reason}", one) for reason, one in zip(_SHOWN, shown, strict=True)]


def _named(channels: Sequence[ChannelSetup], name: str) -> ChannelSetup | None:
    return next((one for one in channels if one.name == name), None)
