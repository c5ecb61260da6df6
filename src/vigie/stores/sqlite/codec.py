"""Packed results: 33 bytes each, behind a version byte, relative to the group's base instant.

Layout (little-endian): u32 monitor number, u32 ms after the base, u8 status, u8 cause (255: none), u16 HTTP status (0: none),
six phases of u24 in 0.1 ms (0xFFFFFF: none; longer ones as 0xFFFFFE), u8 location (0: local, the only one so far), u16 flags
(none so far). Both enums are stored by position, so they only grow at the end.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings

VERSION = 1
SIZE = 33
_RECORD = struct.Struct("<IIBBHHBHBHBHBHBHBBH")
_HEAD = bytes([VERSION])
_NONE = 0xFFFFFF
_LONGEST_MS = (_NONE - 2) / 10
_SPAN = 2**32
_STATUSES, _CAUSES = tuple(Status), tuple(Cause)
_STATUS_CODE = {status: index for index, status in enumerate(_STATUSES)}
_CAUSE_CODE: dict[Cause | None, int] = {cause: index for index, cause in enumerate(_CAUSES)} | {None: 255}


def parts(results: Sequence[CheckResult]) -> Iterator[Sequence[CheckResult]]:
    """The results in groups that one base instant can serve: one group, unless a clock jumped by weeks in between."""
    instants = [result.at for result in results]
    if not results or max(instants) - min(instants) < _SPAN:
        yield results
        return
    for span in dict.fromkeys(at // _SPAN for at in instants):
        yield [result for result in results if result.at // _SPAN == span]


def pack(results: Sequence[CheckResult], numbers: Mapping[str, int]) -> tuple[int, int, bytes]:
    """(base instant, count, blob) of results whose monitors are known; the others are left out. They span less than 2**32 ms."""
    known = [(numbers[result.monitor], result) for result in results if result.monitor in numbers]
    base = min([result.at for _, result in known], default=0)
    return base, len(known), _HEAD + b"".join([_packed(number, result.at - base, result) for number, result in known])


def _packed(number: int, offset: int, result: CheckResult) -> bytes:
    times, http = result.timings, result.http
    dns, connect, tls = _tenths(times.dns), _tenths(times.connect), _tenths(times.tls)
    first, transfer, total = _tenths(times.first_byte), _tenths(times.transfer), _tenths(times.total)
    return _RECORD.pack(
        number, offset, _STATUS_CODE[result.status], _CAUSE_CODE[result.cause], http.status & 0xFFFF if http else 0,
        dns & 0xFFFF, dns >> 16, connect & 0xFFFF, connect >> 16, tls & 0xFFFF, tls >> 16,
        first & 0xFFFF, first >> 16, transfer & 0xFFFF, transfer >> 16, total & 0xFFFF, total >> 16, 0, 0,
    )  # fmt: skip


def _tenths(ms: float | None) -> int:
    """A phase in 0.1 ms. Total: whatever a probe measured must never keep other results from the disk."""
    if ms is None:
        return _NONE
    if 0 <= ms <= _LONGEST_MS:
        return int(ms * 10 + 0.5)
    return _NONE - 1 if ms > 0 else 0 if ms < 0 else _NONE


def unpack(base: int, blob: bytes, ids: Mapping[int, str]) -> list[CheckResult]:
    """The results of a blob, as far as they were packed; an unknown number gives an empty monitor id.

    Raises ValueError for a blob that a later version wrote, or that is damaged.
    """
    if blob[:1] != _HEAD:
        raise ValueError(f"packed results of version {blob[0] if blob else 'none'} cannot be read by this program")
    if len(blob) % SIZE != 1:
        raise ValueError(f"packed results of {len(blob)} bytes are cut off")
    return [_unpacked(base, values, ids) for values in _RECORD.iter_unpack(memoryview(blob)[1:])]


def _unpacked(base: int, values: tuple[int, ...], ids: Mapping[int, str]) -> CheckResult:
    number, offset, status, cause, http, *halves = values[:-2]
    if status >= len(_STATUSES) or len(_CAUSES) <= cause < 255:
        raise ValueError(f"packed results hold an unknown status {status} or cause {cause}")
    tenths = [low | high << 16 for low, high in zip(halves[::2], halves[1::2], strict=True)]
    return CheckResult(
        ids.get(number, ""),
        base + offset,
        _STATUSES[status],
        None if cause == 255 else _CAUSES[cause],
        timings=Timings(*[None if value == _NONE else value / 10 for value in tenths]),
        http=HttpFacts(http, "") if http else None,
    )
