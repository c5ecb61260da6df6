"""The body within bounds: decoding, characters, title."""

import codecs
import html
import re
import zlib
from collections.abc import Mapping

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,400}?)</title", re.IGNORECASE | re.DOTALL)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TITLE_LENGTH = 120
_GZIP_OR_ZLIB = 47  # zlib's own way of saying "either header, largest window"


class EncodingError(ValueError):
    """The body is not what its Content-Encoding says."""


def decoded(raw: bytes, encoding: str, limit: int, *, cut: bool) -> bytes:
    """The body without its content coding (RFC 9110 §8.4), at most `limit` bytes; `cut` allows an unfinished stream.

    Raises EncodingError where the bytes are not of that coding. A coding that nobody asked for is left as it is.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",") if part.strip()]):
        if name in ("gzip", "x-gzip", "deflate"):
            raw = _inflated(raw, limit, cut=cut)
        elif name == "br":
            raw = _unbrotlied(raw, limit, cut=cut)
    return raw


def _inflated(raw: bytes, limit: int, *, cut: bool) -> bytes:
    if not raw:
        return raw
    last: zlib.error | None = None
    for bits in (_GZIP_OR_ZLIB, -zlib.MAX_WBITS):  # "deflate" without a zlib header is common enough
        stream = zlib.decompressobj(bits)
        try:
            plain = stream.decompress(raw, limit)
        except zlib.error as error:
            last = error
            continue
        if not stream.eof and not stream.unconsumed_tail and not cut and len(plain) < limit:
            raise EncodingError("the compressed body ends too early")
        return plain
    raise EncodingError(f"the body is not compressed as it says: {last}")


def _unbrotlied(raw: bytes, limit: int, *, cut: bool) -> bytes:
    import brotli

    stream = brotli.Decompressor()
    try:
        plain: bytes = stream.process(raw, output_buffer_limit=limit)
        while len(plain) < limit and not stream.is_finished():
            more = stream.process(b"", output_buffer_limit=limit - len(plain))
            if not more:
                break
            plain += more
    except brotli.error as error:
        raise EncodingError("the body is not compressed as it says: br") from error
    if len(plain) < limit and not stream.is_finished() and not cut:
        raise EncodingError("the compressed body ends too early")
    return plain[:limit]


def media_type(headers: Mapping[str, str]) -> str | None:
    """The media type in lower case, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() or None


def text_of(body: bytes, headers: Mapping[str, str]) -> str:
    """The body as characters: by its byte-order mark, its Content-Type, its <meta>, else UTF-8, else Latin-1 (WHATWG order)."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    match = _CHARSET.search(headers.get("content-type", ""))
    meta = _META_CHARSET.search(body[:4096])
    charsets: tuple[str | None, ...] = (match[1] if match else None, meta[1].decode() if meta else None, "utf-8")
    for charset in charsets:
        try:
            return body.decode(charset or "utf-8")
        except (LookupError, UnicodeError):
            continue
    return body.decode("latin-1")


def title_of(text: str) -> str | None:
    """The page's title on one line, at most 120 characters."""
    match = _TITLE.search(text[:65_536])
    if match is None:
        return None
    return " ".join(html.unescape(match[1]).split())[:_TITLE_LENGTH] or None
