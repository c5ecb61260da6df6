"""A new configuration is put into force as a whole or not at all, whatever fails, and is tried again until it holds."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigie.clock import SystemClock
from vigie.config import load
from vigie.core.model import Status
from vigie.engine.heartbeats import Heartbeats, Watched
from vigie.engine.ingest import Ingest
from vigie.engine.reconcile import Outcome, Part, Prepared, Reconciler, _log_kept, merged
from vigie.errors import ConfigError, Fault, StoreError, StoreFault, VigieError
from vigie.net import NO_SECRETS, Secret
from vigie.observation.heartbeat import Expected
from vigie.ports import Batch, Commit
from vigie.server import Server
from vigie.serving import _until
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_monitor, fake_result, policies
from vigie.testing.memory import MemoryStore

FULL = StoreError(StoreFault.FULL, "the disk is full", "make room")


class Source:
    """Says what it is told to say; an exception is raised."""

    def __init__(self, *said: Any) -> None:
        self.said, self.reads, self._asked = list(said), 0, asyncio.Event()

    def say(self, what: Any) -> None:
        self.said = [what]
        self._asked.set()

    async def read(self) -> str:
        self._asked.clear()
        self.reads += 1
        found = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(found, Exception):
            raise found
        return str(found)

    async def changed(self) -> None:
        await self._asked.wait()


class Recorder:
    """A part that notes what is done with it; while `fault` is set, preparing raises it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log, self.now, self.fault = name, log, "old", None

    @asynccontextmanager
    async def __call__(self, desired: str) -> AsyncIterator[Prepared]:
        if self.fault is not None:
            raise self.fault
        self.log.append(f"prepare {self.name}")

        def swap() -> None:
            self.now = desired
            self.log.append(f"swap {self.name}")

        async def announce() -> None:
            self.log.append(f"announce {self.name}")

        try:
            yield Prepared(Commit(commands=(len(self.log),)), swap, announce)
        finally:
            self.log.append(f"let go {self.name}")

    fault: Exception | None


def three(log: list[str], source: Source, commit: Any = None) -> tuple[list[Recorder], Reconciler[str]]:
    async def noted(change: Commit) -> None:
        log.append(f"commit of {len(change.commands)}")

    parts = [Recorder(name, log) for name in "abc"]
    typed: list[Part[str]] = list(parts)
    return parts, Reconciler(source, typed, commit or noted)


async def test_all_prepare_then_one_commit_then_all_swap_then_it_is_announced() -> None:
    log: list[str] = []
    _, reconciler = three(log, Source("new"))

    assert await reconciler.apply() is Outcome.APPLIED
    assert log == [
        *(f"prepare {name}" for name in "abc"), "commit of 3", *(f"swap {name}" for name in "abc"), *(f"let go {name}" for name in "cba"),
        *(f"announce {name}" for name in "abc"),
    ]  # fmt: skip


@pytest.mark.parametrize("fault", [FULL, VigieError("no", "do"), RuntimeError("an outsider's"), ConfigError([Fault("no")])], ids=repr)
@pytest.mark.parametrize("where", ["a", "b", "c", "commit", "read"])
async def test_a_failure_anywhere_leaves_the_old_state_whole(where: str, fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []

    async def failing(_: Commit) -> None:
        raise fault

    parts, reconciler = three(log, Source(fault if where == "read" else "new"), failing if where == "commit" else None)
    for one in parts:
        one.fault = fault if one.name == where else None
    with caplog.at_level(logging.ERROR):
        outcome = await reconciler.apply()

    assert outcome is (Outcome.REFUSED if isinstance(fault, ConfigError) else Outcome.FAILED)
    assert [one.now for one in parts] == ["old"] * 3
    assert not [line for line in log if line.startswith(("swap", "announce"))]
    assert sum(line.startswith("prepare") for line in log) == sum(line.startswith("let go") for line in log)
    assert "the old one stays in force" in caplog.text


@pytest.mark.virtual
async def test_what_failed_is_tried_again_until_it_holds() -> None:
    log: list[str] = []
    source = Source("new")
    parts, reconciler = three(log, source)
    parts[1].fault = FULL
    running = asyncio.create_task(reconciler.run())
    source.say("new")
    await asyncio.sleep(300)
    assert (parts[0].now, source.reads > 3) == ("old", True)

    parts[1].fault = None
    await asyncio.sleep(61)
    assert [one.now for one in parts] == ["new"] * 3
    reads = source.reads
    await asyncio.sleep(600)
    assert source.reads == reads, "what is in force is not applied again"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.virtual
async def test_a_newer_one_is_not_kept_waiting_and_an_unusable_one_is_not_tried_again() -> None:
    log: list[str] = []
    source = Source("first")
    parts, reconciler = three(log, source)
    parts[1].fault = FULL
    running = asyncio.create_task(reconciler.run())
    source.say("first")
    await asyncio.sleep(200)  # by now it waits a minute between two tries
    parts[1].fault = None
    source.say("second")
    await asyncio.sleep(0.1)
    assert [one.now for one in parts] == ["second"] * 3

    source.say(ConfigError([Fault("unusable")]))
    await asyncio.sleep(600)
    assert ([one.now for one in parts], source.reads < 20) == (["second"] * 3, True)
    reads = source.reads
    await asyncio.sleep(600)
    assert source.reads == reads
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_changes_become_one_and_none_is_lost() -> None:
    assert merged([]) == merged([Commit(), Commit()]) == Commit()
    shop = fake_monitor("shop")
    assert merged([Commit(commands=(1,)), Commit(watched=(shop,)), Commit(commands=(2,), watched=None)]) == Commit(
        commands=(1, 2), watched=(shop,)
    )
    assert merged([Commit(watched=())]).watched == (), "nothing at all is watched any more"


def job(name: str) -> Watched:
    return Watched(fake_monitor(name), Secret(f"token-of-{name}"), Expected("every hour", lambda at: at + 3_600_000, 60_000, 60_000))


async def test_a_store_that_fails_changes_nothing_and_one_that_works_all_in_one_commit(store: MemoryStore, clock: VirtualClock) -> None:
    """A monitor with an open incident goes, a job comes: decisions, monitors and jobs are one commit or none."""
    shop, blog = fake_monitor("shop", policy=policies(confirm=1, to=("mail",))), fake_monitor("blog")
    ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)

    async def publish(_: Batch) -> None: ...

    heartbeats = Heartbeats(store.inbox, clock, publish)
    await store.catalog.sync_monitors([shop, blog])
    await ingest.start()
    await ingest.configure([shop, blog])
    await heartbeats.start([], 1, listening=False)
    await ingest.take(Batch("local", 1, 1, (replace(fake_result("shop", Status.DOWN, clock.now()), run=1, sequence=1),)))
    assert len(await store.archive.incidents(open_only=True)) == 1

    parts: list[Part[str]] = [
        lambda _: ingest.prepare([blog, job("backup").monitor]),
        lambda _: heartbeats.prepare([job("backup")], NO_SECRETS),
    ]
    reconciler = Reconciler(Source("new"), parts, store.ledger.commit)
    data = store.data
    before = (len(data.commits), set(data.monitors), dict(data.jobs), dict(data.incidents), dict(data.rows))
    data.broken = FULL
    assert await reconciler.apply() is Outcome.FAILED
    assert (len(data.commits), set(data.monitors), dict(data.jobs), dict(data.incidents), dict(data.rows)) == before
    assert (ingest.monitor("shop"), ingest.monitor("backup"), heartbeats.knows("token-of-backup")) == (shop, None, False)
    assert ingest.state("shop").outage.incident

    data.broken = None
    assert await reconciler.apply() is Outcome.APPLIED
    assert len(data.commits) == before[0] + 1
    assert (data.monitors, set(data.jobs)) == ({"blog", "backup"}, {"backup"})
    assert [one.closed_by for one in data.incidents.values()] == ["vigie"]
    assert any("recovered" in key or "closed" in key or "resolved" in key for key in data.rows)
    assert (ingest.monitor("shop"), heartbeats.knows("token-of-backup")) == (None, True)


async def test_results_are_taken_before_or_after_a_change_never_within(store: MemoryStore, clock: VirtualClock) -> None:
    """While a change is prepared nothing overtakes it: a result that opens an incident of a monitor that goes would be lost."""
    shop = fake_monitor("shop", policy=policies(confirm=1, to=("mail",)))
    ingest = Ingest(store.ledger, store.archive, clock, hold_ms=0)
    await ingest.start()
    await ingest.configure([shop])
    down = Batch("local", 1, 1, (replace(fake_result("shop", Status.DOWN, clock.now()), run=1, sequence=1),))
    async with ingest.prepare([]) as prepared:
        taking = asyncio.create_task(ingest.take(down))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not taking.done()
        await store.ledger.commit(prepared.change)
        prepared.swap()
    await taking
    assert await store.archive.incidents() == []


FILE = "log: {file: null}\nweb: {enabled: false}\nllm: {provider: none}\nmonitors: ["


def ids(server: Server) -> tuple[list[str], list[str], list[str]]:
    """What is watched, as the configuration, ingest and the prober have it."""
    return (
        [one.monitor.id for one in server.settings.monitors],
        [one.monitor for one in server.runtime.ingest.states()],
        [one.monitor for one in server.checking.prober._specs],
    )


async def test_a_store_that_fails_leaves_no_part_of_a_server_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, the new settings stood beside the old state, nobody tried again, and SIGHUP ended the process."""
    file = tmp_path / "vigie.yaml"
    file.write_text(f"{FILE}https://a.test/]\n")
    server = Server(load(file, {}, tmp_path), SystemClock(), lambda: load(file, {}, tmp_path))
    await server.runtime.start()
    try:
        server.checking.prober.use([one.spec for one in server.settings.monitors], server.settings.control)
        file.write_text(f"{FILE}https://b.test/]\n")
        ledger = server.runtime.store.ledger
        works, fails = ledger.commit, True
        tried, applied = asyncio.Event(), asyncio.Event()

        async def commit(change: Commit) -> None:
            if fails:
                tried.set()
                raise FULL
            await works(change)
            applied.set()

        monkeypatch.setattr(server.reloading._reconciler, "_commit", commit)
        stop, again = asyncio.Event(), asyncio.Event()
        loops = [asyncio.create_task(_until(stop, again, lambda: server)), asyncio.create_task(server.reloading._reconciler.run())]
        again.set()  # SIGHUP
        async with asyncio.timeout(10):
            await tried.wait()
            tried.clear()
            await tried.wait()  # tried again by itself
        assert ids(server) == (["a-test"],) * 3
        assert not any(one.done() for one in loops)

        fails = False
        async with asyncio.timeout(10):
            await applied.wait()
        assert ids(server) == (["b-test"],) * 3
        stop.set()
        await loops[0]
        loops[1].cancel()
        with suppress(asyncio.CancelledError):
            await loops[1]
    finally:
        await server.runtime.close()


def test_each_reason_why_a_configuration_is_not_applied_has_a_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    _log_kept(Fault("no such key", "remove it", "x", "vigie.yaml", 3), Fault("duplicate key", "", "y", "vigie.yaml", 9))
    assert [record.getMessage().partition("force: ")[2] for record in caplog.records] == [
        "vigie.yaml:3: x: no such key (remove it)",
        "vigie.yaml:9: y: duplicate key",
    ]
