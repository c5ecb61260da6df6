"""What a good configuration becomes, where it is found, and how it is shown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from vigie.buses.process import Assign, frame, read_down
from vigie.config import load, one_monitor
from vigie.config.shown import schema, shown
from vigie.core.detection import Severity
from vigie.core.notification import EscalationStep
from vigie.errors import ConfigError
from vigie.net import Secret
from vigie.planning.period import Every
from vigie.planning.windows import Once
from vigie.probes.http import Config
from vigie.probes.kit.deps import configured

MAIL = {
    "EMAIL_SENDER": "v@site.test",
    "EMAIL_PASSWORD": "hunter22",
    "EMAIL_RECEIVER": "team@site.test",
    "SMTP_SERVER": "smtp.site.test",
    "SMTP_PORT": "465",
}
PRODUCT = """
language: fr
llm: {provider: ollama, model: llama3, url: http://localhost:11434}
notify:
  mail:  {type: email, to: ["${EMAIL_RECEIVER}"]}
  slack: {type: slack, url: "${SLACK_WEBHOOK}"}
alerts:
  default: {confirm: 3, confirm_every: 5s, recover: 2, remind: 4h, to: [mail]}
monitors:
  - https://ollama.com/
  - name: Shop API
    url: https://api.example.com/health
    every: 30s
    timeout: 5s
    expect: {status: 200-299, keyword: ok, json: {"$.db": up}, latency: 800ms, tls_days: 14}
    alert: default
    tags: [shop]
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.yaml"
    path.write_text(PRODUCT)
    (tmp_path / ".env").write_text("SLACK_WEBHOOK=https://hooks.slack.test/T0/secret-path\n")
    return path


def test_the_documented_file_means_what_it_says(product: Path) -> None:
    found = load(None, MAIL, product.parent)

    first, second = found.monitors
    assert (first.monitor.id, first.monitor.every_ms, first.config.reveal().url) == ("ollama-com", 60_000, "https://ollama.com/")
    assert (second.monitor.id, second.monitor.every_ms, second.monitor.timeout_ms) == ("shop-api", 30_000, 5_000)
    assert (second.config.reveal().expect.latency, second.config.reveal().expect.keyword) == (800, "ok")
    assert second.monitor.notification.to == ("mail",)
    assert found.channels["mail"].config.reveal().receivers == ("team@site.test",)
    assert (found.channels["mail"].config.reveal().port, found.channels["mail"].config.reveal().protection) == (465, "implicit")
    assert found.llm.hold_ms == 2_000
    assert (found.store.kind, found.store.file) == ("sqlite", product.parent / "vigie.db")


def test_the_environment_alone_is_a_configuration(tmp_path: Path) -> None:
    found = load(
        None, {**MAIL, "SERVICE_URL": "https://a.test/", "TIMEOUT_SECONDS": "7", "OLLAMA_MODEL": "tiny", "LOG_FILE": "x.log"}, tmp_path
    )

    assert found.monitors[0].config.reveal().url == "https://a.test/"
    assert found.monitors[0].monitor.timeout_ms == 7_000
    assert found.llm.config is not None
    assert found.llm.config.reveal().model == "tiny"
    assert found.log_file == tmp_path / "x.log"
    assert found.missing == ()


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"EMAIL_RECEIVER": None}, ["EMAIL_RECEIVER"]),
        ({"EMAIL_PASSWORD": ""}, ["EMAIL_PASSWORD"]),  # a line that was never filled in
        ({"EMAIL_PASSWORD": None, "SMTP_SERVER": None}, ["EMAIL_PASSWORD", "SMTP_SERVER"]),
        ({"EMAIL_SENDER": None, "SMTP_PORT": None}, ["EMAIL_SENDER"]),
    ],
)
def test_missing_mail_settings_are_listed_and_check_needs_none(tmp_path: Path, changed: dict[str, str | None], missing: list[str]) -> None:
    values = {name: value for name, value in {**MAIL, **changed}.items() if value is not None}
    found = load(None, values, tmp_path)

    assert [fault.key for fault in found.missing] == missing
    assert found.channels == {}
    assert found.monitors[0].config.reveal().url == "https://ollama.com/"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (25, "opportunistic")),
        ({"SMTP_PORT": "2525"}, (2525, "opportunistic")),
        ({"SMTP_TLS": "none"}, (25, "none")),
        ({"SMTP_TLS": "starttls", "SMTP_PORT": "587"}, (587, "starttls")),
        ({"SMTP_CA_FILE": "ca.pem"}, (587, "starttls")),  # whose certificate is named is verified
        ({"EMAIL_PASSWORD": "hunter22"}, (587, "starttls")),
        ({"EMAIL_PASSWORD": "hunter22", "SMTP_TLS": "none"}, (587, "none")),
    ],
)
def test_a_relay_without_a_login_is_usable_from_the_environment_alone(
    tmp_path: Path, more: dict[str, str], expected: tuple[int, str]
) -> None:
    values = {name: value for name, value in MAIL.items() if name not in ("EMAIL_PASSWORD", "SMTP_PORT")}
    found = load(None, {**values, **more, "SMTP_HELO": "mon.site.test"}, tmp_path)

    config = found.channels["mail"].config.reveal()
    assert found.missing == ()
    assert (config.port, config.protection, config.helo) == (*expected, "mon.site.test")
    assert bool(found.warnings) is (expected[1] == "none" and "EMAIL_PASSWORD" in more)


def test_what_was_never_filled_in_is_missing_though_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("notify: {mail: {type: email}}\nmonitors: [https://a.test/]\n")
    (tmp_path / ".env").write_text("EMAIL_SENDER=vigie@example.com\nEMAIL_RECEIVER=team@site.test\nSMTP_SERVER=smtp.example.com\n")

    found = load(None, {}, tmp_path)

    assert [(fault.key, fault.line) for fault in found.missing] == [("EMAIL_SENDER", 1), ("SMTP_SERVER", 3)]
    assert "mail" in found.channels


def test_a_file_that_names_no_channel_is_not_asked_for_mail_settings(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("monitors: [https://a.test/]\n")

    assert load(None, {}, tmp_path).missing == ()


def test_the_environment_wins_over_the_file_beside(product: Path) -> None:
    found = load(None, {**MAIL, "SLACK_WEBHOOK": "https://hooks.slack.test/other"}, product.parent)

    assert found.channels["slack"].config.reveal().url == Secret("https://hooks.slack.test/other")


def test_a_default_stands_in_for_an_unset_variable(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text('monitors: ["${SITE:-https://a.test/}"]\n')

    assert load(None, {}, tmp_path).monitors[0].config.reveal().url == "https://a.test/"
    assert load(None, {"SITE": "https://b.test/"}, tmp_path).monitors[0].config.reveal().url == "https://b.test/"


def test_the_file_is_searched_by_flag_then_variable_then_folder(product: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("monitors: [https://other.test/]\n")

    assert load(other, MAIL, tmp_path).file == other
    assert load(None, {**MAIL, "VIGIE_CONFIG": "other.yaml"}, tmp_path).file == other
    assert load(None, MAIL, tmp_path).file == product


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vigie init"):
        load(tmp_path / "absent.yaml", {}, tmp_path)


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Shop API", "shop-api"),
        ("Café Zoé – Forêt", "cafe-zoe-foret"),
        ("Straße", "strasse"),
        ("متجر", "a-test"),
        ("🔥", "a-test"),
        ("x" * 62 + " y", "x" * 62),
    ],
)
def test_an_id_is_what_people_would_type(name: str, identity: str) -> None:
    assert one_monitor({"url": "https://a.test/", "name": name}).monitor.id == identity


def test_a_disabled_monitor_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("monitors: [https://a.test/, {url: https://b.test/, enabled: false}]\n")

    assert [one.monitor.id for one in load(None, {}, tmp_path).monitors] == ["a-test"]


@pytest.mark.parametrize(
    ("written", "epoch"),
    [
        ("2026-03-01T22:00+01:00", 1_772_398_800_000),
        ("'2026-03-01T22:00+01:00'", 1_772_398_800_000),
        ("2026-03-01T21:00:00Z", 1_772_398_800_000),
        ("2026-03-01 22:00:00", 1_772_370_000_000),  # in Tokyo, nine hours before
        ("'2026-03-01T22:00'", 1_772_370_000_000),
    ],
)
def test_an_instant_without_a_zone_is_of_the_configurations(written: str, epoch: int, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(
        f"timezone: Asia/Tokyo\nmaintenance: [{{from: {written}, until: 2026-04-01T00:00:00Z}}]\nmonitors: [https://a.test/]\n"
    )
    (one,) = load(None, {}, tmp_path).maintenance

    assert isinstance(one.window, Once)
    assert one.window.start == epoch


@pytest.mark.parametrize(
    ("written", "every", "channels"),
    [
        ("", None, ("mail",)),
        ("availability: {report: off}\n", None, ("mail",)),
        ("availability: {report: weekly}\n", Every.WEEKLY, ("mail",)),
        ("availability: {report: monthly, channels: [slack, mail, slack]}\n", Every.MONTHLY, ("slack", "mail")),
    ],
)
def test_the_availability_report_is_off_and_goes_where_pages_go(
    product: Path, written: str, every: Every | None, channels: tuple[str, ...]
) -> None:
    product.write_text(PRODUCT + written)
    found = load(None, MAIL, product.parent)

    assert (found.availability.every, found.availability.channels) == (every, channels)
    assert json.loads(shown(found))["availability"] == {"report": every or "off", "channels": list(channels)}


def test_without_a_default_alert_it_goes_to_every_channel(tmp_path: Path) -> None:
    hooks = "{a: {type: webhook, url: https://a.test/}, b: {type: webhook, url: https://b.test/}}"
    (tmp_path / "vigie.yaml").write_text(f"notify: {hooks}\navailability: {{report: weekly}}\nmonitors: [https://a.test/]\n")

    assert load(None, {}, tmp_path).availability.channels == ("a", "b")


def test_secrets_are_masked_where_the_configuration_is_shown(product: Path) -> None:
    found = load(None, MAIL, product.parent)
    text = shown(found)

    assert "hunter22" not in text
    assert "secret-path" not in text
    assert json.loads(text)["monitors"][1]["every"] == "30s"
    assert {"hunter22", "https://hooks.slack.test/T0/secret-path"} <= {one.reveal() for one in found.secrets}


def test_the_schema_knows_every_adapter() -> None:
    text = json.dumps(schema())

    for word in ("reject_keyword", "confirm_every", "ca_file", "keep_alive", "webhook"):
        assert word in text


def _takes(part: dict[str, Any], text: str) -> bool:
    """Whether a text satisfies a part of the schema, as far as patterns, choices and types go."""
    if "anyOf" in part:
        return any(_takes(one, text) for one in part["anyOf"])
    if "enum" in part:
        return text in part["enum"]
    return part.get("type") == "string" and bool(re.search(part.get("pattern", ""), text))


@pytest.mark.parametrize(
    ("struct", "key", "good", "bad"),
    [
        ("Log", "keep", ["${KEEP}", "${KEEP:-5}"], ["five"]),
        ("Log", "level", ["info", "${LEVEL}"], ["loud"]),
        ("Alert", "remind", ["4h", "1h30m", "0", "${REMIND}"], ["soon", "4"]),
        ("File", "language", ["fr", "${LANG:-en}"], ["de"]),
        ("Availability", "report", ["weekly", "off", "${HOW_OFTEN:-monthly}"], ["daily"]),
        ("File", "store", ["vigie.db", "${DB}"], []),
    ],
)
def test_editors_let_a_variable_stand_where_a_number_is_wanted(struct: str, key: str, good: list[str], bad: list[str]) -> None:
    found = schema()
    part = (found if struct == "File" else found["$defs"][struct])["properties"][key]

    assert [text for text in good if not _takes(part, text)] == []
    assert [text for text in bad if _takes(part, text)] == []
    assert part["description"]


def test_a_probes_options_survive_the_way_to_another_process() -> None:
    one = one_monitor({"url": "https://a.test/", "expect": {"latency": "1s", "json": ["$.a<3"]}})
    travelled = read_down(frame(Assign(1, [one.spec], []))[4:])

    assert isinstance(travelled, Assign)
    assert travelled.specs == [one.spec]
    assert configured(Config, travelled.specs[0].options) == one.config.reveal()


def test_an_alert_says_who_is_notified_later_further_and_of_which_monitors(tmp_path: Path) -> None:
    text = """
notify:
  mail: {type: webhook, url: https://h.test/}
  phone: {type: webhook, url: https://p.test/}
  chat: {type: webhook, url: https://c.test/}
alerts:
  default:
    to: [mail]
    remind: 1h
    remind_backoff: 2
    escalate: [{after: 30m, to: [chat], severities: [down, degraded]}, {after: 10m, to: [phone]}]
    delay: {phone: 5m}
    routes: [{tags: [shop], severities: [down], to: [phone, mail]}, {tags: [shop], to: [chat]}]
    quiet: {hours: "22:00-07:00", severities: [down, degraded]}
monitors: [{url: https://a.test/, tags: [shop]}, https://b.test/]
"""
    path = tmp_path / "vigie.yaml"
    path.write_text(text)

    shop, other = (one.monitor.notification for one in load(path, {}, tmp_path).monitors)

    assert (shop.to, shop.degraded_to) == (("phone", "mail"), ("chat",))
    assert (other.to, other.degraded_to) == (("mail",), ())
    assert shop.escalate == (
        EscalationStep(600_000, ("phone",)),
        EscalationStep(1_800_000, ("chat",), (Severity.OUTAGE, Severity.DEGRADATION)),
    )
    assert [shop.delay_ms(one) for one in ("phone", "mail")] == [300_000, 0]
    assert [shop.remind_after_ms(one) for one in (0, 1, 2, 3, 4, 5, 99)] == [one * 3_600_000 for one in (1, 2, 4, 8, 16, 24, 24)]
    assert shop.quiet_severities == (Severity.OUTAGE, Severity.DEGRADATION)
