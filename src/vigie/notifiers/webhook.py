"""Any receiver of JSON: the whole message, signed by HMAC-SHA256 when a secret is set.

The body is the object of `kit/document.py`, or what a template (`body`) makes of the variables of docs/templates.md; the notice's key is
also the header `Idempotency-Key`. A template that fails sends nothing: whoever asked for a form of its own could not read another one.

With a secret, `X-Vigie-Signature: sha256=<hex>` signs `<X-Vigie-Timestamp>.<body>`; the timestamp is in epoch seconds, and a receiver
does well to refuse one that is more than five minutes old.
"""

import asyncio
import hashlib
import hmac
import re
from typing import Annotated, Literal

import msgspec

from vigie.errors import DeliveryError, DeliveryReason, FieldError, VigieError
from vigie.net import Secret, Secrets, held_by, host_of, texts
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.document import document, plain_key
from vigie.notifiers.kit.http import PERSON_RETRY_MS, WEB_ADDRESS, check_url, exchange, preload, reach  # noqa: F401 - `preload` is found here
from vigie.notifiers.kit.sending import taken
from vigie.notifiers.kit.text import clean, flat
from vigie.ports import Receipt
from vigie.report.facts import Message
from vigie.report.variables import VARIABLES, variables

ENVIRONMENT: dict[str, str] = {}
REQUIRED = ("url",)
_OURS = {"content-length", "content-type", "host", "idempotency-key", "transfer-encoding", "x-vigie-signature", "x-vigie-timestamp"}
_BODY, _WORDS = "<body>", 200  # no header is called so
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
    method: Annotated[Literal["POST", "PUT", "PATCH"], msgspec.Meta(description="Method of the request.")] = "POST"
    body: Annotated[
        str | None,
        msgspec.Meta(
            description="Template of the body (Jinja), in place of the whole message as JSON; `| tojson` writes a text as JSON.",
            examples=['{"text": {{ headline | tojson }}}'],
        ),
    ] = None
    content_type: Annotated[str, msgspec.Meta(description="Content-Type of the request.")] = "application/json"
    header_templates: Annotated[
        dict[str, str], msgspec.Meta(description="Headers by templates.", examples=[{"X-Severity": "{{ severity }}"}])
    ] = {}

    def __post_init__(self) -> None:
        """Raise ValueError that names the header that cannot be sent, or for what is not a web address."""
        check_url(self.url)
        for key, headers in (("headers", texts(self.headers)), ("header_templates", self.header_templates)):
            for name, value in headers.items():
                if name.lower() in _OURS:
                    raise FieldError((key, name), f"the header {name} is Vigie's own; leave it out")
                if not _NAME.fullmatch(name) or (key == "headers" and not _VALUE.fullmatch(value)):
                    raise FieldError((key, name), f"the header {name!r} must be plain ASCII on one line")
        if not _VALUE.fullmatch(self.content_type):
            raise FieldError(("content_type",), "`content_type` must be plain ASCII on one line")
        self._check_templates()

    def _check_templates(self) -> None:
        from vigie.templating import faults

        if self.body is not None and (found := faults(self.body, VARIABLES)):
            raise FieldError(("body",), found[0])
        for name, text in self.header_templates.items():
            if found := faults(text, VARIABLES):
                raise FieldError(("header_templates", name), found[0])

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
        """Send it, signed."""
        config, message = self._config, clean(message)
        body, written = await self._laid_out(message)
        stamp = str(self._deps.clock.now() // 1000)
        headers = {"Content-Type": config.content_type, **texts(config.headers), **written}
        headers |= {"Idempotency-Key": plain_key(message.key), "X-Vigie-Timestamp": stamp}
        if config.secret:
            headers["X-Vigie-Signature"] = "sha256=" + signature(config.secret.reveal(), stamp, body)
        answer = await exchange(self._deps, config.method, config.url.reveal(), body, headers, Secrets(held_by(config)))
        return Receipt(taken(self._deps, answer).words)

    async def _laid_out(self, message: Message) -> tuple[bytes, dict[str, str]]:
        """The body, and the headers that are written by templates."""
        config, wanted = self._config, dict(self._config.header_templates)
        if config.body is not None:
            wanted[_BODY] = config.body
        if not wanted:
            return msgspec.json.encode(document(message)), {}
        try:
            found = await asyncio.to_thread(self._deps.render, wanted, variables(message, self._deps.channel, self._deps.zone))
        except VigieError as error:
            words = f"a template of the channel failed: {flat(error.message, _WORDS)}"
            raise DeliveryError(
                DeliveryReason.CONFIG, words, fix=error.fix or "mend the template", retry_after_ms=PERSON_RETRY_MS
            ) from None
        body = found.pop(_BODY, None)
        headers = {name: plain_key(flat(text)) for name, text in found.items()}
        return msgspec.json.encode(document(message)) if body is None else body.encode("utf-8", "replace"), headers

    async def examine(self) -> str:
        """Reach the host; nothing more can be tried without sending."""
        return await reach(self._deps, self._config.url.reveal())


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
