"""The client against the real application."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.api._server import Running, running
from tests.web.api.test_resources import failed

from vigie.client import ApiError, Client


class Bridge(httpx.BaseTransport):
    """Requests of a client that is not asynchronous, answered by the application on a loop of its own thread."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.loop = folder, asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),))
        self.broken = 0
        self.sent: list[httpx.Request] = []
        self.running: Running
        self._thread.start()
        assert self._ready.wait(30)

    async def _run(self) -> None:
        async with running(self._folder) as self.running:
            self._ready.set()
            await self._end.wait()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        self.loop.close()

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if self.broken:
            self.broken -= 1
            raise httpx.ConnectError("refused")
        request.read()

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.running.app, client=("127.0.0.1", 4711))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(request.method, request.url, content=request.content, headers=request.headers)

        answer = self.do(ask())
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path)
    yield made
    made.end()


def test_every_resource_is_reached(bridge: Bridge) -> None:
    with Client("http://localhost:8080/", transport=bridge) as vigie:
        made = vigie.create_monitor({"url": "https://c.test/", "tags": ["made"]})
        assert (made.monitor.id, made.monitor.origin.kind) == ("c-test", "api")
        changed = vigie.change_monitor("c-test", {"name": "Catalogue"}, made.etag)
        assert [one.name for one in vigie.monitors(tag="made")] == ["Catalogue"]
        with pytest.raises(ApiError, match="read it again") as stale:
            vigie.replace_monitor("c-test", {"url": "https://d.test/"}, made.etag)
        assert stale.value.status == 412
        assert vigie.replace_monitor("c-test", {"url": "https://d.test/"}, changed.etag).monitor.target == "https://d.test/"
        assert vigie.monitor("c-test").monitor.tags == []
        vigie.delete_monitor("c-test")
        with pytest.raises(ApiError, match="evry: unknown key") as wrong:
            vigie.create_monitor({"url": "https://c.test/", "evry": "1m"})
        assert (wrong.value.status, wrong.value.fix) == (422, "did you mean 'every'?")

        bridge.do(failed(bridge.running))
        assert [one.status for one in vigie.results("shop", datetime(2026, 1, 1, tzinfo=UTC))] == ["down"] * 3
        assert [one.span for one in vigie.uptime("shop", "1h,1d")] == ["1h", "1d"]
        assert [one.down for one in vigie.rollups("shop")] in ([3], [1, 2], [2, 1])
        (incident,) = vigie.incidents(open_only=True)
        assert vigie.incident(incident.id).timeline[0].kind == "opened"
        assert vigie.acknowledge(incident.id, "on it").outcome == "done"
        assert vigie.note(incident.id, "the disk").outcome == "done"
        assert vigie.snooze(incident.id, "1h").outcome in ("done", "already")
        assert [one.acked_by for one in vigie.alerts(monitor="shop")] == ["local"]
        assert vigie.alert(incident.id).alert.open
        assert vigie.resolve(incident.id).outcome == "done"
        notices = list(vigie.notices("all"))
        assert vigie.drop_notice(notices[0].key).outcome == "done"
        with pytest.raises(ApiError):
            vigie.retry_notice(notices[0].key)
        work = vigie.start_maintenance("1h", tags=("eu",), why="disk")
        assert [one.why for one in vigie.maintenance()] == ["disk", "Backups"]
        vigie.end_maintenance(work.number or 0)
        assert [one.name for one in vigie.channels()] == ["hook"]
        assert vigie.test_channel("hook").failure
        assert list(vigie.status_pages()) == []
        with pytest.raises(ApiError, match="not watched"):
            vigie.check_monitor("blog")


def test_a_connection_that_breaks_is_tried_again_and_done_once(bridge: Bridge) -> None:
    with Client("http://localhost:8080", transport=bridge) as vigie:
        bridge.broken = 2
        vigie.start_maintenance("1h")
        assert len({one.headers["idempotency-key"] for one in bridge.sent}) == 1
        assert len(list(vigie.maintenance())) == 2
        bridge.broken = 3
        with pytest.raises(ApiError, match="refused") as gone:
            list(vigie.channels())
        assert gone.value.status == 0


def test_an_answer_of_something_else_is_an_error() -> None:
    def proxy(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502 if request.url.path.endswith("channels") else 200, text="<html>Bad gateway</html>")

    with Client("http://localhost:8080", "vigie_x", transport=httpx.MockTransport(proxy)) as vigie:
        with pytest.raises(ApiError, match="Bad gateway"):
            list(vigie.channels())
        with pytest.raises(ApiError, match="not what this version expects"):
            vigie.incident("x")
