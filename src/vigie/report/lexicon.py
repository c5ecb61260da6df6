"""Which claims a sentence makes beyond figures: causes, certainty, direction, change, denial; by the words of `text.claims`."""

import re
from functools import lru_cache

from vigie.text import claims

_BEFORE = 3  # words in which a negation counts


def _any_of(words: str) -> re.Pattern[str]:
    alternatives = "|".join(words.split(","))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE)  # pattern: made into constants below


# Claims that nothing measured can bear; licensed only when a cited fact says the very word.
RULES = {name: _any_of(words) for name, words in claims.RULES.items()}
# A cause may be named only when a cited fact or the chosen hypothesis names it, in either language.
CAUSES = {name: _any_of(words) for name, words in claims.CAUSES.items()}
# A sentence with one of these gives a reason, and a reason must be known word by word.
EXPLAINS = _any_of(claims.EXPLAINS)
_GOOD, _BAD, _CHANGED, _UNCHANGED = (_any_of(words) for words in (claims.GOOD, claims.BAD, claims.CHANGED, claims.UNCHANGED))
_NEGATION, _DENIABLE = (re.compile(words, re.IGNORECASE) for words in (claims.NEGATION, claims.DENIABLE))
_CLAUSES = re.compile(rf"[,;:.]\s|{claims.CLAUSES}")


def denies(text: str) -> bool:
    """Whether a text denies something that not everybody may deny."""
    clauses = _CLAUSES.split(text)
    return any(_NEGATION.search(clause) and not _DENIABLE.search(clause) for clause in clauses)


def negates(text: str) -> bool:
    """Whether a text holds a negation at all."""
    return _NEGATION.search(text) is not None


@lru_cache(maxsize=512)
def changes(text: str) -> frozenset[bool]:
    """Whether a text says that something changed (True), that it did not (False), or neither."""
    found = {False} if _UNCHANGED.search(text) else set[bool]()
    for match in _CHANGED.finditer(text):
        before = " ".join(re.split(r"[,;.]", text[: match.start()])[-1].split()[-_BEFORE:])
        found.add(not _NEGATION.search(before))
    return frozenset(found)


def unlicensed(pattern: re.Pattern[str], text: str, permitted: str) -> bool:
    """Whether the text holds a word of the pattern that the permitted text does not hold."""
    return any(match[0].lower() not in permitted for match in pattern.finditer(text))


def foreign_cause(text: str, permitted: str) -> bool:
    """Whether a cause is named that the permitted text does not name by any of its words."""
    return any(pattern.search(text) and not pattern.search(permitted) for pattern in CAUSES.values())


@lru_cache(maxsize=512)  # every sentence of a reply is held against the same facts
def directions(text: str) -> frozenset[bool]:
    """Which ways a text points: True against the service, False in its favour."""
    found: set[bool] = set()
    for pattern, bad in ((_GOOD, False), (_BAD, True)):
        for match in pattern.finditer(text):
            before = " ".join(re.split(r"[,;.]", text[: match.start()])[-1].split()[-_BEFORE:])
            found.add(bad ^ bool(_NEGATION.search(before)))
    return frozenset(found)
