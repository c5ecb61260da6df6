"""Google Chat by the webhook of a space: a card, and one thread for an alert.

Sources: developers.google.com/workspace/chat (quickstart/webhooks; spaces.messages.create: `messageReplyOption`, `thread.threadKey`,
`requestId`, 32,000 bytes in all; format-messages: the HTML of card texts, `<users/all>`; limits: one message a second and space).
A webhook cannot edit.
"""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import SHOWN, Secret
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, html_link, of_html, written
from vigie.notifiers.kit.provider import Call, Json, No, Provider, calls
from vigie.notifiers.kit.text import token
from vigie.report.facts import Message

ENVIRONMENT = {"url": "GOOGLE_CHAT_WEBHOOK"}
_TEXT = 4_096
_MARKUP = Markup(of_html, quiet="<i>{}</i>", id="<b>{}</b>", link=html_link)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Google Chat space."""

    url: Annotated[
        Secret,
        msgspec.Meta(description="Webhook (GOOGLE_CHAT_WEBHOOK).", examples=["${GOOGLE_CHAT_WEBHOOK}"], extra_json_schema=WEB_ADDRESS),
    ]
    mention: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN, description="Whom alerts ping: `all`, IDs of users, separated by spaces.", pattern=r"^((all|\d+)( |$))*$"
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what is not a web address."""
        check_url(self.url)


def call(config: Config, message: Message) -> Call:
    """The request: the thread and the message have names that come of the alert, so that a copy is recognised and nothing is kept."""
    url = config.url.reveal()
    asked = f"messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD&requestId={quote(token(f'{message.since}:{message.key}', 60))}"
    return Call(f"{url}{'&' if '?' in url else '?'}{asked}", payload(config, message))


def payload(config: Config, message: Message) -> dict[str, Any]:
    """The JSON of a clean message."""
    text = written(message, _MARKUP, _TEXT).replace("\n", "<br>")
    card = {"header": {"title": message.headline}, "sections": [{"widgets": [{"textParagraph": {"text": text}}]}]}
    body: dict[str, Any] = {
        "fallbackText": message.headline,
        "cardsV2": [{"cardId": "alert", "card": card}],
        "thread": {"threadKey": token(f"{message.since}:{message.thread}", 100)},
    }
    if config.mention and calls(message):
        body["text"] = " ".join(f"<users/{one}>" for one in config.mention.split())
    return body


def _status(data: Json) -> str:
    error = data.get("error")
    return f"{error.get('status', '')} {error.get('message', '')}" if isinstance(error, dict) else ""


build = Provider(
    call,
    reference=lambda data: str(data["name"]),
    room=lambda config: config.url.reveal(),
    code=_status,
    means={
        "RESOURCE_EXHAUSTED": No(DeliveryReason.RATE_LIMIT),
        "UNAVAILABLE": No(DeliveryReason.SERVER),
        "INTERNAL": No(DeliveryReason.SERVER),
        "UNAUTHENTICATED": No(DeliveryReason.AUTH, "the key or token in `url` is wrong: copy the webhook's URL again"),
        "API key not valid": No(DeliveryReason.AUTH, "the key in `url` is wrong: copy the webhook's URL again"),
        "PERMISSION_DENIED": No(DeliveryReason.RECIPIENT, "the webhook is gone, or webhooks are turned off for the domain"),
        "NOT_FOUND": No(DeliveryReason.RECIPIENT, "the space is gone: make a webhook in another one"),
    },
).build
