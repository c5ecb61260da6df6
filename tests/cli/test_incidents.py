"""`vigie incidents`: what it says of an incident, and what people can say of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vigie.cli.incidents import app
from vigie.core.detection import Pattern, Severity
from vigie.core.events import (
    AckRecorded,
    Decision,
    Disclosed,
    Escalated,
    Joined,
    Opened,
    Recovered,
    Reminded,
    SnoozeEnded,
    SnoozeRecorded,
    Steadied,
    Withheld,
)
from vigie.core.model import Cause, CheckResult, Incident, Status
from vigie.errors import VigieError
from vigie.ports import Commit, TimelineEntry
from vigie.report.history import Remark
from vigie.stores.sqlite.store import SqliteStore

NOW = 1_795_525_325_000
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The commands in a folder whose database holds one closed incident."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vigie.yaml").write_text("timezone: UTC\nllm: {provider: none}\nmonitors: [{name: Shop, url: 'http://127.0.0.1:9/'}]\n")
    asyncio.run(_filled(tmp_path / "vigie.db"))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


async def _filled(path: Path) -> None:
    store = SqliteStore(path, threads=False)
    incident = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, NOW, NOW + 10_000, NOW + 600_000)
    opened = Opened(Severity.OUTAGE, "shop-1", NOW + 10_000, NOW, Cause.TCP_REFUSED)
    closed = Recovered(Severity.OUTAGE, "shop-1", NOW + 600_000)
    entries = tuple(TimelineEntry("shop-1", one.at, one) for one in (opened, closed))
    bad = CheckResult("shop", NOW, Status.DOWN, Cause.TCP_REFUSED, "refused")
    await store.ledger.commit(Commit(incidents=(incident,), timeline=entries, details=(bad,)))
    await store.close()


def remarks(path: Path) -> list[Remark]:
    async def read() -> list[Remark]:
        store = SqliteStore(path, threads=False)
        try:
            return await store.catalog.remarks(["shop-1"])
        finally:
            await store.close()

    return asyncio.run(read())


def test_the_report_is_written_as_markdown_and_as_a_page_in_both_languages(run: Run) -> None:
    markdown, page = run("report", "shop-1"), run("report", "shop-1", "--format", "html", "--language", "fr")

    assert markdown.exit_code == page.exit_code == 0
    assert "# Incident shop-1: Shop" in markdown.output
    assert "Shop was down for 10 min, from 24 November 2026 at 13:02:05 UTC." in markdown.output
    assert '<html lang="fr">' in page.output
    assert "Shop a été en panne pendant 10 min" in page.output
    assert "http" not in page.output.replace("http://127.0.0.1:9/", ""), "the page needs nothing from anywhere"


async def _member(path: Path) -> None:
    """An open incident of another one's alert, with everything that a timeline can hold."""
    store = SqliteStore(path, threads=False)
    incident = Incident("shop-2", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, NOW, NOW + 1_000, alert="db-1")
    happened: tuple[Decision, ...] = (
        Opened(Severity.OUTAGE, "shop-2", NOW, NOW, Cause.TCP_REFUSED, pattern=Pattern.FLAPPING),
        Joined(NOW + 1_000, "db-1", "shop-2"),
        Withheld(NOW + 2_000, "db-1"),
        Disclosed(NOW + 3_000, "db-1"),
        Withheld(NOW + 4_000, "db-1", quiet=True),
        Disclosed(NOW + 5_000, "db-1", quiet=True),
        Reminded(NOW + 6_000, 2, "db-1"),
        Escalated(NOW + 7_000, 1, "db-1"),
        SnoozeRecorded(NOW + 8_000, "Zoé", NOW + 600_000, "db-1"),
        SnoozeEnded(NOW + 9_000, 1, "db-1"),
        AckRecorded(NOW + 10_000, "ann", "db-1"),
        Steadied(Severity.OUTAGE, "shop-2", NOW + 11_000),
    )
    entries = tuple(TimelineEntry("shop-2", one.at, one) for one in happened)
    await store.ledger.commit(Commit(incidents=(incident,), timeline=entries))
    await store.close()


def test_the_timeline_has_words_for_all_that_happens_to_an_alert(run: Run, tmp_path: Path) -> None:
    asyncio.run(_member(tmp_path / "vigie.db"))

    head, timeline = run("show", "shop-2").output.split("\n\nTimeline\n")

    assert head == "shop-2: outage, tcp.refused, still open\nPart of alert db-1"
    assert [line.split("  ")[2] for line in timeline.partition("\n\n")[0].splitlines()] == [
        "first failed check",
        "opened: outage, tcp.refused, flapping",
        "joined alert db-1",
        "notice withheld: maintenance",
        "maintenance over, still failing: notified",
        "notice withheld: quiet hours",
        "quiet hours over, still failing: notified",
        "reminded (2)",
        "escalated (step 1)",
        "snoozed until 2026-11-24 13:12:05 UTC by Zoé",
        "snooze over, still failing",
        "acknowledged by ann",
        "not flapping any more: it fails all the time",
    ]
    assert "tcp.refused  in alert db-1" in run("list").output


def test_what_it_really_was_is_kept_and_told(run: Run, tmp_path: Path) -> None:
    said = run("resolve", "shop-1", "--cause", "not_listening", "--note", "disk full", "--misleading", "--by", "ann")

    assert said.output == "shop-1: noted.\n"
    (one,) = remarks(tmp_path / "vigie.db")
    assert (one.by, one.cause, one.note, one.helpful) == ("ann", "not_listening", "disk full", False)
    assert "Cause noted by ann: nothing listens on the port: the service is stopped." in run("report", "shop-1").output


@pytest.mark.parametrize(
    ("arguments", "words", "fix"),
    [
        (("resolve", "shop-1"), "is already closed", "--cause"),
        (("resolve", "shop-1", "--cause", "not_listenin"), "not a cause that Vigie knows", "did you mean 'not_listening'?"),
        (("resolve", "shop-1", "--cause", "zzz"), "not a cause that Vigie knows", "vigie incidents causes"),
        (("resolve", "shop-9", "--note", "x"), "no such incident: shop-9", "vigie incidents list"),
        (("report", "shop-9"), "no such incident: shop-9", "vigie incidents list"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_fix(run: Run, arguments: tuple[str, ...], words: str, fix: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, VigieError)
    assert words in error.message
    assert fix in error.fix


def test_the_causes_are_listed(run: Run) -> None:
    listed = run("causes").output.splitlines()
    assert any(line.startswith("behind_proxy ") for line in listed)
    assert len({line.split()[0] for line in listed}) == len(listed)


async def _of_one_alert(path: Path, count: int) -> None:
    store = SqliteStore(path, threads=False)
    incidents = [
        Incident(
            f"m{number}-1",
            f"m{number}",
            Severity.OUTAGE,
            Cause.TCP_REFUSED,
            NOW,
            NOW + number,
            NOW + 9_000 if number == 1 else None,
            alert="m0-1",
        )
        for number in range(count)
    ]
    await store.ledger.commit(Commit(incidents=tuple(incidents)))
    await store.close()


def test_an_incident_lists_the_others_of_its_alert_open_ones_first(run: Run, tmp_path: Path) -> None:
    asyncio.run(_of_one_alert(tmp_path / "vigie.db", 24))

    shown = run("show", "m0-1").output.split("\n\n")[1].splitlines()
    assert shown[:2] == ["In the same alert (23)", "  m2-1: tcp.refused, still open"]
    assert shown[-1] == "  and 3 more"
    assert "m1-1" not in "".join(shown), "what is over comes last"
    assert "  m0-1: tcp.refused, still open" in run("show", "m1-1").output
