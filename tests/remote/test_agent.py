"""A real agent as a process, against a scripted server over real HTTP: it starts, is killed, cut off, refused, stopped, and goes on."""

import asyncio
import signal
from pathlib import Path

from tests.remote.conftest import WELCOME, agent, results_of, spec_of, work_of

from vigie.core.model import Status
from vigie.errors import UplinkFault
from vigie.testing.agent_server import AgentServer
from vigie.testing.servers import page, serving


async def test_what_is_assigned_is_checked_and_handed_over(tmp_path: Path) -> None:
    async with serving(page(b"hello")) as port:
        specs = [spec_of(name, port) for name in ("shop", "api", "blog")]
        async with AgentServer(WELCOME, work_of(specs)) as server, agent(server.url, tmp_path / "state") as one:
            await server.until(lambda: len({result.monitor for result in results_of(server, specs)}) == 3)
            await server.until(lambda: len(results_of(server, specs)) >= 30)
            one.signal(signal.SIGTERM)
            assert await one.ended() == 0
    found = results_of(server, specs)
    assert {(result.location, result.run, result.status) for result in found} == {("paris", 41, Status.UP)}
    for name in ("shop", "api", "blog"):
        numbers = [result.sequence for result in found if result.monitor == name]
        assert numbers == sorted(set(numbers))
    assert [hello.spool for hello in server.hellos][:1] == [0]


async def test_kill_9_repeats_no_number_and_loses_no_check_that_had_ended(tmp_path: Path) -> None:
    """Killed at any instant, also between two halves of a write; what was handed over twice is the same both times."""
    ended: list[int] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        ended.append(1)

    async with serving(handler) as port:
        specs = [spec_of(f"m{number}", port, 100) for number in range(8)]
        async with AgentServer(WELCOME, work_of(specs)) as server:
            for life in range(6):
                async with agent(server.url, tmp_path / "state") as one:
                    if life == 0:
                        await server.until(lambda: bool(server.hellos))
                    if life % 2:
                        server.stall(stalled=True)
                    await more(ended, 40)
                    await one.kill()
                    server.stall(stalled=False)
            async with agent(server.url, tmp_path / "state") as one:
                count = len(server.taken)
                await server.until(lambda: len(server.taken) > count + 20)
                one.signal(signal.SIGTERM)
                assert await one.ended() == 0
            found = results_of(server, specs)
    kept: dict[tuple[str, int], tuple[int, object]] = {}
    for result in found:
        assert kept.setdefault((result.monitor, result.sequence), (result.at, result.timings)) == (result.at, result.timings)
    # A life ends with at most one check of each monitor in progress, and what ended within the last quarter of a second.
    assert len(kept) >= len(ended) - 7 * len(specs) * 5
    assert {hello.spool for hello in server.hellos} == {0, 99}
    for batches in by_shard(server).values():
        assert batches == sorted(batches)


async def test_cut_off_it_goes_on_and_replays_in_order(tmp_path: Path) -> None:
    """The server is away while the service fails and recovers: all of it comes afterwards, in order; a restart meanwhile changes nothing."""
    broken = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = b"500 Broken" if broken.is_set() else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        looks.append(1)

    looks: list[int] = []
    async with serving(handler) as port:
        specs = [spec_of("shop", port, 100)]
        async with AgentServer(WELCOME, work_of(specs)) as server:
            async with agent(server.url, tmp_path / "state") as one:
                await server.until(lambda: len(results_of(server, specs)) > 3)
                await server.stop()
                await one.says("Checks go on, and what they find is kept here")
                broken.set()
                await more(looks)
                await one.kill()
            async with agent(server.url, tmp_path / "state") as one:  # with no link at its start
                await one.says("checking 1 monitor")
                await more(looks)
                broken.clear()
                await more(looks)
                await server.start()
                await one.says("the servers are reached again")
                count = len(server.taken)
                await server.until(lambda: len(server.taken) > count + 5)
                assert sum("refused the connection" in line for line in one.lines) == 1
            found = results_of(server, specs)
    statuses = [result.status for result in found]
    first_down, last_down = statuses.index(Status.DOWN), len(statuses) - 1 - statuses[::-1].index(Status.DOWN)
    assert set(statuses[first_down:last_down]) == {Status.DOWN}
    assert last_down - first_down >= 35
    assert [result.sequence for result in found] == sorted({result.sequence for result in found})


async def test_a_token_that_is_refused_at_first_ends_it_and_later_does_not(tmp_path: Path) -> None:
    async with serving(page(b"hello")) as port:
        specs = [spec_of("shop", port)]
        async with AgentServer(WELCOME, work_of(specs)) as server:
            async with agent(server.url, tmp_path / "state", token="another") as one:
                assert await one.ended() == 3
                assert sum("vigie agent enroll" in line for line in one.lines) == 1
            async with agent(server.url, tmp_path / "state") as one:
                await server.until(lambda: bool(server.taken))
                server.refuse(UplinkFault.AUTH)
                await one.says("HTTP 401")
                assert one.process.returncode is None
                one.signal(signal.SIGTERM)
                assert await one.ended() == 0


async def test_two_agents_never_share_a_spool(tmp_path: Path) -> None:
    async with AgentServer(WELCOME, work_of([])) as server, agent(server.url, tmp_path / "state"):
        await server.until(lambda: bool(server.hellos))
        async with agent(server.url, tmp_path / "state") as other:
            assert await other.ended() == 3
            assert "another Vigie has its state in" in "".join(other.lines)


async def test_a_damaged_spool_is_moved_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    async with serving(page(b"hello")) as port:
        specs = [spec_of("shop", port)]
        async with AgentServer(WELCOME, work_of(specs)) as server:
            async with agent(server.url, tmp_path / "state") as one:
                await server.until(lambda: bool(server.taken))
                one.signal(signal.SIGTERM)
                assert await one.ended() == 0
            path = tmp_path / "state" / "spool.db"
            path.write_bytes(b"not a database at all" * 500)
            async with agent(server.url, tmp_path / "state") as one:
                await one.says("a new one is begun")
                await server.until(lambda: server.hellos[-1].spool == 0 or server.hellos[-2].spool == 0)
            assert (tmp_path / "state" / "spool.db.damaged-1").read_bytes().startswith(b"not a database")


async def test_another_agents_token_is_not_mixed_into_a_spool(tmp_path: Path) -> None:
    async with AgentServer(WELCOME, work_of([])) as server:
        async with agent(server.url, tmp_path / "state"):
            await server.until(lambda: bool(server.hellos))
            await server.listened()
        server.welcome = WELCOME.__class__(1, "1.1", 1, 5, 100, "lyon-1", "lyon")
        async with agent(server.url, tmp_path / "state") as one:
            assert await one.ended() == 3
            assert "a --state of its own" in "".join(one.lines)


async def test_a_process_that_stood_still_says_unknown_and_goes_on(tmp_path: Path) -> None:
    """SIGSTOP: what was in progress is not booked on the service."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()

    async with serving(slow) as port:
        specs = [spec_of(f"m{number}", port, 400) for number in range(4)]
        async with AgentServer(WELCOME, work_of(specs)) as server, agent(server.url, tmp_path / "state") as one:
            await server.until(lambda: len(results_of(server, specs)) > 5)
            one.signal(signal.SIGSTOP)
            await asyncio.sleep(4)  # slow: the process stands still for so long
            one.signal(signal.SIGCONT)
            await one.says("checks in progress are discarded")
            count = len(results_of(server, specs))
            await server.until(lambda: len(results_of(server, specs)) > count + 10)
        assert Status.DOWN not in {result.status for result in results_of(server, specs)}


async def test_orders_are_obeyed_and_survive_a_restart(tmp_path: Path) -> None:
    from vigie.fleet.wire import CheckNow, Pace

    async with serving(page(b"hello")) as port:
        specs = [spec_of("shop", port, 3_600_000), spec_of("api", port, 3_600_000)]
        async with AgentServer(WELCOME, work_of(specs)) as server:

            def seen(name: str) -> int:
                return sum(result.monitor == name for result in results_of(server, specs))

            async with agent(server.url, tmp_path / "state") as one:
                await server.until(lambda: seen("shop") == 1 and seen("api") == 1)
                await server.order(CheckNow("api"))
                await server.until(lambda: seen("api") == 2)
                await server.order(Pace("shop", 100))
                await server.until(lambda: seen("shop") > 5)
                await one.kill()
            async with agent(server.url, tmp_path / "state") as one:
                count = seen("shop")
                await server.until(lambda: seen("shop") > count + 5)
                await server.order(Pace("shop", None))
                work = work_of([*specs, spec_of("blog", port)], epoch=8)
                specs.append(spec_of("blog", port))
                await server.order(work)
                await server.until(lambda: seen("blog") > 3)
                one.signal(signal.SIGTERM)
                assert await one.ended() == 0
        assert seen("api") <= 4


def by_shard(server: AgentServer) -> dict[int, list[int]]:
    """The numbers of batches as they came, each once."""
    found: dict[int, list[int]] = {}
    for batch in server.batches:
        numbers = found.setdefault(batch.shard, [])
        if batch.sequence not in numbers:
            numbers.append(batch.sequence)
    return found


async def more(looks: list[int], count: int = 20) -> None:
    """Wait until the service was looked at so many times more."""
    target = len(looks) + count
    async with asyncio.timeout(60):
        while len(looks) < target:  # noqa: ASYNC110 - no event to wait for: what looks is a process of its own
            await asyncio.sleep(0.05)  # slow: a process of its own, whose looks are counted
