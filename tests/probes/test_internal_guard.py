"""The monitors of people who are not admins: nothing connects to an internal address, and nobody is called down for it."""

from dataclasses import replace
from typing import Any

import pytest

from vigie import plugins
from vigie.agent import probe_deps, probe_or_fault
from vigie.config import load
from vigie.core.model import Cause, CheckResult, FaultScope, Status
from vigie.observation.check_spec import CheckSpec
from vigie.probes.kit.internal_guard import never_reachable
from vigie.testing.servers import answering, page, serving


async def checked(spec: CheckSpec) -> CheckResult:
    deps = probe_deps([])
    try:
        return await probe_or_fault(spec, deps).check(3_000)
    finally:
        deps.close()


def spec_of(tmp_path: Any, monitor: str, reach: tuple[str, ...] | None) -> CheckSpec:
    (tmp_path / "vigie.yaml").write_text(f"monitors: [{monitor}]\n")
    return replace(load(tmp_path / "vigie.yaml", {}, tmp_path).monitors[0], reach=reach).spec


def is_refused(result: CheckResult) -> bool:
    return (result.status, result.cause, result.scope) == (Status.UNKNOWN, Cause.PROBE_ERROR, FaultScope.MONITOR) and not result.addresses


@pytest.mark.parametrize(
    "monitor",
    [
        "{{url: 'http://127.0.0.1:{port}/'}}",
        "{{url: 'http://localhost:{port}/'}}",
        "{{url: 'http://127.1:{port}/'}}",
        "{{url: 'http://2130706433:{port}/'}}",
        "{{url: 'http://0x7f.1:{port}/'}}",
        "{{url: 'http://0:{port}/'}}",
        "{{url: 'http://[::ffff:127.0.0.1]:{port}/'}}",
        "{{type: tcp, host: '127.0.0.1', port: {port}}}",
        "{{type: tcp, host: 'localhost', port: {port}}}",
        "{{type: redis, host: '127.0.0.1', port: {port}}}",
        "{{type: websocket, url: 'ws://127.0.0.1:{port}/'}}",
        "{{type: tls, host: '127.0.0.1', port: {port}}}",
        "{{type: ssh, host: '127.0.0.1', port: {port}}}",
        "{{type: smtp, host: '127.0.0.1', port: {port}}}",
        "{{type: postgres, host: '127.0.0.1', port: {port}}}",
        "{{type: icmp, host: '127.0.0.1'}}",
        "{{type: steps, name: s, steps: [{{url: 'http://127.0.0.1:{port}/'}}]}}",
    ],
)
async def test_nothing_connects(monitor: str, tmp_path: Any) -> None:
    seen: list[bytes] = []
    async with serving(page(b"secret", seen=seen)) as port:
        result = await checked(spec_of(tmp_path, monitor.format(port=port), ()))
        assert is_refused(result), result
        assert "internal address" in result.message
    assert seen == []


async def test_a_redirect_that_leads_inside_is_not_followed(tmp_path: Any) -> None:
    inner: list[bytes] = []
    async with serving(page(b"secret", seen=inner), host="127.0.0.2") as port:
        head = f"HTTP/1.1 302 Found\nLocation: http://127.0.0.2:{port}/\nContent-Length: 0\nConnection: close\n\n"
        async with serving(answering(head)) as outer:
            monitor = f"{{url: 'http://127.0.0.1:{outer}/'}}"
            result = await checked(spec_of(tmp_path, monitor, ("127.0.0.1",)))
            assert is_refused(result), result
            assert "127.0.0.2" in result.message
            assert inner == []
            assert (await checked(spec_of(tmp_path, monitor, ("127.0.0.0/8",)))).status is Status.UP
            assert (await checked(spec_of(tmp_path, monitor, None))).status is Status.UP


async def test_where_it_is_allowed_it_is_a_check_like_any_other(tmp_path: Any) -> None:
    async with serving(page(b"ok")) as port:
        monitor = f"{{url: 'http://127.0.0.1:{port}/'}}"
        assert (await checked(spec_of(tmp_path, monitor, ("127.0.0.0/8",)))).status is Status.UP
        assert (await checked(spec_of(tmp_path, monitor, None))).status is Status.UP
    result = await checked(spec_of(tmp_path, monitor, ("127.0.0.0/8",)))
    assert result.status is Status.DOWN


@pytest.mark.parametrize(
    ("kind", "options", "word"),
    [
        ("exec", {}, "programs"),
        ("browser", {}, "browser"),
        ("http", {"proxy": "http://127.0.0.1:3128"}, "`proxy`"),
        ("steps", {"steps": [{"url": "x"}, {"proxy": "socks5://x"}]}, "`proxy`"),
        ("http", {"ca_file": "/etc/shadow"}, "`ca_file`"),
    ],
)
def test_what_finds_its_own_way_is_for_admins(kind: str, options: dict[str, Any], word: str) -> None:
    assert word in never_reachable(kind, f"vigie.probes.{kind}", options)


def test_what_is_usual_is_for_everybody_and_kinds_from_elsewhere_are_not() -> None:
    for kind in plugins.kinds("probes"):
        if kind not in ("exec", "browser"):
            assert never_reachable(kind, plugins.load("probes", kind).__name__, {"proxy": None, "steps": [{}]}) == ""
    assert "not one of Vigie's own" in never_reachable("memcached", "vigie_memcached", {})
