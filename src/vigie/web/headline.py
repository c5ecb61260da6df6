"""The sentence that opens the overview and the wallboard, and the one under it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vigie.core.model import Cause
from vigie.queries import Health, MonitorState
from vigie.queries.board import BoardRow
from vigie.text.formatting import grouped as written
from vigie.web.filters import counted_states
from vigie.web.rendering import Words

_BLIND_SHARE = 0.5  # of the services, from which on it is Vigie that cannot see


@dataclass(frozen=True, slots=True)
class Headline:
    """`state` is that of the mark before it: a MonitorState, or `ok`; `others` are the clauses about the other states."""

    state: str
    text: str
    others: tuple[str, ...] = ()
    down_since: int | None = None
    blind: bool = False


def headline(rows: Sequence[BoardRow], health: Health, words: Words, clock: Callable[[int], str]) -> Headline:
    """How things are."""
    counts, total = counted_states(rows), len(rows)
    if not health.ok:
        return Headline("down", words("stalled"))
    if not total:
        return Headline("none", words("title_empty"))
    if counts.get(MonitorState.NONE) == total:
        return Headline("none", words("waiting"))
    if (since := blind_since(rows)) is not None:
        return Headline("unknown", words("blind", time=clock(since)), blind=True)
    if set(counts) == {MonitorState.UP}:
        return Headline("ok", words("all_up", count=total, total=written(total, words.language)))
    worst = next((one for one in counts if one not in (MonitorState.UP, MonitorState.NONE)), MonitorState.NONE)
    others = tuple(words(f"and_{state}", count=count) for state, count in counts.items() if state not in (worst, MonitorState.UP))
    down = [row.since for row in rows if row.state is MonitorState.DOWN and row.since is not None]
    text = words(f"some_{worst}", count=counts[worst], total=written(total, words.language))
    return Headline(worst.value, text, others, min(down, default=None))


def blind_since(rows: Sequence[BoardRow]) -> int | None:
    """Since when Vigie has had no way out, epoch ms: most services cannot be checked, for that reason. None while it sees."""
    unseen = [
        row
        for row in rows
        if row.state is MonitorState.UNKNOWN and row.view.result is not None and row.view.result.cause is Cause.PROBE_NETWORK
    ]
    if not unseen or len(unseen) < _BLIND_SHARE * len(rows):
        return None
    return min((row.since or row.view.result.at for row in unseen if row.view.result is not None), default=None)
