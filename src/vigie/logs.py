"""The log: the seed's format on console and in a rotated file, or JSON; known secrets are masked in every record."""

import contextlib
import logging
import logging.handlers
import stat
import sys
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import TextIO

from vigie.errors import VigieError
from vigie.files import make_file, make_folder
from vigie.net import Secrets
from vigie.text.marks import escaped

_ABOUT_SERVICES = ("vigie.ingest", "vigie.sight")  # loggers whose warnings are about what is watched, and about the way there
_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
SEED_FORMAT = "%(asctime)s - %(levelname)s - %(message)s"


class _Masked(logging.Formatter):
    """Formats with another formatter, then masks secrets: the last step, so that nothing slips past."""

    def __init__(self, inner: logging.Formatter, secrets: Secrets) -> None:
        super().__init__()
        self._inner, self._secrets = inner, secrets

    def format(self, record: logging.LogRecord) -> str:
        """One line without secrets."""
        return self._secrets.mask(self._inner.format(record))


class _OneLine(logging.Formatter):
    """A record is a line: what names and servers put into it begins no other. The lines of a traceback are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """The line."""
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the standard library's name
        """The traceback below it."""
        return "\n".join(f"    {escaped(line)}" for line in super().formatException(ei).split("\n"))


class _Console(logging.StreamHandler[TextIO]):
    """The console; one that went away is nobody's concern."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Nobody is there to be told."""
        del record


class _File(logging.handlers.RotatingFileHandler):
    """A rotated file, for its owner alone unless its owner opened it to others.

    When it cannot be written (a full disk) the console is told once, and the log goes on as soon as there is room.
    """

    _failed = False

    def _open(self) -> TextIOWrapper:
        make_file(Path(self.baseFilename))
        return super()._open()

    def doRollover(self) -> None:  # noqa: N802 - the standard library's name
        """The next file has the rights of the one before."""
        mode = stat.S_IMODE(Path(self.baseFilename).stat().st_mode)
        super().doRollover()
        if self.stream is not None:
            Path(self.baseFilename).chmod(mode)

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        self._broke = False
        super().emit(record)
        if self._failed and not self._broke:
            self._failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Say why, once until it works again."""
        del record
        self._broke = True
        if self._failed:
            return
        self._failed = True
        error = sys.exc_info()[1]
        why = error.strerror if isinstance(error, OSError) else error
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed (`2>&-`), or none at all
            sys.stderr.write(f"the log file {self.baseFilename} cannot be written: {why}; logging resumes once that is fixed\n")


def start(*, file: Path | None, json: bool, level: str, max_bytes: int, keep: int, secrets: Secrets, console: bool = True) -> None:
    """Send the log to the console (stderr) and to a file that is rotated at `max_bytes`, `keep` old ones kept.

    Raises VigieError when the file cannot be written.
    """
    with prepared(file=file, json=json, level=level, max_bytes=max_bytes, keep=keep, secrets=secrets, console=console) as swap:
        swap()


@contextlib.contextmanager
def prepared(
    *,
    file: Path | None,
    json: bool,
    level: str,
    max_bytes: int,
    keep: int,
    secrets: Secrets,
    console: bool = True,
    brief: bool = False,
) -> Iterator[Callable[[], None]]:
    """Make ready to log so; what comes back puts it into force, and cannot fail. The log is as before when it was not called.

    `brief`: the console gets only what is wrong with Vigie itself; what is wrong with services is what its alerts are for.
    """
    formatter = _Masked(_json() if json else _OneLine(SEED_FORMAT), secrets)
    handlers: list[logging.Handler] = [_Console(sys.stderr)] if console else []
    for handler in handlers if brief else ():
        handler.addFilter(_is_own_trouble)
    if file is not None:
        handlers.append(_file(file, max_bytes, keep))
    for handler in handlers:
        handler.setFormatter(formatter)
    root = logging.getLogger("vigie")

    def swap() -> None:
        stop()
        root.setLevel(level.upper())
        root.propagate = False
        for handler in handlers:
            root.addHandler(handler)

    try:
        yield swap
    finally:
        for handler in handlers:
            if handler not in root.handlers:
                handler.close()


def _is_own_trouble(record: logging.LogRecord) -> bool:
    return record.levelno >= (logging.ERROR if record.name in _ABOUT_SERVICES else logging.WARNING)


def stop() -> None:
    """Flush and take every handler away."""
    root = logging.getLogger("vigie")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        with contextlib.suppress(OSError):  # a full disk was told when the line was written
            handler.close()


def writable(path: Path) -> None:
    """Raise VigieError when the log file cannot be written; it is left as it is."""
    there = path.exists()
    _file(path, 0, 0).close()
    if not there:
        path.unlink(missing_ok=True)


def _file(path: Path, max_bytes: int, keep: int) -> logging.Handler:
    try:
        make_folder(path.parent)
        return _File(path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8")
    except OSError as error:
        raise VigieError(
            f"the log file {path} cannot be written: {error.strerror}",
            "make it writable for this user, or set log.file (LOG_FILE) to another path",
        ) from error


def _json() -> logging.Formatter:
    import structlog  # only for those who ask: it costs start-up time

    chain: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
