"""Scripts and frames that somebody else has put into a page, and miners of coins.

Each needs a structure that an owner has no reason for: a script that hides what it does, a frame that nobody sees to a place that
nobody knows.
"""

import binascii
import ipaddress
import re

from vigie.probes.kit.http.page.parse import Frame, Page, conceals, host_in, path_of, site_of
from vigie.probes.kit.http.page.signs import Family, Finding, Where

_MINERS = re.compile(
    r"coin-?hive|crypto-?loot|coin-?imp\b|coinimp|jsecoin|authedmine|webmine(?:r|pool|rpool)?\.|deepminer|monerominer|browsermine|cryptonight|minescripts|mineralt|hostingcloud\.racing|minero\.cc|coin-have|gridcash|xmr-?miner"
)
_MINES = re.compile(
    r"\b(?:CoinHive|CoinImp|CryptoLoot|CRLT|WMP|deepMiner|Client|perfekt|Minero|EverythingIsBinary|miner)\.(?:Anonymous|User|Token)\s*\("
    r"|\bminer\.start\s*\(|\bnew\s+\w*(?:Monero|Crypto|Xmr|Coin)\w*Miner\w*\s*\("
)
_THROTTLE = re.compile(r"throttle|site_?key|threads|wss?://", re.IGNORECASE)
_UNFOLDS = re.compile(
    r"(?:\beval|\bFunction|document\s*+\.\s*+write(?:ln)?|\.innerHTML\s*+=|\[\s*+['\"]eval['\"]\s*+\])\s*+\(?+\s*+(?:\(?+\s*+(?:window|self|this)\s*+\.\s*+)?+(?:unescape|atob|String\s*+\.\s*+fromCharCode|decodeURIComponent|decodeURI)\s*+\("
)
_DECODERS = ("unescape", "atob", "fromCharCode", "decodeURI")
_PAYLOAD = re.compile(r"(?:%u?[0-9A-Fa-f]{2,4}){12,}|[A-Za-z0-9+/]{32,}={0,2}|(?:\d{2,3}\s*,\s*){12,}|(?:\\x[0-9A-Fa-f]{2}){12,}")
_URL = 300
_HEX_NAMES = re.compile(r"_0x[0-9a-f]{4,6}\b")
_HEX_TEXT = re.compile(r"(?:\\x[0-9A-Fa-f]{2}){6,400}")
_PERCENT = re.compile(r"%u([0-9A-Fa-f]{4})|%([0-9A-Fa-f]{2})")
_MISCHIEF = re.compile(r"https?://|//[a-z0-9-]+\.[a-z]|location|<script|<iframe|createelement|\.php|eval\(|unescape|fromcharcode")
_SCRIPT_URL = re.compile(rb"<script[^>]{0,300}>", re.IGNORECASE)
_PLAIN_OUTSIDE = re.compile(rb"<script[^>]{0,200}src\s*=\s*[\"']?([^\"'\s>]{1,300})", re.IGNORECASE)
# Hidden frames that measure, pay or log in are everyday; their hosts and paths say so.
_KNOWN_FRAMES = re.compile(
    r"(?:^|\.)(?:doubleclick\.net|google(?:tagmanager|adservices|syndication)?\.\w+|gstatic\.com|recaptcha\.net|facebook\.(?:com|net)|stripe\.(?:com|network)|paypal(?:objects)?\.com|criteo\.(?:com|net)|bing\.com|yandex\.\w+|hotjar\.com|twitter\.com|x\.com|linkedin\.com|"
    r"adsrvr\.org|rlcdn\.com|demdex\.net|everesttech\.net|quantserve\.com|taboola\.com|outbrain\.com|amazon-adsystem\.com|hcaptcha\.com|cloudflare\.com|youtube(?:-nocookie)?\.com|vimeo\.com|matomo\.cloud|snapchat\.com|tiktok\.com|pinterest\.com|adform\.net|auth0\.com|okta\.com|microsoftonline\.com)$"
)
_PLAIN_PATHS = re.compile(
    r"pixel|sync|track|activity|conv|collect|auth|login|sso|session|silent|oidc|storage|bridge|xdomain|proxy|tag|beacon|ns\.html"
)
_GATES = re.compile(r"\.(?:php\d?|cgi|asp|pl|jsp)$|/(?:go|in|out|gate|tds|count)\d*/?$")


def script(page: Page) -> Finding | None:
    """An injected script or a miner."""
    for src in page.sources:
        host = host_in(src)
        if _MINERS.search(src[:_URL].lower()) is not None:
            return Finding("coin miner", Family.MINER, Where.SCRIPT)
        if host and _public_address(host) and not _public_address(page.host):
            return Finding("script from a bare address", Family.SCRIPT, Where.SCRIPT)
    for text in page.scripts:
        if ("nonymous" in text or "iner" in text) and _MINES.search(text) is not None and _THROTTLE.search(text) is not None:
            return Finding("coin miner", Family.MINER, Where.SCRIPT)
        if any(name in text for name in _DECODERS) and _unfolds(text):
            return Finding("script that unpacks itself", Family.SCRIPT, Where.SCRIPT)
        if "_0x" in text and _hides(text):
            return Finding("obfuscated script", Family.SCRIPT, Where.SCRIPT)
    return _outside(page)


def _public_address(host: str) -> bool:
    if not host[-1:].isdigit():
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _unfolds(text: str) -> bool:
    """Whether a script runs or writes what it has first to decode, and that is more than a mail address kept from harvesters."""
    match = _UNFOLDS.search(text)
    payload = None if match is None else _PAYLOAD.search(text, match.start(), match.start() + 20_000)
    return payload is not None and _MISCHIEF.search(_plain(payload[0]).lower()) is not None


def _plain(code: str) -> str:
    """What a payload spells: percent, hexadecimal or decimal codes, or base64."""
    if code.startswith("%"):
        return _PERCENT.sub(lambda found: chr(int(found[1] or found[2], 16)), code)
    if code.startswith("\\x"):
        return bytes.fromhex(code.replace("\\x", "")).decode("latin-1")
    if "," in code:
        return "".join(chr(int(number)) for number in code.replace(",", " ").split())
    return binascii.a2b_base64(code[: len(code) // 4 * 4]).decode("latin-1")


def _hides(text: str) -> bool:
    """Whether a script of machine-made names spells a URL or a redirect in codes."""
    if len(_HEX_NAMES.findall(text[:20_000])) < 5:
        return False
    spelt = " ".join(_plain(part) for part in _HEX_TEXT.findall(text[:20_000]))
    return _MISCHIEF.search(spelt.lower()) is not None


def _outside(page: Page) -> Finding | None:
    """A script before the document begins or after it has ended, where templates write nothing, that is more than a counter."""
    raw = page.raw
    end = raw.rfind(b"</html>")
    if end < 0:
        end = raw.rfind(b"</HTML>")
    after = raw[end:] if end > 0 else b""
    before = raw[:4_000] if raw[:200].lstrip()[:7].lower() == b"<script" else b""
    for part in (after, before):
        if len(part) > 8 and _SCRIPT_URL.search(part) is not None and _foul(part, page):
            return Finding("script outside the document", Family.SCRIPT, Where.SCRIPT)
    return None


def _foul(part: bytes, page: Page) -> bool:
    text = part.decode("latin-1")
    if _unfolds(text) or len(_HEX_NAMES.findall(text)) >= 5:
        return True
    for match in _PLAIN_OUTSIDE.finditer(part):
        src = match[1].decode("latin-1")
        host = host_in(src)
        if host and site_of(host) != site_of(page.host) and _GATES.search(path_of(src if ":" in src[:8] else f"http:{src}")):
            return True
    return False


def frame(page: Page) -> Finding | None:
    """A frame out of sight to a foreign place."""
    for frame in page.frames:
        host = host_in(frame.src)
        if host and site_of(host) != site_of(page.host) and _weight(frame, host) >= 2:
            return Finding("hidden foreign frame", Family.FRAME, Where.FRAME)
    return None


def _weight(frame: Frame, host: str) -> int:
    """How much speaks against a foreign frame out of sight: no size at all, unencrypted, on a bare address, to a gate script."""
    sizes = [size.strip().removesuffix("px") for size in frame.size]
    shrunk = all(size in ("0", "1", "2") for size in sizes) or re.search(r"(?:width|height):[012](?:px)?(?:;|!|$)", frame.style) is not None
    if not shrunk and not conceals(frame.style):
        return 0
    if _KNOWN_FRAMES.search(host) is not None:
        return 0
    path = path_of(frame.src if ":" in frame.src[:8] else f"http:{frame.src}")
    weight = 2 * _public_address(host) + frame.src.lower().startswith("http:") + bool(_GATES.search(path)) + (set(sizes) == {"0"})
    return weight - 2 * bool(_PLAIN_PATHS.search(path))
