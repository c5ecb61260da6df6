"""The log: the seed's format on console and in a rotated file, or JSON; known secrets are masked in every record."""

import logging
import logging.handlers
import sys
from collections.abc import Iterable
from pathlib import Path

from vigie.errors import VigieError

SEED_FORMAT = "%(asctime)s - %(levelname)s - %(message)s"
_SHORTEST_SECRET = 4  # masking shorter words would make the log unreadable and hide nothing


class _Masked(logging.Formatter):
    """Formats with another formatter, then masks secrets: the last step, so that nothing slips past."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """One line without secrets."""
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def start(*, file: Path | None, json: bool, level: str, max_bytes: int, keep: int, secrets: Iterable[str], console: bool = True) -> None:
    """Send the log to the console (stderr) and to a file that is rotated at `max_bytes`, `keep` old ones kept.

    Raises VigieError when the file cannot be written.
    """
    formatter = _Masked(_json() if json else logging.Formatter(SEED_FORMAT), secrets)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if console else []
    if file is not None:
        handlers.append(_file(file, max_bytes, keep))
    root = logging.getLogger("vigie")
    stop()
    root.setLevel(level.upper())
    root.propagate = False
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)


def stop() -> None:
    """Flush and take every handler away."""
    root = logging.getLogger("vigie")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()


def _file(path: Path, max_bytes: int, keep: int) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return logging.handlers.RotatingFileHandler(path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8")
    except OSError as error:
        raise VigieError(
            f"the log file {path} cannot be written: {error.strerror}", "set log.file (or LOG_FILE) to a writable path"
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
