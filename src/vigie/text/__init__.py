"""What people read, in French and English: tables of pairs side by side, so that a sentence and its translation change together.

No logic: `formatting` writes values (durations, dates, percentages, counted nouns), every other module is data; `report` fills it in.
"""

Pair = tuple[str, str]  # (French, English)
Plural = tuple[Pair, Pair]  # ((French for one, for several), (English for one, for several))

LANGUAGES = ("fr", "en")


def pick(pair: Pair, language: str) -> str:
    """The text of one language out of (fr, en)."""
    return pair[0 if language == "fr" else 1]


def plural(forms: Plural, number: float, language: str) -> str:
    """The form that goes with a number: the plural begins at 2 in French, and is for everything but 1 in English."""
    one, several = forms[0 if language == "fr" else 1]
    return one if (abs(number) < 2 if language == "fr" else number == 1) else several
