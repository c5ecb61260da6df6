"""Which words of a sentence need a licence: all but the neutral ones (`text.vocabulary`).

Words are compared by their first six letters, so that plurals, genders and tenses need no entry of their own.
"""

import re
import unicodedata
from functools import lru_cache

from vigie.text import vocabulary

STEM = 6
_LETTERS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=4096)  # a language has few words
def stem(word: str) -> str:
    """The first six letters, without accents; a short word without its plural."""
    plain = "".join(one for one in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(one) != "Mn")
    return plain[:STEM] if len(plain) > STEM else plain.rstrip("sx") or plain


def stems(text: str) -> frozenset[str]:
    """The stems of all the words of a text."""
    return frozenset(stem(word) for word in _LETTERS.findall(text))


NEUTRAL: dict[str, frozenset[str]] = {"en": stems(vocabulary.EN), "fr": stems(vocabulary.FR)}


def foreign(text: str, permitted: frozenset[str], language: str) -> list[str]:
    """The words of a text that neither the neutral vocabulary nor `permitted` (stems) has."""
    known = NEUTRAL[language] | permitted
    return [word for word in _LETTERS.findall(text) if len(word) > 1 and stem(word) not in known]
