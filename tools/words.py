"""Words that the field does not use: each pattern has the word that it does use, as docs/glossary.md settles it.

Read are the sources of the package and the documents: strings, comments, docstrings and names alike. A line that means the word as it is
(a quotation, a key of an older version) says so with `words: …` and a reason.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.source import ROOT

PLACES = ("src/vigie/**/*.py", "src/vigie/**/*.j2", "docs/**/*.md", "*.md")
EXCUSED = re.compile(r"words: \w")

# In the order of the table of words: (pattern, what the field says). Spaces match line breaks too.
PATTERNS = [
    # English
    (r"(?<![Tt]here\s)\bis no (?!longer\b|more\b|less\b|other\b|better\b|worse\b)", "is not a …"),
    (r"(?<![Tt]here\s)\bis none\b(?! else\b| %\})", "is not one"),
    (r"\bstands? (?:in|on|at|twice|beside|behind|between|before|after|under|for itself)\b", "is in …; duplicate"),
    (r"\bshall be\b", "should"),
    (r"\bstand-?ins?\b|\bStandIns?\b|\bstand_ins?\b", "failover"),
    (r"\bminded\b|\bmind_clock\b", "applied, considered"),
    (r"\bhush(?:ed|es|ing)?\b", "suppress"),
    (r"\bspoil(?:t|ed|s)\b", "invalidated"),
    (r"\bbur(?:ied|y|ies)\b", "dead-lettered; undeliverable"),
    (r"\blets? go\b", "drop, cancel"),
    (r"\bsecond looks?\b|\bsecond[_-]looks?\b", "diagnostics"),
    (r"\blook_through\b", "quick check"),
    (r"\b[Nn]obody is accused\b|\baccus(?:e|es|ed)\b", "blame, mark down"),
    (r"\bof which down\b", "the 5 other monitors are up"),
    (r"\bthe earlier script\b", "its name"),
    (r"\brecord\(s\)|\bchannel\(s\)|\baddress\(es\)", "a real plural"),
    (r"\bfirst byte after 0 ms\b", "in under 1 ms"),
    (r"\b[Hh]is\b|\b[Hh]im\b", "its, their"),
    (r"\bcome(?:s)? to pass\b", "happens"),
    (r"\b_?(?:MOST|LEAST)_[A-Z]+\b|\b_(?:MOST|LEAST)\b", "MAX_…, MIN_…"),
    # French
    (r"\b[Mm]andataires?\b", "proxy inverse, frontal"),
    (r"\b[Mm]oniteurs?\b", "service surveillé, sonde"),
    (r"\bcontrôles de suite\b", "contrôles consécutifs"),
    (r"\bremise à\b", "envoyée à"),
    (r"\bsimple hoquet\b|\bhabite /|\bpetit site naît\b", "une phrase simple"),
]  # fmt: skip
_ALL = [(re.compile(pattern.replace(" ", r"\s+")), instead) for pattern, instead in PATTERNS]


def found(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, words, what to say instead) of everything in a text."""
    rows = text.splitlines()
    for pattern, instead in _ALL:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if not EXCUSED.search(rows[line - 1]):
                yield line, " ".join(match[0].split()), instead


def files(root: Path, pending: list[str]) -> Iterator[Path]:
    """What is read: every source and document, but for the places that are still to be gone over."""
    for place in PLACES:
        for path in sorted(root.glob(place)):
            if not any(path.is_relative_to(root / one) for one in pending):
                yield path


def faults(root: Path, pending: list[str]) -> list[str]:
    """Everything that is wrong, as `path:line: words (instead)`."""
    return [
        f"{path.relative_to(root)}:{line}: {words!r}: the field says {instead!r}"
        for path in files(root, pending)
        for line, words, instead in sorted(found(path.read_text(encoding="utf-8")))
    ]


def main() -> int:
    """Print what is wrong; 1 when anything is. `--all` reads the pending places too."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vigie"]["words"]
    wrong = faults(ROOT, [] if "--all" in sys.argv else table["pending"])
    left = "" if "--all" in sys.argv or not table["pending"] else f"; still to be gone over: {', '.join(table['pending'])}"
    print("\n".join(wrong) or f"words: those of the field{left}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
