"""What a channel would send, in the words of its templates, without sending it: about the newest incident on record, or a sample."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from vigie import plugins
from vigie.adapters import monitors, notifiers, open_store, speaking, store_exists
from vigie.config import Desired
from vigie.core.model import Incident
from vigie.core.notification import Notice, NoticeReason
from vigie.core.subject import VIGIE_ID
from vigie.engine.masking import MaskedNotifier
from vigie.engine.messages import Composer
from vigie.engine.templates import TemplatedNotifier
from vigie.errors import VigieError
from vigie.observation.channel import ChannelState, Spell, thread_of
from vigie.planning.rotation import Handover
from vigie.ports import Clock, Notifier
from vigie.report import agents, channels, handover, render, stalls
from vigie.report.cases import cases
from vigie.report.facts import Affected, Message, Notified, Subject
from vigie.text.messages import HEADLINES

_OF_INCIDENTS = tuple(one for one in HEADLINES if one is not NoticeReason.BLIND)
SHOWN = (*_OF_INCIDENTS, NoticeReason.HANDOVER, *channels.REASONS, *stalls.REASONS, *agents.REASONS, NoticeReason.TEST)
_MINUTES, _WEEK = 12 * 60_000, 7 * 86_400_000
_LATER = 60_000
_OTHERS = ("API", "Blog", "Wiki")  # that fail together with the sample, where a notice is about several services


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as a channel would get it. `payload` is what it would post, None for a channel that cannot show it."""

    reason: NoticeReason
    incident: str  # the real one that it is about; empty for a sample
    message: Message
    payload: Any = None
    fault: str = ""  # why a template failed: the message is the standard one


async def previews(settings: Desired, clock: Clock, channel: str, reasons: list[NoticeReason]) -> list[Preview]:
    """One for each reason. Raises VigieError for a reason of which there is no sample."""
    for reason in reasons:
        if reason not in SHOWN:
            raise VigieError(f"{str(reason)!r} cannot be previewed", f"reasons: {', '.join(SHOWN)}")
    store = open_store(settings, clock) if store_exists(settings) else None
    try:
        known = await store.archive.incidents(limit=50) if store is not None else []
        incident = next((one for one in known if one.monitor != VIGIE_ID), None)
        composer = Composer(store.archive, clock, speaking(settings), monitors(settings)) if store is not None else None
        found = []
        for reason in reasons:
            real = incident if reason in _OF_INCIDENTS else None
            if composer is not None and real is not None:
                message = await composer.compose(_notice(real, channel, reason, clock.now()))
            else:
                message = _sample(settings, clock.now(), channel, reason)
            found.append(await _worded(settings, clock, channel, message, real.id if real else ""))
        return found
    finally:
        if store is not None:
            await store.close()


def _notice(incident: Incident, channel: str, reason: NoticeReason, now: int) -> Notice:
    return Notice(incident.alert or incident.id, incident.monitor, channel, reason, now, int(reason in _NUMBERED))


_NUMBERED = (NoticeReason.REMINDER, NoticeReason.ESCALATED, NoticeReason.UPDATED, NoticeReason.SNOOZE_ENDED)


def _sample(settings: Desired, now: int, channel: str, reason: NoticeReason) -> Message:
    """About a made-up service, or about Vigie itself."""
    setting = speaking(settings)
    if reason is NoticeReason.TEST:
        return render.test_message(channel, f"test-{now}", now, setting.language)
    if reason in agents.REASONS:
        return agents.message(Notice(agents.thread("paris-1", "paris", now - _MINUTES), VIGIE_ID, channel, reason, now, 3), setting)
    if reason in stalls.REASONS:
        alert = stalls.thread(stalls.Part.LOOP, now - _MINUTES)
        return stalls.message(Notice(alert, VIGIE_ID, channel, reason, now), setting)
    if reason in channels.REASONS:
        failing = "mail"
        spell = Spell(now - _MINUTES, 8, 0, "auth", "535 5.7.8 authentication failed")
        states = {failing: ChannelState(failing, spell, None)}
        return channels.message(Notice(thread_of(failing, spell), VIGIE_ID, channel, reason, now, failover_for=failing), states, setting)
    if reason is NoticeReason.HANDOVER:
        taken = Handover(now, "primary", "anna", "bob", now + _WEEK)
        return handover.message(Notice(handover.thread(taken), VIGIE_ID, channel, reason, now), taken, setting)
    case = cases()[0]
    at = case.subject.incident.opened_at
    acked_by, closed_by = ("Ann" if reason is one else None for one in (NoticeReason.ACKNOWLEDGED, NoticeReason.CLOSED))
    ended_at = at + _MINUTES if reason.ends else None
    subject = replace(case.subject, incident=replace(case.subject.incident, closed_at=ended_at, acked_by=acked_by, closed_by=closed_by))
    notified = None
    if reason is NoticeReason.UPDATED:
        subject, notified = _together(subject), Notified(before=at)
    return render.compose(subject, _notice(subject.incident, channel, reason, at + _MINUTES), case.bundle, None, setting, notified)


def _together(one: Subject) -> Subject:
    """The same incident, with others of its alert that failed for the same reason."""
    names = {name: name.lower() for name in _OTHERS}
    monitors = [replace(one.monitor, id=key, name=name, target=f"https://{key}.example.com/") for name, key in names.items()]
    return replace(
        one,
        members=tuple(
            Affected(each, replace(one.incident, id=f"{each.id}-1", monitor=each.id, opened_at=one.incident.opened_at + _LATER))
            for each in monitors
        ),
    )


async def _worded(settings: Desired, clock: Clock, channel: str, message: Message, incident: str) -> Preview:
    notifier: Notifier = notifiers(settings, clock)[channel]
    if isinstance(notifier, MaskedNotifier):
        notifier = notifier.notifier
    fault = ""
    if isinstance(notifier, TemplatedNotifier):
        message = await notifier.worded(message)
        fault = notifier.faulty
    return Preview(message.reason, incident, message, _payload(settings, channel, message), fault)


def _payload(settings: Desired, channel: str, message: Message) -> Any:
    """What the channel would post: by `payload(message)` or `payload(config, message)` of its module, secrets masked."""
    from vigie.notifiers.kit.text import clean

    one = settings.channels[channel]
    made = getattr(plugins.load("notifiers", one.kind), "payload", None)
    if made is None:
        return None
    arguments = (clean(message),) if len(inspect.signature(made).parameters) == 1 else (one.config.reveal(), clean(message))
    return one.secrets.mask_all(msgspec.to_builtins(made(*arguments), enc_hook=str))
