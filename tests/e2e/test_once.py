"""`vigie once` as cron runs it: the seed's own use, unchanged, and what comes of each thing that can go wrong."""

import re
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "app-password-7"


@pytest.fixture(autouse=True)
def seed(tmp_path: Path, site: Any, inbox: Any, model: Any) -> Path:
    """The earlier script's `.env`, and confirmation quick enough for a test through a small vigie.yaml where one is wanted."""
    lines = {
        "SERVICE_URL": f"http://127.0.0.1:{site.port}/",
        "EMAIL_SENDER": "vigie@site.test",
        "EMAIL_PASSWORD": PASSWORD,
        "EMAIL_RECEIVER": "team@site.test",
        "SMTP_SERVER": "localhost",
        "SMTP_PORT": str(inbox.port),
        "SMTP_CA_FILE": str(tmp_path / "ca.pem"),
        "OLLAMA_HOST": f"127.0.0.1:{model.port}",
        "OLLAMA_MODEL": "llama3",
        "TIMEOUT_SECONDS": "2",
        "LOG_FILE": "service_check_log.txt",
    }
    path = tmp_path / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return path


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.yaml"
    path.write_text(
        "language: fr\nlog: {file: service_check_log.txt}\nnotify: {mail: {type: email}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 100ms, recover: 2}}\n"
        "llm: {deadline: 3s}\n"
        'monitors: [{name: Boutique, url: "${SERVICE_URL}"}]\n'
    )
    return path


def said(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


def test_the_seeds_env_alone_is_a_whole_configuration(vigie: Any, site: Any, inbox: Any, model: Any) -> None:
    site.status = 502
    model.sentences = [
        {"text": "The check of 127.0.0.1 received HTTP 502 instead of 200-299.", "facts": ["F1"]},
        {"text": "The service received 77 requests and the answer was HTTP 502.", "facts": ["F1"]},
    ]

    done = vigie("once")

    assert done.returncode == 0, done.stderr
    (mail,) = inbox.mails
    assert "502" in mail["Subject"]
    assert "127.0.0.1" in mail["Subject"]
    assert mail["To"] == "team@site.test"
    text = said(mail)
    assert "received HTTP 502 instead of 200-299" in text
    assert "llama3" in text
    assert "77 requests" not in text, "a figure that was not measured went out"
    log = (vigie.folder / "service_check_log.txt").read_text()
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - WARNING - .*HTTP 502", log, re.MULTILINE)
    assert PASSWORD not in log + done.stderr + done.stdout


def test_one_mail_an_outage_and_one_for_the_recovery_in_its_thread(vigie: Any, quick: Path, site: Any, inbox: Any) -> None:
    assert vigie("once").returncode == 0
    site.status = 500
    for _ in range(3):
        assert vigie("once").returncode == 0
    site.status = 200
    for _ in range(2):
        assert vigie("once").returncode == 0

    first, second = inbox.mails
    assert "🔴 Boutique" in first["Subject"]
    assert "🟢 Boutique" in second["Subject"]
    assert second["In-Reply-To"] == first["Message-ID"]
    assert "au lieu de 200-299" in said(first)
    assert first.get_body(("html",)) is not None


def test_a_blip_is_not_mailed(vigie: Any, quick: Path, site: Any, inbox: Any, tmp_path: Path) -> None:
    quick.write_text(quick.read_text().replace("confirm: 2, confirm_every: 100ms", "confirm: 2, confirm_every: 3s"))
    site.status = 500
    process = vigie.start("once")
    site.wait()
    site.status = 200

    assert process.wait(30) == 0
    assert inbox.mails == []


@pytest.mark.parametrize(("mode", "words"), [("not pulled", "ollama pull llama3"), ("garbage", "not_json"), ("hang", "timeout_total")])
def test_a_bad_model_costs_only_its_paragraph(mode: str, words: str, vigie: Any, quick: Path, site: Any, inbox: Any, model: Any) -> None:
    site.status, model.mode = 503, mode

    done = vigie("once")

    assert done.returncode == 0, done.stderr
    assert "HTTP 503 au lieu de 200-299" in said(inbox.mails[0])
    assert "Analyse automatique" not in said(inbox.mails[0])
    assert words in (vigie.folder / "service_check_log.txt").read_text()


def test_no_model_at_all_says_how_to_get_one(vigie: Any, quick: Path, site: Any, inbox: Any, seed: Path) -> None:
    seed.write_text(re.sub("OLLAMA_HOST=.*", "OLLAMA_HOST=127.0.0.1:9", seed.read_text()))
    site.status = 500

    done = vigie("once")

    assert done.returncode == 0
    assert len(inbox.mails) == 1
    assert "ollama serve" in done.stderr


def test_a_mail_that_cannot_leave_stays_and_the_next_run_sends_it_once(vigie: Any, quick: Path, site: Any, inbox: Any, seed: Path) -> None:
    right = seed.read_text()
    seed.write_text(right.replace(PASSWORD, "wrong-password"))
    site.status = 500

    failed = vigie("once")
    assert failed.returncode == 1
    assert "authentication was refused" in failed.stderr
    assert "EMAIL_PASSWORD" in failed.stderr
    assert "wrong-password" not in failed.stderr

    seed.write_text(right)
    assert vigie("once").returncode == 0
    assert len(inbox.mails) == 1


def test_missing_settings_are_named_one_by_one_before_anything_is_watched(vigie: Any, site: Any, seed: Path) -> None:
    seed.write_text(
        "".join(line for line in seed.read_text().splitlines(keepends=True) if not line.startswith(("EMAIL_PASS", "SMTP_SERV")))
    )

    done = vigie("once")

    assert done.returncode == 3
    assert "EMAIL_PASSWORD" in done.stderr
    assert "SMTP_SERVER" in done.stderr
    assert "EMAIL_SENDER" not in done.stderr
    assert site.hits == 0


def test_two_runs_never_overlap(vigie: Any, quick: Path, site: Any) -> None:
    quick.write_text(quick.read_text().replace("confirm: 2, confirm_every: 100ms", "confirm: 3, confirm_every: 30s"))
    site.status = 500
    first = vigie.start("once")
    site.wait()

    second = vigie("once")

    assert second.returncode == 3
    assert "another Vigie is running" in second.stderr
    first.kill()


def test_incidents_can_be_seen_and_closed_by_hand(vigie: Any, quick: Path, site: Any, inbox: Any) -> None:
    site.status = 500
    vigie("once")

    assert "boutique-1" in vigie("incidents", "list").stdout
    shown = vigie("incidents", "show", "boutique-1").stdout
    for words in ("opened", "HTTP 500 au lieu de 200-299", "boutique-1:opened:mail"):
        assert words in shown
    assert "acknowledged" in vigie("incidents", "ack", "boutique-1").stdout
    assert vigie("incidents", "resolve", "boutique-1", "--note", "cable").returncode == 0
    assert "⚪" in inbox.subjects()[-1]
    assert vigie("incidents", "resolve", "boutique-1").returncode == 3
    assert vigie("incidents", "show", "nothing-9").returncode == 3


def test_what_is_usual_is_learnt_over_runs(vigie: Any, quick: Path, tmp_path: Path) -> None:
    from vigie.stores.kit.sql.commit import baselines
    from vigie.stores.sqlite.db import Db

    for _ in range(2):
        assert vigie("once").returncode == 0
    db = Db(tmp_path / "vigie.db")
    known = baselines(db)["boutique"]
    db.close()
    assert known.hour > 490_000
    assert len(known.samples) >= 5


def test_how_available_a_service_was_can_be_asked_for(vigie: Any, quick: Path, site: Any) -> None:
    vigie("once")
    assert re.search(r"boutique +100%, observed for \d+ s", vigie("incidents", "uptime").stdout)
    site.status = 500
    vigie("once")
    shown = vigie("incidents", "uptime", "--days", "1").stdout
    assert re.search(r"boutique +\d+\.\d{3}%, down for \d+ s, observed for \d+ s", shown), shown
