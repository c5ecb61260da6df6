"""Takes the pictures of the documentation: `python -m tools.screenshots [messages|pages]`, into docs/images.

Messages are those of docs/messages.md; pages are those of a real `vigie serve` over made history (tools/showcase.py).

Needs Chromium, a font and one with emoji: apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji. Mails are rendered as they are
sent; chats are drawn from their payloads (tools/previews.py).
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import httpx
from tools import png, previews, showcase
from tools.source import ROOT

from vigie.core.notification import NoticeReason
from vigie.net import Secret
from vigie.notifiers import discord, slack, teams
from vigie.notifiers.email.body import html
from vigie.notifiers.kit.text import clean
from vigie.report.facts import Link, Message
from vigie.testing.messages import sample, storm_message

IMAGES = ROOT / "docs" / "images"
DESK, PHONE = 1000, 390
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_ACTIONS = tuple(
    Link(label, f"https://vigie.example.com/respond/{number}") for number, label in enumerate(("Acknowledge", "Snooze 1 h", "Resolve"))
)
_EMBED = discord.Config(url=Secret("https://discord.com/api/webhooks/1/x"))


def messages() -> dict[str, Message]:
    """What is shown, by name: an outage with an analysis, a storm, how it grows, and its end."""
    outage = replace(sample(NoticeReason.OPENED, "en"), monitor="Shop API", links=())
    outage = replace(outage, headline=outage.headline.replace("Boutique É-Shop", "Shop API"))
    outage = replace(outage, lines=tuple(line.replace("Boutique É-Shop", "Shop API") for line in outage.lines))
    found = {
        "opening": replace(outage, actions=_ACTIONS),
        "storm": replace(storm_message(NoticeReason.OPENED, "en"), actions=_ACTIONS),
        "update": replace(storm_message(NoticeReason.UPDATED, "en", 512), actions=_ACTIONS[:2]),
        "recovery": storm_message(NoticeReason.RECOVERED, "en", 512),
    }
    return {name: clean(one) for name, one in found.items()}


def pages() -> Iterator[tuple[str, str, int, Scheme]]:
    """(name, HTML, width in px, scheme) of every picture."""
    shown = messages()
    for name in ("opening", "storm", "recovery"):
        for width, device in ((DESK, "desk"), (PHONE, "phone")):
            for scheme in SCHEMES:
                yield f"mail-{name}-{device}-{scheme}", html(shown[name]), width, scheme
    chats: dict[str, Any] = {"slack": slack.payload, "teams": teams.payload, "discord": lambda one: discord.payload(_EMBED, one)}
    for service, payload in chats.items():
        drawn = [previews.DRAW[service](payload(shown[name])) for name in ("storm", "update", "recovery")]
        yield service, previews.page(service, drawn), 720, "light"


def _program() -> str:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("Chromium was not found: apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji")
    return program


def take(folder: Path) -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    program = _program()
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"], env=dict(os.environ))
        for name, text, width, scheme in pages():
            page = browser.new_page(viewport={"width": width, "height": 400}, color_scheme=scheme)
            page.set_content(text)
            picture = page.screenshot(full_page=True)
            (folder / f"{name}.png").write_bytes(png.smaller(picture))
            page.close()
            print(folder / f"{name}.png")
        browser.close()


# What is taken of the pages: the name, the path, the width and the height in px, and the scheme.
SHOTS: tuple[tuple[str, str, int, int, Scheme], ...] = (
    ("page-overview-light", "/", 1280, 900, "light"),
    ("page-overview-dark", "/", 1280, 900, "dark"),
    ("page-alert-light", "/alerts/{alert}", 1280, 900, "light"),
    ("page-monitor-light", "/monitors/search-api", 1280, 900, "light"),
    ("page-status-light", "/status/lumen", 900, 900, "light"),
)
OPEN_SECONDS, LOOK_SECONDS = 120, 20  # until the alert is there, and until people have been notified of it


async def pages_taken() -> dict[str, bytes]:
    """The pictures of the pages, by name. What makes them small takes its time, in which the shop would not answer: that comes after."""
    from playwright.async_api import async_playwright

    taken: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as place:
        async with showcase.shop(Path(place), 18_080) as address, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=_program(), args=["--no-sandbox", "--disable-gpu"])
            alert = await _open_alert(address)
            await asyncio.sleep(LOOK_SECONDS)
            for name, path, width, height, scheme in SHOTS:
                size: Any = {"width": width, "height": height}
                context = await browser.new_context(viewport=size, color_scheme=scheme, timezone_id="Europe/Paris")
                page = await context.new_page()
                await page.goto(address + path.format(alert=alert), wait_until="load")
                await page.wait_for_timeout(1_500)
                taken[name] = await page.screenshot()
                await context.close()
            await browser.close()
    return taken


async def _open_alert(address: str) -> str:
    """The id of the alert about the outage, once it is open."""
    async with httpx.AsyncClient(base_url=address) as client:
        for _ in range(OPEN_SECONDS):
            with contextlib.suppress(httpx.HTTPError):
                found = (await client.get("/api/v1/incidents", params={"open": "true"})).json().get("items", [])
                several = [one["alert"] for one in found if one["cause"].startswith("tcp.")]
                if len(several) > 2:
                    return str(several[0])
            await asyncio.sleep(1)
    raise SystemExit("no alert was opened")


if __name__ == "__main__":
    if sys.argv[1:] == ["pages"]:
        for name, picture in asyncio.run(pages_taken()).items():
            (IMAGES / f"{name}.png").write_bytes(png.smaller(picture))
            print(IMAGES / f"{name}.png")
    else:
        take(IMAGES)
