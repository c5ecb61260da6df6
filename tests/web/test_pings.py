"""Where jobs report in: the addresses that Healthchecks and Uptime Kuma have, over ASGI and over a real socket."""

import asyncio
import gzip

import httpx
import pytest
from tests.web._made import app_of
from tests.web._served import serving

from vigie.observation.heartbeat import Ping, Signal
from vigie.ports import Answer
from vigie.web.pings import BODY_BYTES

TOKEN = "2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e"


class PingReceiver:
    """Keeps what is reported; answers as told."""

    def __init__(self, answer: Answer = Answer.TAKEN, token: str = TOKEN) -> None:
        self.answer, self.token = answer, token
        self.heard: list[tuple[str, Ping]] = []
        self._came = asyncio.Condition()

    async def wait(self, count: int) -> None:
        """Until so much was reported."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.heard) >= count)

    def knows(self, token: str) -> bool:
        return token == self.token

    async def receive(self, token: str, ping: Ping) -> Answer:
        async with self._came:
            self.heard.append((token, ping))
            self._came.notify_all()
        return self.answer if token == self.token else Answer.UNKNOWN

    async def ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=app_of(None, self))
        async with httpx.AsyncClient(transport=transport, base_url="http://vigie.test") as client:
            return await client.request(method, f"http://vigie.test{path}", content=content)


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


@pytest.mark.parametrize("form", ["/ping/{}", "/ping/{}/", "//ping//{}//", "/ping/{}?create=1", "/ping/{}/?create=1", "/%70ing/{}"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_every_form_of_an_address_counts(ears: PingReceiver, method: str, form: str) -> None:
    answer = await ears.ask(method, form.format(TOKEN))

    assert answer.status_code == 200
    assert ears.heard == [(TOKEN, Ping(0, Signal.SUCCESS))]


@pytest.mark.parametrize(
    ("end", "ping"),
    [
        ("/start/", Ping(0, Signal.START)),
        ("//fail//", Ping(0, Signal.FAIL)),
        ("/log/?rid=a-1", Ping(0, Signal.LOG, run="a-1")),
        ("/0/", Ping(0, Signal.SUCCESS, exit_status=0)),
        ("/137/", Ping(0, Signal.FAIL, exit_status=137)),
        ("%2Fstart", Ping(0, Signal.START)),
    ],
)
async def test_a_slash_at_the_end_changes_no_action(ears: PingReceiver, end: str, ping: Ping) -> None:
    assert (await ears.ask("GET", f"/ping/{TOKEN}{end}")).status_code == 200
    assert ears.heard == [(TOKEN, ping)]


@pytest.mark.parametrize(
    ("end", "ping"),
    [
        ("", Ping(0, Signal.SUCCESS)),
        ("/", Ping(0, Signal.SUCCESS)),
        ("/start", Ping(0, Signal.START)),
        ("/fail/", Ping(0, Signal.FAIL)),
        ("/3?rid=x", Ping(0, Signal.FAIL, run="x", exit_status=3)),
    ],
)
async def test_a_key_and_a_slug_are_a_token(end: str, ping: Ping) -> None:
    ears = PingReceiver(token="fqOOd6-F4MMNuCEnzTU01w/db-backup")
    assert (await ears.ask("GET", f"/ping/{ears.token}{end}")).status_code == 200
    assert ears.heard == [(ears.token, ping)]
    for other in ("fqOOd6-F4MMNuCEnzTU01w/other?create=1", "fqOOd6-F4MMNuCEnzTU01w", "nobodys-key/db-backup/start"):
        assert (await ears.ask("GET", f"/ping/{other}")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/ping",
        "/ping/",
        "/ping/nobody-1/",
        "/ping/nobody-1/start/",
        "/ping/nobody-1?create=1",
        "/api/push",
        "/api/push/",
        "/api/push/nobody-1/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_what_does_not_count_is_an_error_and_never_a_redirect(ears: PingReceiver, method: str, path: str) -> None:
    assert (await ears.ask(method, path)).status_code == 404


async def test_a_packed_body_is_unpacked_within_its_bound(ears: PingReceiver) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app_of(None, ears)), base_url="http://vigie.test") as client:
        for packed in (gzip.compress(b"no space left"), gzip.compress(b"y" * 10**7), b"not packed"):
            answer = await client.post(f"/ping/{TOKEN}/fail", content=packed, headers={"Content-Encoding": "gzip"})
            assert answer.status_code == 200

    assert [ping.body[:13] for _, ping in ears.heard] == ["no space left", "y" * 13, "not packed"]
    assert len(ears.heard[1][1].body) == BODY_BYTES


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
        ("?status=&msg=&ping=", Ping(0, Signal.SUCCESS)),
        ("?status=up&msg=OK&ping=&status=down", Ping(0, Signal.FAIL, body="OK")),
        ("/?status=down", Ping(0, Signal.FAIL)),
        ("?ping=soon", Ping(0, Signal.SUCCESS)),
        ("?ping=-5", Ping(0, Signal.SUCCESS)),
        ("?ping=nan", Ping(0, Signal.SUCCESS)),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
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
