"""One Chromium for all browser monitors of a process, driven by Playwright on a thread and a loop of its own.

The probing loop stays free for measuring, and the loop may be the one that subprocesses need on Windows. A browser that hangs is killed
with everything it started; the next check gets a new one.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

log = logging.getLogger("vigie.prober")

_T = TypeVar("_T")
_ASK_SECONDS = 5.0
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
# Hosts that Chromium asks for itself, whatever its switches say, and that no page does: they do not resolve.
_OWN_HOSTS = (
    "update.googleapis.com", "clients2.google.com", "clients4.google.com", "android.clients.google.com", "mtalk.google.com",
    "edgedl.me.gvt1.com", "redirector.gvt1.com", "safebrowsing.googleapis.com", "optimizationguide-pa.googleapis.com",
    "content-autofill.googleapis.com",
)  # fmt: skip
# Nothing but the page's own traffic, and no graphics card. Its own account service is nowhere; pages find theirs.
_ARGUMENTS = (
    "--disable-gpu", "--disable-domain-reliability", "--disable-crash-reporter", "--no-pings", "--mute-audio", "--disable-dev-shm-usage",
    "--disable-sync", "--disable-background-networking", "--disable-component-update", "--gaia-url=http://127.0.0.1:9",
    "--host-resolver-rules=" + ", ".join(f"MAP {host} ^NOTFOUND" for host in _OWN_HOSTS),
)  # fmt: skip
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "LOCALAPPDATA",
    "APPDATA",
)
_AT_ONCE = 4  # pages open at the same time: each takes some 100 MB
_USES = 500  # checks until a new browser takes over, so that nothing it leaks adds up
_CLOSE_SECONDS = 2.0
_END_SECONDS = 5.0


class BrowserError(Exception):
    """There is no browser to look with; `fix` says what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


@dataclass(slots=True)
class _Live:
    """A running browser. `pid` is its process, which leads a group of its own."""

    browser: "Browser"
    pid: int | None
    uses: int = 0
    visits: "set[asyncio.Task[Any]]" = field(default_factory=set)
    killed: bool = False

    @property
    def well(self) -> bool:
        """Whether it may be used."""
        return not self.killed and self.browser.is_connected()

    def kill(self) -> None:
        """End it and everything that it started. One that is gone is left alone: its number may be another's by now."""
        if self.pid is not None and self.well:
            self.killed = True
            _kill(self.pid)

    def gone(self) -> None:
        """Who waits for it waits in vain."""
        for visit in self.visits:
            visit.cancel()


class Chromium:
    """Starts the browser when it is first needed, and again when it is gone. Public methods may be called from any thread."""

    def __init__(self, executable: str | None, sandbox: bool | None) -> None:
        self._executable = executable
        self._sandbox = (os.name != "posix" or os.geteuid() != 0) if sandbox is None else sandbox
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._playwright: Playwright | None = None
        self._live: _Live | None = None
        self._launching: asyncio.Task[_Live] | None = None
        self._slots: asyncio.Semaphore | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Have something done on the browser's loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="vigie-browser", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @contextlib.asynccontextmanager
    async def context(self, options: dict[str, Any]) -> AsyncIterator["BrowserContext"]:
        """A fresh profile in the browser, closed in the background afterwards. On the browser's loop; raises BrowserError."""
        self._slots = self._slots or asyncio.Semaphore(_AT_ONCE)
        async with self._slots:
            live, visit = await self._started(), asyncio.current_task()
            live.uses += 1
            live.visits |= {visit} if visit else set()
            try:
                context = await _profile(live, options)
                try:
                    yield context
                finally:
                    self._later(self._close(context, live))
            except asyncio.CancelledError:
                if live.well or visit is None:
                    raise
                visit.uncancel()
                raise BrowserError("the browser exited during the check", "Check whether this machine is short of memory.") from None
            finally:
                live.visits -= {visit}
                if live is not self._live and not live.visits:
                    self._later(self._retire(live))

    def kill(self) -> None:
        """End the browser at once, whatever it is doing."""
        if self._live is not None:
            self._live.kill()

    def close(self) -> None:
        """End the browser, its driver and the loop."""
        if self._loop is None or self._thread is None:
            return
        with contextlib.suppress(TimeoutError):
            self.submit(self._end()).result(2 * _END_SECONDS)
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = self._thread = None

    async def _started(self) -> _Live:
        live = self._live
        if live is not None and live.well and live.uses < _USES:
            return live
        if self._launching is None or self._launching.done():
            self._launching = asyncio.get_running_loop().create_task(self._launch())
            self._launching.add_done_callback(_looked_at)
        # Who gives up waiting leaves the browser to the next one.
        return await asyncio.shield(self._launching)

    async def _launch(self) -> _Live:
        old = self._live
        self._live = await self._new()
        if old is not None and not old.visits:
            self._later(self._retire(old))
        return self._live

    async def _new(self) -> _Live:
        from playwright.async_api import Error, async_playwright

        if self._playwright is None:
            self._playwright = await async_playwright().start()
        path = find(self._executable, self._playwright.chromium.executable_path)
        try:
            browser = await self._playwright.chromium.launch(
                executable_path=path,
                chromium_sandbox=self._sandbox,
                args=list(_ARGUMENTS),
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Error as error:
            raise _no_start(path, str(error)) from None
        live = _Live(browser, await _pid(browser))
        browser.on("disconnected", lambda _: live.gone())
        return live

    async def _close(self, context: "BrowserContext", live: _Live) -> None:
        """A profile that does not close takes its browser with it."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await context.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the browser cannot be believed any more
            if live.well:
                log.warning("the browser hung and was killed (%s)", type(error).__name__)
            live.kill()

    async def _retire(self, live: _Live) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await live.browser.close()
        except Exception:  # noqa: BLE001 - as above
            live.kill()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        if self._launching is not None:
            await asyncio.gather(self._launching, return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._live is not None:
            await self._retire(self._live)
        if self._playwright is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_END_SECONDS):
                    await self._playwright.stop()
        # What the library left running would be complained about when the loop is closed.
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _looked_at(task: "asyncio.Task[_Live]") -> None:
    """Whoever waited was told; nobody else needs to be."""
    if not task.cancelled():
        task.exception()


async def _profile(live: _Live, options: dict[str, Any]) -> "BrowserContext":
    """A browser that gives no profile in time does not obey any more."""
    try:
        return await live.browser.new_context(**options)
    except asyncio.CancelledError:
        live.kill()
        raise


def find(executable: str | None, own: str) -> str:
    """The browser: the one asked for, one that is installed, or Playwright's own. Raises BrowserError."""
    if executable is not None:
        found = shutil.which(executable)
        if found is None:
            raise BrowserError(f"{executable} is not an executable program", "Set `executable` to the path of Chromium or Chrome.")
        return found
    for name in (*_NAMES, *_PLACES, own):
        if found := shutil.which(name):
            return found
    fix = "Install Chromium (on Debian: apt-get install chromium), run `playwright install chromium`, or set `executable`."
    raise BrowserError("Chromium is not installed on this machine", fix)


@lru_cache(1)
def own_browser() -> str | None:
    """Where Playwright installs its own Chromium; None where it cannot tell. Asked on a thread: its driver wants a loop of its own."""
    found: list[str] = []

    def ask() -> None:
        from playwright.sync_api import sync_playwright

        with contextlib.suppress(Exception), sync_playwright() as library:  # whatever is wrong with it, a check will say so
            found.append(library.chromium.executable_path)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_ASK_SECONDS)
    return found[0] if found else None


def _no_start(path: str, said: str) -> BrowserError:
    if "no usable sandbox" in said.lower() or "without --no-sandbox" in said.lower():
        fix = "Allow user namespaces, or set `sandbox: false` if the machine is otherwise isolated (a container)."
        return BrowserError(f"{Path(path).name} cannot start without a usable sandbox", fix)
    line = next((line.strip() for line in said.splitlines() if line.strip()), "it says nothing")
    return BrowserError(
        f"{Path(path).name} does not start ({line[:120]})", f"Run {path} --headless --version by hand as the user that Vigie runs as."
    )


async def _pid(browser: "Browser") -> int | None:
    """The browser's process (DevTools protocol, SystemInfo.getProcessInfo), for the day that it must be killed."""
    session = await browser.new_browser_cdp_session()
    info = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    return next((int(one["id"]) for one in info["processInfo"] if one["type"] == "browser"), None)


def _kill(pid: int) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(pid)
            if group == os.getpgrp():  # not one of its own: then it alone
                os.kill(pid, signal.SIGKILL)
            else:
                os.killpg(group, signal.SIGKILL)
    else:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], check=False, capture_output=True, timeout=2)  # noqa: S603, S607
