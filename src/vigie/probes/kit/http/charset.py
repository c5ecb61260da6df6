"""Bytes to characters as browsers do it: what a charset label means (WHATWG Encoding), and which one a document has (WHATWG HTML §13.2.3).

The labels are those of `webencodings`; Python's own codecs read the bytes, and what they know less of than the standard is mended here.
The target writes it all, so that nothing costs more than its bound.
"""

import codecs
import re
import threading
from functools import lru_cache

_WINDOW = 4_096  # bytes in which a document may name its charset; the standard has 1,024, and browsers read on
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be"))
_PARAMETER = re.compile(r"charset\s{0,8}=\s{0,8}[\"']?([^\s\"';,]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s{0,8}<\?xml\s[^>]{0,200}?encoding\s{0,8}=\s{0,8}[\"']([!-~]{1,40}?)[\"']")
_ATTRIBUTE = re.compile(rb"[\s/]{0,64}([^\s/>=][^\s/>=]{0,64})(?:\s{0,8}=\s{0,8}(?:\"([^\"]{0,256})\"|'([^']{0,256})'|([^\s>]{1,256})))?")
_META = re.compile(rb"<meta[\s/]", re.IGNORECASE)
_MULTIBYTE = {"euc-kr": "cp949", "utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}
_MAX_REPAIRS = 20_000  # of a body: 1 µs each

# What Python's codecs read otherwise than the standard's index.
_SINGLE = {"koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"}, "windows-1255": {0xCA: "\u05ba"}}
_GB18030 = {0xE5E5: 0x3000, 0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE7C7: 0x1E3F}  # as of 2022
_GB18030 |= dict(zip(range(0xE790, 0xE797), range(0xFE13, 0xFE1A), strict=True))
_GB18030 |= dict(zip((0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864), range(0x9FB4, 0x9FBC), strict=True))
_EUC_JP = {0x301C: 0xFF5E, 0x2016: 0x2225, 0x2212: 0xFF0D, 0xA2: 0xFFE0, 0xA3: 0xFFE1, 0xAC: 0xFFE2}
_BIG5 = {
    0x2022: 0x2027,
    0xFF64: 0xFE51,
    0x203E: 0xAF,
    0x223C: 0xFF5E,
    0x2641: 0x2295,
    0x2609: 0x2299,
    0xA5: 0xFFE5,
    0xA2: 0xFFE0,
    0xA3: 0xFFE1,
}
_SHIFT_JIS = dict.fromkeys(range(0xF8F0, 0xF8F4), 0xFFFD)  # single bytes that are none
_MAPPED = {
    "shift_jis": (re.compile("[\uf8f0-\uf8f3]"), _SHIFT_JIS),
    "gb18030": (re.compile("[\ue5e5\ue78d-\ue796\ue7c7\ue81e-\ue864]"), _GB18030),
    "euc-jp": (re.compile("[\u301c\u2016\u2212\xa2\xa3\xac]"), _EUC_JP),
    "big5": (re.compile("[\u2022\uff64\u203e\u223c\u2641\u2609\xa5\xa2\xa3]"), _BIG5),
}
_ESCAPES = re.compile(rb"\x1b(\([BJI]|\$[@B])")


def encoding_of(label: str) -> str | None:
    """The standard's name of the encoding that a label stands for; None for a label that browsers do not know."""
    import webencodings

    found = webencodings.lookup(label)
    return None if found is None else str(found.name)


def text_in(body: bytes, content_type: str) -> str:
    """A document's characters: by its byte-order mark, its Content-Type, what it says itself, else UTF-8, else Windows-1252.

    A declared encoding applies even where a byte does not fit: one bad byte, or a body cut at its bound in the middle of a character,
    does not spoil the rest.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return decoded_by(name, body[len(mark) :])
    match = _PARAMETER.search(content_type)
    declared = (encoding_of(match[1]) if match else None) or _declared(body[:_WINDOW])
    if declared is not None:
        return decoded_by(declared, body)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return decoded_by("windows-1252", body)
    cut = text.isascii() and not body.isascii()  # nothing speaks for UTF-8 but the beginning of a character at the very end
    return decoded_by("windows-1252", body) if cut else text


def decoded_by(name: str, body: bytes) -> str:
    """The characters of a body in an encoding, by the standard's name; what does not fit becomes U+FFFD."""
    if name == "replacement":  # encodings that hide markup: a browser shows one character
        return "\ufffd" if body else ""
    if codec := _MULTIBYTE.get(name):
        return body.decode(codec, "replace")
    if name == "shift_jis":
        return _mapped(name, body.decode("cp932", "replace"))
    if name in ("gbk", "gb18030"):
        return _mapped("gb18030", _repaired(body, "gb18030"))
    if name == "big5":
        return _mapped("big5", body.decode("big5hkscs", "replace"))
    if name == "euc-jp":
        return _mapped("euc-jp", _repaired(body, "euc_jp"))
    if name == "iso-2022-jp":
        return _iso_2022_jp(body)
    return codecs.charmap_decode(body, "replace", _table(name))[0]


@lru_cache(64)
def _table(name: str) -> str:
    """The 256 characters of a single-byte encoding; U+FFFD where there is none. Below 0xA0 an unused byte is a control character.

    To leave the gaps to the codec, which would put U+FFFD there too, takes quadratic time.
    """
    import webencodings

    found = webencodings.lookup(name)
    table = list(found.codec_info.decode(bytes(range(256)), "replace")[0]) if found is not None else []
    for byte, character in enumerate(table):
        if character == "\ufffd":
            table[byte] = chr(byte) if byte < 0xA0 else "\ufffd"
    for byte, character in _SINGLE.get(name, {}).items():
        table[byte] = character
    return "".join(table)


def _mapped(name: str, text: str) -> str:
    which, table = _MAPPED[name]
    return text.translate(table) if which.search(text) else text


class _Budget(threading.local):
    """How many more sequences may be mended in this thread's decoding: a hostile body is all sequences that have to be."""

    left = 0


_budget = _Budget()


def _repaired(body: bytes, codec: str) -> str:
    """Decoded by Python's codec; what that does not know is looked up where it can be, as long as there is not too much of it."""
    _budget.left = _MAX_REPAIRS
    try:
        return body.decode(codec, f"vigie.{codec}")
    except UnicodeDecodeError:
        return body.decode(codec, "replace")


def _spend(error: UnicodeError) -> UnicodeDecodeError:
    if not isinstance(error, UnicodeDecodeError) or _budget.left <= 0:
        raise error
    _budget.left -= 1
    return error


def _mend_gb18030(error: UnicodeError) -> tuple[str, int]:
    failed = _spend(error)
    if failed.object[failed.start] == 0x80:
        return "€", failed.start + 1
    return "\ufffd", failed.end


def _mend_euc_jp(error: UnicodeError) -> tuple[str, int]:
    """The rows of NEC and IBM that JIS X 0208 has not, and Windows' Shift_JIS has at the same place."""
    failed = _spend(error)
    pair = failed.object[failed.start : failed.start + 2]
    if len(pair) == 2 and min(pair) > 0xA0 and max(pair) < 0xFF:
        row, cell = pair[0] - 0xA1, pair[1] - 0xA1
        lead, trail = row // 2, cell + (0x9F if row % 2 else 0x40 if cell < 0x3F else 0x41)
        try:
            return bytes((lead + (0x81 if lead < 0x1F else 0xC1), trail)).decode("cp932"), failed.start + 2
        except UnicodeDecodeError:
            return "\ufffd", failed.start + 2
    return "\ufffd", failed.end


codecs.register_error("vigie.gb18030", _mend_gb18030)
codecs.register_error("vigie.euc_jp", _mend_euc_jp)


def _iso_2022_jp(body: bytes) -> str:
    """Seven bits that change between ASCII and JIS by escape sequences: each part of JIS is EUC-JP without its eighth bits."""
    parts = _ESCAPES.split(body)
    found = [parts[0].decode("ascii", "replace")]
    raised = bytes(byte | 0x80 if 0x20 < byte < 0x7F else byte for byte in range(256))
    for escape, part in zip(parts[1::2], parts[2::2], strict=True):
        if escape == b"(I":
            found.append(part.translate(raised).decode("cp932", "replace"))
        elif escape.startswith(b"$"):
            found.append(decoded_by("euc-jp", part.translate(raised)))
        else:
            found.append(part.decode("ascii", "replace"))
    return "".join(found)


def _declared(head: bytes) -> str | None:
    """What the beginning of a document says of its encoding: an XML declaration, or a <meta>."""
    if match := _XML.match(head):
        name = encoding_of(match[1].decode("ascii"))
        return _read_as_ascii(name)
    return _by_meta(head)


def _read_as_ascii(name: str | None) -> str | None:
    """A declaration that could be read as ASCII is not in UTF-16."""
    if name is None:
        return None
    return "utf-8" if name.startswith("utf-16") else "windows-1252" if name == "x-user-defined" else name


def _by_meta(head: bytes) -> str | None:
    """The first <meta> that names an encoding, outside of comments and other tags (the standard's prescan)."""
    at = head.find(b"<")
    while 0 <= at < len(head):
        if head.startswith(b"<!--", at):
            end = head.find(b"-->", at + 2)
            at = end + 3 if end >= 0 else len(head)
        elif head[at + 1 : at + 2] in (b"!", b"?") or (head[at + 1 : at + 2] == b"/" and not head[at + 2 : at + 3].isalpha()):
            end = head.find(b">", at)
            at = end + 1 if end >= 0 else len(head)
        elif _META.match(head, at):
            found, at = _attributes(head, at + 5)
            if (name := _named(found)) is not None:
                return name
        elif head[at + 1 : at + 2].isalpha() or head[at + 1 : at + 2] == b"/":
            _, at = _attributes(head, at + 2)
        else:
            at += 1
        at = head.find(b"<", at)
    return None


def _attributes(head: bytes, at: int) -> tuple[dict[bytes, str], int]:
    """The attributes of a tag, the first of each name, and where it ends."""
    found: dict[bytes, str] = {}
    while match := _ATTRIBUTE.match(head, at):
        value = match[2] or match[3] or match[4] or b""
        found.setdefault(match[1].lower(), value.decode("latin-1"))
        at = match.end()
    end = head.find(b">", at)
    return found, end + 1 if end >= 0 else len(head)


def _named(attributes: dict[bytes, str]) -> str | None:
    """The encoding that a <meta> names, if it names a known one."""
    label = attributes.get(b"charset")
    if label is None and attributes.get(b"http-equiv", "").strip().lower() == "content-type":
        match = _PARAMETER.search(attributes.get(b"content", ""))
        label = match[1] if match else None
    return _read_as_ascii(encoding_of(label)) if label else None
