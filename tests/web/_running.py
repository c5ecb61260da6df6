"""A whole Vigie behind its pages: everything that `vigie serve` builds, over a database in a folder, with checks that are handed to it.

Nothing is probed and nothing is sent: what happens is what `take` is given.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tests.web._served import serving

from vigie.clock import SystemClock
from vigie.config import load
from vigie.core.model import Cause, CheckResult, Expiry, ExpiryKind, HttpFacts, Status, Timings
from vigie.ports import Batch
from vigie.server import Server
from vigie.serving import site_of
from vigie.web.app import build
from vigie.web.site import Site

T = TypeVar("T")
DAY = 86_400_000
TEXT = """
language: en
timezone: Europe/Paris
web: {public_url: "http://127.0.0.1:8080"}
store: vigie.db
log: {file: null}
llm: {provider: none}
control: []
notify:
  chat: {type: webhook, url: "http://127.0.0.1:9/hook?key=abcdef123456"}
people:
  anna: {channels: [chat]}
  bob: {channels: [chat]}
oncall:
  primary: {people: [anna, bob], starts: 2026-11-02 09:00}
maintenance:
  - {every: "sun 02:00", for: 2h, why: Backups, tags: [tills]}
status_pages:
  public: {title: Maison Lumen, monitors: [shop, checkout]}
monitors:
  - {id: shop, name: Shop, url: "http://127.0.0.1:9/shop", tags: [web]}
  - {id: checkout, name: Checkout, url: "http://127.0.0.1:9/checkout", tags: [web]}
  - {id: search, name: Search API, url: "http://127.0.0.1:9/search", tags: [web]}
  - {id: till-1, name: Till 1, url: "http://127.0.0.1:9/till1", tags: [tills]}
  - {id: till-2, name: Till 2, url: "http://127.0.0.1:9/till2", tags: [tills]}
  - {name: nightly, type: heartbeat, token: abcdefghijklmnopqrstuvwx, period: 1h}
"""


@dataclass
class Running:
    """What runs. `address` is where its pages are."""

    folder: Path
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    taken: int = 0
    address: str = ""
    listener: Any = None

    def build(self) -> None:
        """Everything, on the loop that it runs on."""
        (self.folder / "vigie.yaml").write_text(TEXT)
        settings = load(self.folder / "vigie.yaml", {}, self.folder)
        self.server = Server(settings, SystemClock(), lambda: settings)
        self.site: Site = site_of(self.server)
        self.app = build(self.site)

    async def start(self) -> None:
        """As a server starts, without what probes and sends."""
        watched = [one.monitor for one in self.server.settings.monitors]
        runtime = self.server.runtime
        await runtime.store.catalog.sync_monitors(watched)
        await runtime.ingest.start(watched)
        await runtime.ingest.configure(watched)
        await self.server.reads.start()

    async def take(self, *results: CheckResult) -> None:
        """As a prober would hand them over; who looks hears of it at once."""
        self.taken += 1
        told = tuple(replace(one, run=1, sequence=self.taken) for one in results)
        await self.server.runtime.ingest.take(Batch("local", 1, self.taken, told))
        self.server.reads.live.flush()

    def well(self, name: str, at: int) -> CheckResult:
        """A check that went well."""
        ends = Expiry(f"{name}.test:443", ExpiryKind.CERTIFICATE, f"{name}.test", at + 31 * DAY, at + 17 * DAY)
        return CheckResult(name, at, Status.UP, None, timings=Timings(4, 5, 12, 60, 9, 90), http=HttpFacts(200, "2"), expiries=(ends,))

    def ill(self, name: str, at: int) -> CheckResult:
        """A refused connection."""
        figures: dict[str, Any] = {"address": "203.0.113.24", "port": 443}
        return CheckResult(
            name, at, Status.DOWN, Cause.TCP_REFUSED, "connection refused by 203.0.113.24 port 443", Timings(4, 1, total=5), figures
        )

    async def fail(self, *names: str) -> None:
        """Checks that fail until an alert is open."""
        now = self.server.now()
        for number in range(6):
            await self.take(*(self.ill(one, now - 200_000 + number * 30_000) for one in names))
        await self.server.runtime.ingest.wake(now, everything=True)
        self.server.reads.live.flush()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done where it runs."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Running]:
    """A Vigie that serves its pages until the context ends."""
    made = Running(folder)
    ready, ended = threading.Event(), asyncio.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        try:
            made.build()
            await made.start()
        except BaseException as error:
            failed.append(error)
            ready.set()
            raise
        async with serving(made.app, 64) as listener:
            made.listener = listener
            made.address = f"http://127.0.0.1:{listener.port}"
            ready.set()
            await ended.wait()
        await made.server.runtime.store.close()

    thread = threading.Thread(target=made.loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(30)
    if failed:
        raise failed[0]
    try:
        yield made
    finally:
        made.loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        made.loop.close()
