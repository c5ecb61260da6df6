"""How latencies were spread, in a few dozen bytes: a histogram over logarithmic buckets that can be merged without losing accuracy.

After DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019, §2):
a value lies in bucket ceil(log_γ(value)) with γ = (1 + α) / (1 − α), and the middle of its bucket differs from it by α at most. Values are
whole tenths of a millisecond; bucket 0 holds those that are zero.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import accumulate
from math import ceil, log
from operator import sub

ACCURACY = 0.01  # α
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_SCALE = 1 / log(_GAMMA)
_VERSION = b"\1"
_MORE = 0x80
_USUAL = 20_000  # up to two seconds

Sketch = Mapping[int, int]  # bucket -> how many values


def bucket_of(tenths: int) -> int:
    """The bucket of a value in tenths of a millisecond, at least 0."""
    return ceil(log(tenths) * _SCALE - 1e-9) + 1 if tenths > 0 else 0


def value_of(bucket: int) -> float:
    """What the values of a bucket are taken for, in tenths of a millisecond."""
    return 2 * _GAMMA ** (bucket - 1) / (_GAMMA + 1) if bucket else 0.0


@cache
def _usual() -> tuple[int, ...]:
    """The buckets of the values that are usual: looked up, they cost a tenth."""
    return tuple(bucket_of(value) for value in range(_USUAL))


def sketch_of(tenths: Sequence[int]) -> dict[int, int]:
    """The sketch of values in tenths of a millisecond."""
    if not tenths:
        return {}
    if max(tenths) < _USUAL:
        return dict(Counter(map(_usual().__getitem__, tenths)))
    return dict(Counter(map(bucket_of, tenths)))


def merged(sketches: Iterable[Sketch]) -> dict[int, int]:
    """The sketch of all values of several: the same in whatever order, and as if all values had come at once."""
    found: dict[int, int] = {}
    for sketch in sketches:
        for bucket, count in sketch.items():
            found[bucket] = found.get(bucket, 0) + count
    return found


def quantiles(sketch: Sketch, parts: Iterable[float]) -> list[float | None]:
    """For each part of 0 to 1, in rising order, the value that this part of all lies below, in tenths of a millisecond; None of none."""
    buckets = sorted(sketch)
    seen = list(accumulate([sketch[bucket] for bucket in buckets]))
    if not seen or not seen[-1]:
        return [None for _ in parts]
    last = seen[-1] - 1
    return [value_of(buckets[bisect_right(seen, part * last)]) for part in parts]


def encoded(sketch: Sketch) -> bytes:
    """As bytes behind a version byte: for each bucket in rising order its distance to the one before and its count, as LEB128 varints."""
    buckets = sorted(sketch)
    numbers = [0] * (2 * len(buckets))
    numbers[::2] = map(sub, buckets, (0, *buckets))
    numbers[1::2] = [sketch[bucket] for bucket in buckets]
    if not numbers or max(numbers) < _MORE:
        return _VERSION + bytes(numbers)
    out = bytearray(_VERSION)
    for number in numbers:
        left = number
        while left >= _MORE:
            out.append(left & 0x7F | _MORE)
            left >>= 7
        out.append(left)
    return bytes(out)


def decoded(blob: bytes) -> dict[int, int]:
    """The sketch of bytes. Raises ValueError for what a later version wrote, or what is damaged."""
    if blob[:1] != _VERSION:
        raise ValueError(f"a latency sketch of version {blob[0] if blob else 'none'} cannot be read by this program")
    numbers: list[int] = []
    value = shift = 0
    body = blob[1:]
    if body.isascii():  # no number takes more than a byte
        numbers, body = list(body), b""
    for byte in body:
        if byte & _MORE:
            value |= (byte & 0x7F) << shift
            shift += 7
        else:
            numbers.append(value | byte << shift)
            value = shift = 0
    if shift or len(numbers) % 2:
        raise ValueError(f"a latency sketch of {len(blob)} bytes is cut off")
    found: dict[int, int] = {}
    bucket = 0
    for gap, count in zip(numbers[::2], numbers[1::2], strict=True):
        bucket += gap
        found[bucket] = count
    return found
