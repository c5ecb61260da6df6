"""Acknowledge, snooze and resolve by a link: over real sockets, against a real ingest. Opening changes nothing; a button does."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.web._made import app_of
from tests.web._served import serving

from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.core.notification import NotificationPolicy
from vigie.engine.ingest import Ingest
from vigie.engine.messages import Composer
from vigie.engine.responses import Responses
from vigie.errors import StoreError, StoreFault
from vigie.ports import Batch
from vigie.report.render import RenderContext
from vigie.report.responses import ResponseAction, ResponseLinks
from vigie.testing import VirtualClock
from vigie.testing.memory import MemoryStore

LINKS = ResponseLinks("https://vigie.example.com", b"k" * 32)
WEEK_MS = 7 * 86_400_000


class StandingClock(VirtualClock):
    """The same instant until the test moves it on."""

    at = 1_767_225_600_000

    def now(self) -> int:
        return self.at


@dataclass
class Desk:
    """An alert about one service, the application over what people do about it, and a client of that."""

    store: MemoryStore
    clock: StandingClock
    ingest: Ingest
    client: httpx.AsyncClient
    first: Incident

    def path(self, action: str, *, change: Callable[[str], str] = lambda text: text) -> str:
        """The path and query of a link, changed on the way."""
        links = LINKS.links(self.first, "mail", self.clock.now(), "en")
        parts = urlsplit(links[list(ResponseAction).index(ResponseAction(action))].url)
        return change(f"{parts.path}?{parts.query}")

    async def incident(self) -> Incident:
        found = await self.store.archive.incident(self.first.id)
        assert found is not None
        return found


async def fail(ingest: Ingest, monitor: str, at: int, run: int) -> None:
    for sequence in range(1, 4):
        result = CheckResult(monitor, at + sequence, Status.DOWN, Cause.TCP_REFUSED, run=run, sequence=sequence)
        await ingest.take(Batch(monitor, run, sequence, (result,)))


@asynccontextmanager
async def alerted(language: str = "en", name: str = "Shop") -> AsyncIterator[Desk]:
    clock, store = StandingClock(), MemoryStore()
    shop = Monitor("shop", name, "tcp", "192.0.2.7:80", "192.0.2.7", 30_000, 5_000, notification=NotificationPolicy(to=("mail",)))
    composer = Composer(store.archive, clock, RenderContext(language, UTC, None, LINKS), {"shop": shop})
    ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
    await ingest.start([shop])
    await fail(ingest, "shop", clock.now(), 1)
    (first,) = ingest.incidents()
    app = app_of(None, None, None, responses=Responses(store.archive, ingest, clock, composer))
    async with serving(app) as listener, httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
        yield Desk(store, clock, ingest, client, first)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("action", list(ResponseAction))
async def test_opening_a_link_changes_nothing(method: str, action: str) -> None:
    async with alerted() as desk:
        answers = [await desk.client.request(method, desk.path(action)) for _ in range(2)]

        for answer in answers:
            assert answer.status_code == 200
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert ("<form" in answer.text) is (method == "GET")
        assert await desk.incident() == desk.first
        assert [one.acked_by for one in desk.ingest.alerts()] == [None]


async def test_the_button_acknowledges_in_the_name_given() -> None:
    async with alerted() as desk:
        answer = await desk.client.post(desk.path("ack"), data={"by": "  Zoé\r\nB.\u202e "})
        assert (answer.status_code, "The alert is acknowledged." in answer.text) == (200, True)
        assert (await desk.incident()).acked_by == "Zoé B."

        again = await desk.client.post(desk.path("ack"), data={"by": "Max"})
        assert "already been acknowledged" in again.text
        assert (await desk.incident()).acked_by == "Zoé B."
        shown = (await desk.client.get(desk.path("resolve"))).text
        assert "Already acknowledged by: Zoé B." in shown


@pytest.mark.parametrize(("language", "by"), [("en", "a link sent to mail"), ("fr", "un lien envoyé à mail")])
async def test_without_a_name_it_was_the_link(language: str, by: str) -> None:
    async with alerted(language) as desk:
        await desk.client.post(desk.path("ack"), data={"by": ""})
        assert (await desk.incident()).acked_by == by


async def test_an_alert_is_snoozed_for_as_long_as_was_chosen() -> None:
    async with alerted() as desk:
        page = (await desk.client.get(desk.path("snooze"))).text
        assert re.findall(r'name="snooze" value="(\d+)"', page) == ["900000", "3600000", "14400000", "28800000", "86400000"]
        answer = await desk.client.post(desk.path("snooze"), data={"snooze": "14400000", "by": "Zoé"})
        assert "snoozed for 4 h" in answer.text
        (alert,) = desk.ingest.alerts()
        assert alert.wake_at == desk.clock.now() + 14_400_000


async def test_an_incident_is_closed_with_its_note_and_then_it_is_over() -> None:
    async with alerted() as desk:
        answer = await desk.client.post(desk.path("resolve"), data={"by": "Zoé", "note": "the cable"})
        assert "The incident is closed." in answer.text
        closed = await desk.incident()
        assert (closed.closed_by, closed.note, desk.ingest.alerts()) == ("Zoé", "the cable", [])
        for action in ResponseAction:
            over = await desk.client.post(desk.path(action), data={"by": ""})
            assert (over.status_code, "already over" in over.text, "<form" in over.text) == (200, True, False)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.replace("/ack/", "/resolve/"),
        lambda path: path.replace("/ack/", "/explode/"),
        lambda path: path.replace("to=mail", "to=chat"),
        lambda path: re.sub(r"until=(\d+)", lambda found: f"until={int(found[1]) + WEEK_MS}", path),
        lambda path: re.sub(r"until=\d+", "until=-1", path),
        lambda path: re.sub(r"until=\d+", "until=" + "9" * 400, path),
        lambda path: re.sub(r"until=\d+", "until=٣", path),
        lambda path: path[:-1],
        lambda path: path.partition("?")[0],
        lambda path: path.replace("shop-1", "shop-2"),
        lambda path: path.replace("shop-1", "%00"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_is_not_ours_is_refused(method: str, change: Callable[[str], str]) -> None:
    async with alerted() as desk:
        answer = await desk.client.request(method, desk.path("ack", change=change), data={"by": "x"} if method == "POST" else None)

        assert (answer.status_code, "Invalid link" in answer.text, "Shop" in answer.text) == (404, True, False)
        assert await desk.incident() == desk.first


async def test_a_link_expires_after_a_week() -> None:
    async with alerted() as desk:
        path = desk.path("ack")
        desk.clock.at += WEEK_MS
        assert (await desk.client.get(path)).status_code == 200
        desk.clock.at += 1
        answers = [await desk.client.get(path), await desk.client.post(path, data={"by": ""})]

        assert [(one.status_code, "has expired" in one.text, "<form" in one.text) for one in answers] == [(410, True, False)] * 2
        assert await desk.incident() == desk.first


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"by=" + b"x" * 61, "application/x-www-form-urlencoded"),
        (b"note=" + b"x" * 501, "application/x-www-form-urlencoded"),
        (b"snooze=1", "application/x-www-form-urlencoded"),
        (b"by=" + b"x" * 9_000, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ],
)
async def test_a_form_that_is_not_ours_changes_nothing(body: bytes, kind: str) -> None:
    async with alerted() as desk:
        for action in ResponseAction:
            answer = await desk.client.post(desk.path(action), content=body, headers={"Content-Type": kind})
            assert (answer.status_code, "keep the texts short" in answer.text) == (400, True)
        assert await desk.incident() == desk.first


async def test_a_hostile_name_is_only_text() -> None:
    async with alerted(name="<script>alert(1)</script>\u202e") as desk:
        page = (await desk.client.get(desk.path("ack"))).text
        assert "&lt;script&gt;" in page
        assert "<script" not in page
        assert "\u202e" not in page


async def test_a_store_that_fails_is_said_and_the_link_works_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with alerted() as desk:

        async def fails(*_: Any) -> Any:
            raise StoreError(StoreFault.BUSY, "busy")

        with monkeypatch.context() as patched:
            patched.setattr(type(desk.store.archive), "incident", fails)
            assert (await desk.client.post(desk.path("ack"), data={"by": ""})).status_code == 503
        assert (await desk.client.post(desk.path("ack"), data={"by": ""})).status_code == 200


def test_no_link_is_made_without_a_public_address() -> None:
    assert replace(RenderContext("en", UTC), language="fr").responses is None
