"""`vigie outbox list|retry|drop` and `vigie notify preview`, without a Vigie that is running and beside one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vigie.state import State
from vigie.testing.smtp_server import SmtpServer

from .conftest import Done, Site

Vigie = Callable[..., Done]


@pytest.fixture
def unsent(quick: Path, site: Site, vigie: Vigie) -> str:
    """An outage whose mail could not be sent: its server is elsewhere. The key of the notice."""
    env = quick.parent / ".env"
    env.write_text(env.read_text().replace("SMTP_PORT=", "SMTP_PORT=9\nREAL_PORT="))
    site.status = 503
    assert vigie("once").status == 1
    return "shop-1:opened:mail"


def mend(quick: Path) -> None:
    env = quick.parent / ".env"
    env.write_text(env.read_text().replace("SMTP_PORT=9\nREAL_PORT=", "SMTP_PORT="))


def test_what_is_unsent_is_listed_with_the_reason(unsent: str, vigie: Vigie) -> None:
    done = vigie("outbox", "list")
    assert done.status == 0
    assert unsent in done.out
    assert "failed, refused" in done.out
    (line,) = vigie("outbox", "list", "--format", "json").out.splitlines()
    found = json.loads(line)
    assert (found["key"], found["state"], found["channel"], found["reason"]) == (unsent, "waiting", "mail", "opened")
    assert found["last_attempt"]["failure"] == "refused"
    assert found["failed_attempts"] >= 1
    assert vigie("outbox", "list", "--state", "delivered").out == "No such notices.\n"
    assert vigie("outbox", "list", "--channel", "other").out == "No such notices.\n"


def test_a_retry_sends_it_here_once_the_server_works(unsent: str, quick: Path, inbox: SmtpServer, vigie: Vigie) -> None:
    mend(quick)
    done = vigie("outbox", "retry", unsent)
    assert (done.status, done.out) == (0, f"{unsent}: delivered\n")
    assert len(inbox.mails) == 1
    assert vigie("outbox", "list").out == "Nothing is unsent.\n"
    again = vigie("outbox", "retry", unsent)
    assert (again.status, "was delivered already" in again.err) == (3, True)
    assert vigie("outbox", "retry", "--all").status == 0


def test_beside_a_running_vigie_the_retry_is_left_to_it(unsent: str, quick: Path, vigie: Vigie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.unsent._PATIENCE_MS", 700)
    with State(quick.parent / "vigie.db.state", quick.parent / "vigie.db").locked():
        done = vigie("outbox", "retry", "--channel", "mail")
        assert done.status == 1
        assert f"{unsent}: waiting, next attempt" in done.out
        assert vigie("outbox", "drop", unsent, "--yes").out == "1 notice dropped.\n"
    assert vigie("outbox", "list").out == "Nothing is unsent.\n"


def test_what_is_dropped_stays_on_record(unsent: str, quick: Path, inbox: SmtpServer, vigie: Vigie) -> None:
    refused = vigie("outbox", "drop", "--channel", "mail")
    assert (refused.status, "add --yes" in refused.err) == (3, True), "nobody can be asked"
    assert vigie("outbox", "drop", "--channel", "mail", "--yes", "--by", "Zoé").status == 0
    mend(quick)
    assert vigie("once").status == 0
    assert inbox.mails == []
    assert "dropped by Zoé" in vigie("outbox", "list", "--state", "dropped").out
    shown = vigie("incidents", "show", "shop-1").out
    assert "mail: alert dropped by Zoé" in shown
    assert "dropped by Zoé" in vigie("incidents", "report", "shop-1").out.replace("\\", "")
    assert json.loads(vigie("outbox", "list", "--state", "dropped", "--format", "json").out)["dropped"]["by"] == "Zoé"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["retry"], "nothing is named"),
        (["drop"], "nothing is named"),
        (["retry", "shop-1:openned:mail"], "did you mean 'shop-1:opened:mail'?"),
        (["drop", "nothing-like-it", "--yes"], "see `vigie outbox list`"),
    ],
)
def test_what_cannot_be_done_says_why(unsent: str, vigie: Vigie, arguments: list[str], words: str) -> None:
    done = vigie("outbox", *arguments)
    assert (done.status, words in done.err) == (3, True), done


def test_a_preview_sends_nothing(quick: Path, inbox: SmtpServer, vigie: Vigie) -> None:
    quick.write_text(quick.read_text().replace("{type: email}", "{type: email, templates: {headline: '{{ monitor }}!'}}"))
    done = vigie("notify", "preview", "mail", "--reason", "opened")
    assert (done.status, done.err) == (0, "")
    assert "--- opened, a sample" in done.out
    assert "!\n" in done.out
    assert json.loads(vigie("notify", "preview", "mail", "--reason", "test", "--format", "json").out)["headline"] == "mail!"
    assert vigie("notify", "preview", "nope").status == 3
    assert vigie("notify", "preview", "mail", "--reason", "nope").status == 3
    quick.write_text(quick.read_text().replace("{{ monitor }}!", "{{ 1 // 0 }}"))
    broken = vigie("notify", "preview", "mail", "--reason", "recovered")
    assert (broken.status, "ZeroDivisionError" in broken.err) == (1, True)
    assert inbox.mails == []


def test_a_preview_of_an_update_lists_its_services_and_a_hand_over_has_its_own_words(quick: Path, vigie: Vigie) -> None:
    assert quick.exists()
    told = vigie("notify", "preview", "mail", "--reason", "updated", "--reason", "handover", "--format", "json").out
    update, handover = map(json.loads, told.splitlines())
    assert len(update["members"]["rows"]) == 4
    assert (handover["members"], "bob" in handover["headline"]) == (None, True)
