"""`depends_on`, `group` and `group_wait`: names become ids; what means nobody, several or itself is a fault with its line."""

from pathlib import Path

import pytest

from vigie.config import load
from vigie.config.desired import Desired
from vigie.errors import ConfigError

ROUTER = "{name: The router, type: icmp, host: router.example}"


def loaded(tmp_path: Path, *monitors: str, alerts: str = "{}") -> Desired:
    file = tmp_path / "vigie.yaml"
    file.write_text(f"llm: {{provider: none}}\nalerts: {alerts}\nmonitors:\n" + "".join(f"  - {one}\n" for one in monitors))
    return load(file, {}, tmp_path)


def test_a_name_and_an_id_mean_a_monitor(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        ROUTER,
        "{url: https://db.example/, id: db, depends_on: [The router]}",
        "{url: https://web.example/, id: web, depends_on: [db, the-router, The router]}",
    )
    assert {one.monitor.id: one.monitor.depends_on for one in found.monitors} == {
        "the-router": (), "db": ("the-router",), "web": ("db", "the-router"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("monitors", "fault"),
    [
        ([ROUTER, "{url: https://a.example/, depends_on: [The ruoter]}"], "there is no monitor 'The ruoter' (did you mean 'The router'?)"),
        (["{url: https://a.example/, id: a, depends_on: [a]}"], "a monitor cannot depend on itself"),
        (
            ["{url: https://a.example/, enabled: false, id: off}", "{url: https://b.example/, depends_on: [off]}"],
            "there is no monitor 'off'",
        ),
        (
            [
                "{url: https://a.example/, id: a, name: x}",
                "{url: https://b.example/, id: b, name: x}",
                "{url: https://c.example/, depends_on: [x]}",
            ],
            "2 monitors are called 'x'",
        ),
        (
            [f"{{url: https://{one}.example/, id: {one}, depends_on: [{two}]}}" for one, two in ("ab", "bc", "ca")],
            "monitors depend on each other in a circle: a → b → c → a",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_fault_with_its_line(tmp_path: Path, monitors: list[str], fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, *monitors)
    assert len(raised.value.faults) == 1
    shown = str(raised.value.faults[0])
    assert fault.partition(" (did")[0] in shown
    assert ":" in shown


def test_grouping_is_on_and_waits_ten_seconds_unless_set(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "https://a.example/", "{url: https://b.example/, alert: alone}", alerts="{alone: {group: off, group_wait: 3s}}"
    )
    assert [(one.monitor.notification.group, one.monitor.notification.group_wait_ms) for one in found.monitors] == [
        (True, 10_000),
        (False, 3_000),
    ]


def test_the_port_that_is_connected_to_is_known(tmp_path: Path) -> None:
    urls = ["https://a.example/", "http://b.example:8080/", "tcp://c.example:5432", "icmp://d.example", "redis://e.example"]
    assert [one.monitor.port for one in loaded(tmp_path, *urls).monitors] == [443, 8080, 5432, None, 6379]
