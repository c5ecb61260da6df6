"""Fills the texts: what was observed, with its number, and the lines of messages. The texts themselves are in `vigie.text`."""

from collections.abc import Mapping, Sequence

from vigie.core.model import Cause, Scalar
from vigie.observation.heartbeat import Finding, Reason
from vigie.text import LANGUAGES, Pair, Plural, pick, plural
from vigie.text import members as texts
from vigie.text.causes import DETAILED, FAMILY_DEAD, OF_KIND, OF_KIND_SHORT, PLAIN, SHORT, SHORT_GOOD_STATUS, SOME_DEAD
from vigie.text.formatting import counted, decimal, duration, grouped, hundredths, milliseconds, sayable
from vigie.text.jobs import LINES, WITH_STATUS
from vigie.text.messages import LABELS
from vigie.text.obstacles import REASONS
from vigie.text.pages import PAGES
from vigie.text.terms import LESS_THAN_A_DAY, NAMED_STEP, PHASES, SIGNS, STEP

NAMED = 5  # things that a sentence names
_SPANS = ("silent", "running", "longest")  # figures `…_ms` that are written in hours and minutes
_EXACT = {"measured": "measured_ms", "usual": "usual_ms", "bound": "limit_ms"}  # and those that stay in milliseconds
_DAYS = ("revoked", "expired")  # figures `…_days` that are written with their noun
_LONG = 400  # characters of anything else, such as a list of addresses
_TEXT = 80  # characters of a text of the configuration
_BAD_STATUS = 400


def label(name: str, language: str, /, **values: object) -> str:
    """A line of a message."""
    return pick(LABELS[name], language).format(**values)


def both(template: Pair, /, **values: object) -> Pair:
    """A pair with its fields filled; a value that is itself a pair gives each language its own."""
    french, english = (
        pick(template, language).format(
            **{name: pick(value, language) if isinstance(value, tuple) else _sayable(value) for name, value in values.items()}
        )
        for language in LANGUAGES
    )
    return french, english


def forms(template: Plural, number: int) -> Pair:
    """The forms that go with a number, in both languages."""
    return plural(template, number, "fr"), plural(template, number, "en")


def count_of(number: int, noun: str) -> Pair:
    """A counted noun in both languages."""
    return counted(number, noun, "fr"), counted(number, noun, "en")


def took(ms: float) -> Pair:
    """A span in milliseconds, in both languages."""
    return milliseconds(ms, "fr"), milliseconds(ms, "en")


def days_of(number: int) -> Pair:
    """A number of days, of either sign; nothing is less than a day."""
    return count_of(abs(number), "day") if number else LESS_THAN_A_DAY


def cause_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """What was observed, in a few words, with its number where it is known."""
    return _in_step(_filled(DETAILED, OF_KIND, cause, figures, language), figures, language)


def short_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """The same for a first line: at most some thirty characters."""
    named = {"step": figures["step"]} if "step" in figures else {}
    status = figures.get("status")
    fine = cause is Cause.HTTP_STATUS and isinstance(status, int) and status < _BAD_STATUS and "expected" in figures
    table = {**SHORT, Cause.HTTP_STATUS: SHORT_GOOD_STATUS} if fine else SHORT
    return _in_step(_filled(table, OF_KIND_SHORT, cause, figures, language), named, language)


def job_line(finding: Finding) -> str:
    """What is known of a job that reports in, in a line of English; empty when there is nothing to say yet."""
    if finding.reason is None:
        return ""
    text = LINES[finding.reason].format(*(duration(ms, "en") for ms in finding.spans))
    status = (finding.figures or {}).get("exit_status")
    return WITH_STATUS.format(text=text, status=status) if finding.reason is Reason.FAILED and status is not None else text


def _in_step(what: str, figures: Mapping[str, Scalar], language: str) -> str:
    """Which step of several it was, where there are several."""
    if "step" not in figures:
        return what
    named = NAMED_STEP if figures.get("step_name") is not None else STEP
    return pick(named, language).format(number=_flat(figures["step"]), name=_flat(figures.get("step_name", "")), what=what)


def _filled(
    table: Mapping[Cause, Pair], of_kind: Mapping[tuple[str, Cause], Pair], cause: Cause, figures: Mapping[str, Scalar], language: str
) -> str:
    """The cause's template where every figure it wants is there, else the words that are true without any."""
    if cause.own and (known := REASONS.get(str(figures.get("obstacle", "")))) is not None:
        of_kind = {("obstacle", cause): known}
    kind = next((of_kind[name, cause] for name in figures if (name, cause) in of_kind), None)
    some = {cause: FAMILY_DEAD} if "family" in figures else SOME_DEAD
    try:
        return pick(kind or (some if "dead" in figures else table)[cause], language).format_map(_values(cause, figures, language))
    except KeyError:
        return pick(PLAIN[cause], language)


def _values(cause: Cause, figures: Mapping[str, Scalar], language: str) -> dict[str, Scalar]:
    """The figures, and what templates make of them."""
    figures = {name: value for name, value in figures.items() if value is not None and (isinstance(value, str) or sayable(value))}
    known: dict[str, Scalar] = {name: _flat(value) for name, value in figures.items()}
    known |= _spans(figures, language) | _counts(cause, figures, language)
    for name, words in (("phase", PHASES), ("signs", SIGNS)):
        if name in known:
            known[name] = ", ".join(pick(words[one], language) for one in str(known[name]).split(", ") if one in words)
    if (page := PAGES.get(str(figures.get("family")))) is not None:
        known["page"] = pick(page, language)
    return known


def _spans(figures: Mapping[str, Scalar], language: str) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {name: duration(ms, language) for name in _SPANS if isinstance(ms := figures.get(f"{name}_ms"), int)}
    for name, figure in _EXACT.items():
        if isinstance(ms := figures.get(figure), int | float):
            found[name] = milliseconds(ms, language)
    if isinstance(limit := figures.get("limit_ms"), int | float):
        found["limit"] = decimal(limit / 1000, language) + " s"
    return found


def _counts(cause: Cause, figures: Mapping[str, Scalar], language: str) -> dict[str, Scalar]:
    days, hops, sent, lost = (figures.get(name) for name in ("days_left", "redirects", "sent", "loss_percent"))
    found: dict[str, Scalar] = {name: pick(days_of(ago), language) for name in _DAYS if isinstance(ago := figures.get(f"{name}_days"), int)}
    if isinstance(days, int) and (days < 0) == (cause is Cause.TLS_EXPIRED):
        found["days"] = pick(days_of(days), language)
    if isinstance(hops, int):
        found["hops"] = counted(hops, "hop", language)
    if isinstance(sent, int):
        found["pings"] = counted(sent, "ping", language)
    if isinstance(lost, int | float):
        found["loss"] = hundredths(lost, language)
    return found | {name: grouped(size, language) for name in ("received", "announced") if isinstance(size := figures.get(name), int)}


def _flat(value: Scalar) -> Scalar:
    """Texts of the configuration on one line and not for ever."""
    return printable(value, _TEXT) if isinstance(value, str) else value


def _sayable(value: object) -> object:
    return printable(value, _LONG) if isinstance(value, str) else value


def printable(text: str, length: int) -> str:
    """A text on one line, cut, without what a terminal, mail or page would act on: controls, direction marks, halves of characters."""
    return "".join(one if one.isprintable() else "·" for one in " ".join(text[: 4 * length].split()))[:length]


def listed(names: Sequence[str], language: str) -> str:
    """The first five names, and how many more there are."""
    if len(names) > NAMED:
        left = len(names) - NAMED
        return plural(texts.MORE_NAMES, left, language).format(names=", ".join(names[:NAMED]), count=grouped(left, language))
    if len(names) < 2:
        return "".join(names)
    return pick(texts.LAST_NAME, language).format(names=", ".join(names[:-1]), last=names[-1])
