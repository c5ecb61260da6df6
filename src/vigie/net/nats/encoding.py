"""Bodies that are compressed when they would be too large for a message, and say so in a header."""

import zlib
from collections.abc import Mapping
from typing import Final

HEADER: Final = "Content-Encoding"
DEFLATE: Final = "deflate"
_LEVEL: Final = 6


def packed(body: bytes, beyond: int) -> tuple[bytes, str]:
    """(body, what its header says) of what is larger than `beyond` bytes; anything else stays as it is."""
    return (body, "") if len(body) <= beyond else (zlib.compress(body, _LEVEL), DEFLATE)


def unpacked(headers: Mapping[str, str] | None, body: bytes, most: int) -> bytes:
    """And back. Raises ValueError for what is damaged, of another encoding, or larger than `most` bytes."""
    encoding = (headers or {}).get(HEADER, "")
    if not encoding:
        if len(body) > most:
            raise ValueError(f"a body of {len(body)} bytes, at most {most} are allowed")
        return body
    if encoding != DEFLATE:
        raise ValueError(f"a body in the encoding {encoding!r}")
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(body, most)
    except zlib.error as error:
        raise ValueError(f"a body that cannot be unpacked: {error}") from None
    if not reader.eof:
        raise ValueError(f"a body that is cut off, or of more than {most} bytes")
    return found
