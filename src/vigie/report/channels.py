"""The messages about a channel that keeps failing, and about its recovery: since when, why, and what to do."""

import re

from vigie.core.detection import Severity
from vigie.core.notification import Notice, NoticeReason
from vigie.observation.channel import ChannelState, Spell
from vigie.report.deliveries import because
from vigie.report.facts import Message
from vigie.report.headline import HEADLINE_LENGTH, shortened, subject_line
from vigie.report.render import RenderContext
from vigie.text import pick
from vigie.text.deliveries import CHANNEL_FAILING, CHANNEL_LINES, CHANNEL_RESTORED, FAILURES
from vigie.text.formatting import between, duration, since_moment

REASONS = (NoticeReason.CHANNEL_FAILING, NoticeReason.CHANNEL_RESTORED)
_NAME, _KEY = 30, 24


def message(notice: Notice, states: dict[str, ChannelState], setting: RenderContext) -> Message:
    """What another channel is to say; of a spell that is no longer on record, no more than that it was."""
    name, language = notice.failover_for, setting.language
    spell = states.get(name, ChannelState(name)).spell(notice.alert) or Spell(notice.at)
    failing = notice.reason is NoticeReason.CHANNEL_FAILING
    lasted = duration((spell.until or notice.at) - spell.since, language)
    why = pick(FAILURES.get(spell.failure, FAILURES["other"]), language)
    template = pick(CHANNEL_FAILING if failing else CHANNEL_RESTORED, language)
    headline = shortened(template.format(channel=shortened(name, _NAME), lasted=lasted, why=why), HEADLINE_LENGTH)
    return Message(
        key=notice.key,
        thread=notice.alert,
        opens_thread=failing,
        reason=notice.reason,
        severity=Severity.DEGRADATION,
        language=language,
        monitor="Vigie",
        target="",
        at=notice.at,
        headline=headline,
        subject=subject_line(headline, shortened(notice.alert, _KEY), clause=False),
        lines=tuple(_lines(notice, spell, setting)),
        footer=_say("footer", language, channel=name),
    )


def _lines(notice: Notice, spell: Spell, setting: RenderContext) -> list[str]:
    name, language = notice.failover_for, setting.language
    why = because(spell.failure, spell.answer, spell.attempts, language)
    if notice.reason is NoticeReason.CHANNEL_FAILING:
        since = since_moment(spell.since, setting.zone, notice.at, language)
        step = _say("step", language, name=_quoted(name))
        return [_say("failing", language, channel=name, since=since, why=why), _say("means", language), step]
    until = spell.until or notice.at
    span = between(spell.since, until, setting.zone, notice.at, language)
    lines = [_say("restored", language, channel=name, at=since_moment(until, setting.zone, notice.at, language), span=span, why=why)]
    lost = [_say("lost", language, name=_quoted(name))] if spell.given_up else []
    return [*lines, _say("caught_up", language), *lost]


def _quoted(name: str) -> str:
    """A name as a shell takes it."""
    return name if re.fullmatch(r"[A-Za-z0-9_.-]+", name) else "'" + name.replace("'", "'\\''") + "'"


def _say(name: str, language: str, /, **values: object) -> str:
    return pick(CHANNEL_LINES[name], language).format(**values)
