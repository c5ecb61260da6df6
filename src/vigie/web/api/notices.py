"""`/api/v1/notices`: what is to be sent and what was, with what became of it."""

from collections.abc import Collection
from typing import Any, cast

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.ports import OutboxState
from vigie.queries import NoticeView
from vigie.web.access import Role
from vigie.web.api._kit import Call, Operation, instant, operation, paged, there
from vigie.web.problems import ProblemError
from vigie.web.site import Site

_UNSENT = (OutboxState.WAITING, OutboxState.UNDELIVERABLE)


def routes(site: Site) -> list[BaseRoute]:
    """The operations on notices. A key may hold a slash: the name of a channel does."""

    async def notices(call: Call) -> shown.Items[shown.Notice]:
        asked: shown.NoticesAsked = call.query
        states = _states(asked.state)
        read = site.queries.notices.notices(states=states, channel=asked.channel, alert=asked.alert, cursor=asked.cursor, limit=asked.limit)
        found = await paged(read)
        return shown.Items(items=[_notice(one) for one in found.items], next=found.next)

    async def retry(call: Call) -> shown.Done:
        return _done(await there(site.commands.channels).retry(call.path("key")), call)

    async def drop(call: Call) -> shown.Done:
        return _done(await there(site.commands.channels).drop(call.path("key"), call.by), call)

    made: list[tuple[Operation, Any]] = [
        (
            Operation(
                "listNotices", "GET", "/notices", "The notices, newest first.", Role.VIEWER, shown.Items[shown.Notice], shown.NoticesAsked
            ),
            notices,
        ),
        (
            Operation(
                "retryNotice",
                "POST",
                "/notices/{key:path}/retry",
                "Have an unsent one tried at once.",
                Role.RESPONDER,
                shown.Done,
                errors=(404,),
            ),
            retry,
        ),
        (
            Operation(
                "dropNotice", "POST", "/notices/{key:path}/drop", "Give an unsent one up.", Role.RESPONDER, shown.Done, errors=(404,)
            ),
            drop,
        ),
    ]
    return [operation(site, *each) for each in made]


def _states(asked: str) -> Collection[OutboxState] | None:
    return _UNSENT if asked == "unsent" else None if asked == "all" else (OutboxState(asked),)


def _done(known: bool, call: Call) -> shown.Done:
    if not known:
        raise ProblemError(404, f"no unsent notice has the key {call.path('key')[:200]!r}")
    return shown.Done()


def _notice(one: NoticeView) -> shown.Notice:
    notice, last = one.row.notice, one.last
    return shown.Notice(
        key=notice.key,
        alert=notice.alert,
        monitor=notice.monitor,
        channel=notice.channel,
        reason=notice.reason.value,
        at=instant(notice.at),
        due_at=instant(one.row.due_at),
        attempts=one.row.attempts,
        state=cast("Any", one.state.value),
        last=None if last is None else shown.Attempt(at=instant(last.at), failure=last.failure or "", answer=last.answer),
    )
