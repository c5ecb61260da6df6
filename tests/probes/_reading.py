"""Pages read in this process, as the worker reads them: for tests of what is found, not of where."""

import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from vigie.core.model import PageFacts
from vigie.probes.kit.http.page import Reader, Unseen
from vigie.probes.kit.http.page.look import JOBS
from vigie.probes.kit.verdict import Verdict

_T = TypeVar("_T")


async def here(job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
    """Ask this process; what is asked and replied goes through JSON as it does through the pipes."""
    return json.dumps(JOBS[job](json.loads(json.dumps(fields)), body)).encode()


def _done(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        found: _T = stop.value
        return found
    raise AssertionError("it waits")


class Reading:
    """A reader of pages that needs no loop."""

    def __init__(self, *, trusted: bool = False) -> None:
        self.reader = Reader(trusted=trusted)

    def read(self, status: int, headers: Mapping[str, str], body: bytes, host: str) -> tuple[Verdict | None, PageFacts | None]:
        known = self.reader.known(status, headers, body, host)
        return _done(self.reader.read(here, known)) if isinstance(known, Unseen) else known

    def wall(self, status: int, headers: Mapping[str, str], body: bytes, host: str) -> Verdict | None:
        return _done(self.reader.wall(here, status, headers, body, host))
