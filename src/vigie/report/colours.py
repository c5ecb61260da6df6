"""Whether a colour can be read on another, as WCAG 2.2 measures it (§1.4.3 and its definition of relative luminance)."""

import re

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
READABLE = 4.5  # of text of any size


def is_colour(text: str) -> bool:
    """Whether it is written as `#1b55a8`."""
    return _HEX.fullmatch(text) is not None


def contrast(first: str, second: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(colour: str) -> str:
    """White or near black, whichever is better read on it."""
    return max(("#ffffff", "#0f1215"), key=lambda ink: contrast(ink, colour))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
