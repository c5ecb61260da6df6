"""Slack by an incoming webhook: header, short lines, the facts, the labelled analysis. Webhooks cannot thread; the key stands last."""

from typing import Annotated, Any

import msgspec

from vigie.core.report.facts import Message
from vigie.notifiers import NotifierDeps, post

ENVIRONMENT = {"url": "SLACK_WEBHOOK"}
REQUIRED = ("url",)
_HEADER, _TEXT = 150, 2_900  # Slack's own bounds are 150 and 3,000
_ROWS = 8


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Slack channel."""

    url: Annotated[str, msgspec.Meta(description="Incoming webhook.", examples=["${SLACK_WEBHOOK}"], pattern="^https?://[^/]")]


def build(config: Config, deps: NotifierDeps) -> "Slack":
    """The channel."""
    return Slack(config, deps)


class Slack:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> str:
        """POST its blocks."""
        return await post(self._deps, self._config.url, msgspec.json.encode(payload(message)), {})

    async def examine(self) -> str:
        """Nothing can be tried without sending."""
        return "Slack is configured (`vigie notify test` sends to it)"


def escaped(text: str) -> str:
    """Slack's three special characters (its own rule for text that is not markup), and no line breaks."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(message: Message) -> dict[str, Any]:
    """The JSON of a message."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": message.headline[:_HEADER]}}]
    blocks += _section("\n".join(escaped(line) for line in message.lines))
    if message.analysis is not None:
        said = " ".join(escaped(sentence) for sentence in message.analysis.sentences)
        blocks += _section(f"_{escaped(message.analysis_label)}_\n{said}")
    if message.rows:
        blocks += _section("\n".join(f"`{escaped(row.id)}` {escaped(row.value)}" for row in message.rows[:_ROWS]))
    if message.links:
        blocks += _section(" · ".join(f"<{link.url}|{escaped(link.label)}>" for link in message.links))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(message.footer or message.key)}]})
    return {"text": escaped(message.headline), "blocks": blocks}


def _section(text: str) -> list[dict[str, Any]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text[:_TEXT]}}] if text else []
