"""What a stolen token, a forged batch and a hostile client come to: nothing but what the agent's own location may say."""

import asyncio
import contextlib
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web.agents._desk import Caller, gzipped, sealed, town

from vigie.clock import SystemClock
from vigie.core.model import Status
from vigie.fleet import wire
from vigie.web.agents import protocol


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_of_an_agent_opens_nothing_else(tmp_path: Path) -> None:
    """No page, no part of the API, no metrics: as anybody without a token, who is let in nowhere."""
    async with town(tmp_path) as one, httpx.AsyncClient(base_url=one.address) as client:
        paris = await one.enrolled("paris-1", "paris")
        for path in ("/", "/api/v1/monitors", "/api/v1/agents", "/settings/agents", "/metrics", "/events", "/settings/tokens", "/probe"):
            answer = await client.get(path, headers=bearer(paris.token))
            assert answer.status_code == 401, (path, answer.status_code)
        for method, path in (("POST", "/api/v1/agents"), ("DELETE", "/api/v1/agents/paris-1"), ("POST", "/api/v1/monitors")):
            answer = await client.request(method, path, json={"name": "x", "location": "y"}, headers=bearer(paris.token))
            assert answer.status_code in (401, 403), (path, answer.status_code)


async def test_nothing_else_opens_what_is_for_agents(tmp_path: Path) -> None:
    """Neither being on this machine, nor a token of a program that may do everything, nor another scheme."""
    async with town(tmp_path) as one, httpx.AsyncClient(base_url=one.address) as client:
        await one.enrolled("paris-1", "paris")
        from vigie.accounts import Role
        from vigie.web.auth.people import made_token

        secret, kept = made_token("ci", Role.ADMIN, SystemClock().now(), "ann")
        await one.server.runtime.store.accounts.add_token(kept)
        given = [
            {},
            bearer(secret),
            {"Authorization": "Bearer"},
            bearer("x" * 5_000),
            {"Authorization": "Basic cGFyaXM6eA=="},
            bearer("vigie_agent_no"),
        ]
        for headers in given:
            for method, path in (("POST", "hello"), ("POST", "batches"), ("GET", "orders?epoch=0")):
                answer = await client.request(method, f"/agent/v1/{path}", headers=headers)
                assert (answer.status_code, answer.json()["fault"]) == (401, "auth")


async def test_a_stolen_token_reads_its_own_assignment_alone(tmp_path: Path) -> None:
    """No secret of another location's monitors, of a channel or of this server's own checks is in what it is sent."""
    async with town(tmp_path) as one:
        paris = await one.enrolled("paris-1", "paris")
        await paris.introduce()
        async with (
            httpx.AsyncClient() as client,
            client.stream("GET", f"{one.address}/agent/v1/orders?epoch=0", headers=bearer(paris.token)) as answer,
        ):
            seen = b""
            async for piece in answer.aiter_raw():
                seen += piece
                if b"paris-only" in seen:
                    break
        assert b"parissecret77" in seen
        for secret in (b"lyonsecret88", b"channelsecret99", b"lyon-only", b"home-only", b"nightly", b"abcdefghijklmnopqrstuvwx"):
            assert secret not in seen


async def test_a_stolen_token_reports_for_its_own_location_alone(tmp_path: Path) -> None:
    """Also what another agent of the same server could report, byte for byte."""
    async with town(tmp_path) as one:
        paris, lyon = await one.at_work("paris-1", "paris"), await one.at_work("lyon-1", "lyon")
        stolen = sealed([lyon.measured("lyon-only", Status.DOWN, message="forged")])
        answer = await paris.post("batches", stolen)
        assert (answer.status_code, answer.json()["fault"]) == (422, "refused")
        assert "another agent or location" in answer.json()["detail"]
        hello = wire.Hello("lyon-1", "lyon", "1.0", 0, SystemClock().now())
        answer = await paris.post("hello", wire.encode(hello))
        assert (answer.status_code, answer.json()["fault"]) == (422, "refused")
        assert await one.server.runtime.store.archive.last_results() == {}
        assert (await lyon.post("batches", stolen)).status_code == 204


async def test_a_revoked_agent_is_refused_at_once_and_its_stream_ends(tmp_path: Path) -> None:
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        body = sealed([paris.measured("paris-only")])
        async with (
            httpx.AsyncClient(timeout=20) as client,
            client.stream("GET", f"{one.address}/agent/v1/orders?epoch=0", headers=bearer(paris.token)) as answer,
        ):
            pieces = answer.aiter_raw()
            await anext(pieces)
            assert await one.server.agents.desk.revoke("paris-1")
            async for _ in pieces:
                pass
        for what in ("hello", "batches"):
            answer = await paris.post(what, body)
            assert (answer.status_code, answer.json()["fault"]) == (401, "auth")
        assert await one.server.runtime.store.archive.last_results() == {}


BODIES = {
    "nothing": b"",
    "noise": b"\0\1\2\3" * 50,
    "a length beyond all": b"\xff\xff\xff\xff",
    "cut off": b"\x10\0\0\0abc",
    "not gzip": b"not gzip at all",
}


@pytest.mark.parametrize("what", ["hello", "batches"])
@pytest.mark.parametrize("kind", BODIES)
async def test_noise_is_refused_with_a_reason(what: str, kind: str, tmp_path: Path) -> None:
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        headers = {"Content-Encoding": "gzip"} if kind == "not gzip" else {}
        answer = await paris.post(what, BODIES[kind], **headers)
        if what == "batches" and kind == "nothing":
            assert answer.status_code == 204  # no batches are no fault
            return
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.json()["fault"] == "refused"
        assert answer.json()["detail"]


async def test_what_unpacks_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    """A gigabyte of zeros in a megabyte; and more that follows what was compressed."""
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1_024)) + packer.flush()
        assert len(bomb) < 2 << 20
        answer = await paris.post("batches", bomb, **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["fault"]) == (422, "refused")
        twice = gzipped(b"") + gzipped(bytes(1 << 20))
        assert (await paris.post("batches", twice, **{"Content-Encoding": "gzip"})).status_code == 422
        assert (await paris.post("batches", b"x", **{"Content-Encoding": "br"})).status_code == 422
        with contextlib.suppress(httpx.TransportError):  # whoever goes on sending may not see the answer
            large = await paris.post("batches", bytes(protocol.MAX_PACKED + 1))
            assert (large.status_code, large.json()["fault"]) == (422, "refused")
        assert (await paris.post("batches", sealed([paris.measured("paris-only")]))).status_code == 204


async def _spoken(address: str, token: str, head: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    writer.write(f"{head} HTTP/1.1\r\nHost: v\r\nAuthorization: Bearer {token}\r\n".encode() + body)
    await writer.drain()
    return reader, writer


async def test_a_body_that_comes_slowly_keeps_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by itself, and meanwhile its own agent and the others are served."""
    monkeypatch.setattr(protocol, "_BODY_SECONDS", 0.5)
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        slow = [await _spoken(one.address, paris.token, "POST /agent/v1/batches", b"Content-Length: 1000000\r\n\r\nx") for _ in range(20)]
        assert (await paris.post("batches", sealed([paris.measured("paris-only")]))).status_code == 204
        for reader, writer in slow:
            async with asyncio.timeout(20):
                assert b"503" in await reader.readline()
            writer.close()


async def test_large_bodies_of_one_token_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives of one agent is bounded as a whole, and what is given up makes room; others are not concerned."""
    monkeypatch.setattr(protocol, "_AGENT_BYTES", 100_000)
    async with town(tmp_path) as one:
        paris, lyon = await one.at_work("paris-1", "paris"), await one.at_work("lyon-1", "lyon")
        head = b"Content-Length: 200000\r\n\r\n"
        opened = [await _spoken(one.address, paris.token, "POST /agent/v1/batches", head + bytes(60_000)) for _ in range(4)]
        lines = [asyncio.ensure_future(reader.readline()) for reader, _ in opened]
        async with asyncio.timeout(20):
            while sum(line.done() for line in lines) < 3:
                await asyncio.wait([line for line in lines if not line.done()], return_when=asyncio.FIRST_COMPLETED)
        assert all(b"503" in line.result() for line in lines if line.done())
        assert (await lyon.post("batches", sealed([lyon.measured("lyon-only")]))).status_code == 204
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*lines, return_exceptions=True)
        async with asyncio.timeout(20):
            while (await paris.post("batches", bytes(90_000))).json()["fault"] == "busy":
                pass  # until the server has seen that the others are gone
        assert (await paris.post("batches", sealed([paris.measured("paris-only")]))).status_code == 204


async def test_many_streams_of_one_token_are_two(tmp_path: Path) -> None:
    """The newest ones; whoever holds a token cannot fill the server's memory or its connections with them."""
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        opened = [await _spoken(one.address, paris.token, "GET /agent/v1/orders?epoch=0", b"\r\n") for _ in range(12)]
        async with asyncio.timeout(20):
            for reader, _ in opened[:10]:
                await reader.read()  # ends
            for reader, _ in opened[10:]:
                assert b"200" in await reader.readline()
        assert len(one.server.agents.desk.hub._held["paris-1"].streams) == 2
        for _, writer in opened:
            writer.close()


async def test_many_requests_of_one_token_wait_for_each_other(tmp_path: Path) -> None:
    """At most two at a time; the others are told to come again, and lose nothing."""
    async with town(tmp_path) as one:
        paris, lyon = await one.at_work("paris-1", "paris"), await one.at_work("lyon-1", "lyon")
        bodies = [sealed([paris.measured("paris-only")]) for _ in range(30)]
        answers = await asyncio.gather(
            *(paris.post("batches", body) for body in bodies), lyon.post("batches", sealed([lyon.measured("lyon-only")]))
        )
        assert answers[-1].status_code == 204
        statuses = {answer.status_code for answer in answers[:-1]}
        assert statuses <= {204, 503}
        late = [answer for answer in answers[:-1] if answer.status_code == 503]
        assert all(answer.json()["fault"] == "busy" and int(answer.headers["retry-after"]) >= 1 for answer in late)


async def test_wrong_tokens_are_slowed_down_and_the_right_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        wrong, fleet = Caller(one.address, "vigie_agent_guess"), one.server.runtime.store.fleet
        asked: list[str] = []
        look = fleet.agent_by_token

        async def counted(token: str) -> Any:
            asked.append(token)
            return await look(token)

        monkeypatch.setattr(fleet, "agent_by_token", counted)
        statuses = [(await wrong.post("hello", b"")).status_code for _ in range(40)]
        assert (statuses[0], 503 in statuses) == (401, True)
        assert len(asked) == statuses.count(401)  # what is slowed down asks the store nothing
        late = await one.enrolled("paris-2", "paris")  # somebody new behind the same address is let in
        assert (await late.introduce()).agent == "paris-2"
        assert (await paris.post("batches", sealed([paris.measured("paris-only")]))).status_code == 204


async def test_a_token_is_nowhere_to_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the database, the log, the list, nor in what is said of a refusal."""
    async with town(tmp_path) as one:
        paris = await one.at_work("paris-1", "paris")
        refused = await paris.post("batches", b"\0")
        listed = repr(await one.server.agents.desk.agents())
        assert paris.token not in refused.text + listed + caplog.text
    files = await asyncio.to_thread(lambda: [file.read_bytes() for file in tmp_path.glob("vigie.db*")])
    assert files
    assert all(paris.token.encode() not in data for data in files)
