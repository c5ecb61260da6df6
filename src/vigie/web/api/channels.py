"""`/api/v1/channels`: where notices go, how that works, and a test notice."""

from typing import Any

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.queries.setup import ChannelSetup, ChannelWork
from vigie.web.access import Role
from vigie.web.api._kit import Call, Operation, cursor_of, key_in, maybe, missing, operation, there
from vigie.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """The operations on channels. The name of one may hold a slash."""

    async def channels(call: Call) -> shown.Items[shown.Channel]:
        asked: shown.Paged = call.query
        setup = there(site.setup)
        after = "" if asked.cursor is None else key_in(asked.cursor, "channels")
        left = sorted((one for one in setup.channels() if one.name > after), key=lambda one: one.name)
        page = left[: asked.limit]
        work = await setup.work([one.name for one in page])
        more = cursor_of("channels", page[-1].name) if len(left) > len(page) else None
        return shown.Items(items=[_channel(one, work.get(one.name)) for one in page], next=more)

    async def test(call: Call) -> shown.ChannelTest:
        tested = await there(site.commands.channels).test(call.path("name"))
        if tested is None:
            raise missing("channel", call.path("name"))
        return shown.ChannelTest(answer=tested.answer, failure=tested.failure, fix=tested.fix)

    made: list[tuple[Operation, Any]] = [
        (
            Operation(
                "listChannels", "GET", "/channels", "The channels, by their names.", Role.VIEWER, shown.Items[shown.Channel], shown.Paged
            ),
            channels,
        ),
        (
            Operation(
                "testChannel",
                "POST",
                "/channels/{name:path}/test",
                "Send a marked test notice.",
                Role.EDITOR,
                shown.ChannelTest,
                errors=(404,),
            ),
            test,
        ),
    ]
    return [operation(site, *each) for each in made]


def _channel(one: ChannelSetup, work: ChannelWork | None) -> shown.Channel:
    failing = None if work is None or work.state is None else work.state.failing
    return shown.Channel(
        name=one.name,
        type=one.kind,
        where=one.where,
        settings=dict(one.details),
        failing_since=None if failing is None else maybe(failing.since),
        delivered_at=maybe(None if work is None else work.delivered_at),
        waiting=0 if work is None else work.waiting,
        undeliverable=0 if work is None else work.undeliverable,
    )
