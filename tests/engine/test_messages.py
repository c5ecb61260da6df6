"""What a message is composed of: the checks before, at and after its own incident, and no other's."""

from dataclasses import replace
from datetime import UTC

import pytest

from vigie.core.detection import Severity
from vigie.core.model import CheckResult, HttpFacts, Incident, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.engine.messages import Composer
from vigie.ports import Commit
from vigie.report.facts import Message
from vigie.report.render import RenderContext
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
START = 1_767_225_600_000
CLOSED = START + 60_000


def answer(at: int, status: int) -> CheckResult:
    result = fake_result("shop", Status.UP if status < 500 else Status.DOWN, at)
    return replace(result, http=HttpFacts(status, "1.1", 0, 2, "text/html", {}, (), None))


async def recovered(*details: CheckResult, by: str | None = None) -> Message:
    down = answer(START, 502)
    assert down.cause is not None
    incident = Incident("shop-1", "shop", Severity.OUTAGE, down.cause, START, START, closed_at=CLOSED, closed_by=by)
    store, clock = MemoryStore(), VirtualClock()
    await store.ledger.commit(Commit(incidents=(incident,), details=(down, *details)))
    composer = Composer(store.archive, clock, RenderContext("en", UTC), {"shop": fake_monitor()})
    reason = NoticeReason.RECOVERED if by is None else NoticeReason.CLOSED
    return await composer.compose(Notice("shop-1", "shop", "mail", reason, CLOSED))


@pytest.mark.parametrize(
    ("details", "line"),
    [
        ((answer(START - 5_000, 200), answer(CLOSED, 200)), "Change measured at recovery: the HTTP status went from 502 to 200."),
        ((answer(CLOSED - 1_000, 200),), "Change measured at recovery: the HTTP status went from 502 to 200."),
    ],
)
async def test_a_recovery_tells_what_changed(details: tuple[CheckResult, ...], line: str) -> None:
    assert line in (await recovered(*details)).lines


@pytest.mark.parametrize("details", [(), (answer(START - 5_000, 200),), (answer(CLOSED + 5_000, 200),)])
async def test_good_checks_before_and_after_an_incident_did_not_end_it(details: tuple[CheckResult, ...]) -> None:
    assert "ecovery:" not in "\n".join((await recovered(*details)).lines)


async def test_what_a_person_closed_has_not_changed() -> None:
    assert "ecovery:" not in "\n".join((await recovered(answer(CLOSED - 1_000, 200), by="ana")).lines)


async def test_what_cannot_be_rendered_is_told_in_the_least_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks on the way, the page says what happened to whom."""

    def broken(*_: object, **__: object) -> None:
        raise OverflowError("date value out of range")

    for place in ("measured.bundle", "render.compose", "render.changes"):
        with monkeypatch.context() as patch:
            patch.setattr(f"vigie.report.{place}", broken)
            message = await recovered(answer(CLOSED - 1_000, 200))
        assert message.key == "shop-1:recovered:mail"
        assert message.headline.startswith("shop: tcp.refused")
        assert message.lines


async def test_a_check_that_cannot_be_read_any_more_loses_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError("year 10000 is out of range")

    monkeypatch.setattr("vigie.testing.memory.archive.MemoryArchive.last_detail", broken)
    message = await recovered(answer(CLOSED - 1_000, 200))
    assert message.key == "shop-1:recovered:mail"
    assert "shop" in message.headline


@pytest.mark.parametrize(
    ("reason", "alert", "place"),
    [
        (NoticeReason.AVAILABILITY, "availability-2026-W01", "availability_report"),
        (NoticeReason.EXPIRING, "expiry-00112233", "expiries.message"),
    ],
)
async def test_a_notice_about_no_incident_is_told_in_the_least_of_words_too(
    monkeypatch: pytest.MonkeyPatch, reason: NoticeReason, alert: str, place: str
) -> None:
    def broken(*_: object) -> Message:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(f"vigie.engine.messages.{place}", broken)
    composer = Composer(MemoryStore().archive, VirtualClock(), RenderContext("en", UTC), {"shop": fake_monitor()})
    message = await composer.compose(Notice(alert, "shop", "mail", reason, CLOSED))
    assert (message.thread, message.opens_thread, message.headline) == (alert, True, f"shop: {reason}")
