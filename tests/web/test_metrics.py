"""What Prometheus reads: both formats parse, hostile names stay values of labels, and the quick writer writes what the library would."""

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from tests.web._made import health_of

from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.engine.queries.measures import Running, RunningMeasures
from vigie.errors import StoreError, StoreFault
from vigie.queries import MonitorState
from vigie.queries.measures import Lateness, Measures, MonitorMeasures, Tally, address_hash, seen
from vigie.web.app import build
from vigie.web.metrics.catalogue import CHECKED, OWN, every
from vigie.web.metrics.exposition import Lines, exposition
from vigie.web.site import Site

NOW = 1_767_225_600_000
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
CHAIN = (
    Certificate("CN=shop.test", "CN=CA", NOW - 1, NOW + 9_000_000, "EC", "ECDSA"),
    Certificate("CN=CA", "CN=root", NOW - 1, NOW + 5_000_000, "EC", "ECDSA"),
)
TALLY = Tally(
    {Status.UP: 7},
    {("mail", "delivered"): 2, ("mail", "timeout"): 1},
    {"mail": 1_500.0},
    {"plain": 3},
    {"reply": 1, "busy": 2},
    900.0,
    50,
    500.0,
)


def monitor(key: str, **fields: Any) -> Monitor:
    return replace(Monitor(key, key, "http", f"https://{key}.test/", key, 60_000, 10_000), **fields)


def good(name: str, location: str = "local") -> CheckResult:
    return CheckResult(
        name,
        NOW - 5_000,
        Status.UP,
        timings=Timings(1.5, 2.25, 3.0, 40.0, 5.0, 51.75),
        address="192.0.2.7",
        http=HttpFacts(200, "2", 1, 1_234),
        tls=TlsFacts("TLSv1.3", expires_at=NOW + 9_000_000, chain=CHAIN),
        location=location,
    )


def failed(name: str) -> CheckResult:
    return CheckResult(name, NOW - 4_000, Status.DOWN, Cause.DNS_NXDOMAIN, timings=Timings(dns=3.0, total=3.0))


def of(one: Monitor, *results: CheckResult, state: MonitorState = MonitorState.UP) -> MonitorMeasures:
    return MonitorMeasures(one, state, state is MonitorState.DOWN, tuple(map(seen, results)))


def measures(*monitors: MonitorMeasures) -> Measures:
    return Measures(
        health_of([], NOW), monitors, TALLY, Lateness(12, 40), 1, failing_channels={"mail": True}, store_bytes=4096, disk_free=9
    )


def sample(body: str, name: str, **labels: str) -> float | None:
    found = [one for family in parse_text(body) for one in family.samples if one.name == name and one.labels == labels]
    return found[0].value if found else None


class Asked:
    """The port, over made-up values."""

    def __init__(self, found: Measures | None, parts: Mapping[str, str] | None = None) -> None:
        self.found, self.parts, self.calls = found, parts or {}, 0

    async def measures(self) -> Measures:
        self.calls += 1
        await asyncio.sleep(0)
        if self.found is None:
            raise StoreError(StoreFault.BUSY, "it is locked", "wait")
        return self.found

    async def readiness(self) -> Mapping[str, str]:
        return self.parts


async def get(asked: Asked, path: str, times: int = 1, headers: Mapping[str, str] | None = None) -> list[httpx.Response]:
    health: Any = None
    app = build(Site(health, health, measures=asked))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://vigie.test", headers=headers) as client:
        return list(await asyncio.gather(*(client.get(path) for _ in range(times))))


async def test_a_scrape_has_what_blackbox_exporter_would_say_of_each_monitor() -> None:
    found = measures(of(monitor("shop"), good("shop")), of(monitor("gone"), failed("gone"), state=MonitorState.DOWN))
    (answer,) = await get(Asked(found), "/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    shop = {"monitor": "shop", "location": "local"}
    for name, value in {
        "probe_success": 1,
        "probe_duration_seconds": 0.05175,
        "probe_dns_lookup_time_seconds": 0.0015,
        "probe_ip_protocol": 4,
        "probe_http_status_code": 200,
        "probe_http_version": 2,
        "probe_http_redirects": 1,
        "probe_http_ssl": 1,
        "probe_http_uncompressed_body_length": 1_234,
        "probe_ssl_earliest_cert_expiry": (NOW + 5_000_000) / 1000,
        "probe_ssl_last_chain_expiry_timestamp_seconds": (NOW + 9_000_000) / 1000,
    }.items():
        assert sample(answer.text, name, **shop) == value, name
    phases = {
        one: sample(answer.text, "probe_http_duration_seconds", **shop, phase=one)
        for one in ("resolve", "connect", "tls", "processing", "transfer")
    }
    assert phases == {"resolve": 0.0015, "connect": 0.00225, "tls": 0.003, "processing": 0.04, "transfer": 0.005}
    assert sample(answer.text, "probe_tls_version_info", **shop, version="TLS 1.3") == 1
    gone = {"monitor": "gone", "location": "local"}
    assert sample(answer.text, "probe_success", **gone) == 0
    assert sample(answer.text, "probe_http_status_code", **gone) is None
    assert sample(answer.text, "vigie_monitor_cause", **gone, cause="dns.nxdomain") == 1
    assert sample(answer.text, "vigie_monitor_state", monitor="gone", state="down") == 1
    assert sample(answer.text, "vigie_monitor_incident_open", monitor="gone") == 1


async def test_what_vigie_could_not_tell_is_no_failure_of_the_service() -> None:
    result = CheckResult("shop", NOW, Status.UNKNOWN, Cause.PROBE_NETWORK)
    (answer,) = await get(Asked(measures(of(monitor("shop"), result))), "/metrics")

    assert sample(answer.text, "probe_success", monitor="shop", location="local") is None
    assert sample(answer.text, "vigie_monitor_cause", monitor="shop", location="local", cause="probe.network") == 1


async def test_vigie_tells_of_itself() -> None:
    (answer,) = await get(Asked(measures()), "/metrics")

    said = {(one.name, *one.labels.values()): one.value for family in parse_text(answer.text) for one in family.samples}
    assert said["vigie_check_lateness_seconds", "0.99"] == 0.012
    assert said["vigie_checks_total", "up"] == 7
    assert said["vigie_deliveries_total", "mail", "timeout"] == 1
    assert said["vigie_delivery_seconds_count", "mail"] == 3
    assert said["vigie_delivery_seconds_sum", "mail"] == 1.5
    assert said["vigie_channel_failing", "mail"] == 1
    assert said["vigie_model_replies_total", "busy"] == 2
    assert said["vigie_model_tokens_per_second",] == 100
    assert said["vigie_store_bytes",] == 4096
    assert said["process_resident_memory_bytes",] > 1_000_000


async def test_both_formats_say_the_same() -> None:
    asked = Asked(measures(of(monitor("shop"), good("shop"), good("shop", "paris"))))
    (plain,), (other,) = await get(asked, "/metrics"), await get(asked, "/metrics", headers={"accept": OPENMETRICS})

    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.text.endswith("# EOF\n")
    assert other.text.count("# EOF") == 1
    read = [
        {
            (one.name, tuple(sorted(one.labels.items()))): one.value
            for family in families
            for one in family.samples
            if one.name.startswith(("probe_", "vigie_"))
        }
        for families in (parse_text(plain.text), parse_openmetrics(other.text))  # type: ignore[no-untyped-call]  # the library's
    ]
    assert read[0] == read[1]
    assert len(read[0]) > 60


async def test_a_scrape_is_packed_for_who_takes_it() -> None:
    asked = Asked(measures(of(monitor("shop"), good("shop"))))
    (packed,), (plain,) = [await get(asked, "/metrics", headers={"accept-encoding": one}) for one in ("gzip", "identity")]

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert sample(packed.text, "probe_success", monitor="shop", location="local") == 1


async def test_many_readers_at_once_cost_one_answer() -> None:
    asked = Asked(measures(of(monitor("shop"), good("shop"))))

    answers = await get(asked, "/metrics", times=5)

    assert {one.status_code for one in answers} == {200}
    assert asked.calls == 1


async def test_a_store_that_cannot_be_read_is_no_empty_scrape() -> None:
    (answer,) = await get(Asked(None), "/metrics")

    assert (answer.status_code, answer.text) == (503, "it is locked\n")


async def test_readiness_names_the_part_that_does_not_work() -> None:
    (well,), (ill,) = (
        await get(Asked(None, {"store": "", "results": ""}), "/ready"),
        await get(Asked(None, {"store": "full", "results": ""}), "/ready"),
    )

    assert (well.status_code, well.json()) == (200, {"ready": True, "parts": {"store": "ok", "results": "ok"}})
    assert (ill.status_code, ill.json()) == (503, {"ready": False, "parts": {"store": "full", "results": "ok"}})


@given(st.text(max_size=20), st.text(max_size=20), st.lists(st.text(max_size=8), max_size=3))
def test_whatever_a_name_is_it_stays_the_value_of_a_label(name: str, target: str, tags: list[str]) -> None:
    one = of(monitor("shop", name=name, target=target, tags=tuple(tags)), good("shop", location=name))
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        body, _ = exposition(measures(one), Lines(), accept, packed=False)
        found = [sample for family in parse(body.decode()) for sample in family.samples]
        (about,) = [item.labels for item in found if item.name == "vigie_monitor_info"]
        assert about == {"monitor": "shop", "name": name, "kind": "http", "target": target, "tags": ",".join(tags)}
        assert {item.labels["location"] for item in found if item.name.startswith("probe_")} == {name}


def test_half_a_surrogate_pair_does_not_end_a_scrape() -> None:
    body, _ = exposition(measures(of(monitor("shop", name="\ud83d"), good("shop"))), Lines(), "", packed=False)

    assert b'name="?"' in body


def by_library(monitors: Sequence[MonitorMeasures]) -> bytes:
    """The metrics of checks as prometheus_client writes them."""
    families = []
    for checked in CHECKED:
        family = GaugeMetricFamily(checked.metric.name, checked.metric.about, labels=["monitor", "location", *checked.metric.labels])
        for labels, read in checked.readings:
            for one in monitors:
                for item in one.seen:
                    if (value := read(item)) is not None:
                        family.add_metric([one.monitor.id, item.location, *labels.values()], value)
        families.append(family)

    class Collector:
        def collect(self) -> Any:
            return families

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry)


def test_the_quick_writer_writes_what_the_library_would() -> None:
    known = [of(monitor("shop"), good("shop"), good("shop", 'p"a\\r\nis')), of(monitor("gone"), failed("gone")), of(monitor("new"))]
    lines = Lines()
    quick = "".join(lines.parts(known))

    def read(text: str) -> set[Any]:
        return {
            (one.name, tuple(sorted(one.labels.items())), one.value)
            for family in parse_text(text)
            for one in family.samples
            if one.name.startswith("probe_") and one.name != "probe_tls_version_info"
        }

    assert read(quick) == read(by_library(known).decode())
    assert "".join(lines.parts(known)) == quick  # from what was kept


def test_a_new_check_takes_the_place_of_what_was_kept() -> None:
    lines, shop = Lines(), monitor("shop")
    "".join(lines.parts([of(shop, good("shop"))]))

    again = "".join(lines.parts([of(replace(shop, name="Store"), failed("shop"))]))

    assert 'probe_success{monitor="shop",location="local"} 0' in again
    assert 'name="Store"' in again
    assert "".join(lines.parts([])) == ""


def test_addresses_are_told_apart_as_blackbox_exporter_does() -> None:
    """FNV-1a of 32 bits (draft-eastlake-fnv): `127.0.0.1` is what Go's hash/fnv makes of its four bytes."""
    assert address_hash("127.0.0.1") == 3_668_918_509
    assert address_hash("127.0.0.1") != address_hash("127.0.0.2") != address_hash("::1")


def test_every_metric_is_in_the_catalogue() -> None:
    body, _ = exposition(measures(of(monitor("shop"), good("shop")), of(monitor("gone"), failed("gone"))), Lines(), "", packed=False)
    known = {one.name: one for one in every()}

    for family in parse_text(body.decode()):
        for one in family.samples:
            name = one.name.removesuffix("_count").removesuffix("_sum") if one.name not in known else one.name
            if not name.startswith("process_"):
                assert set(one.labels) - {"monitor", "location"} == set(known[name].labels), one
    assert set(OWN) <= set(known)


def test_a_body_is_a_gzip_file() -> None:
    body, _ = exposition(measures(of(monitor("shop"), good("shop"))), Lines(), "", packed=True)

    assert gzip.decompress(body).startswith(b"# HELP")


async def test_a_process_that_answers_is_alive_whatever_its_parts_do() -> None:
    (answer,) = await get(Asked(None, {"store": "full"}), "/live")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(("checks", "said"), [(True, "no results are coming in"), (False, "")])
async def test_silence_is_a_fault_of_a_server_that_has_something_to_check(checks: bool, said: str) -> None:
    """Agents that are cut off report to a server that load balancers send them to: one that is not ready would never hear of them."""
    stalled, takes, anything = SimpleNamespace(health=_stalled), SimpleNamespace(store_failing=False), cast("Any", None)
    running = Running(lambda: None, lambda: True, lambda: False, tuple, None, lambda: (1, False), lambda: checks)
    asked = RunningMeasures(anything, cast("Any", takes), cast("Any", stalled), anything, tuple, running, anything)

    assert await asked.readiness() == {"store": "", "results": said, "prober": "", "configuration": ""}


async def _stalled() -> SimpleNamespace:
    return SimpleNamespace(stalled=True)
