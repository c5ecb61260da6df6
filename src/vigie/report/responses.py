"""How people answer an alert from a message: links that acknowledge, snooze or resolve it, and what the buttons of a chat carry.

A link is for one action on one alert, was sent by one channel and expires; whoever has it may do that one thing. Opening it changes
nothing (web/respond.py), because scanners of mail open every link.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlencode

from vigie.core.model import Incident
from vigie.report.facts import Link
from vigie.report.wording import label

_SIGNED_BYTES = 16  # of 32: nobody guesses 128 bits, and the link stays short
_VALID_MS = 7 * 86_400_000


def button_secret(key: bytes, channel: str) -> str:
    """What a chat that signs nothing sends back with a press, so that it is known to come from there: 43 characters for a header."""
    return urlsafe_b64encode(hmac.digest(key, f"vigie buttons\0{channel}".encode("utf-8", "replace"), "sha256")).decode().rstrip("=")


class ResponseAction(StrEnum):
    """What somebody can do about an alert."""

    ACK = "ack"
    SNOOZE = "snooze"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link says: the action, the channel that carried it, until when it holds (epoch ms), and the signature of all that."""

    action: ResponseAction
    channel: str
    until: int
    signature: str


@dataclass(frozen=True, slots=True)
class ResponseLinks:
    """Where the links lead (an http(s) URL), and the key that signs them."""

    url: str
    key: bytes = field(repr=False)

    def links(self, first: Incident, channel: str, now: int, language: str) -> tuple[Link, ...]:
        """One link an action, for the alert that this incident began."""
        return tuple(
            Link(label(f"respond_{one}", language), self._url(first, one, channel, now + _VALID_MS), self.button(first, one, channel))
            for one in ResponseAction
        )

    def _url(self, first: Incident, action: ResponseAction, channel: str, until: int) -> str:
        query = urlencode({"to": channel, "until": until, "sig": self._signature("link", first, action, channel, str(until))})
        return f"{self.url.rstrip('/')}/respond/{action}/{quote(first.id, safe='')}?{query}"

    def accepts(self, first: Incident, invitation: Invitation) -> bool:
        """Whether a link is ours, expired or not, without telling by the time taken how much of its signature is right."""
        one = invitation
        right = self._signature("link", first, one.action, one.channel, str(one.until))
        return hmac.compare_digest(right.encode(), one.signature.encode("utf-8", "replace"))

    def button(self, first: Incident, action: ResponseAction, channel: str) -> str:
        """What a chat's button carries: at most 30 characters, since Telegram allows 64 bytes. The chat vouches for who presses it."""
        return f"{action}:{self._signature('button', first, action, channel)}"

    def presses(self, first: Incident, action: ResponseAction, channel: str, token: str) -> bool:
        """Whether a button carries this, without telling by the time taken how much of it is right."""
        return hmac.compare_digest(self.button(first, action, channel).encode(), token.encode("utf-8", "replace"))

    def _signature(self, kind: str, first: Incident, action: ResponseAction, *more: str) -> str:
        """22 characters that go into a URL: HMAC-SHA256 (RFC 2104), cut as its §5 allows.

        The start is signed too: a new store counts its incidents from one again, and no old link may act on a new alert.
        """
        text = "\0".join(("vigie respond", kind, action, first.id, str(first.started_at), *more))
        digest = hmac.new(self.key, text.encode("utf-8", "replace"), hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:_SIGNED_BYTES]).decode().rstrip("=")
