"""How many checks in a row count, or for how long they must all agree, as people write it: `3`, or `2m`."""

import re
from typing import Any

from vigie.planning.duration import Duration

MOST = 100
_AT_LEAST = 2  # checks that a duration asks for: one alone has not lasted
_LONGEST = Duration(86_400_000)
_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*")
_MAX_BITS = 1_000  # a longer number cannot be written out as text at all


class Streak(str):
    """`3` or `2m`; its own type so that a configuration may say either."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> "Streak":
        """Read a whole number or a duration; raise ValueError that says the accepted forms otherwise."""
        number = value if isinstance(value, int) and not isinstance(value, bool) else None
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            number = int(value)  # out of ${NAME}
        if number is not None and 1 <= number <= MOST:
            return cls(number)
        if number is None and isinstance(value, str):
            try:
                over = Duration.parse(value)
            except ValueError:
                over = Duration(0)
            if 0 < over <= _LONGEST:
                return cls(over)
        raise ValueError(f"a whole number from 1 to {MOST}, or a duration up to {_LONGEST} such as 2m, is expected, not {_shown(value)}")

    @property
    def checks(self) -> int:
        """How many checks in a row, at least."""
        return int(self) if self.isdigit() else _AT_LEAST

    @property
    def over(self) -> Duration:
        """How long they last, at least; 0 where only their number was given."""
        return Duration(0) if self.isdigit() else Duration.parse(self)


def _shown(value: Any) -> str:
    """A value as the file's reader would name it."""
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return "a number of many digits"
    kinds = {bool: str(value).lower(), type(None): "nothing", dict: "keys with values", list: "a list"}
    return kinds.get(type(value), f"{value!r:.80}")
