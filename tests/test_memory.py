"""What a monitor costs in memory, and what is given back. The whole program's memory is measured by `make bench`."""

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import fields

import msgspec

from vigie.agent import alike, build_probe, probe_deps
from vigie.buses.process import Assign, Results, frame
from vigie.core.model import CheckResult, HttpFacts, Status, Timings
from vigie.engine.prober import LocalAgent
from vigie.memory import Collections, keep_collections_short, settle
from vigie.net import Secret
from vigie.observation.check_spec import CheckSpec
from vigie.ports import Batch
from vigie.stores.kit.sql.newest import Newest

COUNT = 500


def travelled(count: int) -> list[CheckSpec]:
    """Specs as they come over the pipe: nothing in them is shared."""

    def one(number: int) -> CheckSpec:
        url = f"https://shop{number}.example/"
        options: dict[str, object] = {"url": url, "ca_file": "/etc/authority.pem"}
        return CheckSpec(f"m{number}", f"m{number}", "http", url, f"shop{number}.example", 60_000, 5_000, options)

    message: Assign = msgspec.msgpack.decode(frame(Assign(1, [one(number) for number in range(count)], []))[4:], type=Assign)
    return message.specs


def bytes_each(make: Callable[[], object]) -> float:
    """Bytes for each of COUNT that stay allocated for what `make` returns."""
    make()  # what is imported and cached on first use is not meant
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / COUNT
    finally:
        tracemalloc.stop()
        del kept


def test_a_monitor_costs_the_prober_less_than_two_kilobytes() -> None:
    with asyncio.Runner() as runner:
        runner.get_loop()
        deps = probe_deps([])

        async def publish(_: Batch) -> None: ...

        async def assign() -> LocalAgent:
            agent = LocalAgent(name="here", run=1, clock=deps.clock, publish=publish, build=lambda one: build_probe(one, deps))
            await agent.assign(alike(travelled(COUNT)))
            return agent

        assert bytes_each(lambda: runner.run(assign())) < 2_000
        deps.close()


def test_equal_texts_of_specs_are_one_object() -> None:
    found = alike(travelled(3))
    assert found == travelled(3)
    assert found[0].kind is found[1].kind
    assert found[0].monitor is found[0].name
    assert found[0].options["ca_file"] is found[1].options["ca_file"]


def test_no_field_of_a_spec_is_lost_on_the_way() -> None:
    spec = CheckSpec("one", "One", "http", "x", "h", 1, 2, {"url": "x"}, "paris", (Secret("s"),), ("10.0.0.0/8",))
    usual = CheckSpec("", "", "", "", "", 0, 0)
    assert all(getattr(spec, one.name) != getattr(usual, one.name) for one in fields(CheckSpec)), "give the new field a value here"
    assert alike([spec]) == [spec]


def test_what_is_equal_and_of_another_type_stays_as_it_is() -> None:
    spec = CheckSpec("one", "one", "http", "x", "x", every_ms=1, timeout_ms=1, options={"insecure": True, "max_redirects": 1})
    found = alike([spec])[0].options
    assert (found["insecure"], type(found["max_redirects"])) == (True, int)


def test_the_newest_result_of_a_monitor_costs_the_parent_little_more_than_a_kilobyte() -> None:
    def one(number: int, order: int) -> CheckResult:
        http = HttpFacts(200, "1.1", bytes=1_234, type="text/html", headers={"server": "nginx/1.22.1", "via": "1.1 cache"})
        timings = Timings(None, 0.31, 4.2, 12.5, 0.2, 17.3)
        address = f"192.0.2.{number % 250}"
        return CheckResult(
            f"m{number}", 1_795_531_000_000, Status.UP, None, "HTTP 200", timings, {}, address, (address,), http, run=1, sequence=order
        )

    def newest() -> Newest:
        made = Newest()
        for order in (1, 2):
            encoded = frame(Results(Batch("local", 1, order, tuple(one(number, (7 << 32) + order) for number in range(COUNT)))))
            made.take(msgspec.msgpack.decode(encoded[4:], type=Results).batch.results)
        return made

    assert bytes_each(newest) < 1_500
    assert newest().result("m7", "local") == one(7, (7 << 32) + 2)


class _Node:
    """Something that refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_an_earlier_configuration_left_is_collected_at_the_next_though_it_was_passed_by_meanwhile() -> None:
    node = _Node()
    gone = weakref.ref(node)
    try:
        settle()
        del node
        gc.collect()
        assert gone() is not None  # passed by
        settle()
        assert gone() is None
    finally:
        gc.unfreeze()


def test_what_a_long_collection_found_in_use_is_passed_by_from_then_on() -> None:
    seconds = iter([0.0, 0.05, 1.0, 2.0, 2.3])
    watch = Collections(lambda: next(seconds), long_seconds=0.1)
    gc.unfreeze()
    try:
        found = []
        for generation in (2, 1, 2):  # a short one, a young one, a long one
            watch("start", {"generation": generation})
            watch("stop", {"generation": generation})
            found.append(gc.get_freeze_count() > 0)
        assert found == [False, False, True]
    finally:
        gc.unfreeze()


def test_collections_are_watched_once_in_a_process() -> None:
    before = list(gc.callbacks)
    try:
        keep_collections_short()
        keep_collections_short()
        assert sum(isinstance(one, Collections) for one in gc.callbacks) == 1
    finally:
        gc.callbacks[:] = before
