"""Characters that make a line look like another: line breaks, other control characters, and the marks that turn the direction of a text.

A name with one of them could forge a line of the log or a mail (CWE-117), or read as another name ("Trojan Source", CVE-2021-42574).
"""

import unicodedata

_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _misleads(character: str) -> bool:
    return character in _DIRECTIONS or unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs")


def misleading(text: str) -> str | None:
    """The first such character as `U+202E`, or None."""
    found = next((one for one in text if _misleads(one)), None)
    return None if found is None else f"U+{ord(found):04X}"


def escaped(text: str) -> str:
    r"""The text on one line, with every such character written out: `\n`, `\x1b`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one.encode("unicode_escape").decode() if _misleads(one) else one for one in text)
