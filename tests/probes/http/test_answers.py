"""Answers: what is expected of them, and the texts, types and JSON that are found in them."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from vigie.core.model import Cause, Status
from vigie.probes.http import Config, build
from vigie.testing.servers import page, serving
from vigie.testing.starvation import measured

from .looking import Deps, announced, ask, hang, is_down, look


async def test_a_good_answer_is_up_with_every_phase_timed(make_deps: Deps) -> None:
    result = await ask(make_deps, page(b"hello"))

    assert (result.status, result.cause, result.address, result.addresses) == (Status.UP, None, "127.0.0.1", ("127.0.0.1",))
    assert result.http is not None
    assert (result.http.status, result.http.version, result.http.bytes, result.http.type) == (200, "1.1", 5, "text/html")
    timings = result.timings
    assert timings.dns is None
    assert timings.tls is None
    parts = [part for part in (timings.connect, timings.first_byte, timings.transfer) if part is not None]
    assert len(parts) == 3
    assert timings.total is not None
    assert 0 < sum(parts) <= timings.total < 1_000


async def test_each_phase_is_the_time_it_took(make_deps: Deps) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.15)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(b"b")

    timings = (await ask(make_deps, slow)).timings

    assert timings.first_byte is not None
    assert timings.transfer is not None
    assert 149 <= timings.first_byte < 400
    assert 99 <= timings.transfer < 350


DOCUMENT = json.dumps({"db": "up", "queue": 7, "ready": True, "none": None, "nodes": [{"ok": True}, {"ok": False}]}).encode()

EXPECTATIONS: list[tuple[dict[str, Any], Cause | None]] = [
    ({"keyword": "queue"}, None),
    ({"keyword": ["queue", "db"]}, None),
    ({"keyword": ["queue", "absent"]}, Cause.CONTENT_MISSING),
    ({"keyword": "QUEUE"}, Cause.CONTENT_MISSING),
    ({"reject_keyword": "error"}, None),
    ({"reject_keyword": ["error", "queue"]}, Cause.CONTENT_FORBIDDEN),
    ({"json": {"$.db": "up"}}, None),
    ({"json": {"$.db": "down"}}, Cause.CONTENT_JSON),
    ({"json": ["$.queue<10", "$.queue!=8", "$.db==up"]}, None),
    ({"json": ["$.queue>10"]}, Cause.CONTENT_JSON),
    ({"json": ["$.queue>6.5"]}, None),
    ({"json": ["$.db<3"]}, Cause.CONTENT_JSON),
    ({"json": {"$.absent": 1}}, Cause.CONTENT_JSON),
    ({"json": ["$.absent!=1"]}, Cause.CONTENT_JSON),
    ({"json": {"$.ready": True}}, None),
    ({"json": {"$.ready": 1}}, Cause.CONTENT_JSON),
    ({"json": ["$.ready!=1"]}, None),
    ({"json": {"$.none": None}}, None),
    ({"json": {"$.nodes[1].ok": False}}, None),
    ({"json": {"$.nodes[*].ok": False}}, None),
    ({"json": {"$.nodes[?@.ok == true].ok": True}}, None),
    ({"json": {"$..ok": True}}, None),
    ({"type": "application/json"}, None),
    ({"type": "Application/JSON"}, None),
    ({"type": "text/html"}, Cause.CONTENT_TYPE),
    ({"status": "201,204"}, Cause.HTTP_STATUS),
    ({"status": "100-199,200"}, None),
    ({"status": 200}, None),
    ({"status": 201, "type": "text/html", "keyword": "absent"}, Cause.HTTP_STATUS),
    ({"type": "text/html", "keyword": "absent"}, Cause.CONTENT_TYPE),
    ({"keyword": "absent", "reject_keyword": "queue"}, Cause.CONTENT_MISSING),
]


@pytest.mark.parametrize(("expect", "cause"), EXPECTATIONS)
async def test_expectations(expect: dict[str, Any], cause: Cause | None, make_deps: Deps) -> None:
    result = await ask(make_deps, page(DOCUMENT, "application/json; charset=utf-8"), expect=expect)

    assert result.cause is cause, result.message
    assert result.status is (Status.UP if cause is None else Status.DOWN)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"{", b"[" * 100_000, b"9" * 100_000, b'"\xff', b"null null"],
    ids=["html", "nothing", "half", "deep", "a giant number", "no utf-8", "two"],
)
async def test_a_body_that_is_no_json_is_content_json(body: bytes, make_deps: Deps) -> None:
    result = await ask(make_deps, page(body), expect={"json": {"$.a": 1}})

    assert (result.cause, result.message) == (Cause.CONTENT_JSON, "the body is not JSON")


@pytest.mark.parametrize("path", ["$", "$[0]", "$..x", "$[0][0]"])
async def test_a_deep_document_is_no_trap(path: str, make_deps: Deps) -> None:
    result = await ask(make_deps, page(b"[" * 900 + b"]" * 900), timeout=10_000, expect={"json": {path: 1}})

    assert is_down(result, Cause.CONTENT_JSON)
    assert len(str(result.figures["got"])) <= 60


async def test_a_long_search_holds_up_no_other_check(make_deps: Deps) -> None:
    """Half a million values take a second to look through; the loop is free meanwhile, and the deadline holds."""
    document = b"[" + b",".join([b"0"] * 500_000) + b"]"
    async with measured() as loop:
        found = await ask(make_deps, page(document), timeout=40_000, expect={"json": {"$[?@ == 1]": 1}})
        late = [await ask(make_deps, page(document), timeout=900, expect={"json": {"$[?@ == 1 && @ == 2 && @ == 3]": 1}}) for _ in range(3)]

    assert is_down(found, Cause.CONTENT_JSON)
    words = "too large to be searched within 0.9 s"  # a busy machine may not even fetch it in that time
    assert any(is_down(one, Cause.TIMEOUT_TOTAL) and words in one.message for one in late), late
    assert loop.held < 0.4


@pytest.mark.parametrize(
    ("latency", "status", "expected"), [("20ms", "degraded", Status.DEGRADED), ("20ms", "down", Status.DOWN), ("1s", "down", Status.UP)]
)
async def test_a_slow_answer_is_degraded_unless_told_otherwise(latency: str, status: str, expected: Status, make_deps: Deps) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await page(b"hello")(reader, writer)

    result = await ask(make_deps, slow, expect={"latency": latency, "latency_status": status})

    assert (result.status, result.cause) == (expected, None if expected is Status.UP else Cause.LATENCY_THRESHOLD)
    assert expected is Status.UP or result.figures["limit_ms"] == 20


@pytest.mark.parametrize(
    ("status", "expect", "up"),
    [(204, 204, True), (304, "200-399", True), (205, 205, True), (200, "200-299", True), (404, "404", True), (500, "200-299", False)],
)
async def test_an_answer_without_a_body_is_an_answer(status: int, expect: Any, up: bool, make_deps: Deps) -> None:
    result = await ask(make_deps, page(b"", "text/plain", status=f"{status} Some"), expect={"status": expect})

    assert (result.status is Status.UP) is up
    assert up or result.figures == {"status": 500, "expected": "200-299"}


async def test_the_facts_of_an_answer_are_few_and_short(make_deps: Deps) -> None:
    more = "Server: nginx\nVia: " + "v" * 900 + "\nSet-Cookie: sid=secret-cookie\nX-Api-Key: secret-key\nRetry-After: 3\n"
    result = await ask(make_deps, page(b"<title>Down &amp; out</title>", status="503 No", more=more))

    assert result.http is not None
    assert result.http.headers["server"] == "nginx"
    assert len(result.http.headers["via"]) == 200
    assert result.http.headers["retry-after"] == "3"
    assert result.http.title == "Down & out"
    assert "secret" not in repr(result)


async def test_many_checks_side_by_side_share_one_transport(make_deps: Deps) -> None:
    deps = make_deps()
    async with serving(page(b"hello")) as port:
        probes = [build(msgspec.convert({"url": f"http://127.0.0.1:{port}/{n}"}, Config), deps) for n in range(50)]
        results = await asyncio.gather(*(probe.check(3_000) for probe in probes))
    deps.close()

    assert {result.status for result in results} == {Status.UP}


async def test_a_check_that_is_cancelled_leaves_the_transport_usable(make_deps: Deps) -> None:
    deps = make_deps()
    came = asyncio.Semaphore(0)
    async with serving(announced(hang, came)) as deaf, serving(page(b"hello")) as port:
        waiting = asyncio.create_task(build(msgspec.convert({"url": f"http://127.0.0.1:{deaf}/"}, Config), deps).check(5_000))
        await came.acquire()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        result = await build(msgspec.convert({"url": f"http://127.0.0.1:{port}/"}, Config), deps).check(1_000)
    deps.close()

    assert waiting.cancelled()
    assert result.status is Status.UP


async def test_a_secret_in_the_url_is_never_told(make_deps: Deps, unused_port: int) -> None:
    result = await look(make_deps, f"http://user:hunter22@127.0.0.1:{unused_port}/?token=hunter22")

    assert "hunter22" not in repr(result)
