"""Durations as people write them (`30s`, `5m`, `2h`, `1d`, `1w`, `250ms`) and as the code holds them: whole milliseconds."""

import re

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_READ = _UNITS | {"w": 604_800_000}
_DAY_MS = _UNITS["d"]
MAX_DAYS = 36_500  # a hundred years: "never" has to fit, and so does every date that it leads to
_SHOWN = 40
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")


class Duration(int):
    """A span of time in whole milliseconds; its own type so that a configuration may say `30s`."""

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `30s`, `1h30m` or `0`; raise ValueError that says the accepted forms otherwise."""
        stripped = text.strip()
        if stripped == "0":
            return cls(0)
        parts = _PART.findall(stripped)
        if not parts or _PART.sub("", stripped).strip():
            raise ValueError(_not_one(text))
        milliseconds = sum(float(number) * _READ[unit] for number, unit in parts)
        if milliseconds > MAX_DAYS * _DAY_MS:
            raise ValueError(f"{_cut(text)!r} is too long; at most {MAX_DAYS}d")
        return cls(round(milliseconds))

    @classmethod
    def of(cls, value: object) -> "Duration":
        """Read `30s`, or whole milliseconds as they travel between processes; raise ValueError otherwise."""
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(value)
        raise ValueError(_not_one(value))

    def __str__(self) -> str:
        """The shortest exact form that `parse` reads back."""
        if self == 0:
            return "0"
        rest, text = int(self), ""
        for unit, size in sorted(_UNITS.items(), key=lambda item: -item[1]):
            count, rest = divmod(rest, size)
            text += f"{count}{unit}" if count else ""
        return text


def _not_one(value: object) -> str:
    return f"{_cut(value)!r} is not a duration; write 500ms, 30s, 5m, 2h or 1d"


def _cut(value: object) -> object:
    """The value as a message may repeat it."""
    return f"{value[:_SHOWN]}…" if isinstance(value, str) and len(value) > _SHOWN else value
