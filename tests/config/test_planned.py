"""What follows the calendar in a file: maintenance, quiet hours, people as channels, and rotations."""

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from vigie.config import Desired, load, zones
from vigie.config.alert import Alert
from vigie.config.maintenance import days_of
from vigie.config.shown import schema, shown
from vigie.errors import ConfigError
from vigie.planning.windows import ByRule, Once, QuietHours, Recurring, Weekly

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3_600_000


def read(tmp_path: Path, text: str, **environment: str) -> Desired:
    (tmp_path / "vigie.yaml").write_text(f"timezone: Europe/Paris\n{text}")
    return load(None, environment, tmp_path)


def at(text: str, zone: ZoneInfo = PARIS) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


MONITORS = "monitors: [{name: Shop API, url: https://a.test/}, {url: https://b.test/, tags: [eu]}]\n"


@pytest.mark.parametrize(
    ("written", "window"),
    [
        ("{from: 2026-02-01 10:00, until: 2026-02-01 11:00}", Once(at("2026-02-01 10:00"), at("2026-02-01 11:00"))),
        ("{from: 2026-02-01 10:00, for: 90m}", Once(at("2026-02-01 10:00"), at("2026-02-01 11:30"))),
        ("{from: 2026-03-29 02:30, until: 2026-03-29 04:00}", Once(at("2026-03-29 03:00"), at("2026-03-29 04:00"))),
        ("{from: 2026-10-25 02:00, until: 2026-10-25 02:30}", Once(at("2026-10-25 02:00"), at("2026-10-25 02:30") + HOUR)),
        ("{every: sun 02:00, for: 2h}", Recurring((Weekly((6,), time(2)),), 2 * HOUR, PARIS)),
        ("{every: [mon-fri 22:30, 'sat, Sunday 9:05'], for: 1h}", Recurring((Weekly((0, 1, 2, 3, 4), time(22, 30)), Weekly((5, 6), time(9, 5))), HOUR, PARIS)),
        ("{every: day 03:00, for: 1h, timezone: Asia/Kathmandu}", Recurring((Weekly(tuple(range(7)), time(3)),), HOUR, ZoneInfo("Asia/Kathmandu"))),
        ("{every: fri-mon 03:00, for: 1h, from: 2026-01-01, until: 2026-02-01}", Recurring((Weekly((0, 4, 5, 6), time(3)),), HOUR, PARIS, at("2026-01-01"), at("2026-02-01"))),
        ("{rrule: FREQ=DAILY;BYHOUR=2, for: 1h}", Recurring((ByRule("FREQ=DAILY;BYHOUR=2", datetime.fromisoformat("2024-01-01")),), HOUR, PARIS)),
        ("{rrule: 'RRULE:FREQ=WEEKLY;INTERVAL=2', for: 1h, from: 2026-01-05 01:00}", Recurring((ByRule("FREQ=WEEKLY;INTERVAL=2", datetime.fromisoformat("2026-01-05 01:00")),), HOUR, PARIS, at("2026-01-05 01:00"))),
    ],
)  # fmt: skip
def test_windows_are_read_as_they_are_written(written: str, window: Once | Recurring, tmp_path: Path) -> None:
    (one,) = read(tmp_path, f"maintenance: [{written}]\n{MONITORS}").maintenance

    assert one.window == window


def test_a_window_covers_monitors_by_name_id_or_tag(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "maintenance:\n"
        "  - {every: sun 02:00, for: 2h, monitors: [Shop API], why: a new disk}\n"
        "  - {every: sun 02:00, for: 2h, monitors: [b-test]}\n"
        "  - {every: sun 02:00, for: 2h, tags: [eu]}\n"
        f"  - {{every: sun 02:00, for: 2h}}\n{MONITORS}",
    )

    covered = [[one.monitor.id for one in found.monitors if entry.covers(one.monitor)] for entry in found.maintenance]
    assert covered == [["shop-api"], ["b-test"], ["b-test"], ["shop-api", "b-test"]]
    assert [(one.id, one.why) for one in found.maintenance[:2]] == [("maintenance[0]", "a new disk"), ("maintenance[1]", "")]


@pytest.mark.parametrize(
    ("written", "quiet"),
    [
        ("{hours: '22:00-07:00'}", QuietHours(time(22), time(7), tuple(range(7)), PARIS)),
        ("{hours: '00:00-24:00', days: [sun, sat]}", QuietHours(time(), None, (5, 6), PARIS)),
        ("{hours: 8:30 – 9:00, timezone: America/New_York}", QuietHours(time(8, 30), time(9), tuple(range(7)), ZoneInfo("America/New_York"))),
    ],
)  # fmt: skip
def test_quiet_hours_are_those_of_a_monitors_alert(written: str, quiet: QuietHours, tmp_path: Path) -> None:
    found = read(
        tmp_path, f"alerts: {{nights: {{quiet: {written}}}}}\nmonitors: [{{url: https://a.test/, alert: nights}}, https://b.test/]\n"
    )

    assert [one.quiet for one in found.monitors] == [quiet, None]


PEOPLE = (
    "notify: {chat: {type: webhook, url: https://h.test/}}\n"
    "people:\n"
    "  anna: {channels: [chat], notify: {mail: {type: webhook, url: 'https://h.test/${TOKEN}'}}}\n"
    "  bob: {notify: {sms: {type: webhook, url: https://h.test/b}}}\n"
    "oncall: {primary: {people: [bob, anna], every: 1w, starts: 2026-01-05 09:00}}\n"
)


def test_people_are_channels_where_alerts_name_them(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"{PEOPLE}alerts: {{default: {{to: [anna, primary], degraded_to: [bob], fallback: [chat]}}}}\n{MONITORS}",
        TOKEN="t0p-secret",
    )

    policy = found.monitors[0].monitor.notification
    assert (policy.to, policy.degraded_to, policy.fallback) == (("chat", "anna.mail", "primary"), ("bob.sms",), ("chat",))
    assert list(found.channels) == ["chat", "anna.mail", "bob.sms"]
    assert found.people == (("anna", ("chat", "anna.mail")), ("bob", ("bob.sms",)))
    assert found.channels["anna.mail"].secrets.are_in("t0p-secret")
    assert "t0p-secret" not in shown(found)
    (rotation,) = found.rotations
    assert (rotation.people, rotation.every, rotation.zone, rotation.handover) == (("bob", "anna"), timedelta(weeks=1), PARIS, True)
    assert found.availability.channels == ("chat", "anna.mail", "bob.sms")  # everybody in the rotation: it is not urgent


def test_an_alert_that_names_nobody_goes_to_the_channels_of_notify_or_else_to_everybody(tmp_path: Path) -> None:
    with_channels = read(tmp_path, PEOPLE + MONITORS, TOKEN="x1234567")
    without = read(tmp_path, f"people: {{bob: {{notify: {{sms: {{type: webhook, url: https://h.test/b}}}}}}}}\n{MONITORS}")

    assert with_channels.monitors[0].monitor.notification.to == ("chat",)
    assert without.monitors[0].monitor.notification.to == ("bob.sms",)


def test_overrides_are_read_in_the_zone_of_their_rotation(tmp_path: Path) -> None:
    text = PEOPLE.replace(
        "starts: 2026-01-05 09:00",
        "starts: 2026-01-05 09:00, timezone: America/New_York, overrides: [{from: 2026-02-01, until: 2026-02-02, person: anna}]",
    )
    (rotation,) = read(tmp_path, text + MONITORS, TOKEN="x1234567").rotations

    new_york = ZoneInfo("America/New_York")
    assert rotation.zone == new_york
    assert [(one.start, one.end, one.person) for one in rotation.overrides] == [
        (at("2026-02-01", new_york), at("2026-02-02", new_york), "anna")
    ]


def test_what_is_planned_is_shown_as_it_could_be_written(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        f"{PEOPLE}alerts: {{default: {{quiet: {{hours: '22:00-07:00', days: [mon]}}}}}}\n"
        "maintenance: [{every: 'mon, tue 02:00', for: 2h, why: a new disk}, {rrule: FREQ=DAILY, for: 1h, until: 2026-02-01}, {from: 2026-02-01, for: 1h}]\n"
        + MONITORS,
        TOKEN="x1234567",
    )

    whole = json.loads(shown(found))

    assert whole["monitors"][0]["maintenance"] == [
        {"every": ["mon, tue 02:00"], "for": "2h", "timezone": "Europe/Paris", "why": "a new disk"},
        {"rrule": "FREQ=DAILY", "for": "1h", "timezone": "Europe/Paris", "until": "2026-01-31T23:00:00+00:00"},
        {"from": "2026-01-31T23:00:00+00:00", "until": "2026-02-01T00:00:00+00:00"},
    ]
    quiet = {"hours": "22:00-07:00", "days": ["mon"], "timezone": "Europe/Paris", "severities": ["degraded"]}
    assert whole["monitors"][0]["alert"]["quiet"] == quiet
    assert whole["people"] == {"anna": {"channels": ["chat", "anna.mail"]}, "bob": {"channels": ["bob.sms"]}}
    assert whole["oncall"]["primary"]["every"] == "7d"
    definitions = schema()
    assert (
        definitions["$defs"]["Person"]["properties"]["notify"]["additionalProperties"]
        == definitions["properties"]["notify"]["additionalProperties"]
    )


def test_every_key_of_an_alert_and_of_a_maintenance_is_shown_with_what_is_in_force(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "notify: {chat: {type: webhook, url: https://h.test/}}\nalerts: {default: {escalate: [{after: 5m, to: [chat]}]}}\n" + MONITORS,
    )

    one = json.loads(shown(found))["monitors"][0]

    assert one["depends_on"] == []
    assert one["alert"].keys() == {field.encode_name for field in msgspec.structs.fields(Alert)} - {"routes"}  # they are resolved into `to`
    assert (one["alert"]["group"], one["alert"]["group_wait"], one["alert"]["expiry_days"]) == ("auto", "10s", [14, 7, 3, 1])
    assert one["alert"]["escalate"] == [{"after": "5m", "to": ["chat"], "severities": ["down"]}]


@pytest.mark.parametrize(
    "written",
    [
        "{every: day 02:00, for: 23h}",
        "{every: sun 02:00, for: 6d}",
        "{rrule: FREQ=YEARLY, for: 31d}",
        "{every: day 00:00, for: 24h, until: 2026-02-01}",
        "{every: [sun 00:00, mon 00:00], for: 25h}",
    ],
)
def test_maintenance_may_be_long_as_long_as_it_ends(written: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"maintenance: [{written}]\n{MONITORS}").maintenance


@pytest.mark.parametrize(
    "written",
    [
        "{every: day 00:00, for: 24h}",
        "{every: sun 02:00, for: 7d}",
        "{rrule: FREQ=MONTHLY, for: 31d}",
        "{every: [mon 00:00, thu 00:00], for: 4d, from: 2026-01-05}",
        "{rrule: 'FREQ=DAILY;BYHOUR=0,6,12,18', for: 6h}",
    ],
)
def test_maintenance_that_would_never_end_is_a_fault(written: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"maintenance\[0\].for: it would never end"):
        read(tmp_path, f"maintenance: [{written}]\n{MONITORS}")


@pytest.mark.parametrize(
    ("text", "days"), [("sun", (6,)), ("day", tuple(range(7))), ("sat-mon", (0, 5, 6)), ("tue, thu", (1, 3)), ("son", None), ("mon-", None)]
)
def test_days_are_read(text: str, days: tuple[int, ...] | None) -> None:
    assert days_of(text) == days


def test_the_machines_own_zone_has_a_name_so_that_changes_of_the_clocks_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "usr/share/zoneinfo/Europe/Paris"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"")
    (tmp_path / "localtime").symlink_to(place)
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "localtime")
    monkeypatch.setattr(zones, "_TIMEZONE", tmp_path / "timezone")

    assert zones.machine_zone(None) == PARIS
    assert zones.machine_zone("Australia/Lord_Howe") == ZoneInfo("Australia/Lord_Howe")
    assert zones.machine_zone(":nowhere") == PARIS
    monkeypatch.setattr(zones, "_LOCALTIME", tmp_path / "none")
    assert zones.machine_zone(None) == ZoneInfo("Asia/Tokyo")
    monkeypatch.setattr(zones, "_TIMEZONE", tmp_path / "none")
    assert zones.machine_zone(None).utcoffset(datetime.now().astimezone()) is not None
