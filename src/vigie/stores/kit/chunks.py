"""The results of one monitor from one location in an hour or a day, as one compressed blob.

A version byte, a layout byte, and a zlib stream of byte planes: plane k holds the k-th byte of every record, so that what is alike lies
together. Records are in the order of their instants. A whole one (layout 0) is u32 ms since the record before (the first: since the
beginning of the hour or day), u32 run and u48 sequence as differences to the record before, and the 22 bytes that `codec` packs: status,
cause, HTTP status, six phases. A thin one (layout 1) is the instant, status, cause and total. Little-endian.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub

VERSION = 1
WHOLE, THIN = 0, 1
BODY = 22  # status, cause, HTTP status (2), dns, connect, tls, first byte, transfer, total (3 each)
PHASES = tuple(range(4, BODY, 3))
TOTAL = PHASES[-1]
_THIN_PLANES = (0, 1, TOTAL, TOTAL + 1, TOTAL + 2)
_WIDTH = {WHOLE: 14 + BODY, THIN: 4 + len(_THIN_PLANES)}
_LEVEL = 6
_LOOSE = struct.Struct("<QIQ22s")
LOOSE = _LOOSE.size
_LITTLE = sys.byteorder == "little"
Record = tuple[int, int, int, bytes]  # instant, run, sequence, body


loose = _LOOSE.pack  # one record by itself: instant (at least 0), run, sequence, body


def records_of(several: bytes | bytearray) -> Iterator[Record]:
    """Records that were packed by themselves, one after the other."""
    return _LOOSE.iter_unpack(several)


@dataclass(frozen=True, slots=True)
class Records:
    """Records in columns, by their instants (epoch ms). Of thin ones `runs` and `sequences` are 0. `bodies` is one after the other."""

    instants: Sequence[int]
    runs: Sequence[int]
    sequences: Sequence[int]
    bodies: bytes
    thin: bool = False

    def __len__(self) -> int:
        return len(self.instants)

    @property
    def statuses(self) -> bytes:
        """By their positions."""
        return self.bodies[::BODY]

    def phase(self, place: int) -> Sequence[int]:
        """One phase in tenths of a millisecond, by its place in a body (`PHASES`)."""
        return _u24(self.bodies, place)

    @property
    def totals(self) -> Sequence[int]:
        """In tenths of a millisecond."""
        return self.phase(TOTAL)

    def rows(self) -> Iterator[Record]:
        """One by one."""
        bodies = self.bodies
        cut = (bodies[place : place + BODY] for place in range(0, len(bodies), BODY))
        return zip(self.instants, self.runs, self.sequences, cut, strict=True)

    def part(self, first: int, last: int) -> "Records":
        """Those of [first, last) by place."""
        return Records(
            self.instants[first:last],
            self.runs[first:last],
            self.sequences[first:last],
            self.bodies[first * BODY : last * BODY],
            self.thin,
        )


NOTHING = Records((), (), (), b"")


def gathered(rows: Iterable[Record], *, by_instant: bool = False) -> Records:
    """Rows in order, each result once: known by its run and sequence, or by its instant and body where it has none (or they are not kept).

    Of a result that comes twice the first one counts.
    """
    several = list(rows)
    if by_instant or not _all_differ(several):
        known: dict[tuple[int, int | bytes], Record] = {}
        for row in several:
            at, run, sequence, body = row
            known.setdefault((at, body) if by_instant or not (run or sequence) else (run, sequence), row)
        several = list(known.values())
    several.sort()
    return Records(
        [row[0] for row in several],
        [row[1] for row in several],
        [row[2] for row in several],
        b"".join([row[3] for row in several]),
        by_instant,
    )


def _all_differ(rows: Sequence[Record]) -> bool:
    """Whether each has a run and a sequence of its own: the usual case, seen at once."""
    keys = {(run, sequence) for _, run, sequence, _ in rows}
    return len(keys) == len(rows) and (0, 0) not in keys


def joined(parts: Sequence[Records]) -> Records:
    """Parts that follow each other, as one."""
    if len(parts) == 1:
        return parts[0]
    return Records(
        [at for part in parts for at in part.instants],
        [run for part in parts for run in part.runs],
        [sequence for part in parts for sequence in part.sequences],
        b"".join(part.bodies for part in parts),
        any(part.thin for part in parts),
    )


def encode(records: Records, start: int) -> bytes:
    """The blob of records within an hour or day that begins at `start`, epoch ms."""
    planes = _planes("I", 4, _steps(records.instants, start, 2**32))
    if records.thin:
        planes += [records.bodies[place::BODY] for place in _THIN_PLANES]
    else:
        planes += _planes("I", 4, _steps(records.runs, 0, 2**32)) + _planes("Q", 6, _steps(records.sequences, 0, 2**48))
        planes += [records.bodies[place::BODY] for place in range(BODY)]
    return bytes((VERSION, THIN if records.thin else WHOLE)) + zlib.compress(b"".join(planes), _LEVEL)


def decode(blob: bytes, start: int) -> Records:
    """The records of a blob. Raises ValueError for one that a later version wrote, or that is damaged."""
    if blob[:1] != bytes([VERSION]) or blob[1:2] not in (bytes([WHOLE]), bytes([THIN])):
        raise ValueError(f"a chunk of version {blob[:2].hex() or 'none'} cannot be read by this program")
    thin = blob[1] == THIN
    try:
        planes = zlib.decompress(memoryview(blob)[2:])
    except zlib.error as error:
        raise ValueError(f"a chunk of {len(blob)} bytes is damaged: {error}") from error
    width = _WIDTH[blob[1]]
    if len(planes) % width:
        raise ValueError(f"a chunk of {len(blob)} bytes is cut off")
    count = len(planes) // width
    instants = list(accumulate(_numbers("I", 4, planes, 0, count), initial=start))[1:]
    bodies = bytearray(b"\0\0\0\0" + b"\xff" * (BODY - 4)) * count
    if thin:
        for number, place in enumerate(_THIN_PLANES):
            bodies[place::BODY] = planes[(4 + number) * count : (5 + number) * count]
        zeros = [0] * count
        return Records(instants, zeros, zeros, bytes(bodies), thin=True)
    for place in range(BODY):
        bodies[place::BODY] = planes[(14 + place) * count : (15 + place) * count]
    runs = _summed(_numbers("I", 4, planes, 4 * count, count), 2**32)
    sequences = _summed(_numbers("Q", 6, planes, 8 * count, count), 2**48)
    return Records(instants, runs, sequences, bytes(bodies))


def thinned(records: Records) -> Records:
    """With what is kept longest: instants, status, cause, total."""
    if records.thin:
        return records
    bodies = bytearray(b"\0\0\0\0" + b"\xff" * (BODY - 4)) * len(records)
    for place in _THIN_PLANES:
        bodies[place::BODY] = records.bodies[place::BODY]
    zeros = [0] * len(records)
    return Records(records.instants, zeros, zeros, bytes(bodies), thin=True)


def _steps(values: Sequence[int], before: int, modulus: int) -> list[int]:
    """Each value less the one before it."""
    steps = list(map(sub, values, (before, *values)))
    return [one % modulus for one in steps] if steps and min(steps) < 0 else steps


def _summed(steps: Sequence[int], modulus: int) -> list[int]:
    """And back."""
    found = list(accumulate(steps))
    return [one % modulus for one in found] if found and found[-1] >= modulus else found


def _planes(code: str, width: int, values: Sequence[int]) -> list[bytes]:
    packed = array(code, values)
    if not _LITTLE:
        packed.byteswap()
    flat = packed.tobytes()
    return [flat[place :: packed.itemsize] for place in range(width)]


def _numbers(code: str, width: int, planes: bytes, offset: int, count: int) -> Sequence[int]:
    packed = array(code)
    flat = bytearray(packed.itemsize * count)
    for place in range(width):
        flat[place :: packed.itemsize] = planes[offset + place * count : offset + (place + 1) * count]
    packed.frombytes(bytes(flat))
    if not _LITTLE:
        packed.byteswap()
    return packed


def _u24(bodies: bytes, place: int) -> Sequence[int]:
    flat = bytearray(len(bodies) // BODY * 4)
    for byte in range(3):
        flat[byte::4] = bodies[place + byte :: BODY]
    packed = array("I")
    packed.frombytes(bytes(flat))
    if not _LITTLE:
        packed.byteswap()
    return packed
