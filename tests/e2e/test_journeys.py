"""The main journeys in a real browser against `vigie serve`, in both languages: from the first account to a reader's mail.

Set up, add a monitor, see it fail, read the report, acknowledge, silence, publish a status page, subscribe; a real target and a real mail server.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web._browser import PATIENCE_MS, launched, listen

from .conftest import text_of
from .test_feedback import PASSWORD, free_port

OWN_PASSWORD, READER = "des pommes et des poires", "reader@readers.test"
pytestmark = pytest.mark.needs("chromium")

WORDS = {
    "en": {
        "create": "Create the account", "well": "All 2 services are up", "address": "Address", "name": "Name", "every": "Check every",
        "tags": "Tags", "save": "Start watching", "down": "1 of 2 services is down", "seen": "HTTP 502", "happened": "What happened",
        "acknowledge": "Acknowledge", "acked": "Acknowledged by ann", "silence": "Silence", "start": "Start maintenance", "begun": "Maintenance has begun",
        "draft": "Use the draft", "publish": "Publish", "published": "Published", "message": "We are on it.", "subscribe": "Subscribe", "asked": "Check your inbox",
        "confirm": "Confirm", "subscribed": "You are subscribed", "update": "Post an update", "over": "It works again.",
    },
    "fr": {
        "create": "Créer le compte", "well": "Les 2 services répondent", "address": "Adresse", "name": "Nom", "every": "Contrôler toutes les",
        "tags": "Étiquettes", "save": "Surveiller", "down": "1 service sur 2 est en panne", "seen": "HTTP 502", "happened": "Ce qui s’est passé",
        "acknowledge": "Acquitter", "acked": "Acquittée par ann", "silence": "Mettre en maintenance", "start": "Commencer la maintenance", "begun": "La maintenance a commencé",
        "draft": "Reprendre la proposition", "publish": "Publier", "published": "Publié", "message": "Nous nous en occupons.", "subscribe": "S’abonner", "asked": "Vérifiez votre messagerie",
        "confirm": "Confirmer", "subscribed": "Vous êtes abonné", "update": "Publier la suite", "over": "Tout fonctionne de nouveau.",
    },
}  # fmt: skip
# A status page is made by the API, as a program of the same site.
_MAKE = """async (body) => (await fetch("/api/v1/status-pages",
  {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)})).status"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@dataclass
class Installation:
    """A Vigie where nobody has an account yet, what it watches, and where its mails go."""

    address: str
    vigie: Any
    site: Any
    inbox: Any

    def setup_link(self) -> str:
        self.vigie.says("/setup/")
        found = re.search(rf"{re.escape(self.address)}/setup/\S+", self.vigie.log)
        assert found is not None
        return found[0]

    def mails_to(self, who: str, wanted: Callable[[str], bool]) -> EmailMessage:
        """The first mail to somebody whose text is the one that is waited for, once it is there."""

        def found() -> list[EmailMessage]:
            return [one for one in self.inbox.mails if who in str(one["To"]) and wanted(text_of(one))]

        self.inbox.wait_until(lambda: bool(found()))
        return found()[0]


@pytest.fixture
def start(tmp_path: Path, vigie: Any, site: Any, inbox: Any) -> Callable[[str], Installation]:
    """Begin in a language. Proxies are trusted, so that the page is closed to whoever has no account."""

    def started(language: str) -> Installation:
        address = f"127.0.0.1:{free_port()}"
        mail = (
            "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
            f"port: {inbox.port}, password: {PASSWORD}, ca_file: {tmp_path / 'ca.pem'}}}"
        )
        (tmp_path / "vigie.yaml").write_text(
            f"language: {language}\nlog: {{file: null}}\nllm: {{provider: none}}\ncontrol: []\nnotify: {{mail: {mail}}}\n"
            f"web: {{listen: '{address}', public_url: 'http://{address}', trusted_proxies: [127.0.0.2]}}\n"
            "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}}\n"
            "monitors: [{name: Backup, type: exec, command: ['true'], every: 1h}]\n"
        )
        vigie.start("serve")
        return Installation(f"http://{address}", vigie, site, inbox)

    return started


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Pages of somebody with cookies of their own. What a page complains about is a fault."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def go() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        page: Page = contexts[-1].new_page()
        listen(page, complaints)
        return page

    yield go
    for one in contexts:
        one.close()
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_from_the_first_account_to_a_readers_mail(language: str, start: Callable[[str], Installation], opened: Callable[[], Page]) -> None:
    words, here = WORDS[language], start(language)
    page = opened()
    _set_up(page, here, words)
    _add_a_monitor(page, here, words)
    alert = _see_it_fail(page, here, words)
    _read_and_acknowledge(page, words)
    _silence(page, here, words)
    _publish(page, here, words, language)
    reader = opened()
    _subscribe(reader, here, words)
    _end_it(page, here, words)
    page.goto(f"{here.address}{alert}")
    expect(page.locator("main")).to_contain_text(words["acked"])
    assert "Traceback" not in here.vigie.log


def _set_up(page: Page, here: Installation, words: dict[str, str]) -> None:
    link = here.setup_link()
    page.goto(f"{here.address}/")
    assert "/login" in page.url, "closed until somebody has an account"
    page.goto(link)
    page.locator("input[name=name]").fill("ann")
    page.locator("input[name=password]").fill(OWN_PASSWORD)
    page.locator("input[name=again]").fill(OWN_PASSWORD)
    page.get_by_role("button", name=words["create"]).click()
    page.wait_for_url(f"{here.address}/")


def _add_a_monitor(page: Page, here: Installation, words: dict[str, str]) -> None:
    page.goto(f"{here.address}/monitors/new")
    for label, value in (
        ("address", f"http://127.0.0.1:{here.site.port}/shop"),
        ("name", "Shop"),
        ("every", "1s"),
        ("tags", "public"),
    ):
        page.get_by_role("textbox", name=words[label], exact=False).first.fill(value)
    page.get_by_role("button", name=words["save"], exact=True).click()
    page.wait_for_url("**/monitors/shop?done=*")
    here.site.wait(2, "/shop")
    page.goto(f"{here.address}/")
    expect(page.locator("h1")).to_contain_text(words["well"])


def _see_it_fail(page: Page, here: Installation, words: dict[str, str]) -> str:
    """It is seen where it is looked at, without a reload, and by mail. Give the way to the alert."""
    here.site.status = 502
    expect(page.locator("h1")).to_contain_text(words["down"])
    here.mails_to("team@site.test", lambda text: "502" in text)
    page.locator("a[href^='/alerts/shop-1']").first.click()
    page.wait_for_url("**/alerts/shop-1*")
    return "/alerts/shop-1"


def _read_and_acknowledge(page: Page, words: dict[str, str]) -> None:
    expect(page.get_by_role("heading", name=words["happened"])).to_be_visible()
    expect(page.locator(".report")).to_contain_text(words["seen"])
    page.get_by_role("button", name=words["acknowledge"]).first.click()
    page.wait_for_url("**?done=acknowledge")
    expect(page.locator("main")).to_contain_text(words["acked"])


def _silence(page: Page, here: Installation, words: dict[str, str]) -> None:
    page.goto(f"{here.address}/monitors/shop")
    page.get_by_role("link", name=words["silence"]).click()
    page.wait_for_url("**/maintenance?monitor=shop")
    page.get_by_role("button", name=words["start"]).click()
    page.wait_for_url("**/maintenance?done=started")
    expect(page.locator("main")).to_contain_text(words["begun"])


def _publish(page: Page, here: Installation, words: dict[str, str], language: str) -> None:
    """A page with the service, and what a person says of it, out of the draft that is offered."""
    body = {"id": "public", "title": "Lumen", "tags": ["public"], "language": language, "mail": "mail"}
    assert page.evaluate(_MAKE, body) == 201
    page.goto(f"{here.address}/status-pages/public")
    page.get_by_role("link", name=words["draft"]).click()
    page.locator("#new textarea").fill(words["message"])
    page.locator("#new").get_by_role("button", name=words["publish"], exact=True).click()
    page.wait_for_url("**?done=published*")


def _subscribe(reader: Page, here: Installation, words: dict[str, str]) -> None:
    reader.goto(f"{here.address}/status/public")
    expect(reader.locator("main")).to_contain_text(words["message"])
    expect(reader.locator("main")).to_contain_text("Shop")
    assert "127.0.0.1" not in reader.locator("main").inner_text(), "what is watched is not public"
    reader.locator("form.subs input[name=email]").fill(READER)
    reader.locator("form.subs").get_by_role("button", name=words["subscribe"]).click()
    expect(reader.locator("h1")).to_have_text(words["asked"])
    mail = here.mails_to(READER, lambda text: "/confirm/" in text)
    link = re.search(rf"{re.escape(here.address)}/status/public/confirm/\S+", text_of(mail))
    assert link is not None
    reader.goto(link[0])
    reader.get_by_role("button", name=words["confirm"]).click()
    expect(reader.locator("h1")).to_have_text(words["subscribed"])


def _end_it(page: Page, here: Installation, words: dict[str, str]) -> None:
    """The service answers again, and readers are told by a person."""
    here.site.status = 200
    page.goto(f"{here.address}/status-pages/public")
    post = page.locator("article.post details[open]").first
    post.locator("select[name=stage]").select_option("resolved")
    post.locator("textarea").fill(words["over"])
    post.get_by_role("button", name=words["update"]).click()
    page.wait_for_url("**?done=updated*")
    here.mails_to(READER, lambda text: words["over"] in text)
