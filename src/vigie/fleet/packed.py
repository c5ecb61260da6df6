"""Packed results: 33 bytes each, in segments that have the location, the run and the sequence in common, behind a version byte.

Version 2 (little-endian): segments of a header and its records. A header is u16 location number, u32 run, u32 block (the sequence without
its last 16 bits), u16 count. A record is u32 monitor number, u32 ms after the group's base instant, u8 status, u8 cause (255: none),
u16 HTTP status (0: none), six phases of u24 in 0.1 ms (0xFFFFFF: none; longer ones as 0xFFFFFE), u8 nothing yet, u16 last 16 bits of the
sequence. Both enums are stored by position, so they only grow at the end. Version 1 is records alone: no run, no sequence, all of one
location.
"""

import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from sys import byteorder

from vigie.core.model import LOCAL, Cause, CheckResult, HttpFacts, Status, Timings

VERSION = 2
SIZE = 33
HEADER_SIZE = 12
_RECORD = struct.Struct("<IIBBHHBHBHBHBHBHBBH")
_HEADER = struct.Struct("<HIIH")
_BODY = struct.Struct("<BBHHBHBHBHBHBHB")
_HEAD, _HEAD_1 = bytes([VERSION]), b"\1"
_NONE = 0xFFFFFF
_LONGEST_MS = (_NONE - 2) / 10
_SPAN = 2**32
_MAX_COUNT = 0xFFFF
_MAX = 2**32 - 1
_NO_CAUSE = 255
_STATUSES, _CAUSES = tuple(Status), tuple(Cause)
_STATUS_CODE = {status: index for index, status in enumerate(_STATUSES)}
_CAUSE_CODE: dict[Cause | None, int] = {cause: index for index, cause in enumerate(_CAUSES)} | {None: _NO_CAUSE}
Segment = tuple[str, int, int]  # location, run, block
_MAX_JOINED = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """Packed records as a store keeps them: `count` of them in `body`, their instants after `base`, epoch ms.

    `place` is the number of their location and their shard, where all have those in common.
    """

    base: int
    count: int
    body: bytes
    place: tuple[int, int] | None = None


def joined(rows: Sequence[Rows]) -> list[Rows]:
    """The same records in as few rows as can be without changing them: those with one base are put together."""
    groups: dict[int, list[list[Rows]]] = {}
    sizes: dict[int, int] = {}
    for one in rows:
        size = sizes.get(one.base, _MAX_JOINED) + len(one.body)
        if size > _MAX_JOINED or one.body[:1] != _HEAD:
            groups.setdefault(one.base, []).append([])
            size = len(one.body)
        groups[one.base][-1].append(one)
        sizes[one.base] = size if one.body[:1] == _HEAD else _MAX_JOINED
    return [group[0] if len(group) == 1 else _together(base, group) for base, of in groups.items() for group in of]


def _together(base: int, rows: Sequence[Rows]) -> Rows:
    return Rows(base, sum([one.count for one in rows]), _HEAD + b"".join([one.body[1:] for one in rows]))


def rows_of(base: int, parts: Sequence[tuple[int, int, int, bytes]], place: tuple[int, int] | None = None) -> Rows:
    """Records put together again: (location number, run, block, records) of each segment, at most 65,535 records in each."""
    heads = [(_HEADER.pack(location, run, block, len(records) // SIZE), records) for location, run, block, records in parts]
    body = _HEAD + b"".join([piece for head in heads for piece in head])
    return Rows(base, sum([len(records) // SIZE for _, records in heads]), body, place)


def parts(results: Sequence[CheckResult], aligned_ms: int = 1) -> Iterator[Sequence[CheckResult]]:
    """The results in groups that one base instant can serve: one group, unless a clock jumped by weeks in between.

    `aligned_ms` is that of `pack`.
    """
    instants = [result.at for result in results]
    if not results or max(instants) - min(instants) < _SPAN - aligned_ms:
        yield results
        return
    width = _SPAN - aligned_ms
    for span in dict.fromkeys(at // width for at in instants):
        yield [result for result in results if result.at // width == span]


def pack(
    results: Sequence[CheckResult], numbers: Mapping[str, int], locations: Mapping[str, int], aligned_ms: int = 1
) -> tuple[int, int, bytes]:
    """(base instant, count, blob) of results whose monitors are known; the others are left out. They span less than 2**32 - `aligned_ms`.

    Every location has a number. Within a segment the order is kept. The base is a multiple of `aligned_ms`.
    """
    known = [(numbers[result.monitor], result) for result in results if result.monitor in numbers]
    base = min([result.at for _, result in known], default=0) // aligned_ms * aligned_ms
    segments: dict[Segment, list[bytes]] = {}
    location: str | None = None
    run = block = 0
    records: list[bytes] = []
    for number, result in known:
        # Results of one agent come in rows: the segment is looked up where it changes.
        if result.sequence >> 16 != block or result.run != run or result.location != location:
            location, run, block = result.location, result.run, result.sequence >> 16
            records = segments.setdefault((result.location, run, block), [])
        records.append(_packed(number, result.at - base, result))
    return base, len(known), _HEAD + b"".join([_segment(key, records, locations) for key, records in segments.items()])


def _segment(key: Segment, records: list[bytes], locations: Mapping[str, int]) -> bytes:
    """One, or several where it has more records than can be counted."""
    location, run, block = locations[key[0]], min(max(key[1], 0), _MAX), min(max(key[2], 0), _MAX)
    if len(records) <= _MAX_COUNT:
        return _HEADER.pack(location, run, block, len(records)) + b"".join(records)
    return _segment(key, records[:_MAX_COUNT], locations) + _segment(key, records[_MAX_COUNT:], locations)


def _packed(number: int, offset: int, result: CheckResult) -> bytes:
    times, http = result.timings, result.http
    dns, connect, tls = _tenths(times.dns), _tenths(times.connect), _tenths(times.tls)
    first, transfer, total = _tenths(times.first_byte), _tenths(times.transfer), _tenths(times.total)
    return _RECORD.pack(
        number, offset, _STATUS_CODE[result.status], _CAUSE_CODE[result.cause], http.status & 0xFFFF if http else 0,
        dns & 0xFFFF, dns >> 16, connect & 0xFFFF, connect >> 16, tls & 0xFFFF, tls >> 16,
        first & 0xFFFF, first >> 16, transfer & 0xFFFF, transfer >> 16, total & 0xFFFF, total >> 16, 0,
        result.sequence & 0xFFFF,
    )  # fmt: skip


def _tenths(ms: float | None) -> int:
    """A phase in 0.1 ms. Total: whatever a probe measured must never keep other results from the disk."""
    if ms is None:
        return _NONE
    if 0 <= ms <= _LONGEST_MS:
        return int(ms * 10 + 0.5)
    return _NONE - 1 if ms > 0 else 0 if ms < 0 else _NONE


def unpack(base: int, blob: bytes, ids: Mapping[int, str], names: Mapping[int, str]) -> list[CheckResult]:
    """The results of a blob, as far as they were packed; an unknown number gives an empty monitor id or location.

    Raises ValueError for a blob that a later version wrote, or that is damaged.
    """
    found: list[CheckResult] = []
    for location, run, block, records in segments(blob):
        segment = (LOCAL, 0, 0) if location is None else (names.get(location, ""), run, block)
        found += [_unpacked(base, values, ids, segment, numbered=location is not None) for values in _RECORD.iter_unpack(records)]
    return found


def segments(blob: bytes) -> list[tuple[int | None, int, int, memoryview]]:
    """(location number, run, block, records) of each segment; of version 1 there is one, without location. ValueError as `unpack`."""
    body = memoryview(blob)[1:]
    if blob[:1] == _HEAD_1:
        if len(body) % SIZE:
            raise _cut_off(blob)
        return [(None, 0, 0, body)]
    if blob[:1] != _HEAD:
        raise ValueError(f"packed results of version {blob[0] if blob else 'none'} cannot be read by this program")
    found: list[tuple[int | None, int, int, memoryview]] = []
    while body:
        if len(body) < HEADER_SIZE:
            raise _cut_off(blob)
        location, run, block, count = _HEADER.unpack_from(body)
        records, body = body[HEADER_SIZE : HEADER_SIZE + count * SIZE], body[HEADER_SIZE + count * SIZE :]
        if len(records) < count * SIZE:
            raise _cut_off(blob)
        found.append((location, run, block, records))
    return found


BODY = slice(8, 30)  # of a record: status, cause, HTTP status, phases
_PARTS, _PHASES = struct.Struct("<II22sxH"), (12, 15, 18, 21, 27)  # where dns, connect, tls, first byte and total begin
_NUMBER, _LOW = struct.Struct("<I"), struct.Struct("<H")
_LIGHT = struct.Struct("<IIB18xHB3x")
_FIRST, _OFFSET, _RAW = struct.Struct("<I29x"), struct.Struct("<4xI"), struct.Struct(f"{SIZE}s")
_SCANNED = struct.Struct("<IIH17xIH")
GOOD = _STATUS_CODE[Status.UP] | 255 << 8  # the verdict of a record that is `up` and nothing else
NO_TOTAL = _NONE


def scanned(records: memoryview) -> Iterator[tuple[int, int, int, int, int]]:
    """(monitor number, ms after the base, verdict, total in 0.1 ms, last 16 bits of the sequence) of each record of a segment."""
    return _SCANNED.iter_unpack(records)


def numbers_in(body: bytes) -> list[int]:
    """The monitor number of each record. Raises ValueError as `unpack`."""
    return [number for _, _, _, records in segments(body) for number in numbers_of(records)]


def numbers_of(records: memoryview) -> list[int]:
    """The monitor number of each record of a segment."""
    return list(chain.from_iterable(_FIRST.iter_unpack(records)))


def raw(records: memoryview) -> Iterator[tuple[bytes]]:
    """Each record of a segment as it is."""
    return _RAW.iter_unpack(records)


def ends_of(base: int, found: Sequence[tuple[int | None, int, int, memoryview]]) -> tuple[int, int]:
    """The instants of the first and of the last record of segments, epoch ms; there is at least one record."""
    with_some = [records for _, _, _, records in found if records]
    first, last = with_some[0], with_some[-1]
    return base + _OFFSET.unpack_from(first)[0], base + _OFFSET.unpack_from(last, len(last) - SIZE)[0]


def parts_of(base: int, blob: bytes) -> Iterator[tuple[int, int, int, int, int, bytes]]:
    """(monitor number, location number, instant, run, sequence, body) of each record, body as it is packed. ValueError as `unpack`."""
    for location, run, block, records in segments(blob):
        numbered, place = location is not None, location or 0
        for number, offset, body, low in _PARTS.iter_unpack(records):
            yield number, place, base + offset, run, block << 16 | low if numbered else 0, body


def part_at(records: memoryview, index: int) -> tuple[int, int, bytes, int]:
    """(monitor number, ms after the base, body, last 16 bits of the sequence) of one record of a segment."""
    found: tuple[int, int, bytes, int] = _PARTS.unpack_from(records, index * SIZE)
    return found


def index_of(records: bytes, number: int, low: int) -> int | None:
    """Which record of a segment is that of a monitor with these last 16 bits of its sequence; None where none is."""
    wanted, end = _NUMBER.pack(number), _LOW.pack(low)
    place = records.find(wanted)
    while place >= 0:
        if place % SIZE == 0 and records[place + SIZE - 2 : place + SIZE] == end:
            return place // SIZE
        place = records.find(wanted, place + 1)
    return None


def without(records: memoryview, cut: Sequence[int]) -> bytes:
    """The records of a segment without these, which are in order."""
    pieces, start = list[memoryview](), 0
    for one in cut:
        pieces.append(records[start * SIZE : one * SIZE])
        start = one + 1
    pieces.append(records[start * SIZE :])
    return b"".join(pieces)


def of_monitor(base: int, blob: bytes, number: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    """The same without the monitor's number, of one monitor alone: the others cost next to nothing. Raises ValueError as `unpack`."""
    wanted = _NUMBER.pack(number)
    if wanted not in blob:
        return
    for location, run, block, view in segments(blob):
        records = view.tobytes()
        place = records.find(wanted)
        while place >= 0:
            if place % SIZE == 0:
                _, offset, body, low = _PARTS.unpack_from(records, place)
                yield location or 0, base + offset, run, block << 16 | low if location is not None else 0, body
            place = records.find(wanted, place + 1)


def light_of(base: int, blob: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """(monitor number, location number, instant, status, total) of each record, as they are packed. Raises ValueError as `unpack`."""
    for location, _, _, records in segments(blob):
        place = location or 0
        for number, offset, status, low, high in _LIGHT.iter_unpack(records):
            yield number, place, base + offset, status, low | high << 16


def result_of(monitor: str, location: str, at: int, run: int, sequence: int, body: bytes) -> CheckResult:
    """The result of a record. Raises ValueError for a status that there is not."""
    status, cause, http, *halves = _BODY.unpack(body)
    if status >= len(_STATUSES):
        raise ValueError(f"packed results hold an unknown status {status}")
    tenths = [low | high << 16 for low, high in zip(halves[::2], halves[1::2], strict=True)]
    return CheckResult(
        monitor,
        at,
        _STATUSES[status],
        _cause_of(cause, _STATUSES[status]),
        timings=Timings(*[None if value == _NONE else value / 10 for value in tenths]),
        http=HttpFacts(http, "") if http else None,
        location=location,
        run=run,
        sequence=sequence,
    )


def _cause_of(code: int, status: Status) -> Cause | None:
    """One that a later version knows becomes the one of this version that says least."""
    if code < len(_CAUSES):
        return _CAUSES[code]
    if code == _NO_CAUSE:
        return None
    return Cause.PROBE_ERROR if status is Status.UNKNOWN else Cause.PROTOCOL_MISMATCH


def total_of(body: bytes) -> int:
    """The total of a record's body in 0.1 ms, or `NO_TOTAL`."""
    return body[19] | body[20] << 8 | body[21] << 16


def columns_of_tenths(records: memoryview, which: Sequence[int]) -> list[Sequence[int]]:
    """The names', connections', TLS', first bytes' and whole lengths of these records of a segment in 0.1 ms, a column each.

    0 for a phase that did not happen.
    """
    every = len(which) * SIZE == len(records)
    blob = bytes(records) if every else b"".join([records[one * SIZE : (one + 1) * SIZE] for one in which])
    return [_tenths_in(blob[at::SIZE], blob[at + 1 :: SIZE], blob[at + 2 :: SIZE]) for at in _PHASES]


def _tenths_in(lowest: bytes, middle: bytes, highest: bytes) -> Sequence[int]:
    """The numbers of three columns of bytes."""
    both = bytearray(2 * len(lowest))
    both[0::2], both[1::2] = (lowest, middle) if byteorder == "little" else (middle, lowest)
    low = array("H", bytes(both))
    if highest.count(0) == len(highest):
        return low
    return [(one | high << 16) % _NONE for one, high in zip(low, highest, strict=True)]


def tenths(ms: float | None) -> int:
    """A length as a record has it, in 0.1 ms; `NO_TOTAL` where there is none."""
    return _tenths(ms)


def body_of(result: CheckResult) -> bytes:
    """A result as the body of a record."""
    return _packed(0, 0, result)[BODY]


def _cut_off(blob: bytes) -> ValueError:
    return ValueError(f"packed results of {len(blob)} bytes are cut off")


def _unpacked(base: int, values: tuple[int, ...], ids: Mapping[int, str], segment: Segment, *, numbered: bool) -> CheckResult:
    number, offset, status, cause, http, *halves = values[:-2]
    if status >= len(_STATUSES):
        raise ValueError(f"packed results hold an unknown status {status}")
    tenths = [low | high << 16 for low, high in zip(halves[::2], halves[1::2], strict=True)]
    location, run, block = segment
    return CheckResult(
        ids.get(number, ""),
        base + offset,
        _STATUSES[status],
        _cause_of(cause, _STATUSES[status]),
        timings=Timings(*[None if value == _NONE else value / 10 for value in tenths]),
        http=HttpFacts(http, "") if http else None,
        location=location,
        run=run,
        sequence=block << 16 | values[-1] if numbered else 0,
    )
