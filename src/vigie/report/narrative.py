"""The report of an alert as a page shows it: sentences with the facts that they rest on, the suspected cause, where a check broke."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigie.core.model import Cause, CheckResult, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID
from vigie.report import rules
from vigie.report.facts import Analysis, Bundle, FactKind, Subject
from vigie.report.render import RenderContext, compose
from vigie.report.rules import Hypothesis
from vigie.report.together import Together
from vigie.report.wording import cause_words
from vigie.text import pick
from vigie.text.terms import BLIND


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the ids of the facts that it rests on."""

    text: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Narrative:
    """What happened. `written` is the model's certified text where it speaks the reader's language; else `plain`, code's own, says it.

    `cause` is the likeliest of the causes that the facts point to; `seen` is what is known of similar incidents of the past.
    """

    plain: tuple[Sentence, ...]
    written: tuple[Sentence, ...] = ()
    cause: Hypothesis | None = None
    seen: tuple[Sentence, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What is shown first."""
        return self.written or self.plain


def narrative(subject: Subject, bundle: Bundle, analysis: Analysis | None, setting: RenderContext, now: int) -> Narrative:
    """The report up to `now`, epoch ms."""
    blind = subject.monitor.id == VIGIE_ID
    reason = NoticeReason.BLIND if blind else NoticeReason.OPENED
    lines = compose(subject, Notice(subject.incident.id, subject.monitor.id, "", reason, now), bundle, None, setting).lines
    causes = () if blind else rules.shortlist(bundle, subject)
    told = lines if blind else lines[: -2 if causes else -1]  # the suspected cause has a place of its own
    facts = {fact.id: fact.evidence for fact in bundle.facts}
    seen = [Sentence(one.sentence(setting.language), (name,)) for name, one in facts.items() if one.kind is FactKind.HISTORY]
    known = tuple(facts)
    return Narrative(tuple(cited(one, known) for one in told), _written(analysis, setting.language), _chosen(causes, analysis), tuple(seen))


def _written(analysis: Analysis | None, language: str) -> tuple[Sentence, ...]:
    if analysis is None or analysis.language != language:
        return ()
    facts = [*analysis.cited, *[()] * len(analysis.sentences)]
    return tuple(Sentence(text, tuple(ids)) for text, ids in zip(analysis.sentences, facts, strict=False))


def _chosen(causes: Sequence[Hypothesis], analysis: Analysis | None) -> Hypothesis | None:
    """A decisive one, else the one that the model chose, else the most telling."""
    chosen = analysis.cause if analysis is not None and analysis.sentences else ""
    decisive = next((one for one in causes if one.grade == "high"), None)
    return decisive or next((one for one in causes if one.id == chosen), None) or (causes[0] if causes else None)


def cited(line: str, known: Sequence[str]) -> Sentence:
    """A line of a message with its `[F1, F2]` taken out of it."""
    head, bracket, tail = line.rpartition(" [")
    inside, close, rest = tail.partition("]")
    ids = tuple(inside.split(", "))
    return Sentence(head + rest, ids) if bracket and close and all(one in known for one in ids) else Sentence(line)


def what_failed(subject: Subject, setting: RenderContext, now: int) -> str:
    """What was observed, in a few words with its number: of one service or of all services of the alert."""
    incident = subject.incident
    if subject.monitor.id == VIGIE_ID:
        return pick(BLIND[incident.cause], setting.language) if incident.cause in BLIND else ""
    if subject.members:
        notice = Notice(incident.id, subject.monitor.id, "", NoticeReason.OPENED, now)
        return Together(subject, notice, setting.language, setting.zone).cause()
    return cause_words(subject.result.cause or incident.cause, subject.result.figures, setting.language)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a check: `ok` True when it worked, False where it broke, None when it was not reached. `took` in ms, where measured."""

    name: str
    ok: bool | None
    took: float | None = None


_PATH = ("dns", "connect", "tls", "first_byte", "transfer")
_BROKEN = {
    "dns": "dns", "tcp": "connect", "timeout.connect": "connect", "timeout.tls": "tls", "tls": "tls", "timeout.first_byte": "first_byte",
    "timeout.total": "transfer", "http.truncated": "transfer", "http": "first_byte", "content": "transfer", "protocol": "first_byte",
}  # fmt: skip


def path(result: CheckResult) -> tuple[Step, ...]:
    """How far a failed check came, step by step; empty where it has no steps, or none of them broke."""
    cause = result.cause
    if cause is None or result.status not in (Status.DOWN, Status.DEGRADED) or _on_time(cause):
        return ()
    broken = _BROKEN.get(cause.value) or _BROKEN.get(cause.partition(".")[0])
    if broken is None:
        return ()
    at = _PATH.index(broken)
    steps = [_step(name, place - at, getattr(result.timings, name)) for place, name in enumerate(_PATH)]
    return tuple(one for one in steps if one is not None)


def _on_time(cause: Cause) -> bool:
    return cause.expires or cause.startswith("latency.")


def _step(name: str, place: int, took: float | None) -> Step | None:
    """One before the broken one was passed, where it was measured; those after it were not reached."""
    if place == 0:
        return Step(name, ok=False, took=took)
    if place > 0:
        return Step(name, ok=None)
    return None if took is None else Step(name, ok=True, took=took)
