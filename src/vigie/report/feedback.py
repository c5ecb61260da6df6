"""Thumbs up or down by a link: which links a notice with an analysis ends with, and whether a link is one of ours."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import quote

from vigie.core.model import Incident
from vigie.report.facts import Link
from vigie.report.wording import label

_SIGNED_BYTES = 16  # of 32: nobody guesses 128 bits, and the link stays short


@dataclass(frozen=True, slots=True)
class Feedback:
    """Where the links lead (an http(s) URL), and the key that signs them; whoever has a link may say something of its incident."""

    url: str
    key: bytes = field(repr=False)

    def signature(self, incident: Incident) -> str:
        """22 characters that go into a URL: HMAC-SHA256 (RFC 2104), cut as its §5 allows.

        The start is signed too: a new store counts its incidents from one again, and no old link may speak of a new incident.
        """
        text = f"vigie feedback\0{incident.id}\0{incident.started_at}".encode()
        digest = hmac.new(self.key, text, hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:_SIGNED_BYTES]).decode().rstrip("=")

    def accepts(self, incident: Incident, signature: str) -> bool:
        """Whether that is the incident's signature, without telling by the time taken how much of it is right."""
        return hmac.compare_digest(self.signature(incident).encode(), signature.encode("utf-8", "replace"))

    def links(self, incident: Incident, language: str) -> tuple[Link, Link]:
        """Thumbs up, thumbs down."""
        base = f"{self.url.rstrip('/')}/feedback/{quote(incident.id, safe='')}/{self.signature(incident)}?helpful="
        return Link(label("helped", language), f"{base}yes"), Link(label("misled", language), f"{base}no")
