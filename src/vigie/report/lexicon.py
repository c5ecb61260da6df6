"""Which claims a sentence makes that no fact bears: causes, certainty, actions; by the words of `text.claims`."""

import re

from vigie.text import claims


def _any_of(words: str) -> re.Pattern[str]:
    alternatives = "|".join(words.split(","))
    return re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE)  # pattern: made into constants below


# Claims that nothing measured can bear; licensed only when a cited fact says the very word.
RULES = {name: _any_of(words) for name, words in claims.RULES.items()}
# A cause may be named only when a cited fact or the chosen hypothesis names it, in either language.
CAUSES = {name: _any_of(words) for name, words in claims.CAUSES.items()}
# A sentence with one of these gives a reason, and a reason must be known word by word.
EXPLAINS = _any_of(claims.EXPLAINS)


def unlicensed(pattern: re.Pattern[str], text: str, permitted: str) -> bool:
    """Whether the text holds a word of the pattern that the permitted text does not hold."""
    return any(match[0].lower() not in permitted for match in pattern.finditer(text))


def foreign_cause(text: str, permitted: str) -> bool:
    """Whether a cause is named that the permitted text does not name by any of its words."""
    return any(pattern.search(text) and not pattern.search(permitted) for pattern in CAUSES.values())
