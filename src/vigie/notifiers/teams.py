"""Microsoft Teams by a Workflows webhook: an Adaptive Card 1.4. It can neither answer a message nor edit one.

Sources: learn.microsoft.com/microsoftteams/platform (webhooks-and-connectors/how-to/connectors-using: 28 KB, rate limits;
task-modules-and-cards/cards/cards-format: mentions by sign-in name), adaptivecards.io/explorer.

All text is in RichTextBlocks: unlike TextBlocks and FactSets they know no Markdown, so that nothing needs to be escaped and nothing
can be marked up.
"""

from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import SHOWN, Secret
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.provider import Call, No, Provider, calls
from vigie.notifiers.kit.text import Tone, cut, flat, octets, some, tone
from vigie.report.facts import Message

ENVIRONMENT = {"url": "TEAMS_WEBHOOK"}
_LINE, _BYTES = 300, 600  # of a text, and how many of each: together they keep the whole card below Teams' 28 KB in any script
_LINES, _SENTENCES, _ROWS = 12, 5, 8  # no message of Vigie's own has more lines
_COLOURS = {Tone.BAD: "Attention", Tone.WARNING: "Warning", Tone.GOOD: "Good", Tone.NEUTRAL: "Default"}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Teams channel."""

    url: Annotated[
        Secret,
        msgspec.Meta(description="Workflows webhook (TEAMS_WEBHOOK).", examples=["${TEAMS_WEBHOOK}"], extra_json_schema=WEB_ADDRESS),
    ]

    mention: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN,
            description="Whom alerts ping: sign-in names (ann@example.com), separated by spaces.",
            pattern=r"^([^\s<>@]+@[^\s<>@]+( |$))*$",
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        check_url(self.url)


def payload(message: Message, mention: str = "") -> dict[str, Any]:
    """The JSON of a clean message."""
    whom = mention.split() if calls(message) else []
    body = [_block(_run(message.headline, size="Large", weight="Bolder", color=_COLOURS[tone(message)]))]
    if whom:
        body.append({"type": "TextBlock", "text": " ".join(f"<at>{one}</at>" for one in whom), "wrap": True})
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
        "msteams": {"width": "Full"} | ({"entities": [*map(_entity, whom)]} if whom else {}),
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in message.links],
    }
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]}


def _block(*runs: dict[str, Any], **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs), **style}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text if text.endswith("  ") else cut(flat(text, _LINE), _BYTES, octets), **style}


def _entity(name: str) -> dict[str, Any]:
    return {"type": "mention", "text": f"<at>{name}</at>", "mentioned": {"id": name, "name": name}}


build = Provider(
    lambda config, message: Call(config.url.reveal(), payload(message, config.mention)),
    answers=False,
    code=lambda data: str(data["error"]["code"]),
    means={
        "WorkflowTriggerIsNotEnabled": No(DeliveryReason.RECIPIENT, "turn the workflow on in Power Automate"),
        "WorkflowNotFound": No(DeliveryReason.RECIPIENT, "the workflow is gone: make a new one and set `url`"),
        "DirectApiAuthorizationRequired": No(DeliveryReason.AUTH, "let anyone trigger the workflow, and copy its URL again"),
        "TooManyRequests": No(DeliveryReason.RATE_LIMIT),
    },
).build
