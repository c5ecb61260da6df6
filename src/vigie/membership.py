"""One server among several on one store: what it is called, the leases it holds, the key they sign with, and what it says of itself.

It has connections of its own to the store, which give up after seconds, so that no other work keeps a lease from being renewed, and no
connection to a machine that is gone keeps it from being claimed.
"""

import asyncio
import hashlib
import json
import logging
import secrets
import socket
import zlib
from collections.abc import Callable

from vigie import __version__
from vigie.adapters import open_store
from vigie.app import share_key
from vigie.clock import elapsed
from vigie.config import Desired
from vigie.engine.forwarding import checks_here
from vigie.engine.janitor import keep_history, keep_retention
from vigie.engine.leases import EVALUATOR, LeaseKeeper, holder_name
from vigie.engine.queries.fleet import has_other_config
from vigie.engine.trouble import Trouble
from vigie.errors import StoreError
from vigie.fleet.wire import PROTOCOL
from vigie.ports import Clock, Lease, ServerStatus
from vigie.queries.fleet import SERVER_SILENT_MS
from vigie.server import Server

log = logging.getLogger("vigie.fleet")

REPORT_SECONDS = 3.0
_OWN = ("file", "state", "log", "location", "fleet", "left_out")  # what may differ from server to server
_OWN_WEB = ("listen", "pings_listen")


def name_of(settings: Desired) -> str:
    """What a server is called: as it is configured, or by its host and its state directory."""
    if settings.fleet.name is not None:
        return settings.fleet.name
    tail = hashlib.blake2b(str(settings.state.absolute()).encode(), digest_size=2).hexdigest()
    return f"{socket.gethostname().partition('.')[0] or 'vigie'}-{tail}"


def url_of(settings: Desired) -> str:
    """Where this very server is reached; empty where nobody else can."""
    if settings.fleet.url is not None:
        return settings.fleet.url.rstrip("/")
    host, _, port = settings.web.listen.rpartition(":")
    if not settings.web.enabled:
        return ""
    anywhere = host in ("0.0.0.0", "[::]")  # noqa: S104 - compared with, not listened on
    return f"http://{socket.gethostname() if anywhere else host}:{port}"


def digest_of(settings: Desired) -> str:
    """Tells whether two servers have the same configuration; empty where it cannot be told.

    What is each one's own is left out, and so is what pages and the API define: it is the same soon, and needs nobody.
    """
    if not settings.summary:
        return ""
    shown = json.loads(zlib.decompress(settings.summary))
    defined = {(one.kind, one.id) for one in settings.entries if one.stored is not None}
    shown["web"] = {key: value for key, value in shown.get("web", {}).items() if key not in _OWN_WEB}
    shown["monitors"] = [one for one in shown.get("monitors", []) if ("monitor", one["id"]) not in defined]
    shown["status_pages"] = {name: one for name, one in shown.get("status_pages", {}).items() if ("status_page", name) not in defined}
    kept = {key: value for key, value in shown.items() if key not in _OWN}
    return hashlib.blake2b(json.dumps(kept, sort_keys=True).encode(), digest_size=6).hexdigest()


class Membership:
    """`holder` is this process in the leases: its name, and what tells it from any other of that name. Raises StoreError."""

    def __init__(self, settings: Desired, clock: Clock) -> None:
        self.settings, self._clock = settings, clock
        self._house = open_store(settings, clock, threads=True)  # which makes it, and may take its time
        self.store = open_store(settings, clock, threads=True, prompt=True)
        self.name, self._started_at = name_of(settings), clock.now()
        self.holder = f"{self.name}/{secrets.token_hex(4)}"
        self.keeper = LeaseKeeper(self.store.fleet, clock, self.holder, lambda: elapsed() or clock.monotonic())
        self.servers: list[ServerStatus] = []
        self.leader = ""  # the name of the one that evaluates, as far as is known
        self._said, self._looked_at = "", 0

    async def join(self) -> None:
        """Have the key of all servers, and see who is there. Raises StoreError, VigieError."""
        await share_key(self.settings, self.store)
        await self.look()

    async def report(self, server: Callable[[], Server]) -> None:
        """Say for ever how this server is, and see how the others are."""
        trouble = Trouble(log, "what this server does cannot be said", logging.WARNING)
        while True:
            self.settings = server().settings
            with trouble.noted():
                await self.store.fleet.report_server(await self._status(server(), await self.store.fleet.now()))
                await self.look()
            await self._clock.sleep(REPORT_SECONDS)

    async def _status(self, server: Server, now: int) -> ServerStatus:
        evaluates, mine = server.duty.evaluates, self.settings
        return ServerStatus(
            self.name,
            __version__,
            self._started_at,
            now,
            url_of(mine),
            server.runtime.ingest.lag_ms if evaluates else None,
            waiting=await server.agents.waiting() if evaluates else 0,
            config=digest_of(mine),
            protocol=PROTOCOL,
            location=mine.location if mine.fleet.probe else "",
        )

    async def look(self) -> None:
        """See who is there, and who evaluates. Raises StoreError."""
        self.servers, self._looked_at = await self.store.fleet.servers(), await self.store.fleet.now()
        held = next((one for one in await self.store.fleet.leases() if one.name == EVALUATOR), None)
        self.leader = "" if held is None else holder_name(held)
        self._compare()

    def _compare(self) -> None:
        """Say once that this server's configuration is not the one in force."""
        known = {one.name: one for one in self.servers}
        ours, lead = known.get(self.name), known.get(self.leader)
        differs = ours is not None and lead is not None and has_other_config(ours, lead)
        if differs and self._said != self.leader:
            log.warning("the configuration of this server is not that of %s, which is in force", self.leader)
        self._said = self.leader if differs else ""

    @property
    def leader_url(self) -> str:
        """Where the one that evaluates is reached; empty where that is not known."""
        return next((one.url for one in self.servers if one.name == self.leader), "")

    def checks_here(self) -> bool | None:
        """Whether this server, while it stands by, is to check from its location; None while nobody knows who evaluates."""
        return checks_here(self.name, self.settings.location, self.servers, self.leader, self._looked_at - SERVER_SILENT_MS)

    def alone(self) -> bool:
        """Whether no other server was there lately."""
        now = self._looked_at
        return all(one.name == self.name or now - one.seen_at > SERVER_SILENT_MS for one in self.servers)

    async def keep_house(self, lease: Lease) -> None:  # noqa: ARG002 - what is done under a lease is given it
        """What one of the servers does with history, under the lease `retention`."""
        store, clock = self._house, self._clock
        await asyncio.gather(
            keep_history(store.history, clock, lambda: self.settings.history), keep_retention(store.archive, store.accounts, clock)
        )

    async def leave(self) -> None:
        """Say no more."""
        for one in (self.store, self._house):
            try:
                await one.close()
            except StoreError as error:
                log.warning("the store could not be left in order: %s", error)
