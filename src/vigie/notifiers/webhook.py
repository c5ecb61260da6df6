"""Any receiver of JSON: the whole message, signed by HMAC-SHA256 when a secret is set, with a key that tells a copy from a new notice."""

import hashlib
import hmac
from dataclasses import asdict
from typing import Annotated

import msgspec

from vigie.core.report.facts import Message
from vigie.notifiers import NotifierDeps, post

ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("url",)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook."""

    url: Annotated[str, msgspec.Meta(description="Where to POST.", examples=["https://hooks.example.com/vigie"], pattern="^https?://[^/]")]
    secret: Annotated[str | None, msgspec.Meta(description="Key of the signature; write `${NAME}` and keep it in `.env`.")] = None
    headers: Annotated[dict[str, str], msgspec.Meta(description="More request headers.")] = {}


def build(config: Config, deps: NotifierDeps) -> "Webhook":
    """The channel."""
    return Webhook(config, deps)


class Webhook:
    """Implements Notifier. Body: the message's fields and `version: 1`; signature over `<timestamp>.<body>`."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> str:
        """POST it."""
        body = msgspec.json.encode({"version": 1, **asdict(message)})
        stamp = str(self._deps.clock.now() // 1000)
        headers = {**self._config.headers, "Idempotency-Key": message.key, "X-Vigie-Timestamp": stamp}
        if self._config.secret:
            headers["X-Vigie-Signature"] = "sha256=" + signature(self._config.secret, stamp, body)
        return await post(self._deps, self._config.url, body, headers)

    async def examine(self) -> str:
        """Nothing can be tried without sending."""
        return "webhook is configured (`vigie notify test` sends to it)"


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
