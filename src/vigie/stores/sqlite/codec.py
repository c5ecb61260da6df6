"""Packed results: 33 bytes each, behind a version byte, relative to the group's base instant.

Layout (little-endian): u32 monitor number, u32 ms after the base, u8 status, u8 cause (255: none), u16 HTTP status (0: none),
six phases of u24 in 0.1 ms (0xFFFFFF: none), u8 location, u16 flags. Both enums are stored by position, so they only grow at
the end.
"""

import struct
from collections.abc import Iterable, Mapping

from vigie.core.model import Cause, CheckResult, Status, Timings

VERSION = 1
SIZE = 33
_HEAD = struct.Struct("<IIBBH")
_TAIL = struct.Struct("<BH")
_NONE = 0xFFFFFF
_STATUSES, _CAUSES = tuple(Status), tuple(Cause)
_STATUS_CODE = {status: index for index, status in enumerate(_STATUSES)}
_CAUSE_CODE: dict[Cause | None, int] = {cause: index for index, cause in enumerate(_CAUSES)} | {None: 255}


def pack(results: Iterable[CheckResult], numbers: Mapping[str, int]) -> tuple[int, int, bytes]:
    """(base instant, count, blob) of results whose monitors are known; the others are left out."""
    known = [(numbers[result.monitor], result) for result in results if result.monitor in numbers]
    base = min((result.at for _, result in known), default=0)
    parts = [bytes([VERSION])]
    for number, result in known:
        http = result.http.status if result.http else 0
        offset = min(result.at - base, 0xFFFFFFFF)
        parts.append(_HEAD.pack(number, offset, _STATUS_CODE[result.status], _CAUSE_CODE[result.cause], http & 0xFFFF))
        parts.append(_phases(result.timings))
        parts.append(_TAIL.pack(0, 0))
    return base, len(known), b"".join(parts)


def _phases(timings: Timings) -> bytes:
    found = (timings.dns, timings.connect, timings.tls, timings.first_byte, timings.transfer, timings.total)
    return b"".join((_NONE if ms is None else min(round(ms * 10), _NONE - 1)).to_bytes(3, "little") for ms in found)


def unpack(base: int, blob: bytes, ids: Mapping[int, str]) -> list[CheckResult]:
    """The results of a blob, as far as they were packed; ValueError for a version from the future."""
    if blob[0] != VERSION:
        raise ValueError(f"packed results of version {blob[0]} cannot be read by this program")
    return [_one(base, blob[at : at + SIZE], ids) for at in range(1, len(blob), SIZE)]


def _one(base: int, record: bytes, ids: Mapping[int, str]) -> CheckResult:
    number, offset, status, cause, _ = _HEAD.unpack_from(record)
    raw = [int.from_bytes(record[at : at + 3], "little") for at in range(12, 30, 3)]
    phases = [None if value == _NONE else value / 10 for value in raw]
    return CheckResult(
        ids.get(number, ""), base + offset, _STATUSES[status], None if cause == 255 else _CAUSES[cause], timings=Timings(*phases)
    )
