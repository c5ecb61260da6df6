"""The body within bounds: decoding, characters, title. The target writes it all, so nothing here may cost more than its bound."""

import codecs
import re
import zlib
from collections.abc import Mapping

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
# Python knows codecs that are no charsets, some of quadratic cost (punycode, idna), and remembers every name it was ever asked.
_KNOWN_CHARSETS = re.compile(
    r"utf-?8|utf-?16(-?[lb]e)?|(windows-|cp-?)(125[0-8]|874)|cp(437|85\d|866|932|949)|iso[-_]?8859[-_]([2-9]|1[0-6])|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5(-hkscs)?|euc-(jp|kr)|shift[-_]jis|windows-31j|iso-2022-jp|ks_c_5601-1987|tis-620"
)
_WINDOWS_1252 = re.compile(r"iso[-_]?8859-1|latin-?1|l1|(us-)?ascii")  # what these mean on the web (WHATWG Encoding §4.2)
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,400}?)</title", re.IGNORECASE | re.DOTALL)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TITLE_LENGTH = 120
_GZIP_OR_ZLIB = 47  # zlib's own way of saying "either header, largest window"
_GZIP_START = b"\x1f\x8b"
_MEMBERS = 32
_CODINGS = 3


class EncodingError(ValueError):
    """The body is not what its Content-Encoding says."""


def decoded(raw: bytes, encoding: str, limit: int, *, cut: bool) -> bytes:
    """The body without its content coding (RFC 9110 §8.4), at most `limit` bytes; `cut` allows an unfinished stream.

    Raises EncodingError where the bytes are not of that coding. A coding that nobody asked for is left as it is.
    """
    if not encoding:
        return raw
    codings = [part.strip().lower() for part in encoding.split(",") if part.strip()]
    if len(codings) > _CODINGS:
        raise EncodingError(f"the body has {len(codings)} content codings")
    for name in reversed(codings):
        if name in ("gzip", "x-gzip", "deflate"):
            raw = _inflated(raw, limit, cut=cut)
        elif name == "br":
            raw = _unbrotlied(raw, limit, cut=cut)
    return raw


def _inflated(raw: bytes, limit: int, *, cut: bool) -> bytes:
    last: zlib.error | None = None
    for bits in (_GZIP_OR_ZLIB, -zlib.MAX_WBITS):  # "deflate" without a zlib header is common enough
        try:
            return _members(raw, bits, limit, cut=cut)
        except zlib.error as error:
            last = last or error
    raise EncodingError(f"the body is not valid for its content coding: {last}")


def _members(raw: bytes, bits: int, limit: int, *, cut: bool) -> bytes:
    """One stream, or several gzip members in a row (RFC 1952 §2.2)."""
    plain = b""
    for _ in range(_MEMBERS if raw else 0):
        stream = zlib.decompressobj(bits)
        plain += stream.decompress(raw, limit - len(plain))
        if len(plain) >= limit:
            break
        if not stream.eof:
            if not cut:
                raise EncodingError("the compressed body is cut short")
            break
        raw = stream.unused_data
        if not raw.startswith(_GZIP_START):
            break
    return plain


def _unbrotlied(raw: bytes, limit: int, *, cut: bool) -> bytes:
    import brotli

    if not raw:
        return raw
    stream = brotli.Decompressor()
    try:
        plain: bytes = stream.process(raw, output_buffer_limit=limit)
        while len(plain) < limit and not stream.is_finished():
            more = stream.process(b"", output_buffer_limit=limit - len(plain))
            if not more:
                break
            plain += more
    except brotli.error as error:
        raise EncodingError("the body is not valid for its content coding: br") from error
    if len(plain) < limit and not stream.is_finished() and not cut:
        raise EncodingError("the compressed body is cut short")
    return plain[:limit]


def media_type(headers: Mapping[str, str]) -> str | None:
    """The media type in lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() or None


def text_of(body: bytes, headers: Mapping[str, str]) -> str:
    """The body as characters: by its byte-order mark, its Content-Type, its <meta>, else UTF-8, else Windows-1252.

    As in browsers, a declared charset applies even where a byte does not fit: one bad byte, or a body cut at its bound
    in the middle of a character, does not spoil the rest.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    match = _CHARSET.search(headers.get("content-type", ""))
    charset = _codec(match[1]) if match else None
    if charset is None and (meta := _META_CHARSET.search(body[:4096])):
        charset = _codec(meta[1].decode())
        charset = "utf-8" if charset and charset.startswith("utf-16") else charset  # it was read as ASCII, so it cannot be UTF-16
    if charset is not None:
        return body.decode(charset, "replace")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _codec(label: str) -> str | None:
    """Python's name of a charset's label, or None for one that is not on the list."""
    label = label.lower()
    if _WINDOWS_1252.fullmatch(label):
        return "cp1252"
    if not _KNOWN_CHARSETS.fullmatch(label):
        return None
    try:
        return codecs.lookup(label).name
    except LookupError:
        return None


def title_of(text: str) -> str | None:
    """The page's title on one line, at most 120 characters."""
    match = _TITLE.search(text[:65_536])
    if match is None:
        return None
    import html  # its table of names costs 0.3 MB, and only an error page has a title

    return " ".join(html.unescape(match[1]).split())[:_TITLE_LENGTH] or None
