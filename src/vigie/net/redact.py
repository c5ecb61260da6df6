"""Nothing secret in what people read: URLs lose their userinfo and query values, texts their tokens."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from vigie.net.secret import MASK, NO_SECRETS, Secrets

_TOKENS = re.compile(r"(?i)\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9._~+/=-]{6,}")
_KEYS = re.compile(
    r"(?i)((?:password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|authorization)[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"
)
_COOKIES = re.compile(r"(?i)\b((?:set-)?cookie[\"']?\s*[=:]\s*)[^\r\n]+")
_PRIVATE_KEYS = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL)
_URLS = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[^\s\"'<>]+")
_WEB_TOKENS = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*")  # RFC 7519: a JSON object in base64 comes first
_MARKED = re.compile(r"\b(?:AKIA|ASIA|gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|[sr]k_live_|sk-)[A-Za-z0-9_-]{12,}")
_WEB = ("http", "https", "ws", "wss", "ftp")
_LONG = re.compile(r"[A-Za-z0-9_-]{32,}")


def redact_url(url: str) -> str:
    """The URL without userinfo and fragment, its query values masked; never raises."""
    try:
        parts = urlsplit(url)
        if "@" in url and parts.scheme in _WEB and (not parts.netloc or "\\" in url):
            return f"{parts.scheme}://{MASK}"  # browsers read more as a login than is written as one
        if "@" in f"{parts.path}{parts.query}{parts.fragment}" and not _has_proper_port(parts):
            return f"{parts.scheme}://{MASK}"  # a password with a slash, question mark or hash in it
        query = "&".join(_masked_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
        return urlunsplit(SplitResult(parts.scheme, _without_userinfo(parts.netloc), parts.path, query, ""))
    except ValueError:
        return MASK


def _has_proper_port(parts: SplitResult) -> bool:
    try:
        return parts.port != -1
    except ValueError:
        return False


def _without_userinfo(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _masked_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals else MASK


def redact(text: str, secrets: Secrets = NO_SECRETS) -> str:
    """The text without the given secrets, credentials, URL secrets and long random-looking strings."""
    text = secrets.mask(text)
    text = _PRIVATE_KEYS.sub(MASK, text)
    text = _URLS.sub(lambda match: redact_url(match[0]), text)
    text = _COOKIES.sub(lambda match: f"{match[1]}{MASK}", text)
    text = _TOKENS.sub(lambda match: f"{match[1]} {MASK}", text)
    text = _KEYS.sub(lambda match: f"{match[1]}{MASK}", text)
    text = _MARKED.sub(MASK, _WEB_TOKENS.sub(MASK, text))
    return _LONG.sub(lambda match: MASK if _looks_random(match[0]) else match[0], text)


def _looks_random(run: str) -> bool:
    return any(letter.isdigit() for letter in run) and any(letter.isalpha() for letter in run)


def host_of(url: str) -> str:
    """The host of a URL in lower case, without brackets; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
