"""Makes a screenshot small: a palette of 256 colours instead of three bytes a pixel, packed as tightly as zlib can."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_HEAD = b"\x89PNG\r\n\x1a\n"
_COLOURS = 256


def smaller(picture: bytes) -> bytes:
    """The same picture (8 bits, RGB or RGBA without transparency, not interlaced: as browsers write it) with at most 256 colours."""
    width, height, pixels = _read(picture)
    common = [colour for colour, _ in Counter(pixels).most_common(_COLOURS)]
    places = {colour: place for place, colour in enumerate(common)}
    near: dict[tuple[int, ...], int] = {}  # of colours that differ by less than eight in each channel
    for colour in set(pixels) - places.keys():
        rough = tuple(part // 8 for part in colour)
        if rough not in near:
            near[rough] = min(range(len(common)), key=lambda place: _distance(common[place], colour))
        places[colour] = near[rough]
    rows = b"".join(b"\0" + bytes(places[one] for one in pixels[at : at + width]) for at in range(0, width * height, width))
    palette = b"".join(bytes(colour) for colour in common)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return _HEAD + b"".join(_chunk(name, data) for name, data in chunks)


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_HEAD)
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _read(picture: bytes) -> tuple[int, int, list[tuple[int, ...]]]:
    """Width, height and the colour of every pixel."""
    chunks = list(_chunks(picture))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    if (depth, interlaced) != (8, 0) or kind not in (2, 6):
        raise ValueError("only 8 bits a channel, RGB or RGBA, not interlaced")
    size = 3 if kind == 2 else 4
    data = zlib.decompress(b"".join(part for name, part in chunks if name == b"IDAT"))
    pixels: list[tuple[int, ...]] = []
    before = bytearray(width * size)
    for row in range(height):
        at = row * (width * size + 1)
        line = _unfiltered(data[at], bytearray(data[at + 1 : at + 1 + width * size]), before, size)
        pixels += zip(line[0::size], line[1::size], line[2::size], strict=True)
        before = line
    return width, height, pixels


def _unfiltered(kind: int, line: bytearray, above: bytearray, size: int) -> bytearray:
    """A row without its filter (PNG, second edition, §9)."""
    for at, value in enumerate(line):
        left, up, corner = (line[at - size] if at >= size else 0), above[at], (above[at - size] if at >= size else 0)
        match kind:
            case 1:
                line[at] = (value + left) & 255
            case 2:
                line[at] = (value + up) & 255
            case 3:
                line[at] = (value + (left + up) // 2) & 255
            case 4:
                line[at] = (value + _paeth(left, up, corner)) & 255
    return line


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = abs(guess - left), abs(guess - up), abs(guess - corner)
    return (left, up, corner)[distances.index(min(distances))]
