"""Any receiver of JSON: the whole message, signed by HMAC-SHA256 when a secret is set.

The body is the object of `kit/document.py`; its `key` is also the header `Idempotency-Key`.

With a secret, `X-Vigie-Signature: sha256=<hex>` signs `<X-Vigie-Timestamp>.<body>`; the timestamp is in epoch seconds, and a receiver
does well to refuse one that is more than five minutes old.
"""

import hashlib
import hmac
import re
from typing import Annotated

import msgspec

from vigie.errors import FieldError
from vigie.net import Secret, Secrets, held_by, host_of, texts
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.document import document, plain_key
from vigie.notifiers.kit.http import WEB_ADDRESS, check_url, post, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.text import clean
from vigie.ports import Receipt
from vigie.report.facts import Message

ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("url",)
_OURS = {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding", "x-vigie-signature", "x-vigie-timestamp"}
_NAME, _VALUE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"), re.compile(r"[ -~\t]*")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook."""

    url: Annotated[
        Secret, msgspec.Meta(description="Where to POST.", examples=["https://hooks.example.com/vigie"], extra_json_schema=WEB_ADDRESS)
    ]
    secret: Annotated[Secret | None, msgspec.Meta(description="Signing key; write `${NAME}` and keep it in `.env`.")] = None
    headers: Annotated[
        dict[str, Secret], msgspec.Meta(description="Additional request headers.", examples=[{"Authorization": "Bearer ${TOKEN}"}])
    ] = {}

    def __post_init__(self) -> None:
        """Raise ValueError that names the header that cannot be sent, or for what is not a web address."""
        check_url(self.url)
        for name, value in texts(self.headers).items():
            if name.lower() in _OURS:
                raise FieldError(("headers", name), f"the header {name} is Vigie's own; leave it out")
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise FieldError(("headers", name), f"the header {name!r} must be plain ASCII on one line")

    def __repr__(self) -> str:
        return f"webhook of {host_of(self.url.reveal())}"


def build(config: Config, deps: NotifierDeps) -> "Webhook":
    """The channel."""
    return Webhook(config, deps)


class Webhook:
    """Implements Notifier."""

    def __init__(self, config: Config, deps: NotifierDeps) -> None:
        self._config, self._deps = config, deps

    async def deliver(self, message: Message) -> Receipt:
        """POST it, signed."""
        config, body = self._config, msgspec.json.encode(document(clean(message)))
        stamp = str(self._deps.clock.now() // 1000)
        headers = {**texts(config.headers), "Idempotency-Key": plain_key(message.key), "X-Vigie-Timestamp": stamp}
        if config.secret:
            headers["X-Vigie-Signature"] = "sha256=" + signature(config.secret.reveal(), stamp, body)
        return Receipt(await post(self._deps, config.url.reveal(), body, headers, Secrets(held_by(config))))

    async def examine(self) -> str:
        """Reach the host; nothing more can be tried without sending."""
        return await reach(self._deps, self._config.url.reveal())


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
