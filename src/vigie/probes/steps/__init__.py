"""Several HTTP requests as one check: a login and what comes after it, with cookies and values carried over.

The first step that fails ends it, and is named in the message. `figures` are those of the failing step (see http/verdict.py) with
`step` (its number from 1), `step_name` where it has one, and `step_1_ms`, `step_2_ms`… for each step that was done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from vigie.core.model import Cause, CheckResult, Scalar, Status, Timings
from vigie.net import Secret, host_of, texts
from vigie.ports import Clock, Problem
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.config import Config as Http
from vigie.probes.kit.http.config import problems
from vigie.probes.kit.http.cookies import CookieJar
from vigie.probes.kit.http.probe import HttpProbe
from vigie.probes.kit.http.redirects import Progress
from vigie.probes.kit.http.transport import Transport, shared_transport
from vigie.probes.kit.http.urls import Place
from vigie.probes.kit.pattern import Searches
from vigie.probes.kit.verdict import CheckFailed, Verdict, slow
from vigie.probes.kit.workers import shared_workers
from vigie.probes.steps.carried import Answer, Carried, reader
from vigie.probes.steps.config import Config, Step, filled, place_of
from vigie.probes.steps.template import body_of, header_of, sample, url_of

__all__ = ["Config", "build"]

_TIMEOUTS = "timeout."
_LONG = 65_536  # bytes of a body that may take longer to search than a page


def verify(config: Config) -> Iterator[Problem]:
    """Whether libcurl can make each step's request."""
    for index, step in enumerate(config.steps):
        for one in problems(filled(step, url=sample(step.url))):
            yield replace(one, key=f"steps.{index}.{one.key}")


def build(config: Config, deps: ProbeDeps) -> "StepsProbe":
    """The probe of one monitor; every HTTP probe shares one transport."""
    transport = shared_transport(deps)
    return StepsProbe(config, [_Ready(step, number, deps, transport) for number, step in enumerate(config.steps, 1)], deps)


class _Ready:
    """A step made ready once; only what `{{name}}` stands for differs from one check to the next."""

    def __init__(self, step: Step, number: int, deps: ProbeDeps, transport: Transport) -> None:
        self.step, self.number, self.wanted = step, number, step.wanted
        self.readers = {name: reader(name, place_of(where)) for name, where in step.save.items()}
        need_body = any(place_of(where).header is None for where in step.save.values())
        self.probe = HttpProbe(filled(step, url=sample(step.url)), deps, transport, need_body=need_body)
        self.type = next((value for name, value in texts(step.headers).items() if name.lower() == "content-type"), "")
        self.title = f'step {number} "{step.name}"' if step.name else f"step {number}"

    def request(self, values: dict[str, str], base: str, hosts: frozenset[str]) -> Http | None:
        """What differs from the step as it is configured; None: nothing. Raises CheckFailed for values that make no request."""
        if not self.wanted:
            return None
        step = self.step
        try:
            url = url_of(step.url, values, base)
            headers = {name: Secret(header_of(value, values)) for name, value in texts(step.headers).items()}
            body = None if step.body is None else Secret(body_of(step.body.reveal(), values, self.type.partition(";")[0].strip().lower()))
            made = filled(step, url=url, headers=headers, body=body)
        except ValueError:
            raise CheckFailed(
                Cause.CONTENT_MISSING, "a saved value cannot be used in a request: it contains what a URL or header cannot"
            ) from None
        if Place.of(made.url).host not in hosts:
            words = "a saved value leads to a host that the configuration does not name"
            raise CheckFailed(Cause.HTTP_REDIRECT, words, {"detail": words, "redirects": 0})
        return made


@dataclass(slots=True)
class _Visit:
    """One check in progress. `first` is what went wrong first, `advice` what only wants a look; `last` is the newest step's result."""

    at: int
    started: float
    limit_ms: int
    clock: Clock
    carried: Carried
    done: dict[int, Progress] = field(default_factory=dict)
    first: tuple[_Ready, CheckResult] | None = None
    advisory: tuple[_Ready, CheckResult] | None = None
    last: CheckResult | None = None
    base: str = ""
    searches: Searches | None = None

    def left_ms(self) -> int:
        """Until the deadline, at least 1."""
        return max(self.limit_ms - round((self.clock.monotonic() - self.started) * 1000), 1)


class StepsProbe:
    """Goes through the steps of one monitor."""

    def __init__(self, config: Config, steps: list[_Ready], deps: ProbeDeps) -> None:
        self._steps, self._clock, self._hosts = steps, deps.clock, config.hosts
        self._workers = shared_workers(deps)
        self._latency_ms = None if config.latency is None else int(config.latency)

    async def check(self, timeout_ms: int) -> CheckResult:
        """Every step within `timeout_ms` in all; never raises for the target's fault."""
        at = self._clock.now()
        visit = _Visit(at, self._clock.monotonic(), timeout_ms, self._clock, Carried(CookieJar(at)))
        for one in self._steps:
            if visit.first is None or (one.step.always and one.wanted <= visit.carried.values.keys()):
                await self._do(visit, one)
        return visit.carried.hidden(self._result(visit))

    async def _do(self, visit: _Visit, one: _Ready) -> None:
        progress = Progress(self._clock.now(), self._clock.monotonic(), visit.left_ms(), visit.carried.cookies)
        try:
            request = one.request(visit.carried.values, visit.base, self._hosts)
            found = await one.probe.find(progress, request)
            if found is None or found.status is Status.DEGRADED:
                await self._save(visit, one, progress)
            visit.base = request.url if request is not None else one.step.url
        except CheckFailed as failed:
            found = failed.verdict
        visit.done[one.number] = progress
        if found is not None and found.cause.startswith(_TIMEOUTS) and progress.limit_ms < visit.limit_ms:
            found = replace(found, message=f"{found.message}, all that was left of {visit.limit_ms / 1000:g} s")
        result = one.probe.result(progress, found)
        own, first = host_of(one.step.url), host_of(self._steps[0].step.url)
        if result.host is None and own != first:
            result = replace(result, host=own)
        progress.body = progress.last.raw = b""  # twenty pages are not kept until the end
        if found is None:
            visit.last = result if not one.step.always or visit.last is None else visit.last
        elif found.status is Status.DEGRADED:
            visit.advisory = visit.advisory or (one, result)
        else:
            visit.first = visit.first or (one, result)

    async def _save(self, visit: _Visit, one: _Ready, progress: Progress) -> None:
        if not one.readers:
            return
        headers, body = progress.last.headers, progress.body
        typed = {"content-type": headers.get("content-type", "")}

        def left() -> float:
            return visit.left_ms() / 1000

        async def select(path: str) -> bytes:
            return await self._workers.ask(self, "select", {"path": path, "headers": typed}, body, left=left(), long=len(body) > _LONG)

        visit.searches = visit.searches or Searches(self._workers, self, left)
        answer = Answer(body, headers, visit.searches, select)
        for name, read in one.readers.items():
            visit.carried.values[name] = await read(answer)

    def _result(self, visit: _Visit) -> CheckResult:
        total = _timings(list(visit.done.values()))
        expiries = tuple(dict.fromkeys(one for progress in visit.done.values() for one in progress.expiries))
        figures: dict[str, Scalar] = {f"step_{number}_ms": round(progress.total) for number, progress in visit.done.items()}
        told = visit.first or visit.advisory
        if told is not None:
            one, result = told
            named: dict[str, Scalar] = {"step": one.number}
            if one.step.name:
                named["step_name"] = one.step.name
            message, figures = f"{one.title}: {result.message}", {**result.figures, **named, **figures}
            return replace(result, at=visit.at, message=message, timings=total, figures=figures, expiries=expiries)
        result = visit.last or CheckResult("", visit.at, Status.UP)
        found = self._slow(total)
        message = f"{len(visit.done)} steps, the last one {result.message}"
        done = replace(result, at=visit.at, message=message, timings=total, figures=figures, expiries=expiries)
        if found is None:
            return done
        return replace(done, status=found.status, cause=found.cause, message=found.message, figures={**found.figures, **figures})

    def _slow(self, total: Timings) -> Verdict | None:
        return None if self._latency_ms is None else slow(total.total or 0.0, self._latency_ms)


def _timings(done: list[Progress]) -> Timings:
    """Each phase summed over the steps where it happened."""

    def summed(phase: str) -> float | None:
        known = [value for progress in done if (value := getattr(progress, phase)) is not None]
        return sum(known) if known else None

    return Timings(*(summed(phase) for phase in ("dns", "connect", "tls", "first_byte", "transfer", "total")))
