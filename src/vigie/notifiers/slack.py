"""Slack by an incoming webhook: header, short lines, the labelled analysis, the facts.

Webhooks cannot thread, so the incident's key stands last in every message.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, post, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.text import clean, flat, some
from vigie.ports import Receipt
from vigie.report.facts import Link, Message

ENVIRONMENT = {"url": "SLACK_WEBHOOK"}
REQUIRED = ("url",)
_HEADER, _SECTION = 150, 2_900  # Slack's own bounds are 150 and 3,000
_LINE = 500  # escaping makes a character at most five, so a line always fits a section
_LINES, _ROWS = 6, 8


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Slack channel."""

    url: Annotated[
        Secret,
        msgspec.Meta(description="Incoming webhook (SLACK_WEBHOOK).", examples=["${SLACK_WEBHOOK}"], extra_json_schema=WEB_ADDRESS),
    ]

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        check_url(self.url)

    def __repr__(self) -> str:
        return f"Slack by {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Slack":
    """The channel."""
    return Slack(config, deps)


class Slack:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """POST its blocks."""
        return Receipt(await post(self._deps, self._config.url.reveal(), msgspec.json.encode(payload(clean(message))), {}))

    async def examine(self) -> str:
        """Reach the host; what the URL is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url.reveal())


def escaped(text: str) -> str:
    """At most 500 characters, with Slack's three special ones replaced (its own rule for text that is not markup)."""
    return flat(text, _LINE).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(message: Message) -> dict[str, Any]:
    """The JSON of a clean message."""
    header = flat(message.headline, _HEADER)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": header, "emoji": True}}]
    lines, more = some(message.lines, _LINES)
    blocks += _section(map(escaped, (*lines, more)))
    if message.analysis is not None:
        blocks += _section([f"_{escaped(message.analysis_label)}_", *map(escaped, message.analysis.sentences)])
    rows, more = some(message.rows, _ROWS)
    blocks += _section([*(f"`{escaped(row.id)}` {escaped(row.value)}" for row in rows), more])
    blocks += _section([" · ".join(map(_link, message.links))])
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(message.footer)}]})
    return {"text": escaped(message.headline), "blocks": blocks}


def _link(link: Link) -> str:
    return f"<{link.url.replace('&', '&amp;')}|{escaped(link.label)}>"


def _section(lines: Iterable[str]) -> list[dict[str, Any]]:
    """One section of the lines that fit whole; none for nothing."""
    text = ""
    for line in filter(None, lines):
        if len(text) + len(line) >= _SECTION:
            break
        text += f"\n{line}" if text else line
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}] if text else []
