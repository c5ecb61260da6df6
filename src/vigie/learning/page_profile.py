"""The usual shape of a page, and whether another one is far from it.

Laws
1. What varies is learnt to vary: a title, script hosts or a size that changed while the shape was learnt are not signs of a change later.
2. Words and ids may change as they like: only the shape counts, and only signs that weigh two or more together.
3. A shape that is far from the usual one is told, and taken for the usual one after a day of it, or when a person closes the incident.
4. A page that is not told (byte for byte the one before) stands as the one before stood.

A shape is kept as some hundred bytes: hosts and landmarks as hashes, sizes in codes of 6 % (vigie.learning.season).
"""

import struct
from dataclasses import dataclass, replace
from hashlib import blake2b
from zlib import crc32

from vigie.core.model import PageFacts
from vigie.learning.season import MS, code

LEARNING = 24  # hours: shorter than that nothing is told
ACCEPTED = 24  # hours after which another shape is the usual one

_FORMAT = struct.Struct("<IBBBBBBBIIQ32s")
_HOST = 4  # bytes of a script host's hash
_MAX_HOSTS = 24
_RESTLESS = 2  # changes of a feature after which it is not a sign any more
_FAR = 2
_FRACTION, _FEWER_WORDS, _MULTIPLE = 18, 23, 23  # codes: a third of the size, a quarter of the words, four times the size
_MIN_BYTES, _MIN_WORDS = 512, 40  # smaller pages may halve by a word
_SPAM, _MANY_LINKS = 8, 5


@dataclass(frozen=True, slots=True)
class PageProfile:
    """What pages had in common. Counters say how often a feature changed; `low`, `high` and `words` are codes of sizes.

    `parts` are the landmarks that every page had, `links` the hosts that any linked to, both as sets of bits;
    `scripts` the hashes of the foreign hosts that any loaded scripts from.
    """

    born: int
    titles: int
    kinds: int
    news: int
    strays: int
    low: int
    high: int
    words: int
    title: int
    kind: int
    parts: int
    links: int
    scripts: bytes = b""

    def pack(self) -> bytes:
        """As bytes."""
        counters = (self.titles, self.kinds, self.news, self.strays, self.low, self.high, self.words)
        return _FORMAT.pack(self.born, *counters, self.title, self.kind, self.parts, self.links.to_bytes(32)) + self.scripts

    @classmethod
    def unpack(cls, packed: bytes) -> "PageProfile":
        """What was packed."""
        born, titles, kinds, news, strays, low, high, words, title, kind, parts, links = _FORMAT.unpack_from(packed)
        scripts = packed[_FORMAT.size :]
        return cls(born, titles, kinds, news, strays, low, high, words, title, kind, parts, int.from_bytes(links), scripts)


@dataclass(frozen=True, slots=True)
class PageChange:
    """A shape far from the usual one, since `hours` of learning: what the usual shape will be once it is accepted, and the signs.

    `host` is the first foreign script host that was never seen before; `usual` the usual size in bytes.
    """

    shape: bytes
    hours: int
    signs: str
    bytes: int
    usual: int
    host: str = ""


def seen(page: PageFacts, packed: bytes, strange: PageChange | None, hours: int) -> tuple[bytes, PageChange | None]:
    """The usual shape, and the strange one if it is that, after a page; `hours` is how many hours were learnt from so far."""
    facts = _Facts.of(page)
    if not packed:
        return _first(facts, hours).pack(), None
    shape = PageProfile.unpack(packed)
    signs = _signs(shape, facts, page) if hours - shape.born >= LEARNING else {}
    if sum(signs.values()) < _FAR:
        return _learnt(shape, facts, counting=True).pack(), None
    ahead = _learnt(PageProfile.unpack(strange.shape) if strange else shape, facts, counting=False)
    host = next((one for one, key in zip(page.scripts, facts.scripts, strict=True) if key not in _hosts(shape)), "")
    since = strange.hours if strange else hours
    return packed, PageChange(ahead.pack(), since, ", ".join(signs), page.bytes, round(MS[shape.high] / MS[1]), host)


@dataclass(frozen=True, slots=True)
class _Facts:
    """A page in the form that shapes are kept in."""

    title: int
    kind: int
    parts: int
    links: int
    size: int
    words: int
    scripts: tuple[bytes, ...]

    @classmethod
    def of(cls, page: PageFacts) -> "_Facts":
        return cls(
            crc32(page.title.encode("utf-8", "replace")),
            crc32(page.type.encode("utf-8", "replace")),
            _bits(page.landmarks, 64),
            _bits(page.links, 256),
            _size(page.bytes),
            _size(page.words),
            tuple([blake2b(host.encode("utf-8", "replace"), digest_size=_HOST).digest() for host in page.scripts]),
        )


def _size(count: int) -> int:
    return code(count * MS[1])  # from one on in steps of 6 %


def _bits(names: tuple[str, ...], width: int) -> int:
    found = 0
    for name in names:
        found |= 1 << crc32(name.encode("utf-8", "replace")) % width
    return found


def _hosts(shape: PageProfile) -> set[bytes]:
    return {shape.scripts[start : start + _HOST] for start in range(0, len(shape.scripts), _HOST)}


def _first(facts: _Facts, hours: int) -> PageProfile:
    scripts = b"".join(facts.scripts[:_MAX_HOSTS])
    size, words = facts.size, facts.words
    return PageProfile(hours, 0, 0, 0, 0, size, size, words, facts.title, facts.kind, facts.parts, facts.links, scripts)


def _learnt(shape: PageProfile, facts: _Facts, *, counting: bool) -> PageProfile:
    """The shape widened by a page; `counting` notes what changed, as it does when a page that varies is learnt."""
    fresh = [host for host in dict.fromkeys(facts.scripts) if host not in _hosts(shape)]
    more = int(counting)
    return replace(
        shape,
        titles=_count(shape.titles, more and facts.title != shape.title),
        kinds=_count(shape.kinds, more and facts.kind != shape.kind),
        news=_count(shape.news, more and bool(fresh)),
        strays=_count(shape.strays, more and (facts.links & ~shape.links).bit_count() >= _MANY_LINKS),
        low=min(shape.low, facts.size),
        high=max(shape.high, facts.size),
        words=min(shape.words, facts.words),
        title=facts.title,
        kind=facts.kind,
        parts=shape.parts & facts.parts if counting else facts.parts,
        links=shape.links | facts.links,
        scripts=(shape.scripts + b"".join(fresh))[: _MAX_HOSTS * _HOST],
    )


def _count(kept: int, more: int) -> int:
    return min(kept + more, 255)


def _signs(shape: PageProfile, facts: _Facts, page: PageFacts) -> dict[str, int]:
    """What is unusual, each with its weight."""
    full = len(shape.scripts) >= _MAX_HOSTS * _HOST
    fresh = () if full else [host for host in facts.scripts if host not in _hosts(shape)]
    strays, known = (facts.links & ~shape.links).bit_count(), shape.links.bit_count()
    lost, had = (shape.parts & ~facts.parts).bit_count(), shape.parts.bit_count()
    found = {
        "script": (2 if shape.news == 0 else 1 if shape.news < _RESTLESS else 0) if fresh else 0,
        "type": 2 if facts.kind != shape.kind and shape.kinds == 0 else 0,
        "size": _size_weight(shape, facts, page),
        "landmarks": 1 if lost >= 2 and 2 * lost >= had else 0,
        "title": 1 if facts.title != shape.title and shape.titles < _RESTLESS else 0,
        "links": 0 if shape.strays else 2 if strays >= _SPAM and strays > known else 1 if strays >= _MANY_LINKS else 0,
    }
    return {name: weight for name, weight in found.items() if weight}


def _size_weight(shape: PageProfile, facts: _Facts, page: PageFacts) -> int:
    """A page that shrank to a fraction lost something; one that grew may just be busy. Data may be of any size."""
    if "html" not in page.type:
        return 0
    shrunk = facts.size < shape.low - _FRACTION and MS[shape.low] / MS[1] >= _MIN_BYTES
    fewer = facts.words < shape.words - _FEWER_WORDS and MS[shape.words] / MS[1] >= _MIN_WORDS
    return 2 if shrunk or fewer else 1 if facts.size > shape.high + _MULTIPLE else 0
