"""What a monitoring plugin says: its text, and its performance data as figures.

The format is that of the Monitoring Plugins Development Guidelines (https://www.monitoring-plugins.org/doc/guidelines.html):
`text | 'label'=value[unit];[warn];[crit];[min];[max] …` on the first line, more text after it, and more performance data after
another `|` there.
"""

import math
import re

from vigie.core.model import Scalar

_TEXT = 200
_LABELS = 24
_LABEL = 40
_PERFDATA_LENGTH = 8_192
_NUMBER = r"-?(?:\d{1,30}(?:[.,]\d{0,30})?|[.,]\d{1,30})(?:[eE][-+]?\d{1,3})?"
_PERFDATA = re.compile(
    rf"(?:'((?:[^']|''){{1,200}})'|([^\s='|]{{1,200}}))=({_NUMBER}|U)([a-zA-Zµ%]{{0,10}})"
    r"((?:;[-+\d.,eE:~@]{0,40}){0,4});?(?=\s|$)"
)
_PARTS = ("warn", "crit", "min", "max")
_PLAIN = re.compile(_NUMBER)


def said(out: str, err: str) -> str:
    """The first line of the output, or where there is none the last one of stderr; no control characters, at most 200 characters."""
    first = printable(out.partition("\n")[0].partition("|")[0])
    if first:
        return first
    lines = [line for line in (printable(line) for line in err.splitlines()) if line]
    return lines[-1] if lines else ""


def printable(text: str) -> str:
    """One line as a person may read it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text[: 4 * _TEXT]).split())[:_TEXT]


def figures(out: str) -> dict[str, Scalar]:
    """`perf.<label>`, and `perf.<label>.unit`, `.warn`, `.crit`, `.min`, `.max` where they are given; 24 labels at most."""
    found: dict[str, Scalar] = {}
    for count, match in enumerate(_PERFDATA.finditer(_perfdata(out))):
        if count >= _LABELS:
            break
        label = printable((match[1] or match[2]).replace("''", "'"))[:_LABEL]
        value = _number(match[3])
        if not label or value is None:
            continue  # "U": the plugin could not tell
        found[f"perf.{label}"] = value
        if match[4]:
            found[f"perf.{label}.unit"] = match[4]
        for name, part in zip(_PARTS, match[5].split(";")[1:], strict=False):
            if part:
                number = _number(part)
                found[f"perf.{label}.{name}"] = part if number is None else number
    return found


def _perfdata(out: str) -> str:
    """Everything that stands where performance data does."""
    first, _, rest = out.partition("\n")
    return " ".join((first.partition("|")[2], rest.partition("|")[2].replace("\n", " ")))[:_PERFDATA_LENGTH]


def _number(text: str) -> float | None:
    if not _PLAIN.fullmatch(text):
        return None
    value = float(text.replace(",", "."))
    return value if math.isfinite(value) else None
