"""The bus on NATS, against the real server: what it promises to every reader and publisher, and when the server does not do well."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.buses.nats_rig import batch, connected, emptied, needs_nats, opened, read

from vigie.buses import BusDeps
from vigie.buses.nats import topology
from vigie.buses.nats.bus import NatsBus
from vigie.clock import SystemClock
from vigie.errors import BusError, BusFault
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.subjects import RESULTS, result_subject
from vigie.net.nats.address import Config
from vigie.net.nats.connection import Connection
from vigie.ports import Position
from vigie.testing.bus_suite import BUS_LAWS, KEEPING_LAWS
from vigie.testing.nats_server import NatsServer, cluster

pytestmark = needs_nats
LAWS = BUS_LAWS | KEEPING_LAWS


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def server(running: NatsServer) -> Iterator[NatsServer]:
    with emptied(running) as one:
        yield one


class Rig:
    def __init__(self, server: NatsServer) -> None:
        self._server = server

    async def bus(self) -> NatsBus:
        bus = NatsBus(Config.of(self._server.url), BusDeps(SystemClock()))
        await bus.open()
        return bus

    def batch(self, sequence: int) -> PackedBatch:
        return batch(sequence)

    def sequence_of(self, one: PackedBatch) -> int:
        return one.sequence


@pytest.mark.parametrize("law", LAWS)
async def test_the_bus_keeps_the_law(law: str, server: NatsServer) -> None:
    await LAWS[law](Rig(server))


async def test_many_batches_of_many_shards_arrive_once_each_and_in_order_within_a_shard(server: NatsServer) -> None:
    async with opened(server.url) as bus:
        sent = [batch(sequence, shard) for sequence in range(1, 9) for shard in range(200)]
        await bus.publish_all([encode(one) for one in sent])
        found = await read(bus, len(sent))
        assert sorted(found, key=lambda one: (one.sequence, one.shard)) == sent
        for shard in range(200):
            assert [one.sequence for one in found if one.shard == shard] == list(range(1, 9))


async def test_a_batch_larger_than_a_message_is_compressed_and_one_that_stays_too_large_is_refused(server: NatsServer) -> None:
    async with opened(server.url) as bus:
        large = batch(1, size=20_000)
        whole = PackedBatch(large.agent, large.location, 3, 99, 1, large.base, large.count, large.body * 3)
        assert len(encode(whole)) > 1_500_000
        await bus.publish(whole)
        assert await read(bus, 1) == [whole]
        noise = PackedBatch("paris-1", "paris", 3, 99, 2, 0, 1, random.Random(1).randbytes(1_500_000))
        with pytest.raises(BusError) as raised:
            await bus.publish(noise)
        assert raised.value.fault is BusFault.TOO_LARGE
        assert "max_payload" in raised.value.fix


async def test_killing_the_server_loses_and_repeats_nothing(server: NatsServer) -> None:
    async with opened(server.url) as bus:
        reading = asyncio.create_task(read(bus, 300))
        for sequence in range(1, 301):
            if sequence in (100, 200):
                server.kill()
                asyncio.get_running_loop().call_later(0.3, server.start)
            await bus.publish(batch(sequence))
        assert [one.sequence for one in await reading] == list(range(1, 301))


async def test_a_server_that_hangs_is_waited_for(server: NatsServer) -> None:
    async with opened(server.url) as bus:
        await bus.publish(batch(1))
        reading = asyncio.create_task(read(bus, 2))
        server.pause()
        try:
            publishing = asyncio.create_task(bus.publish(batch(2)))
            done, _ = await asyncio.wait([publishing], timeout=1)
            assert not done
        finally:
            server.resume()
        await publishing
        assert [one.sequence for one in await reading] == [1, 2]


async def test_a_full_stream_makes_publishers_wait_until_what_was_read_makes_room(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("vigie.buses.nats.consumer._ROOM_SECONDS", 0.2)
    caplog.set_level("INFO", "vigie.bus")
    async with opened(f"{server.url}?max_bytes=1MB") as bus:
        sequence, refusal = 1, None
        while refusal is None:
            try:
                await bus.publish(batch(sequence, size=1000))
            except BusError as error:
                refusal = error
            else:
                sequence += 1
        assert (refusal.fault, refusal.permanent) == (BusFault.FULL, False)
        assert "max_bytes" in refusal.fix
        reading = asyncio.create_task(read(bus, sequence + 20))  # to the end of what is there, and what comes
        for later in range(sequence, sequence + 21):
            async with asyncio.timeout(20):
                while True:
                    try:
                        await bus.publish(batch(later, size=1000))
                    except BusError as error:
                        assert error.fault is BusFault.FULL  # noqa: PT017 - what else it is ends the test
                        await asyncio.sleep(0.05)  # slow: a publisher comes again later, and nothing says that there is room
                        continue
                    break
        assert [one.sequence for one in await reading] == list(range(1, sequence + 21))
        assert "makes room" in caplog.text


async def test_a_stream_that_was_deleted_is_made_anew_and_said(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server.url) as bus, connected(server.url) as admin:
        await bus.publish(batch(1))
        groups = bus.groups()
        old = (await anext(groups)).position
        await admin.api(f"STREAM.DELETE.{RESULTS}")
        async with asyncio.timeout(30):
            coming = asyncio.ensure_future(anext(groups))
            while True:
                try:
                    await bus.publish(batch(2))
                except BusError:
                    await asyncio.sleep(0.05)  # slow: who reads finds out after a second, and makes it
                    continue
                break
            group = await coming
        assert [one.sequence for one in group.batches] == [2]
        assert group.position is not None
        assert old is not None
        assert group.position.incarnation > old.incarnation
        assert group.position.sequence == 1
        assert "made anew" in caplog.text


async def test_what_expired_before_it_was_read_is_said(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server.url) as bus, connected(server.url) as admin:
        for sequence in range(1, 11):
            await bus.publish(batch(sequence))
        incarnation = (await topology.state(admin)).incarnation
        await admin.api(f"STREAM.PURGE.{RESULTS}", {"seq": 8})
        found = await read(bus, 3, after=Position(RESULTS, incarnation, 4))
        assert [one.sequence for one in found] == [8, 9, 10]
        assert "3 messages of the stream VIGIE_RESULTS are gone" in caplog.text


async def test_what_is_gone_while_it_is_read_is_said(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server.url) as bus, connected(server.url) as admin:
        await bus.publish(batch(1))
        groups = bus.groups()
        assert [one.sequence for one in (await anext(groups)).batches] == [1]
        for sequence in range(2, 1302):  # more than a reader asks for at once
            await bus.publish(batch(sequence))
        await admin.api(f"STREAM.PURGE.{RESULTS}")
        await bus.publish(batch(9_999))
        found = 1
        async for group in groups:
            found += len(group.batches)
            if group.batches[-1].sequence == 9_999:
                break
        assert found < 1302
        assert f"{1302 - found} messages of the stream VIGIE_RESULTS are gone" in caplog.text


async def ended_at(bus: NatsBus, sequence: int) -> Position:
    """Where a reader is that has read so far."""
    async with asyncio.timeout(20):
        async for group in bus.groups():
            if group.position is not None and group.position.sequence == sequence:
                return group.position
    raise AssertionError


@pytest.mark.parametrize("new", [1, 5, 9], ids=["fewer than were lost", "as many", "more"])
async def test_a_stream_that_lost_its_end_is_read_from_there(new: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By numbers alone what came then looks like what was evaluated: power was lost, or a backup put back, while nobody looked."""
    server = NatsServer(tmp_path)
    server.start()
    try:
        async with opened(server.url) as bus:
            for sequence in range(1, 4):
                await bus.publish(batch(sequence))
        server.stop()
        shutil.copytree(tmp_path / "nats.data", tmp_path / "before")
        server.start()
        async with opened(server.url) as bus:
            for sequence in range(4, 9):
                await bus.publish(batch(sequence))
            position = await ended_at(bus, 8)
        server.stop()
        shutil.rmtree(tmp_path / "nats.data")
        (tmp_path / "before").rename(tmp_path / "nats.data")
        server.start()
        async with opened(server.url) as bus:
            for sequence in range(9, 9 + new):
                await bus.publish(batch(sequence))
            found = [one.sequence for one in await read(bus, 3 + new, after=position)]
            assert found[-new:] == list(range(9, 9 + new))  # what came before is given again, and known
        assert caplog.text.count("lost its last messages") == 1
    finally:
        server.kill()


async def reader_of(admin: Connection) -> str:
    """The name of the consumer that reads the stream, once it does."""
    while True:
        for name in (await admin.api(f"CONSUMER.NAMES.{RESULTS}"))["consumers"] or ():
            return str(name)


async def test_a_stream_that_lost_its_end_is_said_once_however_often_it_is_begun(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(server.url) as bus, connected(server.url) as admin:
        await bus.publish(batch(1))
        now = await topology.state(admin)
        reading = asyncio.create_task(read(bus, 2, after=Position(RESULTS, now.incarnation, 500, now.incarnation + 3_600 * 10**9)))
        async with asyncio.timeout(20):
            for _ in range(2):
                await admin.api(f"CONSUMER.DELETE.{RESULTS}.{await reader_of(admin)}")
            await bus.publish(batch(2))
            assert [one.sequence for one in await reading] == [1, 2]  # although its clock was set back by an hour
        assert caplog.text.count("lost its last messages") == 1


async def test_who_reads_is_interrupted_again_and_again_and_says_it_once(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server.url) as bus, connected(server.url) as admin:
        reading = asyncio.create_task(read(bus, 1))
        async with asyncio.timeout(20):
            for _ in range(3):
                await admin.api(f"CONSUMER.DELETE.{RESULTS}.{await reader_of(admin)}")
            await bus.publish(batch(1))
            assert await reading == [batch(1)]
        assert caplog.text.count("is interrupted") == 1


async def test_what_is_not_a_batch_of_its_subject_is_said_and_holds_nobody_up(server: NatsServer, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(server.url) as bus, connected(server.url) as other:
        for subject, body in (
            (result_subject(3, "paris", "paris-1"), b"nonsense"),
            (result_subject(3, "paris", "paris-1"), b""),
            ("res.999.paris.paris-1", encode(batch(1))),
            (result_subject(4, "paris", "paris-1"), encode(batch(1))),
            (result_subject(3, "lyon", "paris-1"), encode(batch(1))),
            (result_subject(3, "paris", "paris-2"), encode(batch(1))),
            (result_subject(3, "paris", "paris-1"), b"\x09" + encode(batch(1))[1:]),
        ):
            await other.ask(subject, body)
        await other.ask(result_subject(3, "paris", "paris-1"), b"\x00" * 10, {"Content-Encoding": "deflate"})
        await bus.publish(batch(5))
        assert await read(bus, 1) == [batch(5)]
        assert caplog.text.count("is not a batch and is skipped") == 3  # once for whoever sent it


async def test_how_much_waits_is_known(server: NatsServer) -> None:
    async with opened(server.url) as bus:
        for sequence in range(1, 6):
            await bus.publish(batch(sequence))
        assert await bus.waiting(None) == 5
        group = await anext(bus.groups())
        assert await bus.waiting(group.position) == 0
        assert group.position is not None
        assert await bus.waiting(group.position._replace(sequence=2)) == 3


async def until_taken(bus: NatsBus, one: PackedBatch) -> None:
    """As whoever publishes does it: while the cluster elects who leads, a batch may have to be brought again, and counts once."""
    while True:
        try:
            await bus.publish(one)
        except BusError as error:
            if error.permanent:
                raise
        else:
            return


async def test_another_server_of_the_cluster_goes_on(tmp_path: Path) -> None:
    with cluster(tmp_path) as servers:
        address = f"nats://{','.join(one.address for one in servers)}?replicas=3"
        async with opened(address) as bus:
            reading = asyncio.create_task(read(bus, 60))
            for sequence in range(1, 61):
                if sequence == 20:
                    name = bus._connection.server.partition(" ")[0]
                    next(one for one in servers if one.address == name).kill()
                await until_taken(bus, batch(sequence))
            assert [one.sequence for one in await reading] == list(range(1, 61))


async def test_examining_makes_nothing(server: NatsServer) -> None:
    bus = NatsBus(Config.of(server.url), BusDeps(SystemClock()))
    try:
        assert "`vigie serve` makes the streams" in await bus.examine()
        assert "`vigie serve` makes the streams" in await bus.examine()
        await bus.open()
        await bus.publish(batch(1))
        assert "1 messages" in await bus.examine()
    finally:
        await bus.close()
