"""Who is notified: a mail server and a webhook that fail by turns, and a webhook that is always well. Each keeps what it acknowledged."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from bench.soak.plan import HOOK_MOODS, MAIL_MOODS, login_is_refused, mood
from vigie.testing import smtp_server
from vigie.testing.servers import serving
from vigie.testing.smtp_server import Fault, SmtpServer

PASSWORD = "app-password-7"
USER = "vigie@soak.test"
_FAULTS = {
    "refuses connections": smtp_server.BUSY,
    "greylists": smtp_server.DEFER_RECEIVERS,
    "stalls": smtp_server.STALLED,
    "closes at DATA": Fault("DATA", smtp_server.CLOSE),
    "takes a mail and says nothing": smtp_server.STALLED,
    "defers for a time": smtp_server.TEMPORARY,
    "closes after a mail": smtp_server.CLOSED,
}
_STATUSES = {"429": "429 Too Many Requests\r\nRetry-After: 2", "500": "500 Internal Server Error", "503": "503 Service Unavailable"}
_OK, _STALL_SECONDS = "200 OK", 30.0
_NAME = re.compile(r"(?:healthy|scripted|hostile)-[0-9]{4}-[\w.-]+")


@dataclass(slots=True)
class Taken:
    """The notices that a channel's server acknowledged, by key, and what each is about: (monitor, reason)."""

    channel: str
    keys: Counter[str] = field(default_factory=Counter)
    about: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, key: str, monitor: str, reason: str) -> None:
        """One more."""
        self.keys[key] += 1
        self.about[key] = monitor, reason

    @property
    def twice(self) -> list[str]:
        """Keys that were acknowledged more than once."""
        return [key for key, count in self.keys.items() if count > 1]


class Hook:
    """A webhook: its `status` at this moment is the mood."""

    def __init__(self, channel: str, mood_now: Callable[[], str]) -> None:
        self.taken, self._mood = Taken(channel), mood_now

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One notice."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        now = self._mood()
        if now == "closes":
            return
        if now == "stalls":
            await asyncio.sleep(_STALL_SECONDS)
            return
        if not now:
            notice = json.loads(body)
            self.taken.take(notice["key"], notice["monitor"], notice["reason"])
        writer.write(f"HTTP/1.1 {_STATUSES.get(now, _OK)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()


@dataclass(slots=True)
class Receivers:
    """All of them; `channels` is the part of `vigie.yaml`."""

    mail: SmtpServer
    taken: dict[str, Taken]
    channels: dict[str, dict[str, object]]
    _read: int = 0

    def gather(self) -> None:
        """Take in the mails that came since the last time."""
        for one in self.mail.mails[self._read :]:
            mail = message_from_bytes(one.raw, policy=default)
            key, subject = str(mail["X-Vigie-Key"]), str(mail["Subject"])
            found = _NAME.search(subject)
            reason = next(
                (word for word in ("opened", "recovered", "report", "reminder", "closed") if f":{word}" in key or f".{word}" in key),
                subject,
            )
            self.taken["mail"].take(key, found[0] if found else subject, reason)
        self._read = len(self.mail.mails)


async def _misbehave(server: SmtpServer, now: Callable[[], float], seconds: float) -> None:
    """Have the mail server fail by turns."""
    while True:
        at = now()
        server.fault = smtp_server.REFUSE_AUTH if login_is_refused(at, seconds) else _FAULTS.get(mood(MAIL_MOODS, at, seconds))
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def receiving(folder: Path, now: Callable[[], float], seconds: float) -> AsyncIterator[Receivers]:
    """Serve them; `now` tells the seconds since the script began."""
    failing, well = Hook("hook", lambda: mood(HOOK_MOODS, now(), seconds)), Hook("calm", lambda: "")
    async with SmtpServer(folder, username=USER, password=PASSWORD) as mail, serving(failing.answer) as hook, serving(well.answer) as calm:
        channels: dict[str, dict[str, object]] = {
            "mail": {
                "type": "email", "to": "team@soak.test", "sender": USER, "host": "localhost", "port": mail.port,
                "password": PASSWORD, "ca_file": str(mail.ca_file),
            },
            "hook": {"type": "webhook", "url": f"http://127.0.0.1:{hook}/"},
            "calm": {"type": "webhook", "url": f"http://127.0.0.1:{calm}/"},
        }  # fmt: skip
        misbehaving = asyncio.create_task(_misbehave(mail, now, seconds))
        try:
            yield Receivers(mail, {"mail": Taken("mail"), "hook": failing.taken, "calm": well.taken}, channels)
        finally:
            misbehaving.cancel()
