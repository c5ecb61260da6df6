"""A script that keeps what it is given, and ends as it is told by a file beside it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from vigie.config.convert import dec_hook
from vigie.errors import DeliveryReason
from vigie.notifiers import NotifierDeps
from vigie.notifiers import exec as module
from vigie.ports import Notifier
from vigie.testing.notifier_rigs import PATIENCE_SECONDS, SHORT_SECONDS, Can, Refusal, Seen, TestClock
from vigie.testing.services import texts_of

SECRET = "room-token-0123"
_SCRIPT = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "pid").write_text(str(os.getpid()))
told = (folder / "told").read_text()
given = sys.stdin.buffer.read()
print("no:", os.environ["ROOM_TOKEN"], file=sys.stdout if told == "0" else sys.stderr, flush=True)
if told == "stall":
    time.sleep(60)
if told == "flood":
    while True:
        print("x" * 10_000)
if told == "0":
    number = len(list(folder.glob("*.json")))
    (folder / f"{number:04}.json").write_bytes(given)
sys.exit(int(told))
"""


class ExecRig:
    """Implements Rig."""

    secrets = (SECRET,)
    can = frozenset((Can.WHOLE,))
    refusals: Mapping[str, Refusal] = {
        "1": Refusal(DeliveryReason.OTHER, permanent=False),
        "75": Refusal(DeliveryReason.OTHER, permanent=False),
        "65": Refusal(DeliveryReason.REJECTED, permanent=True),
        "67": Refusal(DeliveryReason.RECIPIENT, permanent=True),
        "78": Refusal(DeliveryReason.CONFIG, permanent=False, retry_after_ms=300_000),
        "stall": Refusal(DeliveryReason.TIMEOUT, permanent=False),
        "flood": Refusal(DeliveryReason.OTHER, permanent=False),
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "script.py"
        script.write_text(_SCRIPT)
        command = [sys.executable, "-I", "-S", str(script), str(folder)]
        settings = {"command": command, "env": {"ROOM_TOKEN": SECRET}, "timeout": f"{PATIENCE_SECONDS:g}s"}
        self.config: Any = msgspec.convert(settings, module.Config, dec_hook=dec_hook)
        short: Any = msgspec.convert({**settings, "timeout": f"{SHORT_SECONDS:g}s"}, module.Config, dec_hook=dec_hook)
        self._patient, self._short = (module.build(one, NotifierDeps(TestClock(), "vigie.example.com")) for one in (self.config, short))
        self.accept()

    @property
    def notifier(self) -> Notifier:
        return self._short if (self.folder / "told").read_text() == "stall" else self._patient

    def refuse(self, name: str) -> None:
        (self.folder / "told").write_text(name)

    def accept(self) -> None:
        self.refuse("0")

    def seen(self) -> list[Seen]:
        found = []
        for file in sorted(self.folder.glob("*.json")):
            raw = file.read_bytes()
            document = msgspec.json.decode(raw)
            found.append(Seen("\n".join(texts_of(document)), document["key"], raw))
        return found

    async def quiet(self) -> None:
        """Nothing is left of the command."""
        if not (self.folder / "pid").exists():
            return  # it was ended before it could begin
        pid = int((self.folder / "pid").read_text())
        while _lives(pid):  # noqa: ASYNC110 - nobody tells of the end of a process that is not one's own
            await asyncio.sleep(0.01)  # slow: the same

    def at(self, port: int, *, tls: bool = False, seconds: float = PATIENCE_SECONDS) -> Notifier:
        """It speaks with no server."""
        raise NotImplementedError

    def forget(self) -> None:
        """A command has no room."""
        for file in self.folder.glob("*.json"):
            file.unlink()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[ExecRig]:
    yield ExecRig(folder)


RIGS = {"script": _opened}
