"""A module put to a target: which options that makes, who may look where, and how many at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vigie.commands.probing import ProbeFault
from vigie.config import Desired, load
from vigie.config.metrics import address
from vigie.core.model import CheckResult, Status
from vigie.errors import ConfigError, VigieError
from vigie.net import Resolver
from vigie.observation.check_spec import CheckSpec
from vigie.probing import Probing

AT_ONCE = 64
MODULES = """
web: {{allow_internal: [{internal}]}}
metrics:
  modules:
    api: {{type: http, method: HEAD, timeout: 2s, headers: {{x-key: "${{KEY}}"}}, expect: {{status: "204"}}}}
    zone: {{type: dns, lookup: shop.test, record: MX}}
monitors: [https://shop.test/]
"""


def configured(path: Path, *, internal: str = "", more: str = "") -> Desired:
    (path / "vigie.yaml").write_text(MODULES.format(internal=internal) + more)
    return load(path / "vigie.yaml", {"KEY": "secret-of-the-api"}, path)


class Prober:
    """Looks at nothing; remembers what it was to look at."""

    def __init__(self) -> None:
        self.specs: list[CheckSpec] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.full = asyncio.Event()

    async def check(self, spec: CheckSpec) -> CheckResult:
        self.specs.append(spec)
        if len(self.specs) == AT_ONCE:
            self.full.set()
        await self.gate.wait()
        if spec.host == "broken.test":
            raise VigieError("the prober process is not running")
        return CheckResult(spec.monitor, 0, Status.UP)


def probing(settings: Desired, prober: Prober) -> Probing:
    return Probing(lambda: settings, prober.check, Resolver())


async def test_a_module_of_the_file_is_put_to_the_target(tmp_path: Path) -> None:
    prober = Prober()

    found = await probing(configured(tmp_path), prober).probe("192.0.2.1/health", "api", 9_000, trusted=True)

    (spec,) = prober.specs
    assert found.result is not None
    assert (spec.kind, spec.target, spec.host, spec.timeout_ms) == ("http", "http://192.0.2.1/health", "192.0.2.1", 2_000)
    assert spec.options["method"] == "HEAD"
    assert "secret-of-the-api" not in f"{found.module} {spec}"
    assert found.module["headers"] == {"x-key": "***"}


@pytest.mark.parametrize(
    ("kind", "target", "options", "wanted"),
    [
        ("http", "shop.test", {}, {"url": "http://shop.test"}),
        ("http", "https://shop.test/x?y", {}, {"url": "https://shop.test/x?y"}),
        ("tcp", "shop.test:25", {}, {"host": "shop.test", "port": 25}),
        ("tcp", "[::1]:25", {}, {"host": "::1", "port": 25}),
        ("icmp", "::1", {}, {"host": "::1"}),
        ("icmp", "192.0.2.1", {}, {"host": "192.0.2.1"}),
        ("tls", "shop.test:8443", {}, {"host": "shop.test", "port": 8443}),
        ("dns", "shop.test", {}, {"lookup": "shop.test"}),
        ("dns", "192.0.2.53", {"lookup": "shop.test"}, {"resolver": "192.0.2.53"}),
        ("grpc", "shop.test:443", {"tls": "implicit"}, {"host": "shop.test", "port": 443}),
        ("redis", "redis://cache.test:6379", {}, {"host": "cache.test", "port": 6379}),
    ],
)
def test_a_target_is_read_as_its_module_needs_it(kind: str, target: str, options: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = address(kind, target, options)

    assert {key: value for key, value in found.items() if key in wanted} == wanted


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("tcp", "shop.test"),
        ("tcp", "http://shop.test"),
        ("tls", "shop.test?ca_file=/etc/passwd"),
        ("tls", "tls://shop.test?insecure=true"),
        ("redis", "redis://user:word@cache.test"),
        ("icmp", "shop.test:80"),
    ],
)
def test_a_target_gives_an_address_and_nothing_else(kind: str, target: str) -> None:
    with pytest.raises(ValueError):
        address(kind, target, {})


@pytest.mark.parametrize(
    "target", ["127.0.0.1", "http://10.0.0.7/x", "http://[::1]/", "localhost", "http://169.254.169.254/latest", "printer.local"]
)
async def test_internal_addresses_are_for_administrators(tmp_path: Path, target: str) -> None:
    settings, prober = configured(tmp_path), Prober()

    refused = await probing(settings, prober).probe(target, "http_2xx", 1_000, trusted=False)
    trusted = await probing(settings, prober).probe(target, "http_2xx", 1_000, trusted=True)
    allowed = await probing(configured(tmp_path, internal="'127.0.0.0/8', '10.0.0.0/8', '::1', '169.254.0.0/16'"), prober).probe(
        target, "http_2xx", 1_000, trusted=False
    )

    assert refused.fault is ProbeFault.INTERNAL
    assert trusted.result is not None
    named = "localhost" in target or "local" in target  # networks are allowed, and names that lead elsewhere every time are not
    assert (allowed.result is None) is named


async def test_a_module_that_is_not_there_and_a_target_that_does_not_fit(tmp_path: Path) -> None:
    asked = probing(configured(tmp_path), Prober())

    unknown, unfit, broken = [
        await asked.probe(target, module, 1_000, trusted=True)
        for target, module in (("x", "nope"), ("shop.test", "tcp_connect"), ("broken.test:1", "tcp_connect"))
    ]

    assert unknown.fault is ProbeFault.MODULE
    assert "http_2xx" in unknown.words
    assert unfit.fault is ProbeFault.TARGET
    assert broken.fault is ProbeFault.NOT_NOW


async def test_too_many_at_once_are_refused_in_their_time(tmp_path: Path) -> None:
    prober = Prober()
    prober.gate.clear()
    asked = probing(configured(tmp_path), prober)
    busy = [asyncio.create_task(asked.probe("192.0.2.1", "http_2xx", 60_000, trusted=True)) for _ in range(AT_ONCE)]
    await prober.full.wait()

    late = await asked.probe("192.0.2.1", "http_2xx", 10, trusted=True)

    assert late.fault is ProbeFault.NOT_NOW
    prober.gate.set()
    assert all(one.result is not None for one in await asyncio.gather(*busy))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("{type: exec}", "has no target"),
        ("{type: heartbeat}", "has no target"),
        ("{type: nothing}", "unknown type of check 'nothing'"),
        ("{type: http, url: 'http://x.test'}", "unknown key 'url'"),
        ("{type: http, methd: HEAD}", "unknown key 'methd'"),
        ("{type: http, every: 5s}", "unknown key 'every'"),
        ("{type: tcp, timeout: 6m}", "at most 5m"),
        ("[http]", "keys with values"),
    ],
)
def test_a_module_is_looked_through_with_the_file(tmp_path: Path, module: str, said: str) -> None:
    (tmp_path / "vigie.yaml").write_text(f"metrics: {{modules: {{mine: {module}}}}}\nmonitors: [https://shop.test/]\n")

    with pytest.raises(ConfigError) as told:
        load(tmp_path / "vigie.yaml", {}, tmp_path)

    assert said in str(told.value)
    assert "metrics.modules.mine" in str(told.value)


@pytest.mark.parametrize(
    ("otlp", "said"),
    [
        ("{endpoint: 'localhost:4318'}", "not a web address"),
        ("{endpoint: 'http://u:p@localhost'}", "not a web address"),
        ("{endpoint: 'http://localhost', every: 1s}", "at least 5s"),
    ],
)
def test_a_collector_is_looked_through_too(tmp_path: Path, otlp: str, said: str) -> None:
    (tmp_path / "vigie.yaml").write_text(f"metrics: {{otlp: {otlp}}}\nmonitors: [https://shop.test/]\n")

    with pytest.raises(ConfigError) as told:
        load(tmp_path / "vigie.yaml", {}, tmp_path)

    assert said in str(told.value)
