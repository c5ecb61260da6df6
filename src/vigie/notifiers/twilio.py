"""Text messages (SMS) by Twilio: the first line and where, short enough for two parts, to every number.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource: a form with `To`, `Body` (1,600 characters at most)
and `From` or `MessagingServiceSid`; 201 with the message's `sid`. Errors are JSON with a `code`
(https://www.twilio.com/docs/api/errors): 20003 is the login, 20429 the rate limit, 21211, 21217, 21408, 21610, 21612 and 21614 are
numbers that cannot be reached or do not want to be. There is no key that keeps a message from being sent twice: who has it is remembered.

An SMS has 160 characters of the GSM 03.38 alphabet, 70 where it holds another one; of several parts each has seven or three fewer.
Typographic characters are written plainly, so that a dash does not double the price.
"""

import logging
from typing import Annotated, Any

import msgspec

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import WEB_ADDRESS, Answer, check_url, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.receivers import Receivers
from vigie.notifiers.kit.sending import ask, json_of, taken
from vigie.notifiers.kit.text import clean, cut, units
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT = {"account": "TWILIO_ACCOUNT_SID", "token": "TWILIO_AUTH_TOKEN"}
REQUIRED = ("account", "token", "to")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = frozenset("^{}\\[~]|€")  # of the extension table: two characters each
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘", "'"),
        **dict.fromkeys("“”«»", '"'),
        **dict.fromkeys("–—·⚪", "-"),
        **dict.fromkeys("\u00a0\u202f", " "),
        **dict.fromkeys("🔴🟠🟡", "!"),
        **dict.fromkeys("🟢✅", "OK"),
        "…": "...",
        "→": ">",
        "×": "x",
        "œ": "oe",
        "Œ": "OE",
    }
)
_SID = 34
_TWO_PARTS = 2 * 150 * 7  # of 140 octets each, without what ties them together
_NUMBERS = {"21211", "21217", "21408", "21610", "21612", "21614"}
log = logging.getLogger("vigie.outbox")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that get a text message."""

    account: Annotated[
        str,
        msgspec.Meta(description="SID of the account (TWILIO_ACCOUNT_SID).", examples=["${TWILIO_ACCOUNT_SID}"]),
    ]
    token: Annotated[
        Secret, msgspec.Meta(description="Its auth token, or the secret of `key` (TWILIO_AUTH_TOKEN).", examples=["${TWILIO_AUTH_TOKEN}"])
    ]
    to: Annotated[list[str], msgspec.Meta(description="Numbers with their country code.", examples=[["+33612345678"]], min_length=1)]
    sender: Annotated[
        str | None, msgspec.Meta(description="A number of the account, or a name where the country allows it.", examples=["+15005550006"])
    ] = None
    service: Annotated[
        str | None, msgspec.Meta(description="SID of a messaging service that picks the sender.", examples=["${TWILIO_SERVICE_SID}"])
    ] = None
    key: Annotated[
        str | None, msgspec.Meta(description="SID of an API key, whose secret is `token` then.", examples=["${TWILIO_KEY_SID}"])
    ] = None
    url: Annotated[str, msgspec.Meta(description="Address of the API.", extra_json_schema=WEB_ADDRESS)] = "https://api.twilio.com"

    def __post_init__(self) -> None:
        """Raise ValueError for what Twilio would refuse."""
        check_url(Secret(self.url))
        if not self.token:
            raise ValueError("`token` is empty")
        for name, prefix in (("account", "AC"), ("service", "MG"), ("key", "SK")):
            sid = getattr(self, name)
            if sid is not None and not (sid.startswith(prefix) and len(sid) == _SID and sid.isascii() and sid.isalnum()):
                raise ValueError(f"`{name}` is not the SID of one: {prefix} and 32 digits")
        if (self.sender is None) is (self.service is None):
            raise ValueError("write either `sender` or `service`")
        for number in self.to:
            if not (number.startswith("+") and number[1:].isdigit() and number.isascii() and 7 <= len(number) <= 16):
                raise ValueError(f"{number!r} is not a number with its country code, such as +33612345678")

    def __repr__(self) -> str:
        return f"Twilio to {len(self.to)} numbers"


def build(config: Config, deps: NotifierDeps) -> "Twilio":
    """The channel."""
    return Twilio(config, deps)


class Twilio:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps
        self._receivers = Receivers(config.to)

    async def deliver(self, message: Message) -> Receipt:
        """To every number that does not have it yet."""
        text = sms(clean(message))
        return Receipt(await self._receivers.deliver(message.key, lambda number: self._send(number, text)))

    async def examine(self) -> str:
        """Reach the host; what the login is worth shows only when something is sent."""
        return await reach(self._deps, self._config.url)

    async def _send(self, number: str, text: str) -> str:
        config = self._config
        origin = {"From": config.sender} if config.sender is not None else {"MessagingServiceSid": config.service}
        url = f"{config.url.rstrip('/')}/2010-04-01/Accounts/{config.account}/Messages.json"
        body: dict[str, Any] = {"To": number, "Body": text, **origin}
        answer = await ask(self._deps, config, url, body, _login(config), form=True)
        if (code := str(json_of(answer).get("code", ""))) in _NUMBERS and not answer.is_success:
            raise _unreachable(answer, code)
        return str(json_of(taken(self._deps, answer)).get("sid", ""))


def _login(config: Config) -> dict[str, str]:
    from base64 import b64encode

    pair = f"{config.key or config.account}:{config.token.reveal()}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _unreachable(answer: Answer, code: str) -> DeliveryError:
    fix = f"check the number (https://www.twilio.com/docs/api/errors/{code})"
    return DeliveryError(DeliveryReason.RECIPIENT, f"{answer.where} cannot reach the number ({answer.words})", fix=fix, permanent=True)


def sms(message: Message) -> str:
    """The text of a clean message: its first line, then as many of its lines as two parts have room for."""
    text = _plainly(cut(message.headline, _TWO_PARTS, _bits))
    for line in (*message.lines, *(link.url for link in message.links[:1])):
        if line and _bits(longer := f"{text}\n{_plainly(line)}") > _TWO_PARTS:
            break
        text = longer if line else text
    return text


def _plainly(text: str) -> str:
    return text.translate(_PLAIN)


def _bits(text: str) -> int:
    """How much a text fills: 7 bits a character of the GSM alphabet, or 16 a code unit if there is any other."""
    text = _plainly(text)
    if all(one in _GSM or one in _TWICE for one in text):
        return 7 * (len(text) + sum(one in _TWICE for one in text))
    return 16 * units(text)
