"""Takes the pictures of docs/messages.md: `python -m tools.screenshots [FOLDER]`, by default docs/images.

Needs Chromium, a font and one with emoji: apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji. Mails are rendered as they are
sent; chats are drawn from their payloads (tools/previews.py).
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tools import png, previews
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


def take(folder: Path) -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("Chromium was not found: apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji")
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


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
