"""From a mail to silence: `vigie serve` reminds of two alerts, a scanner opens every link of one, a person acknowledges it by its form."""

import contextlib
import html
import re
import signal
import sqlite3
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from .conftest import text_of
from .test_feedback import PASSWORD, fetch, free_port


def configure(folder: Path, site: Any, inbox: Any, port: int) -> None:
    """Two services at one address, each failure an alert of its own: the one that nobody acknowledges says how much time has passed."""
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {folder / 'ca.pem'}}}"
    )
    monitors = ", ".join(
        f'{{name: {name}, url: "http://127.0.0.1:{site.port}/{name}", every: 1s, timeout: 1s}}' for name in ("Shop", "Blog")
    )
    (folder / "vigie.yaml").write_text(
        f"log: {{file: null}}\nllm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
        f"web: {{listen: '127.0.0.1:{port}', public_url: 'http://127.0.0.1:{port}'}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 100ms, recover: 2, remind: 1s, group: off, flapping: false}}\n"
        f"monitors: [{monitors}]\n"
    )
    site.status = 502


def about(inbox: Any, name: str) -> list[EmailMessage]:
    """The mails about one service, in the order in which they came."""
    return [mail for mail in inbox.mails if f" {name}:" in str(mail["Subject"])]


def more(inbox: Any, name: str, count: int) -> None:
    """Until so many further mails about a service are there."""
    wanted = len(about(inbox, name)) + count
    inbox.wait_until(lambda: len(about(inbox, name)) >= wanted)


def asked(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "vigie.db", timeout=10)) as db:
        return db.execute(query).fetchall()


def test_a_link_of_a_mail_acknowledges_by_its_form_alone_and_reminders_stop(vigie: Any, tmp_path: Path, site: Any, inbox: Any) -> None:
    configure(tmp_path, site, inbox, free_port())
    process = vigie.start("serve")
    for name in ("Shop", "Blog"):
        inbox.wait_until(lambda name=name: bool(about(inbox, name)))
    mail = about(inbox, "Shop")[0]
    links = re.findall(r"http\S+/respond/\S+", text_of(mail))
    rich = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]  # a mail without it fails here
    assert [one for one in map(html.unescape, re.findall(r'href="([^"]+)"', rich)) if "/respond/" in one] == links
    assert [re.search(r"/respond/(\w+)/shop-1\?", one)[1] for one in links] == ["ack", "snooze", "resolve"]  # type: ignore[index]  # as above

    pages = [fetch(link) for link in links]  # what scanners of mail do
    assert [status for status, _ in pages] == [fetch(link, method="HEAD")[0] for link in links] == [200] * 3
    more(inbox, "Shop", 2)
    state = "SELECT acked_by, closed_by FROM incident WHERE id = 'shop-1'"
    assert asked(tmp_path, state) == [(None, None)], "reminders go on and nothing is recorded"

    assert '<form method="post">' in pages[0][1], "the form answers to the address of the page"
    assert re.findall(r'name="(\w+)"', pages[0][1].partition("<form")[2]) == ["by"]
    status, thanks = fetch(links[0], {"by": "Zoë"})
    decided = asked(tmp_path, "SELECT key FROM outbox WHERE alert = 'shop-1' ORDER BY id")
    assert (status, "The alert is acknowledged." in thanks) == (200, True)
    assert asked(tmp_path, state) == [("Zoë", None)]

    more(inbox, "Blog", 3)  # by then, three more would have come
    assert asked(tmp_path, "SELECT key FROM outbox WHERE alert = 'shop-1' ORDER BY id") == decided
    assert "has already been acknowledged" in fetch(links[0], {"by": "Yan"})[1]
    site.status = 200
    inbox.wait_until(lambda: "🟢" in about(inbox, "Shop")[-1]["Subject"])
    assert len({str(one["X-Vigie-Key"]) for one in about(inbox, "Shop")}) == len(decided) + 1, "and its end is notified"
    assert "over" in fetch(links[0])[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert all(re.search(r"sig=([^&\s]+)", link)[1] not in vigie.log for link in links)  # type: ignore[index]  # as above
    assert "Traceback" not in vigie.log
