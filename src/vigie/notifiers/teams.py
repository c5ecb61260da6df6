"""Microsoft Teams by a Workflows webhook: an Adaptive Card 1.4.

All text is in RichTextBlocks: unlike TextBlocks and FactSets they know no Markdown, so that nothing needs to be escaped and nothing
can be marked up.
"""

from typing import Annotated, Any

import msgspec

from vigie.net import Secret, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, post, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.text import Tone, clean, flat, some, tone
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"url": "TEAMS_WEBHOOK"}
REQUIRED = ("url",)
_LINE, _LINES, _SENTENCES, _ROWS = 300, 6, 5, 8  # keeps the whole card below Teams' 28 KB even in four-byte characters
_COLOURS = {Tone.BAD: "Attention", Tone.WARNING: "Warning", Tone.GOOD: "Good", Tone.NEUTRAL: "Default"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Teams channel."""

    url: Annotated[
        Secret,
        msgspec.Meta(description="Workflows webhook (TEAMS_WEBHOOK).", examples=["${TEAMS_WEBHOOK}"], extra_json_schema=WEB_ADDRESS),
    ]

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        check_url(self.url)

    def __repr__(self) -> str:
        return f"Teams by {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Teams":
    """The channel."""
    return Teams(config, deps)


class Teams:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """POST its card."""
        return Receipt(await post(self._deps, self._config.url.reveal(), msgspec.json.encode(payload(clean(message))), {}))

    async def examine(self) -> str:
        """Reach the host; what the URL is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url.reveal())


def payload(message: Message) -> dict[str, Any]:
    """The JSON of a clean message."""
    body = [_block(_run(message.headline, size="Large", weight="Bolder", color=_COLOURS[tone(message)]))]
    lines, more = some(message.lines, _LINES)
    body += [_block(_run(line), spacing="Small") for line in (*lines, more) if line]
    if message.analysis is not None:
        sentences, more = some(message.analysis.sentences, _SENTENCES)
        body.append(_block(_run(message.analysis_label, isSubtle=True, italic=True), separator=True))
        body += [_block(_run(sentence), spacing="Small") for sentence in (*sentences, more) if sentence]
    rows, more = some(message.rows, _ROWS)
    for number, row in enumerate(rows):
        body.append(_block(_run(f"{row.id}  ", weight="Bolder"), _run(row.value), separator=number == 0, spacing="Small"))
    if more:
        body.append(_block(_run(more), spacing="Small"))
    body.append(_block(_run(message.footer, isSubtle=True, size="Small"), separator=True))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": flat(message.headline, _LINE),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in message.links],
    }
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]}


def _block(*runs: dict[str, Any], **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs), **style}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text if text.endswith("  ") else flat(text, _LINE), **style}
