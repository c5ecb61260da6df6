"""The model at work: which mode it may write in, how often it is asked, what it wrote already, and when it is left alone.

One report at a time, since a local model answers one at a time. At most three in a minute: in a storm the first ones tell the story, the
others keep their plain report. After three failures in a row it is left alone for five minutes.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from vigie.engine import writer
from vigie.engine.writer import Mode
from vigie.errors import ModelError, ModelFault, StoreError
from vigie.ports import Archive, Catalog, Clock, LanguageModel
from vigie.report import history, pace
from vigie.report.facts import Analysis, Bundle, Subject
from vigie.report.pace import Speed, Way
from vigie.report.render import RenderContext
from vigie.text.formatting import counted

log = logging.getLogger("vigie.analyst")

_BREAK_AFTER, _BREAK_SECONDS = 3, 300.0
_ALLOWED, _ALLOWED_SECONDS = 3, 60.0
_REMEMBERED = 32
_JUDGED, _MISLED = 10, 3  # reports that people judged are looked at; so many that misled demote a model
_LOOK_BACK = 100

_LATE = (ModelFault.TIMEOUT_TOTAL, ModelFault.TIMEOUT_FIRST_TOKEN, ModelFault.TIMEOUT_STALL)

Outcome = tuple[Analysis | None, str | None]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How reports are written.

    `model` is None when none is configured; `deadline_ms` bounds one report in all; `mode` None: by what the model can do.
    """

    model: LanguageModel | None
    deadline_ms: int
    language: str
    instructions: str | None
    setting: RenderContext
    mode: Mode | None = None


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    until: float = 0.0

    def closed(self, now: float) -> bool:
        return now >= self.until

    def note(self, now: float, *, ok: bool) -> None:
        self.failures = 0 if ok else self.failures + 1
        self.until = now + _BREAK_SECONDS if self.failures >= _BREAK_AFTER else 0.0


@dataclass(slots=True)
class _Allowance:
    """At most so many askings in a span of time."""

    asked: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> bool:
        while self.asked and now - self.asked[0] > _ALLOWED_SECONDS:
            self.asked.popleft()
        if len(self.asked) >= _ALLOWED:
            return False
        self.asked.append(now)
        return True


class Analyst:
    """Turns a bundle into a certified analysis, or into one line that says why there is none."""

    def __init__(self, archive: Archive, catalog: Catalog, clock: Clock, writing: ReportOptions) -> None:
        self._archive, self._catalog, self._clock, self.writing = archive, catalog, clock, writing
        self._breaker, self._allowance = _Breaker(), _Allowance()
        self._turn = asyncio.Lock()
        self._known: dict[Hashable, Analysis] = {}
        self._said: set[ModelFault] = set()

    def use(self, writing: ReportOptions) -> None:
        """The model and language of a new configuration."""
        self.writing, self._breaker, self._said = writing, _Breaker(), set()

    async def preload(self) -> None:
        """Have the model loaded before it is needed; what goes wrong is said once."""
        if self.writing.model is None:
            return
        try:
            await self.writing.model.preload()
        except ModelError as error:
            self._complain(error)
        except Exception:  # the port promises ModelError; a model that breaks its promise costs nothing but itself
            log.exception("the language model crashed while loading")

    async def analyse(self, subject: Subject, bundle: Bundle) -> Outcome:
        """What the model says and code certified; the same facts are put to it once."""
        model = self.writing.model
        if model is None:
            return None, "no model is configured"
        mode = await self._mode(model)
        key = (model.name, mode, self.writing.language, self.writing.instructions, _canonical(bundle))
        if key in self._known:
            return self._known[key], None
        if (why := self._forbidden()) is not None:
            return None, why
        async with self._turn:
            analysis, fault = await self._asked(model, mode, subject, bundle)
        if analysis is not None and analysis.sentences:
            self._known = dict([*self._known.items(), (key, analysis)][-_REMEMBERED:])
        return analysis, fault

    def _forbidden(self) -> str | None:
        now = self._clock.monotonic()
        if not self._breaker.closed(now):
            return f"{ModelFault.BREAKER}: the model failed {_BREAK_AFTER} times in a row and is paused"
        return None if self._allowance.take(now) else "too many incidents at once"

    async def _asked(self, model: LanguageModel, mode: Mode, subject: Subject, bundle: Bundle) -> Outcome:
        about = writer.brief(bundle, subject, self.writing.language, mode, self.writing.instructions)
        speed, sizes = await self._catalog.speed(model.name), writer.sizes(about)
        wanted = pace.plan(speed, sizes, self.writing.deadline_ms, self._clock.now(), may_compose=mode is Mode.COMPOSE)
        if wanted.way is Way.PLAIN:
            return None, wanted.why
        about = replace(about, mode=Mode(wanted.way), sentences=wanted.sentences)
        try:
            written = await writer.write(model, about, self.writing.deadline_ms, self._clock)
        except ModelError as error:
            if error.fault in _LATE:
                await self._learn(model, pace.slowed(speed, sizes, wanted.sentences, self.writing.deadline_ms, self._clock.now()))
            self._breaker.note(self._clock.monotonic(), ok=False)
            self._complain(error)
            return None, f"{error.fault}: {error.message}"
        await self._learn(model, pace.learned(speed, writer.measured(written.reply), self._clock.now()))
        self._breaker.note(self._clock.monotonic(), ok=True)
        analysis = replace(written.analysis, note=wanted.why)
        _tell(subject, analysis)
        if analysis.sentences:
            return analysis, None
        return analysis, f"no sentence of the model passed the checks ({', '.join(sorted({one.rule for one in analysis.dropped}))})"

    async def _learn(self, model: LanguageModel, speed: Speed | None) -> None:
        """Keep how fast the model is; a store that fails costs the next report its plan, not this one its text."""
        if speed is not None:
            with contextlib.suppress(StoreError):
                await self._catalog.save_speed(model.name, speed)

    async def _mode(self, model: LanguageModel) -> Mode:
        """The configured mode; else what the model's size, its last evaluation and people's judgement allow."""
        if self.writing.mode is not None:
            return self.writing.mode
        if writer.mode_for(model.name) is Mode.SELECT:
            return Mode.SELECT
        judged = await self._catalog.scores(model.name)
        if judged and not judged[0].good_enough:
            return Mode.SELECT
        return Mode.SELECT if await self._misleads(model.name) else Mode.COMPOSE

    async def _misleads(self, name: str) -> bool:
        """Whether too many of its reports that people judged had misled them."""
        recent = [one.id for one in await self._archive.incidents(limit=_LOOK_BACK)]
        said = await self._catalog.remarks(recent)
        verdicts: list[bool] = []
        for identity in [one for one in recent if any(remark.incident == one for remark in said)]:
            stored = await self._archive.report(identity)
            if stored is None or stored.analysis is None or stored.analysis.model != name or not stored.analysis.sentences:
                continue
            misled = history.misled(stored.analysis.cause, [remark for remark in said if remark.incident == identity])
            if misled is not None:
                verdicts.append(misled)
        judged = verdicts[:_JUDGED]
        return sum(judged) >= max(_MISLED, len(judged) / 2)

    def _complain(self, error: ModelError) -> None:
        """Once for each kind of fault, with the fix; the page goes out all the same."""
        level = logging.DEBUG if error.fault in self._said else logging.WARNING
        self._said.add(error.fault)
        log.log(level, "no report from the model (%s): %s%s", error.fault, error.message, f". Fix: {error.fix}" if error.fix else "")


def _canonical(bundle: Bundle) -> tuple[Hashable, ...]:
    """What makes two bundles the same to a model."""
    return tuple((fact.id, fact.evidence.name, fact.evidence.value, fact.evidence.en) for fact in bundle.facts)


def _tell(subject: Subject, analysis: Analysis) -> None:
    kept, gone = len(analysis.sentences), len(analysis.dropped)
    reasons = ", ".join(sorted({one.rule for one in analysis.dropped}))
    log.info(
        "%s: report by %s in %.1f s: %s certified, %d dropped%s",
        subject.incident.id,
        analysis.model,
        analysis.duration_ms / 1000,
        counted(kept, "sentence", "en"),
        gone,
        f" ({reasons})" if reasons else "",
    )
    for sentence in analysis.sentences:
        log.info("%s: %s", subject.incident.id, sentence)
