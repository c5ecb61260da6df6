"""`location`, `locations`, `quorum` and `partial_outage`: where checks run from, and what it takes to be down."""

from pathlib import Path

import pytest

from vigie.config import load
from vigie.config.compared import differences, values_of
from vigie.config.desired import Desired
from vigie.config.forms import Forms
from vigie.core.detection import PartialOutage
from vigie.errors import ConfigError


def loaded(tmp_path: Path, text: str) -> Desired:
    file = tmp_path / "vigie.yaml"
    file.write_text("llm: {provider: none}\n" + text)
    return load(file, {}, tmp_path)


def test_without_a_word_everything_is_checked_from_here(tmp_path: Path) -> None:
    (shop,) = loaded(tmp_path, "monitors: [https://shop.example/]").monitors
    assert (shop.location, shop.spec.location, shop.monitor.locations) == ("local", "local", ())
    assert (shop.monitor.detection.quorum, shop.monitor.detection.partial_outage) == (None, PartialOutage.DEGRADED)
    assert shop.is_checked_here
    assert shop.monitor.is_checked_from("paris")


def test_each_location_has_its_spec(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "location: lyon\nalerts: {default: {quorum: 2, partial_outage: ignore}}\n"
        "monitors: [{url: https://shop.example/, locations: [paris, nice, paris]}, {url: https://b.example/, locations: [lyon]}]",
    )
    shop, other = found.monitors
    assert found.location == "lyon"
    assert shop.monitor.locations == ("paris", "nice")
    assert (shop.is_checked_here, other.is_checked_here) == (False, True)
    assert (other.spec.location, shop.spec_at("paris").location) == ("lyon", "paris")
    assert (shop.monitor.detection.quorum, shop.monitor.detection.partial_outage) == (2, PartialOutage.IGNORE)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("location: Paris Est", "location"),
        ("location: eu.west", "location"),
        ("alerts: {default: {quorum: 0}}", "quorum"),
        ("alerts: {default: {partial_outage: up}}", "partial_outage"),
        ("alerts: {default: {quorum: 2 of 3}}", "quorum"),
    ],
)
def test_what_cannot_be_meant_is_a_fault_at_its_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, f"monitors: [https://shop.example/]\n{text}")
    assert [key in str(fault) for fault in raised.value.faults] == [True]


def test_the_name_of_a_location_is_checked_in_a_monitor_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="locations"):
        loaded(tmp_path, "monitors: [{url: https://shop.example/, locations: [paris, 'Lyon!']}]")


@pytest.mark.parametrize(("every", "minutes"), [("20s", 3), ("1m", 3.17), ("10m", 21.17), ("1d", 2881.17)])
def test_a_location_is_silent_only_after_it_missed_two_checks(tmp_path: Path, every: str, minutes: float) -> None:
    (shop,) = loaded(tmp_path, f"monitors: [{{url: https://shop.example/, every: {every}}}]").monitors
    assert shop.monitor.detection.stale_ms == pytest.approx(minutes * 60_000, abs=600)


def test_what_changes_is_shown_by_the_names_of_the_keys(tmp_path: Path) -> None:
    before = values_of(loaded(tmp_path, "monitors: [https://shop.example/]"))
    after = values_of(
        loaded(
            tmp_path, "location: paris\nalerts: {default: {quorum: 2}}\nmonitors: [{url: https://shop.example/, locations: [paris, lyon]}]"
        )
    )
    assert list(differences(before, after)) == [
        "~ location",
        '    location: "local" → "paris"',
        "~ monitor shop-example",
        '    locations: [] → ["paris", "lyon"]',
        "    alert.quorum: – → 2",
    ]


def test_the_form_takes_locations_one_a_line() -> None:
    entered = Forms().read("http", {"url": "https://shop.example/", "locations": "paris\nlyon\n"})
    assert entered.body == {"url": "https://shop.example/", "locations": ["paris", "lyon"]}
    assert Forms().faults(entered.body) == ()
    assert Forms().faults({"url": "https://shop.example/", "locations": ["Paris 1"]}) != ()
