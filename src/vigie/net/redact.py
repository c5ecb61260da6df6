"""Nothing secret in what people read: URLs lose their userinfo and query values, texts their tokens."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit, urlunsplit

MASK = "***"
_SHORTEST_SECRET = 4
_TOKENS = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_KEYS = re.compile(r"(?i)\b(password|passwd|pwd|secret|token|api[_-]?key|authorization)(\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")
_URLS = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>]+")
# Begins where such a run does and nowhere inside it: a text of the target's must not cost its length squared.
_LONG = re.compile(r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*[A-Za-z])(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{32,}")


def redact_url(url: str) -> str:
    """The URL without userinfo and fragment, its query values masked; never raises."""
    try:
        parts = urlsplit(url)
        query = "&".join(_masked_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
        return urlunsplit(SplitResult(parts.scheme, _without_userinfo(parts.netloc), parts.path, query, ""))
    except ValueError:
        return MASK


def _without_userinfo(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _masked_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals else MASK


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets, credentials, URL secrets and long random-looking strings."""
    for secret in sorted({item for item in secrets if len(item) >= _SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _URLS.sub(lambda match: redact_url(match[0]), text)
    text = _TOKENS.sub(lambda match: f"{match[1]} {MASK}", text)
    text = _KEYS.sub(lambda match: f"{match[1]}{match[2]}{MASK}", text)
    return _LONG.sub(MASK, text)


def host_of(url: str) -> str:
    """The host of a URL in lower case, without brackets; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
