"""`/probe` as blackbox_exporter answers it: names, parameters, time-outs, and who may look at what."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from tests.web.test_metrics import failed, good

from vigie.commands.probing import Probed, ProbeFault
from vigie.core.model import Cause, CheckResult, Status
from vigie.web.access import Actor, ActorKind, Role, known_as
from vigie.web.app import build
from vigie.web.site import Commands, Site

HEADER = "X-Prometheus-Scrape-Timeout-Seconds"


class Looking:
    """The port; remembers what was asked."""

    def __init__(self, answer: Probed) -> None:
        self.answer, self.asked = answer, list[tuple[str, str, int, bool]]()

    async def probe(self, target: str, module: str, timeout_ms: int, *, trusted: bool) -> Probed:
        self.asked.append((target, module, timeout_ms, trusted))
        return self.answer


async def ask(looking: Looking, query: str, **headers: str) -> httpx.Response:
    health: Any = None
    app = build(Site(health, health, commands=Commands(probing=looking)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://vigie.test") as client:
        return await client.get(f"/probe?{query}", headers=headers)


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {(one.name, *one.labels.values()): one.value for family in parsed(text) for one in family.samples}


async def test_a_good_check_has_the_names_of_blackbox_exporter() -> None:
    answer = await ask(Looking(Probed(good("/probe"), kind="http")), "target=https://shop.test/")

    found = samples(answer.text)
    assert found["probe_success",] == 1
    assert found["probe_duration_seconds",] == 0.05175
    assert found["probe_http_status_code",] == 200
    assert found["probe_http_duration_seconds", "processing"] == 0.04
    assert found["probe_tls_version_info", "TLS 1.3"] == 1
    assert found["probe_ssl_last_chain_info", "", "CN=CA", "CN=shop.test", ""] == 1
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_what_did_not_happen_is_zero_as_dashboards_expect() -> None:
    answer = await ask(Looking(Probed(failed("/probe"), kind="http")), "target=gone.test")

    found = samples(answer.text)
    assert found["probe_success",] == found["probe_http_status_code",] == found["probe_ip_protocol",] == 0
    assert found["probe_http_duration_seconds", "tls"] == 0
    assert ("probe_http_status_code",) not in samples((await ask(Looking(Probed(failed("x"), kind="tcp")), "target=gone.test:1")).text)


async def test_what_vigie_could_not_tell_is_a_failed_scrape() -> None:
    result = CheckResult("x", 0, Status.UNKNOWN, Cause.PROBE_NETWORK, "no way out")

    answer = await ask(Looking(Probed(result, kind="http")), "target=shop.test")

    assert (answer.status_code, answer.text) == (503, "Vigie could not check it: no way out\n")


@pytest.mark.parametrize(
    ("header", "timeout_ms"),
    [("10", 9_500), ("0.5", 100), ("0.2", 100), ("", 119_500), ("0", 119_500), ("1e6", 300_000), ("2.5", 2_000)],
)
async def test_a_check_ends_before_the_scrape_does(header: str, timeout_ms: int) -> None:
    looking = Looking(Probed(good("x"), kind="http"))

    await ask(looking, "target=shop.test&module=icmp", **{HEADER: header})

    assert looking.asked == [("shop.test", "icmp", timeout_ms, True)]


@pytest.mark.parametrize("header", ["soon", "nan", "inf", "-1"])
async def test_a_time_out_that_is_no_number_is_refused(header: str) -> None:
    answer = await ask(looking := Looking(Probed(good("x"), kind="http")), "target=shop.test", **{HEADER: header})

    assert answer.status_code == 400
    assert looking.asked == []


@pytest.mark.parametrize("query", ["", "target=", "target=" + "x" * 2_049])
async def test_without_a_target_nothing_is_looked_at(query: str) -> None:
    answer = await ask(looking := Looking(Probed(good("x"), kind="http")), query)

    assert answer.status_code == 400
    assert looking.asked == []


@pytest.mark.parametrize(
    ("fault", "status"), [(ProbeFault.MODULE, 400), (ProbeFault.TARGET, 400), (ProbeFault.INTERNAL, 403), (ProbeFault.NOT_NOW, 503)]
)
async def test_a_fault_says_why(fault: ProbeFault, status: int) -> None:
    answer = await ask(Looking(Probed(fault=fault, words="that is why")), "target=shop.test")

    assert (answer.status_code, answer.text) == (status, "that is why\n")


async def test_debug_shows_what_was_seen_and_how_the_module_is_configured() -> None:
    looking = Looking(Probed(replace(good("x"), message="HTTP 200"), kind="http", module={"method": "HEAD", "auth": "***"}))

    text = (await ask(looking, "target=shop.test&debug=true")).text

    assert text.startswith("Logs for the probe:\n")
    assert 'message: "HTTP 200"' in text
    assert "probe_success 1.0" in text
    assert 'Module configuration:\nmethod: "HEAD"\nauth: "***"' in text


@pytest.mark.parametrize(
    ("actor", "trusted"),
    [
        (Actor("local", Role.ADMIN, ActorKind.LOCAL), True),
        (Actor("prometheus", Role.RESPONDER, ActorKind.TOKEN), False),
        (Actor("root", Role.ADMIN, ActorKind.USER), True),
    ],
)
async def test_only_administrators_are_trusted_with_internal_addresses(actor: Actor, trusted: bool) -> None:
    from starlette.applications import Starlette

    from vigie.web.metrics.probe import routes

    looking = Looking(Probed(good("x"), kind="http"))
    health: Any = None
    inner = Starlette(routes=routes(Site(health, health, commands=Commands(probing=looking))))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inner(known_as(scope, actor), receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://vigie.test") as client:
        assert (await client.get("/probe?target=shop.test")).status_code == 200

    assert [one[3] for one in looking.asked] == [trusted]


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)])
async def test_the_page_of_another_site_has_nothing_looked_at(site: str, status: int) -> None:
    looking = Looking(Probed(good("/probe"), kind="http"))
    answer = await ask(looking, "target=http://192.168.0.1/reboot", **{"Sec-Fetch-Site": site})
    assert (answer.status_code, len(looking.asked)) == (status, int(status == 200))
