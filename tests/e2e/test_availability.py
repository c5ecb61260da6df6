"""The availability report by mail, from `vigie once` and from `vigie serve`: once a period, whoever starts."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from vigie.core.model import CheckResult, Status
from vigie.ports import Commit, OutboxState
from vigie.stores.sqlite.store import SqliteStore

FORTY_DAYS_MS = 40 * 86_400_000


@pytest.fixture
def configured(tmp_path: Path, site: Any, inbox: Any) -> Path:
    """A shop that has been watched for forty days, and whose availability is told each week."""
    path = tmp_path / "vigie.yaml"
    mail = f"{{type: email, to: t@site.test, sender: v@site.test, host: localhost, port: {inbox.port}, password: app-password-7, "
    zone = "Etc/GMT-6" if time.gmtime().tm_hour in (7, 8) else "UTC"  # where no period ends while the test runs
    path.write_text(
        f"language: fr\ntimezone: {zone}\nlog: {{file: null}}\nweb: {{enabled: false}}\nllm: {{provider: none}}\n"
        f"notify: {{mail: {mail}ca_file: {tmp_path / 'ca.pem'}}}}}\navailability: {{report: weekly}}\n"
        f'monitors: [{{name: Boutique, url: "http://127.0.0.1:{site.port}/", every: 1s}}]\n'
    )
    asyncio.run(_watched(tmp_path / "vigie.db"))
    return path


async def _watched(path: Path) -> None:
    store = SqliteStore(path, threads=False)
    try:
        await store.ledger.commit(Commit(details=(CheckResult("boutique", round(time.time() * 1000) - FORTY_DAYS_MS, Status.UP),)))
    finally:
        await store.close()


async def _tried(path: Path) -> set[str]:
    """The channels by which it was tried to send anything; nothing waits."""
    store = SqliteStore(path, threads=False)
    try:
        (given_up,) = await store.ledger.outbox(OutboxState.UNDELIVERABLE)
        assert await store.ledger.outbox(OutboxState.WAITING) == []
        return {one.channel for one in await store.archive.deliveries(given_up.notice.alert)}
    finally:
        await store.close()


def test_single_cycles_mail_the_last_week_once(vigie: Any, configured: Path, inbox: Any) -> None:
    for _ in range(3):
        assert vigie("once").returncode == 0
    (mail,) = inbox.mails
    assert "📊 Disponibilité, semaine " in mail["Subject"]
    assert "[availability-20" in mail["Subject"]
    for kind in ("plain", "html"):
        text = str(mail.get_body((kind,)).get_content()).replace("\u00a0", " ")
        assert "Boutique : aucune panne" in text
        assert "100 %" in text


def test_whoever_did_not_ask_for_it_does_not_get_it_instead(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    inbox.refuse = "550 never"
    text = configured.read_text().replace("notify: {", f"notify: {{hook: {{type: webhook, url: 'http://127.0.0.1:{site.port}/'}}, ")
    configured.write_text(text.replace("report: weekly", "report: weekly, channels: [mail]"))
    assert vigie("once").returncode == 1
    assert asyncio.run(_tried(configured.parent / "vigie.db")) == {"mail"}
    assert vigie("once").returncode == 0, "what was given up is not told again"


def test_serve_mails_it_once_it_is_asked_to_and_no_other_start_does_again(vigie: Any, configured: Path, site: Any, inbox: Any) -> None:
    wanted = configured.read_text()
    configured.write_text(wanted.replace("report: weekly", "report: 'off'"))
    process = vigie.start("serve")
    site.wait()
    configured.write_text(wanted)
    (mail,) = inbox.wait(1)
    assert "📊 Disponibilité" in mail["Subject"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Traceback" not in vigie.log
    assert vigie("once").returncode == 0
    assert len(inbox.mails) == 1
