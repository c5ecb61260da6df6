"""The configuration of a job that reports in: what it means, what is wrong with it, and that its address stays a secret."""

from typing import Any

import pytest

from vigie.config import one_monitor
from vigie.config.shown import plain
from vigie.core.model import Status
from vigie.errors import ConfigError
from vigie.net import Secret

HOUR = 3_600_000


def monitor(**values: Any) -> Any:
    return one_monitor({"name": "Backup", "type": "heartbeat", "token": "secret-token", **values})


def test_one_report_opens_and_one_closes_whatever_the_alert_says() -> None:
    found = monitor(period="1d", alert={"confirm": 3, "recover": 4, "remind": "1h"}).monitor

    assert (found.detection.confirm, found.detection.recover, found.notification.remind_ms) == (1, 1, HOUR)


@pytest.mark.parametrize(
    ("values", "grace", "longest"),
    [
        ({"period": "1d"}, HOUR, HOUR),
        ({"period": "5m"}, HOUR / 12, HOUR / 12),
        ({"cron": "30 2 * * *", "timezone": "UTC"}, HOUR, HOUR),
        ({"period": "1d", "grace": "10m"}, HOUR / 6, HOUR / 6),
        ({"period": "1d", "grace": "0", "max_runtime": "2h"}, 0, 2 * HOUR),
    ],
)
def test_grace_and_allowance_fit_the_schedule(values: dict[str, Any], grace: int, longest: int) -> None:
    expected = monitor(**values).config.reveal().expected()

    assert (expected.grace_ms, expected.longest_ms, expected.late) == (grace, longest, Status.DOWN)


def test_the_address_is_a_secret_and_the_schedule_is_what_people_read() -> None:
    one = monitor(cron="30 2 * * *", timezone="Europe/Paris")

    assert set(one.secrets) == {Secret("secret-token")}
    assert plain(one.config.reveal())["token"] == "***"
    assert (one.monitor.target, one.monitor.host) == ("30 2 * * * (Europe/Paris)", "")
    assert monitor(period="1d").monitor.target == "every 1d"


def test_a_schedule_that_never_comes_again_is_due_far_away() -> None:
    leap = monitor(cron="0 0 29 2 *", timezone="UTC").config.reveal().expected()

    assert leap.after(0) == 68_169_600_000  # 29 February 1972


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"period": "1d", "token": "short"}, "8 to 64"),
        ({"period": "1d", "token": "with/slash/in/it"}, "8 to 64"),
        ({"period": "1d", "token": "nightly-key/"}, "8 to 64"),
        ({"period": "1d", "token": "nightly-key/7"}, "endings of an address"),
        ({"period": "0"}, "at least 1s"),
        ({"period": "1d", "cron": "* * * * *"}, "either"),
        ({"period": "1d", "timezone": "UTC"}, "belongs to `cron`"),
        ({"cron": "* * * * *", "timezone": "Paris"}, "not a time zone"),
        ({"cron": "@daily", "timezone": "UTC"}, "not a cron schedule"),
        ({"cron": "0 0 30 2 *", "timezone": "UTC"}, "not a cron schedule"),
    ],
)
def test_a_faulty_configuration_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        monitor(**values)


async def test_there_is_nothing_to_look_at_from_a_prober() -> None:
    from vigie.clock import SystemClock
    from vigie.probes.heartbeat import Elsewhere

    assert (await Elsewhere(SystemClock()).check(1_000)).status is Status.UNKNOWN
