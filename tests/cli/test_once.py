"""`vigie once` in this process: every step in the log, and every way not to run said there too."""

import json
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from vigie.ports import OutboxState
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.smtp_server import REFUSE_RECEIVERS, SmtpServer

Run = Callable[..., Any]
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (INFO|WARNING|ERROR|CRITICAL) - .+")


def test_each_step_stands_in_the_log_in_the_earlier_scripts_format(vigie: Run, quick: Path, site: Any, folder: Path) -> None:
    site.status = 502
    done = vigie("once")
    log = (folder / "vigie.log").read_text()

    assert done.status == 0
    assert all(LINE.fullmatch(line) for line in log.splitlines())
    steps = [
        "cycle starts: 1 monitor",
        f"Shop: checking {site.url}",
        "Shop: down [http.status]: HTTP 502, expected 200-299 (",
        "Shop: suspected (outage)",
        "Shop: opened shop-1 (outage, http.status)",
        "shop-1: sending opened by mail (attempt 1)",
        "shop-1: content: 🔴 Shop: HTTP 502 since",
        "shop-1: content: Suspected cause",
        "shop-1: opened delivered by mail: 2.0.0 Ok",
        "cycle ends: all done",
    ]
    places = [log.index(step) for step in steps]
    assert places == sorted(places)
    assert done.err == ""  # no terminal: an outage of which the alert was sent deserves no mail from cron
    assert "app-password-7" not in log


def test_on_a_terminal_each_step_is_shown_as_well(vigie: Run, quick: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    done = vigie("once")
    assert done.err == (folder / "vigie.log").read_text()


def test_without_a_log_file_each_step_is_shown_wherever_it_goes(vigie: Run, quick: Path) -> None:
    quick.write_text(quick.read_text().replace("{file: vigie.log}", "{file: null}"))
    done = vigie("once")
    assert "cycle starts: 1 monitor" in done.err
    assert "cycle ends: all done" in done.err


def test_what_is_wrong_with_vigie_itself_deserves_a_mail_from_cron(vigie: Run, quick: Path, site: Any, folder: Path) -> None:
    env = folder / ".env"
    env.write_text(env.read_text().replace("app-password-7", "wrong-password"))
    site.status = 502
    done = vigie("once")
    assert done.status == 1
    assert "authentication was refused" in done.err
    assert "cycle ends: 1 notice unsent" in done.err
    assert "502" not in done.err


def test_a_notice_given_up_is_unsent_in_later_runs_too(vigie: Run, quick: Path, site: Any, inbox: SmtpServer, folder: Path) -> None:
    site.status, inbox.fault = 502, REFUSE_RECEIVERS
    first, second = vigie("once"), vigie("once")
    assert [(done.status, "cycle ends: 1 notice undeliverable" in done.err) for done in (first, second)] == [(1, True)] * 2
    assert "all done" not in (folder / "vigie.log").read_text()

    inbox.fault = None
    quick.write_text(quick.read_text().replace("{type: email}", "{type: email, timeout: 19s}"))
    assert vigie("once").status == 0, "a channel configured otherwise is tried again"


def test_a_notice_given_up_counts_while_its_incident_is_open(vigie: Run, quick: Path, site: Any, inbox: SmtpServer) -> None:
    site.status, inbox.fault = 502, REFUSE_RECEIVERS
    vigie("once")
    site.status, inbox.fault = 200, None
    assert [vigie("once").status for _ in range(2)] == [0, 0]


@pytest.mark.parametrize(("checks", "lines"), [("", 1), ("checks: all, ", 1), ("checks: changes, ", 0)])
def test_whether_each_good_check_has_a_line_is_configured(vigie: Run, quick: Path, folder: Path, checks: str, lines: int) -> None:
    quick.write_text(quick.read_text().replace("{file: vigie.log}", f"{{{checks}file: vigie.log}}"))
    for _ in range(3):
        (folder / "vigie.log").unlink(missing_ok=True)
        assert vigie("once").status == 0
    assert (folder / "vigie.log").read_text().count("Shop: up") == lines


def test_json_is_an_option(vigie: Run, quick: Path, folder: Path) -> None:
    quick.write_text(quick.read_text().replace("{file: vigie.log}", "{file: vigie.log, format: json}"))
    vigie("once")

    lines = [json.loads(line) for line in (folder / "vigie.log").read_text().splitlines()]
    assert [line["event"] for line in lines][0::3] == ["cycle starts: 1 monitor", "cycle ends: all done"]
    assert {line["level"] for line in lines} == {"info"}


def test_missing_settings_are_logged_one_by_one(vigie: Run, folder: Path, site: Any) -> None:
    (folder / ".env").write_text(f"SERVICE_URL={site.url}\nEMAIL_SENDER=v@site.test\nSMTP_PORT=587\n")
    done = vigie("once")
    log = (folder / "service_check_log.txt").read_text()

    assert done.status == 3
    for name in ("EMAIL_PASSWORD", "EMAIL_RECEIVER", "SMTP_SERVER"):
        assert f"CRITICAL - no alert can be sent: {folder}/.env: {name}: is not set, and email needs it (set it in {folder}/.env)" in log
    assert log.count("\n") == 3
    assert site.requests == []


def test_no_env_file_says_how_to_get_one(vigie: Run, folder: Path) -> None:
    done = vigie("once")

    assert done.status == 3
    assert done.err.count("there is no .env here: `vigie init` writes one") == 4


def test_a_yaml_without_a_channel_says_so(vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml").write_text("monitors: [https://a.test/]\n")
    done = vigie("once")

    assert done.status == 3
    assert "notify: no channel is configured (write `notify:" in done.err


def _random(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def _torn(path: Path) -> None:
    """The first page stays, the rest is noise: what a failing disk leaves."""
    import asyncio

    asyncio.run(_made(path))
    data = bytearray(path.read_bytes())
    data[4_096:40_000] = os.urandom(35_904)
    path.write_bytes(data)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other (a)")
    db.close()


async def _made(path: Path) -> None:
    store = SqliteStore(path, threads=False)
    await store.ledger.outbox(OutboxState.WAITING)
    await store.close()


def _newer(path: Path) -> None:
    import asyncio

    asyncio.run(_made(path))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_random, "is damaged or not a Vigie database"),
        (_torn, "is damaged or not a Vigie database: "),
        (_foreign, "its tables belong to another program"),
        (_newer, "was written by a newer Vigie (schema 99"),
        (lambda path: path.mkdir(), "cannot be written"),
    ],
    ids=["random bytes", "torn", "another program's", "newer", "a folder"],
)
@pytest.mark.parametrize("command", [["once"], ["serve"], ["incidents", "list"], ["doctor"]], ids=" ".join)
def test_a_database_that_cannot_be_used_is_an_error_with_a_fix(
    command: list[str], spoil: Callable[[Path], None], words: str, vigie: Run, quick: Path, folder: Path
) -> None:
    spoil(folder / "vigie.db")
    quick.write_text(quick.read_text() + "web: {enabled: false}\n")
    before = None if (folder / "vigie.db").is_dir() else (folder / "vigie.db").read_bytes()
    done = vigie(*command)

    assert done.status == (1 if command == ["doctor"] else 3)
    said = done.out + done.err
    assert words in said
    assert "***" not in said
    assert "fix: " in said.lower()
    if command in (["once"], ["serve"]):
        assert words in (folder / "vigie.log").read_text()
    if before is not None:
        assert (folder / "vigie.db").read_bytes() == before, "what is there is left as it is"


def test_two_runs_never_overlap_and_the_log_says_so(vigie: Run, quick: Path, folder: Path) -> None:
    with FileLock(folder / "vigie.db.lock"):
        done = vigie("once")

    assert done.status == 3
    assert "another Vigie is running" in (folder / "vigie.log").read_text()


def test_a_log_that_cannot_be_written_ends_the_run_before_it_begins(vigie: Run, quick: Path, folder: Path, site: Any) -> None:
    (folder / "vigie.log").mkdir()
    done = vigie("once")

    assert done.status == 3
    assert "vigie.log cannot be written: Is a directory\nFix: make it writable for this user, or set log.file" in done.err
    assert site.requests == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_the_log_costs_a_line_and_no_page(vigie: Run, quick: Path, folder: Path, site: Any, inbox: Any) -> None:
    (folder / "vigie.log").symlink_to("/dev/full")
    site.status = 500
    done = vigie("once")

    assert done.status == 0
    assert len(inbox.mails) == 1
    assert done.err.count("cannot be written: No space left on device; logging resumes once that is fixed") == 1


def test_an_interrupted_run_says_so(vigie: Run, quick: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("vigie.cycle.once", interrupted)
    done = vigie("once")

    assert done.status == 130
    assert "interrupted; decisions made so far are stored" in (folder / "vigie.log").read_text()


def test_a_mended_password_is_tried_by_the_very_next_run(vigie: Run, quick: Path, site: Any, inbox: Any, folder: Path) -> None:
    right = (folder / ".env").read_text()
    (folder / ".env").write_text(right.replace("app-password-7", "mistyped"))
    site.status = 502
    failed = vigie("once")
    assert failed.status == 1
    assert "cycle ends: 1 notice unsent, kept in the outbox; the next run tries again" in failed.err
    (folder / ".env").write_text(right)
    done = vigie("once")
    assert (done.status, len(inbox.mails)) == (0, 1)
    assert "mistyped" not in failed.err


def test_what_was_given_up_goes_out_once_the_channel_is_mended(vigie: Run, quick: Path, site: Any, inbox: Any, folder: Path) -> None:
    from vigie.testing.smtp_server import Fault

    inbox.fault = Fault("RCPT", "550 5.1.1 No such user", only="gone@site.test")
    right = (folder / ".env").read_text()
    (folder / ".env").write_text(right.replace("team@site.test", "gone@site.test"))
    site.status = 502
    failed = vigie("once")
    assert failed.status == 1
    assert "cycle ends: 1 notice undeliverable (`vigie incidents show` says why)" in failed.err
    assert "next run tries again" not in failed.err
    unchanged = vigie("once")
    assert (unchanged.status, inbox.mails) == (1, []), "nothing says that it would work now, and it is unsent"
    (folder / ".env").write_text(right)
    assert vigie("once").status == 0
    assert [mail.receivers for mail in inbox.mails] == [("team@site.test",)]


def test_the_fingerprints_of_channels_hold_no_secret(vigie: Run, quick: Path, site: Any, folder: Path) -> None:
    vigie("once")
    (path,) = folder.rglob("channels.json")
    assert path.stat().st_mode & 0o077 == 0
    assert set(json.loads(path.read_text())) == {"mail"}
    assert "app-password" not in path.read_text()


def test_a_relay_without_a_login_works_from_the_env_alone(vigie: Run, folder: Path, site: Any, tmp_path: Path) -> None:
    from vigie.testing.smtp_server import SmtpServer

    from .conftest import on_a_thread

    (tmp_path / "relay").mkdir()
    with on_a_thread(lambda: SmtpServer(tmp_path / "relay", tls="none")) as relay:
        (folder / ".env").write_text(
            f"SERVICE_URL={site.url}\nEMAIL_SENDER=v@site.test\nEMAIL_RECEIVER=team@site.test\nSMTP_SERVER=127.0.0.1\nSMTP_PORT={relay.port}\n"
            "SMTP_HELO=mon.site.test\nOLLAMA_HOST=127.0.0.1:9\nVIGIE_LANGUAGE=en\n"
        )
        checked = vigie("config", "check")
        assert "channels: mail" in checked.out
        assert "note:" not in checked.out
        assert vigie("notify", "test").status == 0
        assert relay.mails[0].login is None
        assert "EHLO mon.site.test" in relay.commands


def test_a_password_in_plain_text_is_told_at_every_start(vigie: Run, quick: Path, folder: Path) -> None:
    quick.write_text(quick.read_text().replace("{type: email}", "{type: email, tls: none}"))
    words = "the password is sent to localhost:"
    assert f"warning: {folder}/vigie.yaml" in (checked := vigie("config", "check").out)
    assert words in checked
    assert words in vigie("doctor").out
    assert f"WARNING - {folder}/vigie.yaml:3: notify.mail.tls: {words}" in vigie("once").err
