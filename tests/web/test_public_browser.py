"""Status pages in a real browser, without script, in both languages: publish, read, subscribe, confirm by the mail, leave."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page
from tests.web._axe import assert_accessible
from tests.web._browser import PATIENCE_MS, WIDER, assert_fits, launched, listen
from tests.web._served import served
from tests.web._status import HOUR, NOW, Rig, incident, page

from vigie.commands.status_pages import NewPost
from vigie.planning.maintenance import Maintenance
from vigie.planning.windows import Once
from vigie.report.publication import Impact, PostKind, Stage
from vigie.report.status_page import Accent, Component, Section

pytestmark = pytest.mark.needs("chromium")
WORDS = {
    "en": {"title": "Checkout fails", "publish": "Publish", "subscribe": "Subscribe", "confirm": "Confirm", "leave": "Unsubscribe",
           "asked": "Check your inbox", "confirmed": "You are subscribed", "left": "You are unsubscribed", "done": "Published."},
    "fr": {"title": "Le paiement ne fonctionne pas", "publish": "Publier", "subscribe": "S’abonner", "confirm": "Confirmer", "leave": "Se désabonner",
           "asked": "Vérifiez votre messagerie", "confirmed": "Vous êtes abonné", "left": "Vous êtes désabonné", "done": "Publié."},
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


def done(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """On a thread of its own: the browser's own loop runs on this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of a rig; what it complains about, or fetches elsewhere, is a fault."""
    strange: list[str] = []
    closing: list[Any] = []

    def go(address: str, path: str, *, width: int = 1280, scheme: Any = "light", script: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script)
        closing.append(context)
        context.set_default_timeout(PATIENCE_MS)
        found = context.new_page()
        found.on("request", lambda asked: strange.append(asked.url) if not asked.url.startswith((address, "data:")) else None)
        listen(found, strange)
        found.goto(address + path)
        return found

    yield go
    for one in closing:
        one.close()
    assert strange == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_publish_read_subscribe_confirm_and_leave(language: str, opened: Callable[..., Page]) -> None:
    words, rig = WORDS[language], Rig([page(language=language)])
    done(lambda: rig.watched(incident()))
    with served(rig.app) as address:
        desk = opened(address, f"/status-pages/public?lang={language}")
        desk.fill("#new input[name=title]", words["title"])
        desk.fill("#new textarea", "1. < 2 & 3")
        desk.check("#new input[value=checkout]")
        desk.click(f"#new button:has-text('{words['publish']}')")
        reader = opened(address, "/status/public", width=390)
        assert reader.inner_text("h1") == words["title"]
        assert "1. < 2 & 3" in reader.inner_text("main")
        reader.fill("#em", "ann@example.com")
        reader.click(f"form.subs button:has-text('{words['subscribe']}')")
        assert reader.inner_text("h1") == words["asked"]
        done(rig.send)
        assert [mail.to for _, mail, _ in rig.post.mails] == ["ann@example.com"]
        reader.goto(address + _path(rig.post.mails[0][1].text))
        reader.click(f"button:has-text('{words['confirm']}')")
        assert reader.inner_text("h1") == words["confirmed"]
        done(lambda: rig.desk.publish("public", _post(), "bob"))
        done(rig.send)
        reader.goto(address + _path(dict(rig.post.mails[-1][1].headers)["List-Unsubscribe"].strip("<>")))
        reader.click(f"button:has-text('{words['leave']}')")
        assert reader.inner_text("h1") == words["left"]
    assert done(lambda: rig.queries.subscribers("public")) == []


def _path(text: str) -> str:
    found = re.search(r"https://vigie\.example\.com(/status/public/\S+)", text)
    assert found is not None
    return found[1]


def _post(**more: Any) -> NewPost:
    made = NewPost(
        PostKind.INCIDENT, "Payments fail for everybody in this very long title", ("db-7",), Impact.DOWN, Stage.INVESTIGATING, "On it.", NOW
    )
    return replace(made, **more)


def _full() -> Rig:
    """Everything that a page can show."""
    names = ["Checkout", "متجر", "x" * 80, "a b " * 19, "Search", "Blog"]
    sections = (
        Section("", tuple(Component(f"m{number}", name, f"k{number}") for number, name in enumerate(names[:3]))),
        Section("Second group", tuple(Component(f"m{number}", name, f"k{number}") for number, name in enumerate(names[3:], 3))),
    )
    planned = [Maintenance("maintenance[0]", Once(NOW + HOUR, NOW + 2 * HOUR), ("m4",))]
    rig = Rig(
        [page(sections=sections, zone=ZoneInfo("Europe/Paris"), accent=Accent("#8a1c5b", "#f0a3cf"), support="mailto:a@b.fr")],
        planned=planned,
    )
    rig.monitors = [replace(rig.monitors[0], id=f"m{number}") for number in range(6)]

    async def fill() -> None:
        await rig.watched(*(incident(f"m{number}", NOW - 20 * HOUR, None if number else NOW - 9 * HOUR) for number in range(3)))
        await rig.desk.publish("public", _post(monitors=("m1",), next_update=NOW + HOUR), "ann")
        await rig.desk.publish(
            "public", _post(kind=PostKind.MAINTENANCE, stage=Stage.PLANNED, start=NOW + HOUR, until=NOW + 3 * HOUR), "ann"
        )
        await rig.desk.publish("public", _post(stage=Stage.RESOLVED, start=NOW - 30 * HOUR), "ann")
        await rig.readers.subscribe("public", "ann@example.com", "a")

    done(fill)
    return rig


@pytest.mark.parametrize(
    "path", ["/status/public", "/status/public/history", "/status/public/webhook", "/status-pages", "/status-pages/public"]
)
def test_pages_are_accessible_and_fit(path: str, opened: Callable[..., Page]) -> None:
    with served(_full().app) as address:
        for scheme, widths in (("light", (1280, 390)), ("dark", (390, 320, 1280))):
            found = opened(address, path, width=widths[0], scheme=scheme, script=True)
            for width in widths:
                assert_fits(found, width)
                assert found.evaluate(WIDER) == [], width
            assert_accessible(found)
