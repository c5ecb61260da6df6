"""What is configured, as the pages about it show it: planned work, channels, people, settings; every secret masked."""

import asyncio
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vigie.adapters import state_of, zone_of
from vigie.administration.running import Parts, running
from vigie.config import Channel, Desired
from vigie.config.apart import examined_apart
from vigie.config.shown import channel_settings, plain
from vigie.core.model import Monitor
from vigie.core.notification import NoticeReason
from vigie.errors import ConfigError, VigieError
from vigie.net import redact_url
from vigie.planning.maintenance import Maintenance
from vigie.ports import Clock, OutboxState, Store
from vigie.previews import previews
from vigie.queries.setup import (
    ChannelSetup,
    ChannelWork,
    Examined,
    Feed,
    General,
    MessagePreview,
    ModelSetup,
    PersonSetup,
    PlannedWork,
    RotationSetup,
    Running,
    UnsentNotice,
)
from vigie.unsent import UNSENT

_FIRST = ("to", "url", "server", "chat_id", "room", "topic", "channel", "number", "command", "user", "from")  # what says where it goes
_NEWEST = 20  # unsent notices of a channel that are shown
_REMEMBERED_SECONDS = 20.0  # how long reading the file anew is not repeated
_SECRET = 32  # hexadecimal digits of the secret in a calendar's address


@dataclass(slots=True)
class _Read:
    """What reading the file anew last gave, and when."""

    at: float
    found: Examined


class Setup:
    """Implements SetupQueries over the configuration in force and the parts that run."""

    def __init__(
        self, settings: Callable[[], Desired], store: Store, clock: Clock, entries: Callable[[], list[Maintenance]], parts: Parts
    ) -> None:
        self._settings, self._store, self._clock, self._entries, self._parts = settings, store, clock, entries, parts
        self._read: _Read | None = None
        self._reading = asyncio.Lock()
        self._secrets: dict[Feed, str] = {}

    def monitors(self) -> Sequence[Monitor]:
        """What is watched."""
        return [one.monitor for one in self._settings().monitors]

    def maintenance(self) -> tuple[PlannedWork, ...]:
        """All that is planned or was begun."""
        watched = self.monitors()
        found = []
        for entry in self._entries():
            covered = len(watched) if entry.covers_all else sum(entry.covers(one) for one in watched)
            where = self._where(entry.id)
            number = int(entry.id[1:]) if not where and entry.id[:1] == "m" and entry.id[1:].isdecimal() else None
            found.append(PlannedWork(entry, covered, where, number))
        return tuple(found)

    def channels(self) -> tuple[ChannelSetup, ...]:
        """All of them."""
        return tuple(map(self._channel, self._settings().channels.values()))

    def _channel(self, one: Channel) -> ChannelSetup:
        own, _, name = one.name.partition(".")
        where = self._where(f"notify.{one.name}") or (self._where(f"people.{own}") if name else "")
        return ChannelSetup(one.name, one.kind, tuple(_details(channel_settings(one))), where)

    async def work(self, channels: Sequence[str]) -> dict[str, ChannelWork]:
        """What these have to do."""
        states = await self._store.archive.channels()
        unsent = await self._store.ledger.notices(states=UNSENT)
        found = {}
        for name in channels:
            ours = [one for one in unsent if one.row.notice.channel == name]
            tried = await self._store.archive.attempts([one.row.notice.key for one in ours[-_NEWEST:]])
            delivered = await self._store.ledger.notices(states=[OutboxState.DELIVERED], channel=name, limit=1)
            last = await self._store.archive.attempts([one.row.notice.key for one in delivered])
            notices = [
                UnsentNotice(
                    one.row.notice.key,
                    one.row.notice.alert,
                    one.row.notice.reason,
                    one.row.notice.at,
                    one.row.due_at,
                    one.row.attempts,
                    one.state is OutboxState.UNDELIVERABLE,
                    attempt.answer or attempt.failure or "" if (attempt := tried.get(one.row.notice.key)) else "",
                )
                for one in reversed(ours[-_NEWEST:])
            ]
            given_up = sum(one.state is OutboxState.UNDELIVERABLE for one in ours)
            at = max((one.at for one in last.values() if one.failure is None), default=None)
            found[name] = ChannelWork(states.get(name), at, tuple(notices), len(ours) - given_up, given_up)
        return found

    async def previews(self, channel: str, reasons: Sequence[NoticeReason]) -> tuple[MessagePreview, ...]:
        """What it would send."""
        found = await previews(self._settings(), self._clock, channel, list(reasons))
        return tuple(MessagePreview(one.message, not one.incident, one.fault) for one in found)

    def people(self) -> tuple[PersonSetup, ...]:
        """Who can be notified."""
        known = {one.name: one for one in self.channels()}
        return tuple(
            PersonSetup(name, tuple(known[one] for one in channels if one in known), self._where(f"people.{name}"))
            for name, channels in self._settings().people
        )

    def rotations(self) -> tuple[RotationSetup, ...]:
        """Who takes turns."""
        return tuple(RotationSetup(one, self._where(f"oncall.{one.name}")) for one in self._settings().rotations)

    def general(self) -> General:
        """What is in force."""
        now = self._settings()
        report = now.availability
        return General(
            file="" if now.file is None else str(now.file),
            language=now.language,
            timezone=str(zone_of(now)),
            store=str(now.store),
            state=str(now.state),
            log=str(now.log_file or ""),
            listen=now.web.listen,
            public_url=now.web.public_url or "",
            pings_listen=now.web.pings_listen or "",
            control=now.control,
            second_resolver=now.second_resolver or "",
            report_every="" if report.every is None else report.every.value,
            monitors=len(now.monitors),
            channels=len(now.channels),
            people=len(now.people),
            rotations=len(now.rotations),
            maintenance=len(now.maintenance),
            model=_model(now),
            warnings=now.warnings,
            missing=now.missing if now.channels or now.file is None else (),
        )

    async def examined(self) -> Examined:
        """What the file says now; of several that ask at once, one reads."""
        async with self._reading:
            now = self._clock.monotonic()
            if self._read is None or now - self._read.at > _REMEMBERED_SECONDS:
                self._read = _Read(now, await asyncio.to_thread(self._examine))
            return self._read.found

    def _examine(self) -> Examined:
        now = self._settings()
        try:
            found = examined_apart(now.file, now.base)
        except ConfigError as error:
            return Examined(faults=tuple(error.faults))
        except VigieError as error:
            return Examined(unreadable=f"{error.message}. {error.fix}" if error.fix else error.message)
        return Examined((), found.warnings, found.problems, found.doubts)

    async def running(self) -> Running:
        """How Vigie itself runs."""
        return await running(self._settings(), self._store, self._clock, self._parts)

    def feed_secret(self, feed: Feed) -> str:
        """The secret of a calendar's address, out of the key that signs links: the same as long as the state is kept."""
        if feed not in self._secrets:
            try:
                key = state_of(self._settings()).key()
            except VigieError:
                return ""
            self._secrets[feed] = hmac.digest(key, f"calendar:{feed}".encode(), "sha256").hex()[:_SECRET]
        return self._secrets[feed]

    def _where(self, key: str) -> str:
        now = self._settings()
        line = now.lines.get(key)
        return "" if line is None or now.file is None else f"{now.file.name}:{line}"


def _details(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings as text, those that say where it goes first; without those that are not set."""
    rank = {name: place for place, name in enumerate(_FIRST)}
    for name, value in sorted(values.items(), key=lambda one: rank.get(one[0], len(rank))):
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, list):
            text = ", ".join(map(str, value))
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = ", ".join(value) if isinstance(value, dict) else str(value)
        yield name, text


def _model(now: Desired) -> ModelSetup:
    llm = now.llm
    config: Any = None if llm.config is None else llm.config.reveal()
    known = {} if config is None else plain(config, llm.secrets)
    url = str(known.get("url") or "")
    name = str(known.get("model") or "")
    return ModelSetup(llm.provider, name, redact_url(url) if url else "", llm.mode, llm.language, llm.deadline_ms, llm.hold_ms)
