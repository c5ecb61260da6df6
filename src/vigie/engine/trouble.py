"""A failure that lasts, of something that is tried again and again: said when it begins, and when it is over."""

import contextlib
import logging
from collections.abc import Iterator

from vigie.errors import StoreError, StoreFault


class Trouble:
    """Says that the store fails, once for each kind of failure until it works again. `what` is what cannot be done meanwhile."""

    def __init__(self, log: logging.Logger, what: str, level: int = logging.ERROR) -> None:
        self._log, self._what, self._level = log, what, level
        self._faults: set[StoreFault] = set()

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """What fails within is said, and raised no further; what comes to its end is the end of the trouble."""
        try:
            yield
        except StoreError as error:
            self.failed(error)
        else:
            self.over()

    def failed(self, error: StoreError) -> None:
        """It failed."""
        if error.fault not in self._faults:
            self._faults.add(error.fault)
            self._log.log(self._level, "%s: %s. %s", self._what, error, error.fix)

    def over(self) -> None:
        """It was done."""
        if self._faults:
            self._faults.clear()
            self._log.warning("it works again, after: %s", self._what)
