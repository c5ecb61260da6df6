"""The last good check before each change of verdict, whole: a failure is compared with it, not with the one that began it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from vigie.core.model import CheckResult
from vigie.engine.transition import Transition
from vigie.ports import Commit

Newest = Callable[[str, str], Awaitable[CheckResult | None]]
_Name = tuple[str, str, int, int, int]


class LastGood:
    """Remembers when the newest result that is kept whole was, by monitor and location."""

    def __init__(self) -> None:
        self._kept_at: dict[tuple[str, str], int] = {}

    async def added(self, commit: Commit, transitions: Sequence[Transition], newest_of: Newest) -> Commit:
        """The commit with the good results that its changes of verdict are compared with. `newest_of` has those before it."""
        kept, newest = list[CheckResult](), dict[tuple[str, str], CheckResult]()
        whole = {_name(one) for one in commit.details}
        for result in [one.result for one in transitions if one.result is not None]:
            key = result.monitor, result.location
            if _name(result) in whole:
                last = newest.get(key) or await newest_of(*key)
                if last is not None and last.is_good and last.at > self._kept_at.get(key, 0) and _name(last) not in whole:
                    kept.append(last)
            newest[key] = result
        self._kept_at.update({(one.monitor, one.location): one.at for one in commit.details})
        return replace(commit, details=(*kept, *commit.details)) if kept else commit


def _name(result: CheckResult) -> _Name:
    """What tells a result from every other."""
    return result.monitor, result.location, result.run, result.sequence, result.at
