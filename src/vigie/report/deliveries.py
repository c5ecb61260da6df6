"""The story of the notices of an alert: who was notified late or not at all, since when, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from vigie.core.notification import OPENINGS, NoticeReason
from vigie.report.wording import printable
from vigie.text import deliveries as texts
from vigie.text import pick, plural
from vigie.text.formatting import at_moment, between, duration, since_moment
from vigie.text.postmortem import NOTICES

LATE_MS = 60_000  # what is delivered within a minute is not late: reports are waited for, and a group gathers
_ANSWER = 200
_HIDDEN = re.compile(r"<(style|script)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!doctype[^<>]*>|</?[a-z][a-z0-9]*(\s[^<>]*)?/?>|</?[a-z][a-z0-9]*(\s[^<>…]*)?(?=…|$)", re.IGNORECASE)
_WORDS, _REPEATED = 100, 8  # words of an answer that are looked at, characters of what counts as said twice
_ASIDE = (NoticeReason.UNDELIVERABLE, NoticeReason.REPORT)  # about other notices, or not awaited


class Fate(StrEnum):
    """What has become of a notice."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    UNDELIVERABLE = "undeliverable"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: `failure` is empty when it worked, `answer` is the provider's. Epoch ms."""

    at: int
    failure: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """All that is on record of one notice: when it was raised and is due, its attempts oldest first, and who dropped it."""

    channel: str
    reason: NoticeReason
    raised_at: int
    fate: Fate
    attempts: tuple[Attempt, ...] = ()
    due_at: int = 0
    failover_for: str = ""
    dropped_by: str = ""
    dropped_at: int = 0

    @property
    def delivered_at(self) -> int | None:
        """When the channel took it."""
        return next((one.at for one in self.attempts if not one.failure), None)

    @property
    def failed(self) -> tuple[Attempt, ...]:
        """The attempts that failed."""
        return tuple(one for one in self.attempts if one.failure)


def one_line(answer: str) -> str:
    """What a provider answered without the mark-up of an error page: tags, styles and scripts go, and words said twice are said once."""
    if "<" not in answer:
        return printable(answer, _ANSWER)
    text = _TAG.sub(" ", _HIDDEN.sub(" ", answer))
    return printable(" ".join(_said_once(text.split()[:_WORDS])), _ANSWER)


def _said_once(words: list[str]) -> list[str]:
    """Without the first of two equal runs of words that follow each other: a page's title and its heading."""
    kept, at = [], 0
    while at < len(words):
        sizes = range((len(words) - at) // 2, 0, -1)
        equal = (size for size in sizes if words[at : at + size] == words[at + size : at + 2 * size])
        size = next((one for one in equal if len(" ".join(words[at : at + one])) >= _REPEATED), 0)
        kept += [] if size else [words[at]]
        at += size or 1
    return kept


def because(failure: str, answer: str, count: int, language: str) -> str:
    """Why, as a clause: `the login was refused (535 …; 6 failed attempts)`."""
    words = pick(texts.FAILURES.get(failure, texts.FAILURES["other"]), language)
    said = one_line(answer).rstrip(". ")
    return plural(texts.BECAUSE, count, language).format(failure=words, answer=said or failure, count=count)


def story(accounts: Sequence[Account], language: str, zone: tzinfo, now: int) -> tuple[str, ...]:
    """The sentences, most important first; none where everybody was notified in time."""
    teller = _Teller(language, zone, now)
    ours = [one for one in accounts if one.reason not in _ASIDE]
    nobody, openings = teller.nobody(ours), [one for one in ours if one.reason in OPENINGS and not one.failover_for]
    said = openings if nobody and len(openings) == 1 and openings[0].fate in (Fate.DELIVERED, Fate.WAITING) else []
    told = [line for one in ours if not one.failover_for and one not in said and (line := teller.told(one))]
    instead = [teller.instead(one) for one in ours if one.failover_for and one.delivered_at is not None]
    return (*nobody, *told, *instead)


def late_reason(attempts: Sequence[Attempt], language: str) -> str:
    """The line of a late notice that says why it is late; empty where nothing failed."""
    failed = [one for one in attempts if one.failure]
    if not failed:
        return ""
    last = failed[-1]
    return pick(texts.LATE_WHY, language).format(why=because(last.failure, last.answer, len(failed), language))


class _Teller:
    """Writes the sentences."""

    def __init__(self, language: str, zone: tzinfo, now: int) -> None:
        self._language, self._zone, self._now = language, zone, now

    def told(self, one: Account) -> str:
        """What is to be said of one notice; empty when it was delivered in time, or is not late yet."""
        delivered = one.delivered_at
        if one.fate is Fate.DROPPED:
            return self._say(texts.DROPPED, one, by=one.dropped_by, at=self._at(one.dropped_at))
        if one.fate is Fate.UNDELIVERABLE:
            return self._say(texts.UNDELIVERABLE, one, why=self._why(one))
        end = self._now if delivered is None else delivered
        if end - one.raised_at < LATE_MS:
            return ""
        lasted = duration(end - one.raised_at, self._language)
        if delivered is not None:
            return self._say(texts.LATE, one, lasted=lasted, at=self._at(end), why=self._why(one))
        return self._say(texts.WAITING, one, lasted=lasted, why=self._why(one), next=self._at(one.due_at))

    def instead(self, one: Account) -> str:
        """That a failover channel was used."""
        return self._say(texts.INSTEAD, one, failed=one.failover_for, at=self._at(one.delivered_at or 0))

    def nobody(self, accounts: Sequence[Account]) -> list[str]:
        """For how long nobody knew of the trouble, if that was long."""
        openings = [one for one in accounts if one.reason in OPENINGS and one.fate is not Fate.DROPPED]
        if not openings:
            return []
        raised = min(one.raised_at for one in openings)
        first = min((at for one in openings if (at := one.delivered_at) is not None), default=None)
        end = self._now if first is None else first
        if end - raised < LATE_MS:
            return []
        why, lasted = self._why(max(openings, key=lambda one: len(one.failed)), first), duration(end - raised, self._language)
        if first is None:
            since = since_moment(raised, self._zone, self._now, self._language)
            return [pick(texts.NOBODY_YET, self._language).format(since=since, lasted=lasted, why=why)]
        span = between(raised, first, self._zone, self._now, self._language)
        return [pick(texts.NOBODY, self._language).format(span=span, lasted=lasted, why=why)]

    def _why(self, one: Account, until: int | None = None) -> str:
        failed = [attempt for attempt in one.failed if until is None or attempt.at <= until]
        if failed:
            return because(failed[-1].failure, failed[-1].answer, len(failed), self._language)
        return pick(texts.NO_ATTEMPT_YET if until is None and one.delivered_at is None else texts.NO_ATTEMPT, self._language)

    def _say(self, pair: tuple[str, str], one: Account, /, **values: object) -> str:
        what = pick(NOTICES.get(one.reason, (str(one.reason), str(one.reason))), self._language)
        return pick(pair, self._language).format(channel=one.channel, what=what, **values)

    def _at(self, instant: int) -> str:
        return at_moment(instant, self._zone, self._now, self._language)
