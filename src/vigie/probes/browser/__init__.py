"""A page as people see it: opened in Chromium, acted upon by a script, and a screenshot kept of what went wrong.

`figures`: `requests`, `failed_requests` and `console_errors`; of a failure `step` (the action's number from 1) and `step_name`, `keyword`
(content.missing), `status` and `expected` (http.status), `limit_ms` (timeouts, latency), `detail` (Chromium's word for it), `screenshot`
(the file).
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from vigie.core.model import Cause, CheckResult, Expiry, Scalar, Status, TlsFacts
from vigie.net import Secrets, held_by, redact
from vigie.ports import Problem, Traits
from vigie.probes.browser.chromium import BrowserError, Chromium, find, own_browser
from vigie.probes.browser.config import Config
from vigie.probes.browser.evidence import Evidence
from vigie.probes.browser.script import Seen, opened
from vigie.probes.browser.verdict import network_error, own, refused, timed_out
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.urls import Place
from vigie.probes.kit.verdict import TLS_DAYS, CheckFailed, Verdict, advice, expiring, expiry_of, no_address, slow

__all__ = ["Config", "build"]

TRAITS = Traits(every_ms=300_000, requires=("playwright",))

# Kept back from the timeout, ms: for the screenshot of a failure, and for ending the visit. What takes longer than the
# timeout and a little does not obey any more.
_RESERVE, _MIN_RESERVE_MS, _MAX_RESERVE_MS = 0.1, 150.0, 500.0
_END_MS = 50.0
_DAY_MS = 86_400_000
_HUNG_MS = 100.0


def verify(config: Config) -> Iterator[Problem]:
    """Whether there is a browser, without starting it."""
    try:
        find(config.executable, own_browser() or "")
    except BrowserError as error:
        yield Problem("executable" if config.executable else "", error.message, error.fix[:1].lower() + error.fix[1:].rstrip("."))


def build(config: Config, deps: ProbeDeps) -> "BrowserProbe":
    """The probe of one page; those that want the same browser share one."""
    key = f"browser {config.executable} {config.sandbox}"
    chromium = deps.shared(key, lambda: Chromium(config.executable, config.sandbox), Chromium.close)
    return BrowserProbe(config, deps, chromium)


class BrowserProbe:
    """Visits one page."""

    def __init__(self, config: Config, deps: ProbeDeps, chromium: Chromium) -> None:
        self._config, self._deps, self._chromium = config, deps, chromium
        self._place = Place.of(config.url)
        self._evidence = Evidence(deps.evidence, config.target, config) if deps.evidence is not None else None
        self._options = _options(config, self._place)
        self._secrets = Secrets(held_by(config))

    async def check(self, timeout_ms: int) -> CheckResult:
        """One visit within `timeout_ms`; never raises for the page's fault."""
        monotonic = self._deps.clock.monotonic
        at, started, seen, hint = self._deps.clock.now(), monotonic(), Seen(), ""
        try:
            async with asyncio.timeout((timeout_ms + _HUNG_MS) / 1000):
                visit = self._chromium.submit(self._visit(seen, lambda: timeout_ms - _END_MS - (monotonic() - started) * 1000, timeout_ms))
                found = await asyncio.wrap_future(visit)
        except BrowserError as error:
            found, hint = own(error.message, {"obstacle": "browser", "why": error.message[:120]}), error.fix
        except TimeoutError:
            self._chromium.kill()
            found = own("the browser hung and was killed") if seen.opened_at is not None else None
        if found is None and seen.ended_at is None:
            found = timed_out(seen, timeout_ms, ((seen.opened_at or monotonic()) - started) * 1000)
        if found is not None and found.figures.get("detail") == "ERR_NAME_NOT_RESOLVED":
            found = await self._unresolved(max(timeout_ms - round((monotonic() - started) * 1000), 1))
        return await self._result(at, seen, found, hint)

    async def _visit(self, seen: Seen, left_ms: Callable[[], float], timeout_ms: int) -> Verdict | None:
        """On the browser's loop: what is wrong with the page. None with `seen.ended_at` unset: time ran out."""
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as LateError

        monotonic, reserve = self._deps.clock.monotonic, min(max(timeout_ms * _RESERVE, _MIN_RESERVE_MS), _MAX_RESERVE_MS)
        try:
            async with asyncio.timeout(max(left_ms(), 0) / 1000), self._chromium.context(self._options) as context:
                seen.opened_at = monotonic()
                await opened(context, self._config, seen, lambda: max(left_ms() - reserve, 1.0), left_ms)
        except CheckFailed as failed:
            seen.ended_at = monotonic()
            return failed.verdict
        except (TimeoutError, LateError):
            return None
        except Error as error:
            return self._understood(seen, str(error))
        seen.ended_at = monotonic()
        return None

    def _understood(self, seen: Seen, said: str) -> Verdict:
        """What an error of the library means."""
        if (name := network_error(said)) is not None:
            return refused(name, seen, str(self._config.status))
        line = redact(" ".join(said.splitlines()[0].split()), self._secrets)[:160] if said else "it says nothing"
        if seen.crashed:
            return own("the page crashed its renderer process")
        return own(f"the browser failed ({line})")

    async def _unresolved(self, left_ms: int) -> Verdict:
        """Chromium does not tell why a name gives no address; our own resolver does."""
        answer = await self._deps.resolver.resolve(self._place.host, timeout_ms=left_ms)
        if answer.cause is None:
            return Verdict(
                Cause.DNS_NO_ANSWER, "the browser cannot resolve a name that the page needs", {"detail": "ERR_NAME_NOT_RESOLVED"}
            )
        return no_address(answer, self._place.host)

    async def _result(self, at: int, seen: Seen, found: Verdict | None, hint: str) -> CheckResult:
        total = None
        if seen.opened_at is not None:
            total = ((seen.ended_at or self._deps.clock.monotonic()) - seen.opened_at) * 1000
        if found is None and self._config.latency is not None:
            found = slow(total or 0.0, int(self._config.latency))
        tls, expiries = _tls(seen, at)
        if found is None and tls is not None:
            found = expiring(tls, TLS_DAYS, at)
        figures: dict[str, Scalar] = {"requests": seen.requests, "failed_requests": seen.failed, "console_errors": seen.errors}
        message, hints = f"HTTP {seen.answer}" if seen.answer else "the page loaded", tuple(filter(None, (hint,)))
        if found is not None:
            figures |= found.figures | await self._kept(at, seen)
            message, hints = found.message, hints or advice(found)
            if seen.step is not None and found.cause is not Cause.LATENCY_THRESHOLD:
                number, title = seen.step
                message, figures = f'action {number} "{title}": {message}', {**figures, "step": number, "step_name": title}
        return CheckResult(
            monitor="",
            at=at,
            status=Status.UP if found is None else found.status,
            cause=None if found is None else found.cause,
            message=redact(message, self._secrets),
            timings=replace(seen.timings, total=total),
            figures=figures,
            address=seen.address,
            tls=tls,
            advice=hints,
            expiries=expiries,
        )

    async def _kept(self, at: int, seen: Seen) -> dict[str, Scalar]:
        if seen.image is None or self._evidence is None:
            return {}
        path = await asyncio.to_thread(self._evidence.keep, at, seen.image)
        return {} if path is None else {"screenshot": path}


def _tls(seen: Seen, at: int) -> tuple[TlsFacts | None, tuple[Expiry, ...]]:
    """The certificate that the browser accepted, and when it expires."""
    if seen.tls is None or seen.tls.expires_at is None:
        return None, ()
    tls = replace(seen.tls, days_left=(seen.tls.expires_at - at) // _DAY_MS)
    found = expiry_of(tls, seen.endpoint, TLS_DAYS, seen.address or "")
    return tls, (found,) if found is not None else ()


def _options(config: Config, place: Place) -> dict[str, Any]:
    """The profile of a visit."""
    options: dict[str, Any] = {
        "viewport": {"width": config.viewport.width, "height": config.viewport.height},
        "accept_downloads": False,
        "ignore_https_errors": config.insecure,
    }
    if config.language is not None:
        options["locale"] = config.language
    if config.basic is not None:
        origin = f"{'https' if place.secure else 'http'}://{place.host}:{place.port}"
        options["http_credentials"] = {"username": config.basic.user, "password": config.basic.password.reveal(), "origin": origin}
    return options
