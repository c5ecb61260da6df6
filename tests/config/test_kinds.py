"""Kinds of check in the configuration: a URL's scheme names one, its keys may stand beside it, and it may look less often."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vigie import cli
from vigie.buses.process import Assign, frame, read_down
from vigie.config import load, one_monitor
from vigie.config.shown import schema, shown
from vigie.errors import ConfigError
from vigie.ports import Traits
from vigie.probes import tcp

FILE = """
monitors:
  - https://shop.test/
  - tcp://shop.test:5432
  - {url: "tcp://shop.test:25", tls: smtp, every: 5m, name: Mail}
  - {type: tcp, host: shop.test, port: 6379, exchange: [{send: 'PING\\r\\n', expect: +PONG}]}
"""


def test_a_bare_url_names_its_kind(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(FILE)

    found = load(None, {}, tmp_path).monitors

    assert [one.monitor.kind for one in found] == ["http", "tcp", "tcp", "tcp"]
    assert [one.monitor.id for one in found] == ["shop-test", "tcp-shop-test-5432", "mail", "tcp-shop-test-6379"]
    assert [one.monitor.every_ms for one in found] == [60_000, 60_000, 300_000, 60_000]


def test_a_faulty_url_is_named_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("monitors:\n  - tcp://shop.test\n  - url: tcp://shop.test:x\n")

    with pytest.raises(ConfigError) as raised:
        load(None, {}, tmp_path)

    assert [(fault.line, fault.key) for fault in raised.value.faults] == [(2, "monitors[0]"), (3, "monitors[1].url")]


def test_a_kind_may_look_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "TRAITS", Traits(every_ms=86_400_000), raising=False)
    (tmp_path / "vigie.yaml").write_text("monitors:\n  - tcp://a.test:1\n  - {url: tcp://b.test:1, every: 1m}\n")

    assert [one.monitor.every_ms for one in load(None, {}, tmp_path).monitors] == [86_400_000, 60_000]


def test_the_schema_takes_a_url_or_the_keys() -> None:
    kinds = schema()["properties"]["monitors"]["items"]["anyOf"]
    one = next(kind for kind in kinds if kind.get("properties", {}).get("type") == {"const": "tcp"})

    assert one["anyOf"] == [{"required": ["type", "host", "port"]}, {"required": ["url"]}]


def test_check_takes_other_schemes_with_the_flags_they_know(unused_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    target = f"tcp://127.0.0.1:{unused_port}"
    looked = CliRunner().invoke(cli.root, ["check", "--format", "json", "--max-latency", "1s", "--min-tls-days", "3", target])
    refused = CliRunner().invoke(cli.root, ["check", "--method", "HEAD", target])

    assert (looked.exit_code, json.loads(looked.stdout)["cause"], json.loads(looked.stdout)["url"]) == (2, "tcp.refused", target)
    assert "--method: unknown key 'method'" in str(refused.exception)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_what_is_said_on_a_port_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("monitors:\n  - {url: 'tcp://a.test:1', exchange: [{send: AUTH hunter22, expect: OK}]}\n")

    assert "hunter22" not in shown(load(None, {}, tmp_path))


def test_options_travel(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(FILE)
    specs = [one.spec for one in load(None, {}, tmp_path).monitors]
    assert read_down(frame(Assign(1, specs, []))[4:]) == Assign(1, specs, [])


@pytest.mark.parametrize(
    ("values", "name", "identity", "host"),
    [
        ({"url": "dns://example.com?type=MX"}, "example.com (MX)", "example-com", "example.com"),
        ({"url": "dns://example.com?type=MX", "name": "Mail records"}, "Mail records", "mail-records", "example.com"),
        ({"type": "dns", "name": "example.com"}, "example.com", "example-com", "example.com"),
        ({"type": "dns", "name": "Our name", "lookup": "example.com"}, "Our name", "our-name", "example.com"),
        ({"type": "dns", "lookup": "example.com"}, "example.com (A)", "example-com", "example.com"),
    ],
)
def test_a_dns_check_has_a_display_name_of_its_own(values: dict[str, Any], name: str, identity: str, host: str) -> None:
    one = one_monitor(values)

    assert (one.monitor.name, one.monitor.id, one.monitor.host) == (name, identity, host)


def test_a_key_that_a_kind_lacks_names_the_kind_and_the_url() -> None:
    with pytest.raises(ConfigError) as refused:
        one_monitor({"url": "tcp://db.example.com:5432", "expect": {"keyword": "x"}})
    with pytest.raises(ConfigError) as nested:
        one_monitor({"url": "redis://me:secret@db.example.com", "expect": {"keyword": "x"}})

    assert "unknown key 'expect' for tcp://db.example.com:5432, a monitor of type tcp" in str(refused.value)
    assert "secret" not in str(nested.value)
    assert "expect.keyword: unknown key 'keyword' for redis://" in str(nested.value)
