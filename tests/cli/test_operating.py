"""The commands of whoever runs Vigie: doctor, notify, config, incidents, serve's start."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.testing import smtp_server

Run = Callable[..., Any]


def test_doctor_finds_everything_well(vigie: Run, quick: Path, folder: Path, inbox: Any) -> None:
    done = vigie("doctor")

    assert done.status == 0
    for words in (
        f"ok    configuration: {quick}, 1 monitor\n",
        f"ok    log: {folder / 'vigie.log'} is writable\n",
        f"ok    store: {folder / 'vigie.db'} opens and is writable\n",
        "ok    clock: 2",
        "ok    model: none is configured",
        f"ok    channel mail: localhost:{inbox.port} accepts the connection (starttls) and the login\n",
    ):
        assert words in done.out
    assert not (folder / "vigie.log").exists()


def test_doctor_names_each_fault_with_its_fix(vigie: Run, quick: Path, folder: Path, inbox: Any) -> None:
    (folder / "vigie.log").mkdir()
    inbox.fault = smtp_server.REFUSE_AUTH
    done = vigie("doctor")

    assert done.status == 1
    assert "FAIL  log: the log file" in done.out
    assert "FAIL  channel mail: localhost:" in done.out
    assert "authentication was refused" in done.out
    assert "      fix: check EMAIL_SENDER (or `username`) and EMAIL_PASSWORD\n" in done.out


def test_doctor_without_a_channel_fails_and_names_what_is_missing(vigie: Run, folder: Path) -> None:
    done = vigie("doctor")

    assert done.status == 1
    assert "FAIL  channels: no alert would be sent by email:" in done.out
    assert f"{folder}/.env: SMTP_SERVER: is not set" in done.out


def test_doctor_takes_an_absent_model_for_a_note(vigie: Run, env: Any, folder: Path) -> None:
    done = vigie("doctor")

    assert done.status == 0
    assert "note  model: Ollama does not answer" in done.out
    assert "fix: start it with `ollama serve`" in done.out


def test_a_test_notice_arrives_and_is_marked(vigie: Run, quick: Path, inbox: Any) -> None:
    done = vigie("notify", "test", "mail")

    assert (done.status, done.out) == (0, "mail: delivered (2.0.0 Ok: queued as 000001)\n")
    assert "🔔 Test" in inbox.mails[0].mail["subject"]


def test_a_test_notice_that_is_refused_says_why_and_what_to_do(vigie: Run, quick: Path, inbox: Any) -> None:
    inbox.fault = smtp_server.REFUSE_RECEIVERS
    done = vigie("notify", "test")

    assert done.status == 1
    assert "mail: FAILED: recipients refused: team@site.test (550 5.1.1 No such user)\n  Fix: check EMAIL_RECEIVER" in done.err


def test_an_unknown_channel_lists_the_known(vigie: Run, quick: Path) -> None:
    done = vigie("notify", "test", "pigeon")

    assert (done.status, done.err) == (3, "there is no channel 'pigeon'\nFix: channels: mail\n")


def test_config_check_counts_and_notes(vigie: Run, quick: Path, folder: Path) -> None:
    assert vigie("config", "check").out == f"{quick} is valid; 1 monitor, channels: mail\n"
    quick.unlink()
    (folder / ".env").unlink()
    done = vigie("config", "check")
    assert done.status == 0
    assert f"no vigie.yaml and no .env in {folder}" in done.out
    assert "no alert can be sent: " + f"{folder}/.env: EMAIL_SENDER: is not set" in done.out


@pytest.mark.parametrize(
    ("web", "noted"),
    [
        ("{listen: '0.0.0.0:8080'}", True),
        ("{listen: '[::]:8080'}", True),
        ("{listen: 'vigie.example:8080'}", True),
        ("{listen: '127.0.0.1:8080'}", False),
        ("{listen: '[::1]:8080'}", False),
        ("{listen: '0.0.0.0:8080', pings_listen: '0.0.0.0:8081'}", False),
        ("{enabled: false, pings_listen: '0.0.0.0:8081'}", False),
    ],
)
def test_a_page_that_is_open_for_jobs_alone_is_noted(web: str, noted: bool, vigie: Run, quick: Path) -> None:
    quick.write_text(quick.read_text() + f"web: {web}\n")
    assert "web.pings_listen" not in vigie("config", "check").out
    assert "fix: if only jobs" not in vigie("doctor").out
    quick.write_text(
        quick.read_text().replace("monitors: [", "monitors: [{name: Job, type: heartbeat, token: nightly-key, period: 1d}, ", 1)
    )
    assert ("set web.pings_listen to" in vigie("config", "check").out) is noted
    assert ("note  web: other machines can open the status page" in vigie("doctor").out) is noted


def test_jobs_are_listed_with_the_address_that_takes_them(vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml").write_text(
        "web: {pings_listen: '192.0.2.1:8081'}\nmonitors: [{name: Job, type: heartbeat, token: 2F1B7B0E-6C0E-4F6F-9B0E-6D1A2B3C4D5E, period: 1d}]\n"
    )
    assert "http://192.0.2.1:8081/ping/2f1b7b0e-6c0e-4f6f-9b0e-6d1a2b3c4d5e " in vigie("ping").out


def test_config_faults_are_counted_and_placed(vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml").write_text("langage: fr\nmonitors:\n  - {url: x, every: 5}\n")
    done = vigie("config", "check")

    assert done.status == 3
    assert done.err.startswith("The configuration is invalid (3 errors):\n")
    assert f"{folder}/vigie.yaml:1: langage: unknown key 'langage' (did you mean 'language'?)\n" in done.err


def test_config_show_writes_out_every_default_and_no_secret(vigie: Run, quick: Path) -> None:
    quick.write_text(
        quick.read_text().replace(
            "{mail: {type: email}}",
            "{mail: {type: email}, chat: {type: slack, url: 'https://chat.test/services/T0/hush-path'}, "
            "w: {type: webhook, url: 'https://u:hush-user@w.test/hush-in?k=hush-query', secret: hush-secret}}",
        )
    )
    done = vigie("config", "show")
    found = json.loads(done.out)

    assert done.status == 0
    assert "hush" not in done.out
    assert "app-password-7" not in done.out
    assert found["notify"]["chat"]["url"] == "https://chat.test/***"
    assert found["monitors"][0]["alert"]["confirm_every"] == "50ms"
    assert found["llm"]["deadline"] == "1m"


def test_the_schema_takes_the_documented_file(vigie: Run) -> None:
    found = json.loads(vigie("config", "schema").out)

    assert found["title"] == "vigie.yaml"
    assert {"monitors", "notify", "alerts", "llm"} <= found["properties"].keys()


def test_incidents_before_anything_ran(vigie: Run, quick: Path) -> None:
    done = vigie("incidents", "list")

    assert done.status == 3
    assert "there is no database at" in done.err
    assert "Fix: run `vigie once` or `vigie serve` first" in done.err


def test_an_incident_from_its_list_to_its_end(vigie: Run, quick: Path, site: Any, inbox: Any) -> None:
    site.status = 502
    vigie("once")

    listed = vigie("incidents", "list", "--open").out.splitlines()
    assert listed[0].split() == ["ID", "SINCE", "LASTED", "SEVERITY", "CAUSE"]
    assert listed[1].startswith("shop-1")
    assert listed[1].endswith("still open  outage    http.status")
    shown = vigie("incidents", "show", "shop-1").out
    for words in (
        "first failed check",
        "opened: outage, http.status",
        "HTTP 502 instead of 200-299",
        "shop-1:opened:mail, attempt 1: delivered",
    ):
        assert words in shown
    assert vigie("incidents", "ack", "shop-1", "--by", "Zoé").out == "shop-1 is acknowledged: no more reminders will be sent.\n"
    assert vigie("incidents", "resolve", "shop-1", "--by", "Zoé", "--note", "cable").out == "shop-1 is closed.\n"
    shown = vigie("incidents", "show", "shop-1").out
    assert "acknowledged by Zoé" in shown
    assert "closed by Zoé: cable" in shown
    assert vigie("incidents", "list", "--open").out == "No open incidents.\n"
    again = vigie("incidents", "resolve", "shop-1")
    assert (again.status, again.err) == (
        3,
        "shop-1 is already closed\nFix: use --cause, --note, --helpful or --misleading\n",
    )


def test_an_unknown_incident_names_the_list(vigie: Run, quick: Path, site: Any) -> None:
    vigie("once")

    for command in (["show"], ["ack"], ["resolve"]):
        done = vigie("incidents", *command, "nothing-9")
        assert (done.status, done.err) == (3, "no such incident: nothing-9\nFix: see `vigie incidents list`\n")


def test_a_user_without_a_name_may_acknowledge(vigie: Run, quick: Path, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    site.status = 500
    vigie("once")

    assert vigie("incidents", "ack", "shop-1").status == 0
    assert "acknowledged by somebody" in vigie("incidents", "list").out


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("127.0.0.1:{busy}", "is in use by another program"),
        ("192.0.2.1:8080", "192.0.2.1:8080 cannot be bound"),
        ("nohost.invalid:8080", "nohost.invalid:8080 cannot be bound"),
    ],
)
def test_a_page_that_cannot_be_served_is_said_before_anything_is_watched(
    listen: str, words: str, vigie: Run, quick: Path, site: Any, folder: Path
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        quick.write_text(quick.read_text() + f"web: {{listen: '{listen.format(busy=sock.getsockname()[1])}'}}\n")
        done = vigie("serve")

    assert done.status == 3
    assert words in done.err
    assert "set web.listen" in done.err
    assert words in (folder / "vigie.log").read_text()
    assert site.requests == []
