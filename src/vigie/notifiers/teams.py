"""Microsoft Teams by a Workflows webhook: an Adaptive Card 1.4."""

from typing import Annotated, Any

import msgspec

from vigie.core.model import NoticeReason
from vigie.core.report.facts import Message
from vigie.notifiers import NotifierDeps, post

ENVIRONMENT = {"url": "TEAMS_WEBHOOK"}
REQUIRED = ("url",)
_ROWS = 8
_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\*_[]()#`~"})


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Teams channel."""

    url: Annotated[str, msgspec.Meta(description="Workflows webhook.", examples=["${TEAMS_WEBHOOK}"], pattern="^https?://[^/]")]


def build(config: Config, deps: NotifierDeps) -> "Teams":
    """The channel."""
    return Teams(config, deps)


class Teams:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> str:
        """POST its card."""
        return await post(self._deps, self._config.url, msgspec.json.encode(payload(message)), {})

    async def examine(self) -> str:
        """Nothing can be tried without sending."""
        return "Teams is configured (`vigie notify test` sends to it)"


def payload(message: Message) -> dict[str, Any]:
    """The JSON of a message."""
    good = message.reason in (NoticeReason.RECOVERED, NoticeReason.CLOSED, NoticeReason.TEST)
    body = [_text(message.headline, size="Large", weight="Bolder", color="Good" if good else "Attention")]
    body += [_text(line) for line in message.lines]
    if message.analysis is not None:
        body += [_text(message.analysis_label, isSubtle=True), _text(" ".join(message.analysis.sentences))]
    if message.rows:
        facts = [{"title": row.id, "value": row.value.translate(_MARKUP)} for row in message.rows[:_ROWS]]
        body.append({"type": "FactSet", "facts": facts})
    body.append(_text(message.footer or message.key, isSubtle=True, size="Small"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in message.links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **style: Any) -> dict[str, Any]:
    """Text blocks read a little Markdown: what a name holds of it is escaped."""
    return {"type": "TextBlock", "text": " ".join(text.split()).translate(_MARKUP), "wrap": True, **style}
