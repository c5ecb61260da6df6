"""What a text claims in figures: every number, unit, time, date, address, host, status, version and quotation, in one form for comparing.

A claim is a set of readings (`2 h 05` may be an hour or a span); it is permitted when one of them is among the permitted ones.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from vigie.text import numbers

MONTHS = {name: number for number, names in enumerate(numbers.MONTHS, 1) for name in names.split()}
_WORDS = {word: number for number, words in numbers.WORDS.items() for word in words.split()}

_NUMBER = r"[-+]?\d+(?:[.,\u202f\u00a0 ]\d{3}\b){0,8}(?:[.,]\d+)?"
_UNIT = "|".join(sorted((*numbers.SPANS, *numbers.UNITS), key=len, reverse=True))
_NOUN = "|".join(sorted(numbers.COUNTED, key=len, reverse=True))
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_ALL = re.compile(
    r"(?P<url>\b[a-z][a-z0-9+.-]{0,30}://\S+|\bwww\.\S+)"
    r"|(?P<date>\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b"
    rf"|\b\d{{1,2}}(?:er|st|nd|rd|th)?\s(?:{_MONTH})\b(?:\s\d{{4}}\b)?|\b(?:{_MONTH})\s\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s\d{{4}}\b)?)"
    r"|(?P<time>\b\d{1,2}(?::\d{2}){1,2}(?:\s?[ap]\.?m\b\.?)?|\b\d{1,2}\s?h\s?\d{2}\b(?!\s?(?:min|m\b|mn))(?:\s?(?:min)?\s?\d{2}\s?s\b)?|\b\d{1,2}\s?[ap]m\b)"
    r"|(?P<zone>\b(?:utc|gmt)(?:\s?[+-]\s?\d{1,2}(?::\d{2})?)?|(?-i:\bCES?T\b))"
    r"|(?P<version>\b(?:tls|ssl)\s?v?\s?\d(?:\.\d)?\b|\bhttp/\d(?:\.\d)?\b|\bipv\d\b|\bv\d+(?:\.\d+){1,12}\b)"
    r"|(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]))"
    r"|(?P<range>\b\d{3}\s?[-–]\s?\d{3}\b|\b[1-5]xx\b)"
    r"|(?P<host>\b(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,12}[a-z_]{2,24}\b)"
    r"|(?P<status>\b(?:http|statut|status|code|erreur|error)(?:\s(?:http|code|status|de|of|est|is)){0,8}\s\d{3}\b"
    r"|\b\d{3}\s(?:error|erreur|status|statut|response|réponse)s?\b)"
    rf"|(?P<measure>(?<![\w.]){_NUMBER}\s?(?:{_UNIT})s?(?![\w]))"
    rf"|(?P<count>(?<![\w.])\d+\s(?:(?!(?:of|de|du|des|at|on|à|sur|in|en)\b)[a-zà-ÿ]+\s){{0,2}}?(?:{_NOUN})(?:s|es|x)?\b)"
    rf"|(?P<number>(?<![\w.]){_NUMBER})"
    r"|(?P<stuck>\b\w*\d\w*)",
    re.IGNORECASE,
)
_SPELT = re.compile(r"\b(?:" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|entre)\s(\d{3})\s(?:and|et)\s(\d{3})\b(?!\s?(?:ms|s|byte|octet|k|m)\w*\b)", re.IGNORECASE)
_JOINT = re.compile(r"\s*+(?:,|et|and)?+\s*+", re.IGNORECASE)

Reading = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure of a text: which kind it is and how it may be read."""

    kind: str
    readings: frozenset[Reading]


def claims(text: str, language: str) -> list[Claim]:
    """Every figure of a text; spans that follow each other in ever smaller units (`2 h 05 min`) are one."""
    flat = _SPELT.sub(lambda match: str(_WORDS[match[0].lower()]), ranged(text))
    found: list[Claim] = []
    end, unit = -1, 0.0  # where the last span ends, and its unit in ms
    for match in _ALL.finditer(flat):
        kind = match.lastgroup or "number"
        read = frozenset(_READ[kind](match[0].lower(), language))
        size = _unit_ms(match[0]) if kind == "measure" else 0.0
        if 0 < size < unit and _JOINT.fullmatch(flat[end : match.start()]):
            read = frozenset({("span", _plain(_span_ms(found.pop()) + _span_ms(Claim(kind, read))))})
        found.append(Claim(kind, read))
        end, unit = match.end(), size
    return found


def ranged(text: str) -> str:
    """Give “between 200 and 299” as the range that it is."""
    return _BETWEEN.sub(r"\1-\2", text)


def _unit_ms(text: str) -> float:
    unit = re.sub(rf"^{_NUMBER}", "", text.lower()).strip()  # pattern: a constant, at the start of a claim
    return numbers.SPANS.get(unit, numbers.SPANS.get(unit.rstrip("s"), 0))


def _span_ms(claim: Claim) -> float:
    return next(float(value) for _, value in claim.readings)


@lru_cache(maxsize=512)  # every sentence of a reply is held against the same facts
def readings(text: str, language: str) -> frozenset[Reading]:
    """Everything that a text's figures may be read as, with what follows from it: a time without its seconds, the ends of a range."""
    found: set[Reading] = set()
    for claim in claims(text, language):
        found |= claim.readings
        for kind, value in claim.readings:
            found |= set(_implied(kind, value))
    return frozenset(found)


def _implied(kind: str, value: str) -> Iterator[Reading]:
    match kind:
        case "time" if value.count(":") == 2:
            yield "time", value.rpartition(":")[0]
        case "date" if value.count("-") == 2:
            yield "date", value.partition("-")[2]
        case "range":
            for end in value.split("-"):
                yield from (("number", end), ("status", end))
        case "status":
            yield "number", value
        case "version" if value.startswith("tls"):
            yield "version", value.replace(".0", "")
        case _ if kind.startswith("count:"):
            yield "number", value


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _value(text: str, language: str) -> str:
    """`12 000`, `12,000` (English) and `12000` are one; a comma is a decimal one in French."""
    bare = re.sub(r"(?<=\d)[\s\u202f\u00a0](?=\d{3})", "", text.strip())
    if language == "en":
        bare = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", bare)
    bare = bare.replace(",", ".").lstrip("+")
    try:
        return _plain(float(bare))
    except ValueError:
        return bare


def _measure(text: str, language: str) -> Iterator[Reading]:
    number = re.match(_NUMBER, text)
    amount = number[0] if number else ""
    unit = text[len(amount) :].strip()
    unit = unit if unit in numbers.SPANS or unit in numbers.UNITS else unit.rstrip("s")
    value = _value(amount, language)
    if unit in numbers.SPANS:
        yield "span", _plain(float(value) * numbers.SPANS[unit])
    else:
        yield f"unit:{numbers.UNITS[unit]}", value


def _count(text: str, language: str) -> Iterator[Reading]:
    amount, noun = text.split(maxsplit=1)[0], text.rsplit(maxsplit=1)[-1]
    name = next((one for one in (noun, noun[:-1], noun[:-2]) if one in numbers.COUNTED), noun)
    yield f"count:{numbers.COUNTED.get(name, name)}", _value(amount, language)


def _time(text: str, _: str) -> Iterator[Reading]:
    afternoon, morning = re.search(r"p\.?m", text) is not None, re.search(r"a\.?m", text) is not None
    parts = [int(part) for part in re.findall(r"\d+", text)]
    hour, rest = parts[0], parts[1:] or [0]
    if afternoon or morning:
        hour = hour % 12 + (12 if afternoon else 0)
    yield "time", ":".join(f"{part:02d}" for part in (hour, *rest))
    if "h" in text and len(parts) == 2:
        yield "span", _plain(parts[0] * 3_600_000 + parts[1] * 60_000)


def _date(text: str, language: str) -> Iterator[Reading]:
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    month = next((MONTHS[word] for word in re.findall(r"[a-zà-ÿ]+", text) if word in MONTHS), None)
    if month is not None:
        year = f"{numbers[1]}-" if len(numbers) > 1 else ""
        yield "date", f"{year}{month:02d}-{numbers[0]:02d}"
    elif "-" in text:
        yield "date", text
    else:
        first, second = numbers[0], numbers[1]
        day, month = (second, first) if language == "en" and second > 12 else (first, second)
        year = f"{numbers[2] + (2000 if numbers[2] < 100 else 0)}-" if len(numbers) > 2 else ""
        yield "date", f"{year}{month:02d}-{day:02d}"


def _squeezed(kind: str) -> Callable[[str, str], Iterator[Reading]]:
    def read(text: str, _: str) -> Iterator[Reading]:
        bare = re.sub(r"\s", "", text).replace("–", "-").rstrip(".,;:")
        yield kind, re.sub(r"^(tls|ssl)v?", r"\1", bare) if kind == "version" else bare

    return read


def _range(text: str, _: str) -> Iterator[Reading]:
    """`2xx` is `200-299`."""
    yield "range", f"{text[0]}00-{text[0]}99" if text.endswith("xx") else re.sub(r"\s", "", text).replace("–", "-")


def _status(text: str, _: str) -> Iterator[Reading]:
    yield from (("status", found) for found in re.findall(r"\d{3}", text))


def _number(text: str, language: str) -> Iterator[Reading]:
    yield "number", _value(text, language)


_READ: dict[str, Callable[[str, str], Iterator[Reading]]] = {
    **{kind: _squeezed(kind) for kind in ("url", "zone", "version", "address", "host", "stuck")},
    "range": _range,
    "date": _date,
    "time": _time,
    "status": _status,
    "measure": _measure,
    "count": _count,
    "number": _number,
}
