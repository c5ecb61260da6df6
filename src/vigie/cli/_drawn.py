"""What `vigie check` draws for people: phases as bars, the chain, the redirects, and the diagnosis of `--explain`."""

from typing import TYPE_CHECKING, Any

from vigie.core.model import Certificate, CheckResult, Timings, TlsFacts
from vigie.report.wording import label
from vigie.text import pick

if TYPE_CHECKING:
    from vigie.diagnostics import Diagnosis  # only its shape: a plain check starts without what a diagnosis needs

_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PHASES = ("dns", "connect", "tls", "first_byte", "transfer")
_DAY_MS = 86_400_000


def bars(timings: Timings) -> list[str]:
    """One line a phase, each bar beginning where the one before ended, 40 columns for the whole check."""
    named = [(phase, ms) for phase in _PHASES if (ms := getattr(timings, phase)) is not None]
    whole = max(timings.total or 0.0, sum(ms for _, ms in named))
    if whole <= 0 or not named:
        return []
    lines, start = [], 0.0
    for phase, ms in named:
        lines.append(f"{phase.replace('_', ' '):<11}{_bar(start / whole, ms / whole)} {ms:8.1f} ms")
        start += ms
    return [*lines, f"{'total':<11}{' ' * _WIDTH} {timings.total or whole:8.1f} ms"]


def _bar(start: float, share: float) -> str:
    """A bar of a share of the width after a start, to an eighth of a column; something is always seen."""
    begin = min(int(start * _WIDTH), _WIDTH - 1)
    eighths = max(round(share * _WIDTH * 8), 1)
    body = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return (" " * begin + body)[:_WIDTH].ljust(_WIDTH)


def chain(facts: TlsFacts | None) -> list[str]:
    """One line a certificate, leaf first."""
    return [] if facts is None else [_certificate(one, depth) for depth, one in enumerate(facts.chain)]


def _certificate(one: Certificate, depth: int) -> str:
    days = (one.not_after - one.not_before) // _DAY_MS
    arrow = "  " * depth + ("└ " if depth else "")
    return f"{arrow}{one.subject} by {one.issuer}, {one.key}, {one.signature}, for {days} days"


def hops(result: CheckResult) -> list[str]:
    """Where the redirects led, one line each."""
    return [] if result.http is None else [f"↳ {hop}" for hop in result.http.hops]


def diagnosis(found: "Diagnosis", language: str) -> list[str]:
    """The facts with their ids, then what is supposed, with its grade, its facts and the first step."""
    lines = [f"{fact.id:>4}  {fact.evidence.sentence(language)}" for fact in found.bundle.facts]
    return [*lines, *_supposed(found, language)]


def _supposed(found: "Diagnosis", language: str) -> list[str]:
    if not found.hypotheses:
        return [label("unknown", language)]
    lines = []
    for one in found.hypotheses:
        grade = label(one.grade, language)
        lines.append(label("likely", language, grade=grade, cause=pick(one.text, language), facts=", ".join(one.facts)))
        lines.append(f"  {label('step', language, step=pick(one.step, language))}")
    return lines


def as_json(found: "Diagnosis") -> dict[str, Any]:
    """The same for programs; sentences in both languages."""
    known: list[dict[str, Any]] = [
        {"id": fact.id, "kind": fact.evidence.kind, "name": fact.evidence.name, "value": fact.evidence.value, "unit": fact.evidence.unit}
        | {"fr": fact.evidence.fr, "en": fact.evidence.en, "bad": fact.evidence.bad}
        for fact in found.bundle.facts
    ]
    supposed = [
        {"id": one.id, "grade": one.grade, "fr": one.text[0], "en": one.text[1], "facts": one.facts}
        | {"step": {"fr": one.step[0], "en": one.step[1]}}
        for one in found.hypotheses
    ]
    return {"facts": known, "hypotheses": supposed}
