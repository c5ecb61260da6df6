"""Where jobs report in: the addresses that Healthchecks and Uptime Kuma have, over ASGI and over a real socket."""

import asyncio

import httpx
import pytest
from tests.web._made import app_of
from tests.web._served import serving

from vigie.core.heartbeat import Ping, Signal
from vigie.ports import Answer
from vigie.web.pings import BODY_BYTES

TOKEN = "2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e"


class PingReceiver:
    """Keeps what is reported; answers as told."""

    def __init__(self, answer: Answer = Answer.TAKEN) -> None:
        self.answer = answer
        self.heard: list[tuple[str, Ping]] = []
        self._came = asyncio.Condition()

    async def wait(self, count: int) -> None:
        """Until so much was reported."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.heard) >= count)

    def knows(self, token: str) -> bool:
        return token == TOKEN

    async def receive(self, token: str, ping: Ping) -> Answer:
        async with self._came:
            self.heard.append((token, ping))
            self._came.notify_all()
        return self.answer if token == TOKEN else Answer.UNKNOWN

    async def ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=app_of(None, self))
        async with httpx.AsyncClient(transport=transport, base_url="http://vigie.test") as client:
            return await client.request(method, path, content=content)


@pytest.fixture
def ears() -> PingReceiver:
    return PingReceiver()


@pytest.mark.parametrize(
    ("path", "ping"),
    [
        ("", Ping(0, Signal.SUCCESS)),
        ("/start", Ping(0, Signal.START)),
        ("/fail", Ping(0, Signal.FAIL)),
        ("/log", Ping(0, Signal.LOG)),
        ("/0", Ping(0, Signal.SUCCESS, exit_status=0)),
        ("/1", Ping(0, Signal.FAIL, exit_status=1)),
        ("/255", Ping(0, Signal.FAIL, exit_status=255)),
        ("/start?rid=AB-1", Ping(0, Signal.START, run="ab-1")),
        ("?create=1", Ping(0, Signal.SUCCESS)),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_every_address_of_healthchecks_is_understood(ears: PingReceiver, method: str, path: str, ping: Ping) -> None:
    answer = await ears.ask(method, f"/ping/{TOKEN}{path}")

    assert answer.status_code == 200
    assert answer.text == ("" if method == "HEAD" else "OK")
    assert answer.headers["ping-body-limit"] == "10000"
    assert ears.heard == [(TOKEN, ping)]


@pytest.mark.parametrize("path", ["/256", "/999", "/-1", "/nonsense", "/٣", "?rid=a%20b", f"?rid={'a' * 65}"])
async def test_what_is_no_report_is_told_and_not_heard(ears: PingReceiver, path: str) -> None:
    assert (await ears.ask("GET", f"/ping/{TOKEN}{path}")).status_code == 400
    assert ears.heard == []


@pytest.mark.parametrize(("answer", "status"), [(Answer.UNKNOWN, 404), (Answer.TOO_MANY, 429), (Answer.NOT_NOW, 503)])
async def test_a_report_that_was_not_taken_is_never_answered_with_200(ears: PingReceiver, answer: Answer, status: int) -> None:
    ears.answer = answer
    told = await ears.ask("POST", f"/ping/{TOKEN}", b"x")

    assert told.status_code == status
    assert ("retry-after" in told.headers) is (status != 404)
    assert (await ears.ask("GET", f"/api/push/{TOKEN}")).status_code == status


async def test_the_body_of_a_stranger_is_not_read(ears: PingReceiver) -> None:
    assert (await ears.ask("POST", "/ping/somebody-else", b"x" * 5_000)).status_code == 404
    assert ears.heard == [("somebody-else", Ping(0, Signal.SUCCESS))]


async def test_other_methods_and_paths_are_none_of_ours(ears: PingReceiver) -> None:
    assert (await ears.ask("DELETE", f"/ping/{TOKEN}")).status_code == 405
    assert (await ears.ask("GET", f"/ping/{TOKEN}/start/again")).status_code == 404
    assert (await ears.ask("GET", "/ping/")).status_code == 404
    assert ears.heard == []


async def test_a_body_is_kept_up_to_its_bound(ears: PingReceiver) -> None:
    await ears.ask("POST", f"/ping/{TOKEN}/fail", "déjà vu\n".encode() + b"x" * 50_000)
    await ears.ask("POST", f"/ping/{TOKEN}", b"\xff\x00\xfe")

    first, second = (ping.body for _, ping in ears.heard)
    assert first.startswith("déjà vu\nxxx")
    assert len(first.encode()) == BODY_BYTES
    assert second == "\ufffd\x00\ufffd"


@pytest.mark.parametrize(
    ("query", "ping"),
    [
        ("", Ping(0, Signal.SUCCESS)),
        ("?status=up&msg=OK&ping=12.5", Ping(0, Signal.SUCCESS, took_ms=12.5, body="OK")),
        ("?status=down&msg=disk%20full&ping=", Ping(0, Signal.FAIL, body="disk full")),
        ("?ping=soon", Ping(0, Signal.SUCCESS)),
        ("?ping=-5", Ping(0, Signal.SUCCESS)),
        ("?ping=nan", Ping(0, Signal.SUCCESS)),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_a_push_of_uptime_kuma_is_understood(ears: PingReceiver, method: str, query: str, ping: Ping) -> None:
    answer = await ears.ask(method, f"/api/push/{TOKEN}{query}")

    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert ears.heard == [(TOKEN, ping)]


async def test_an_unknown_token_of_a_push_is_told(ears: PingReceiver) -> None:
    answer = await ears.ask("GET", "/api/push/other")

    assert (answer.status_code, answer.json()["ok"]) == (404, False)


async def spoken(port: int, data: bytes, *, hang_up: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    if hang_up:
        writer.write_eof()
    answer = await reader.read(4_096) if not hang_up else b""
    writer.transport.abort()
    return answer


async def test_a_slow_or_endless_body_costs_little_and_its_report_counts(ears: PingReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.web.pings._READ_SECONDS", 0.3)
    head = f"POST /ping/{TOKEN}/fail HTTP/1.1\r\nHost: v\r\nContent-Length: %d\r\n\r\n"
    async with serving(app_of(None, ears)) as listener:
        port = listener.port
        slow = await spoken(port, (head % 1_000).encode() + b"half of it")
        endless = await spoken(port, (head % 10**9).encode() + b"y" * 2_000_000)
        cut = await spoken(port, (head % 1_000).encode() + b"cut", hang_up=True)
        await ears.wait(3)

    assert slow.startswith(b"HTTP/1.1 200 OK")
    assert endless.startswith(b"HTTP/1.1 200 OK")
    assert cut == b""
    assert sorted(ping.body[:3] for _, ping in ears.heard) == ["cut", "hal", "yyy"]
