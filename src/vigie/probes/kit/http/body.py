"""The body within bounds: decoding, characters, title. The target writes it all, so nothing here may cost more than its bound."""

import zlib
from collections.abc import Mapping

from vigie.probes.kit.http.charset import text_in

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
    """The body as characters, as browsers read them."""
    return text_in(body, headers.get("content-type", ""))


def title_of(text: str) -> str | None:
    """The page's title on one line, at most 120 characters."""
    text = text[:65_536]
    lower = text.lower()
    if len(lower) != len(text):
        lower = text  # a letter that has two in lower case would shift what follows
    start = lower.find("<title")
    end = text.find(">", start, start + 210) if start >= 0 else -1
    stop = lower.find("</title", end, end + 420) if end >= 0 else -1
    if stop < 0:
        return None
    import html  # its table of names costs 0.3 MB, and only an error page has a title

    return " ".join(html.unescape(text[end + 1 : stop]).split())[:_TITLE_LENGTH] or None
