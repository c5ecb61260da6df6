"""From a mail to the record: `vigie serve` pages with an analysis, a scanner opens every link, a person follows one and answers."""

import contextlib
import html
import re
import signal
import socket
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .conftest import text_of

PASSWORD = "app-password-7"
WORDS = {
    "en": (
        "👍 The analysis was helpful: ",
        "👎 The analysis was misleading: ",
        "The check of {host} received HTTP 502 instead of 200-299.",
        "Thank you",
    ),
    "fr": ("👍 Analyse utile : ", "👎 Analyse trompeuse : ", "Le contrôle de {host} a reçu HTTP 502 au lieu de 200-299.", "Merci"),
}


def configure(folder: Path, site: Any, inbox: Any, model: Any, language: str, web: str) -> None:
    mail = (
        "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
        f"port: {inbox.port}, password: {PASSWORD}, ca_file: {folder / 'ca.pem'}}}"
    )
    (folder / "vigie.yaml").write_text(
        f"language: {language}\nlog: {{file: null}}\nweb: {{{web}}}\nnotify: {{mail: {mail}}}\n"
        f"llm: {{url: 'http://127.0.0.1:{model.port}', hold: 20s}}\n"
        "alerts: {default: {confirm: 2, confirm_every: 100ms, recover: 2}}\n"
        f'monitors: [{{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s}}]\n'
    )
    sentence = WORDS[language][2].format(host="127.0.0.1")
    model.sentences = [{"text": sentence, "facts": ["F1"]}]
    site.status = 502


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def fetch(url: str, data: dict[str, str] | None = None, method: str | None = None) -> tuple[int, str]:
    body = urllib.parse.urlencode(data).encode() if data is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def remarks(folder: Path) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "vigie.db")) as db:
        return db.execute("SELECT incident, helpful, cause, note FROM remark ORDER BY id").fetchall()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_link_of_a_mail_is_followed_to_the_record(language: str, vigie: Any, tmp_path: Path, site: Any, inbox: Any, model: Any) -> None:
    """It listens on every address of the machine, as behind a proxy of another."""
    port = free_port()
    configure(tmp_path, site, inbox, model, language, f"listen: '0.0.0.0:{port}', public_url: 'http://127.0.0.1:{port}/'")
    process = vigie.start("serve")
    (mail,) = inbox.wait(1)

    text = text_of(mail)
    up, down = (re.search(re.escape(label) + r"(\S+)", text) for label in WORDS[language][:2])
    assert up, text
    assert down, text
    rich = mail.get_body(("html",)).get_content()
    links = [html.unescape(one) for one in re.findall(r'href="([^"]+)"', rich) if "/feedback/" in one]
    assert links == [up[1], down[1]]
    assert links[0].startswith(f"http://127.0.0.1:{port}/feedback/shop-1/")

    for link in links:  # what scanners of mail do
        assert fetch(link)[0] == fetch(link, method="HEAD")[0] == 200
    assert remarks(tmp_path) == []

    status, page = fetch(links[1])
    assert 'value="no" required checked' in page
    assert '<form method="post">' in page, "the form answers to the address of the page"
    status, thanks = fetch(links[1], {"helpful": "no", "cause": "not_listening", "note": "é <b>"})
    assert (status, WORDS[language][3] in thanks) == (200, True)
    assert remarks(tmp_path) == [("shop-1", 0, "not_listening", "é <b>")]
    assert fetch(links[0].replace("/shop-1/", "/shop-2/"), {"helpful": "no"})[0] == 404

    told = vigie("incidents", "report", "shop-1").stdout
    assert {"fr": "Cause notée par un lecteur (lien)", "en": "Cause noted by a reader (link)"}[language] in told.replace("\\", "")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert links[0].split("/")[5].partition("?")[0] not in vigie.log
    assert "Traceback" not in vigie.log


def test_without_a_public_address_the_mail_names_the_command(vigie: Any, tmp_path: Path, site: Any, inbox: Any, model: Any) -> None:
    port = free_port()
    configure(tmp_path, site, inbox, model, "en", f"listen: '[::1]:{port}'" if socket.has_ipv6 else f"listen: '127.0.0.1:{port}'")
    vigie.start("serve")
    (mail,) = inbox.wait(1)

    assert "vigie incidents resolve shop-1 --helpful (or --misleading)" in " ".join(text_of(mail).split())
    assert "/feedback/" not in text_of(mail)
    assert not (tmp_path / "vigie.db.key").exists()
    host = "[::1]" if socket.has_ipv6 else "127.0.0.1"
    assert fetch(f"http://{host}:{port}/feedback/shop-1/x")[0] == 404


def test_a_key_that_cannot_be_made_costs_the_links_and_not_the_page(vigie: Any, tmp_path: Path, site: Any, inbox: Any, model: Any) -> None:
    port = free_port()
    configure(tmp_path, site, inbox, model, "en", f"listen: '127.0.0.1:{port}', public_url: 'http://127.0.0.1:{port}'")
    (tmp_path / "vigie.db.key").mkdir()
    assert vigie("once").returncode == 0

    (mail,) = inbox.wait(1)
    assert "--helpful" in text_of(mail)
    assert "/feedback/" not in text_of(mail)


def test_once_and_serve_sign_alike(vigie: Any, tmp_path: Path, site: Any, inbox: Any, model: Any) -> None:
    """A mail of `vigie once` is dead while nobody serves, and its links work from then on."""
    port = free_port()
    configure(tmp_path, site, inbox, model, "en", f"listen: '127.0.0.1:{port}', public_url: 'http://127.0.0.1:{port}'")
    assert vigie("once").returncode == 0
    (mail,) = inbox.wait(1)
    link = re.findall(r"http\S+helpful=yes", text_of(mail))[0]
    with pytest.raises(urllib.error.URLError):
        fetch(link)

    vigie.serve()
    assert fetch(link, {"helpful": "yes"})[0] == 200
    assert remarks(tmp_path) == [("shop-1", 1, "", "")]
