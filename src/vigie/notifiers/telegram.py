"""Telegram by a bot: HTML, answers to the opening, and the opening edited when an alert grows.

Source: core.telegram.org/bots/api (sendMessage, editMessageText, ReplyParameters, HTML style, ResponseParameters `retry_after`;
setWebhook: `secret_token`; CallbackQuery, answerCallbackQuery).
A text has at most 4,096 characters after its entities are parsed, which Telegram counts in UTF-16 code units.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryReason
from vigie.net import ADDRESS, SHOWN, Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.buttons import ask, named, pressable, read_json, same, unlinked
from vigie.notifiers.kit.http import WEB_ADDRESS, preload  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.markup import Markup, html_link, of_html, written
from vigie.notifiers.kit.provider import Call, No, Provider, calls, edits
from vigie.notifiers.kit.text import flat, units
from vigie.ports import Press
from vigie.report.facts import Message

ENVIRONMENT = {"token": "TELEGRAM_BOT_TOKEN", "chat": "TELEGRAM_CHAT"}
_TEXT, _LABEL, _ANSWER = 4_096, 64, 200
_MARKUP = Markup(of_html, headline="<b>{}</b>", quiet="<i>{}</i>", id="<b>{}</b>", link=html_link)
_WHOM = r"^(@[A-Za-z0-9_]{4,32}( |$))*$"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Telegram chat."""

    token: Annotated[Secret, msgspec.Meta(description="Token of the bot (TELEGRAM_BOT_TOKEN).", examples=["${TELEGRAM_BOT_TOKEN}"])]
    chat: Annotated[
        str,
        msgspec.Meta(
            extra=SHOWN, description="ID of the chat, or @name of a channel (TELEGRAM_CHAT).", min_length=2, examples=["-1001234567890"]
        ),
    ]
    topic: Annotated[Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None, msgspec.Meta(description="ID of a topic of that group.")] = (
        None
    )
    mention: Annotated[str, msgspec.Meta(extra=SHOWN, description="Whom alerts ping: @names, separated by spaces.", pattern=_WHOM)] = ""
    buttons: Annotated[
        bool,
        msgspec.Meta(
            description="Buttons under alerts that acknowledge, snooze and resolve. Needs a `web.public_url` that Telegram reaches over "
            "HTTPS; Vigie sets the bot's webhook to it, so that the bot can serve nothing else."
        ),
    ] = False
    api: Annotated[str, msgspec.Meta(description="A Bot API server of your own.", pattern=WEB_ADDRESS["pattern"], extra=ADDRESS)] = (
        "https://api.telegram.org"
    )


def call(config: Config, message: Message) -> Call:
    """The request; the reference is the message's ID."""
    pressed = config.buttons and pressable(message)
    shown = unlinked(message) if pressed else message
    text = written(shown, _MARKUP, _TEXT - units(config.mention) - 1, units)
    body: dict[str, Any] = {
        "chat_id": config.chat,
        "text": f"{config.mention}\n{text}" if config.mention and calls(message) else text,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    if pressed:
        row = [{"text": flat(link.label, _LABEL), "callback_data": link.token} for link in message.actions]
        body["reply_markup"] = {"inline_keyboard": [row]}
    if edits(message):
        return Call(_method(config, "editMessageText"), body | {"message_id": int(message.reference)})
    if config.topic is not None:
        body["message_thread_id"] = config.topic
    if message.reference:
        body["reply_parameters"] = {"message_id": int(message.reference), "allow_sending_without_reply": True}
    return Call(_method(config, "sendMessage"), body)


def _method(config: Config, name: str) -> str:
    return f"{config.api.rstrip('/')}/bot{config.token.reveal()}/{name}"


build = Provider(
    call,
    reference=lambda data: str(data["result"]["message_id"]),
    room=lambda config: f"{config.api} {config.chat}",
    code=lambda data: "" if data.get("ok", True) else str(data.get("description", "")).lower(),
    seconds=lambda data: data.get("parameters", {}).get("retry_after"),
    means={
        "chat not found": No(DeliveryReason.RECIPIENT, "check `chat`: the bot must be a member of it, a person must have started the bot"),
        "message thread not found": No(DeliveryReason.RECIPIENT, "the topic is gone: set `topic` anew"),
        "upgraded to a supergroup": No(DeliveryReason.RECIPIENT, "the group has a new ID: set `chat` to migrate_to_chat_id"),
        "forbidden": No(DeliveryReason.RECIPIENT, "the bot was removed or blocked: add it to the chat again"),
        "not enough rights": No(DeliveryReason.RECIPIENT, "let the bot post messages in the chat"),
        "unauthorized": No(DeliveryReason.AUTH, "the token is wrong or revoked: @BotFather shows the one that holds"),
        "not found": No(DeliveryReason.AUTH, "the token is not one of Telegram's: @BotFather shows it"),
    },
    same=("message is not modified",),
    probe=lambda config: Call(_method(config, "getChat"), {"chat_id": config.chat}),
).build


class TelegramButtons:
    """Implements ButtonSource: presses come to the bot's webhook, with a secret that Vigie gave it."""

    def __init__(self, config: Config, deps: NotifierDeps, secret: str) -> None:
        self._config, self._deps, self._secret = config, deps, secret

    def read(self, headers: Mapping[str, str], body: bytes, _now: int) -> Press | None:
        """The press in a request with our secret."""
        if not same(self._secret, headers.get("x-telegram-bot-api-secret-token", "")):
            return None
        try:
            query = read_json(body)["callback_query"]
            sender, message = query["from"], query.get("message") or {}
            reply = f"{query['id']}/{int(message.get('message_id', 0))}"
            return Press(str(query["data"]), named(sender.get("first_name"), sender.get("username")), reply)
        except (LookupError, TypeError, AttributeError, ValueError):
            return None

    async def confirm(self, press: Press, text: str) -> None:
        """Tell whoever pressed, and answer the message for the others."""
        query, _, message = press.reply.partition("/")
        await ask(
            self._deps,
            self._config,
            Call(_method(self._config, "answerCallbackQuery"), {"callback_query_id": query, "text": flat(text, _ANSWER)}),
        )
        body: dict[str, Any] = {"chat_id": self._config.chat, "text": flat(text, _ANSWER), "disable_notification": True}
        body["reply_parameters"] = {"message_id": int(message), "allow_sending_without_reply": True}
        await ask(self._deps, self._config, Call(_method(self._config, "sendMessage"), body))

    async def register(self, url: str) -> str:
        """Have the bot send presses, and nothing else, to this URL."""
        body = {"url": url, "secret_token": self._secret, "allowed_updates": ["callback_query"], "max_connections": 5}
        await ask(self._deps, self._config, Call(_method(self._config, "setWebhook"), body))
        return "the bot sends presses to this Vigie"


def buttons(config: Config, deps: NotifierDeps, secret: str) -> TelegramButtons | None:
    """Who reads presses, where the configuration asks for buttons."""
    return TelegramButtons(config, deps, secret) if config.buttons else None
