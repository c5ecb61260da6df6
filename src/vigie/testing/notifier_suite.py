"""The laws that every notifier keeps, run against a real receiver on loopback.

`LAWS` are the laws by name; each takes a Rig (vigie/testing/notifier_rigs.py: a channel with its receiver) and raises AssertionError.
A channel of an HTTP API needs a Service (vigie/testing/services.py) for that: its server, as its provider documents it.

    @pytest.mark.parametrize("law", LAWS)
    async def test_a_notifier_keeps_the_law(law):
        async with service_rig(MyService()) as rig:
            await keep(law, rig)
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.ports import Notifier
from vigie.report.facts import Message
from vigie.testing.messages import every_sample, hostile, sample
from vigie.testing.notifier_rigs import SHORT_SECONDS, Can, Rig
from vigie.testing.servers import black_hole
from vigie.testing.services import stranger
from vigie.testing.webhook_server import WebhookServer

_SHOWN_FACTS = 8
_LONGEST_REFERENCE = 500
_QUIET_SECONDS = 5  # far less than a channel waits for an answer
_FOREIGN = ("another-service/17", "42", "$event:example.org")  # of the service that the channel used before
_PINGS = (
    "@everyone @here @channel @all @room @alice @ops-team <@1234> <@&5678> <@U0123456> <!channel> <!here> <!subteam^S0123456> <users/all> "
    "<users/1234> <at>Alice</at> [Alice](tg://user?id=42) https://matrix.to/#/@alice:example.org #general"
)
_LONGEST_ERROR = 600
_CLOSED_PORT = 1


def _must(condition: object, words: str) -> None:
    if not condition:
        raise AssertionError(words)


async def refused(notifier: Notifier, message: Message) -> DeliveryError:
    """The error of a delivery that must fail."""
    try:
        answer = (await notifier.deliver(message)).answer
    except DeliveryError as error:
        return error
    raise AssertionError(f"delivered, though it was refused: {answer}")


async def _tells_all(rig: Rig) -> None:
    """Every reason in both languages arrives whole, once, and the answer is one line."""
    rig.accept()
    messages = [replace(message, key=f"{message.key}:{number}") for number, message in enumerate(every_sample())]
    for message in messages:
        answer = (await rig.notifier.deliver(message)).answer
        _must(answer and "\n" not in answer, "the answer is one line")
    _must(len(rig.seen()) == len(messages), "one message, one arrival")
    for message, text in zip(messages, (seen.text for seen in rig.seen()), strict=True):
        wanted = [message.headline, *message.lines, message.footer, *(row.value for row in message.rows[:_SHOWN_FACTS])]
        analysis = message.analysis
        wanted += [message.analysis_label, *analysis.sentences] if analysis is not None else []
        for words in wanted:
            _must(words in text, f"{message.reason} in {message.language} lacks {words!r}")
        for dropped in analysis.dropped if analysis is not None else ():
            _must(dropped.text not in text, "what the check dropped stays here")


async def _keeps_its_frame(rig: Rig) -> None:
    """Texts that try to break out arrive as words of one bounded message."""
    rig.accept()
    await rig.notifier.deliver(hostile())
    _must(len(rig.seen()) == 1, "one arrival")
    seen = rig.seen()[0]
    _must("Shop Bcc: thief@example.net" in seen.text, "line breaks become spaces")
    whole = "\U0001f468\u200d\U0001f469\u200d\U0001f467" in seen.text
    _must(whole or (Can.WHOLE not in rig.can and "\U0001f468" not in seen.text), "composed emoji stay whole")
    bad = [one for one in "\x00\x1b\u202e\u2066" if one in seen.text]
    _must(not bad, f"invisible characters arrive: {bad!r}")
    _must("javascript:" not in seen.text, "only web links")
    strangers = set(seen.links) - {link.url for link in hostile().links}
    _must(not strangers, f"words of others lead to {strangers}")
    _must("dropped-" not in seen.text, "what the check dropped stays here")
    _must(len(seen.raw) < 512 * 1024, f"bounded: {len(seen.raw)} bytes")


async def _gives_verdicts(rig: Rig) -> None:
    """Each refusal has its verdict; the same channel delivers once it is over. No error, log or printed channel shows a secret."""
    kept, logger = _Kept(), logging.getLogger("vigie")
    before = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    try:
        for name in rig.refusals:
            await _gives_verdict(rig, name)
    finally:
        logger.setLevel(before)
        logger.removeHandler(kept)
    rig.accept()
    _tells_no_secret(rig, (await rig.notifier.deliver(sample(NoticeReason.OPENED, "fr"))).answer)
    _tells_no_secret(rig, f"{rig.config!r} {rig.config} {rig.notifier!r} {kept.text}")


async def _gives_verdict(rig: Rig, name: str) -> None:
    rig.refuse(name)
    error, wanted = await refused(rig.notifier, sample(NoticeReason.OPENED, "fr")), rig.refusals[name]
    found = (error.reason, error.permanent, error.retry_after_ms)
    _must(found == (wanted.reason, wanted.permanent, wanted.retry_after_ms), f"{name}: {found}, {error}")
    _must(error.fix or not error.permanent, f"{name}: a permanent refusal has a fix")
    _must("\n" not in error.message and len(error.message) <= _LONGEST_ERROR, f"{name}: one line, not {error.message!r}")
    _tells_no_secret(rig, f"{error} {error.message} {error.fix} {error!r} {error.args}")


async def _names_a_closed_port(rig: Rig) -> None:
    """Nobody listening is REFUSED, to be tried again; the same from `examine`."""
    channel = rig.at(_CLOSED_PORT)
    error = await refused(channel, sample(NoticeReason.OPENED, "fr"))
    _must((error.reason, error.permanent) == (DeliveryReason.REFUSED, False), f"{error.reason}: {error}")
    _tells_no_secret(rig, f"{error} {error.fix}")
    try:
        await channel.examine()
    except DeliveryError as found:
        _must(found.reason is DeliveryReason.REFUSED and found.fix, str(found))
    else:
        raise AssertionError("examine passed over a closed port")


async def _is_examined_without_sending(rig: Rig) -> None:
    """`examine` says one line and sends nothing."""
    rig.accept()
    line = await rig.notifier.examine()
    _must(line and "\n" not in line, "one line")
    _tells_no_secret(rig, line)
    _must(not rig.seen(), "nothing is sent")


async def _is_recognised_twice(rig: Rig) -> None:
    """A notice that is sent twice carries the same identity, another notice another one."""
    rig.accept()
    one, other = every_sample()[:2]
    other = replace(other, key="another-key", opens_thread=False)
    for message in (one, one, other):
        await rig.notifier.deliver(message)
    first, *copies, third = (seen.identity for seen in rig.seen())
    _must(len(copies) <= 1 and all(copy == first for copy in copies), "a copy has its original's identity, or is not shown at all")
    _must(not first or third != first, "another notice has its own")


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """One more line."""
        self.text += self.format(record) + "\n"


def _tells_no_secret(rig: Rig, text: str) -> None:
    shown = [secret for secret in rig.secrets if secret in text]
    _must(not shown, f"a secret shows in {text!r}")


async def _closes_when_cancelled(rig: Rig) -> None:
    """Cut off by the caller, it leaves no connection open."""
    channel = rig.notifier  # one that does not give up by itself meanwhile
    rig.refuse(next(name for name, refusal in rig.refusals.items() if refusal.reason is DeliveryReason.TIMEOUT))
    try:
        async with asyncio.timeout(SHORT_SECONDS):
            await channel.deliver(sample(NoticeReason.OPENED, "fr"))
    except TimeoutError:
        pass
    else:
        raise AssertionError("a stalled receiver took a message")
    async with asyncio.timeout(_QUIET_SECONDS):
        await rig.quiet()
    rig.accept()
    await rig.notifier.deliver(sample(NoticeReason.OPENED, "fr"))


async def _refuses_a_stranger(rig: Rig) -> None:
    """A certificate of an authority that nobody trusts is TLS, to be tried again, and nothing is sent."""
    async with WebhookServer(context=stranger()) as server:
        error = await refused(rig.at(server.port, tls=True), sample(NoticeReason.OPENED, "fr"))
    _must((error.reason, error.permanent) == (DeliveryReason.TLS, False), f"{error.reason}: {error}")
    _must(error.fix and not server.requests, "the reader can do something, the stranger got nothing")
    _tells_no_secret(rig, f"{error} {error.fix}")


async def _gives_up_a_slow_accept(rig: Rig) -> None:
    """A host that takes no connection is TIMEOUT, to be tried again."""
    with black_hole() as port:
        error = await refused(rig.at(port, seconds=SHORT_SECONDS), sample(NoticeReason.OPENED, "fr"))
    _must((error.reason, error.permanent) == (DeliveryReason.TIMEOUT, False), f"{error.reason}: {error}")
    _tells_no_secret(rig, f"{error} {error.fix}")


async def _pings_nobody(rig: Rig) -> None:
    """Whatever foreign texts hold, nobody is notified by name whom the configuration does not ask for."""
    rig.accept()
    for message in (
        hostile(),
        hostile(NoticeReason.REPORT),
        replace(sample(NoticeReason.OPENED, "fr"), headline=_PINGS, lines=(_PINGS,), footer=_PINGS),
    ):
        await rig.notifier.deliver(message)
    pings = [ping for seen in rig.seen() for ping in seen.pings]
    _must(not pings, f"a text pings {pings}")


async def _answers_its_thread(rig: Rig) -> None:
    """What follows an opening answers it, and the opening answers nothing."""
    rig.accept()
    opening, follower = sample(NoticeReason.OPENED, "en"), sample(NoticeReason.RECOVERED, "en")
    receipt = await rig.notifier.deliver(opening)
    _must(0 < len(receipt.reference) <= _LONGEST_REFERENCE, f"a reference: {receipt.reference!r}")
    await rig.notifier.deliver(replace(follower, reference=receipt.reference))
    first, second = rig.seen()
    _must(first.reference and not first.parent, "an opening answers nothing")
    _must(second.parent == first.reference, f"{second.parent!r} is not {first.reference!r}")
    _must(follower.headline in second.text, "the follower arrives whole")


async def _replaces_its_opening(rig: Rig) -> None:
    """An update stands where the opening stood, and whoever answers later still answers that message."""
    rig.accept()
    opening = sample(NoticeReason.OPENED, "en")
    receipt = await rig.notifier.deliver(opening)
    news = replace(
        opening, key="news", reason=NoticeReason.UPDATED, opens_thread=False, headline="12 services", reference=receipt.reference
    )
    again = await rig.notifier.deliver(news)
    _must(len(rig.seen()) == 1, f"{len(rig.seen())} messages where one was edited")
    seen = rig.seen()[0]
    _must(news.headline in seen.text and opening.headline not in seen.text, "the new text replaces the old one")
    _must(again.reference == receipt.reference, "an edited message keeps its name")
    await rig.notifier.deliver(news)  # a copy of the same update: some providers refuse an edit that changes nothing
    _must(len(rig.seen()) == 1, "a copy of an update adds no message")


async def _survives_a_lost_opening(rig: Rig) -> None:
    """Whatever became of the opening, what follows it is delivered: to the room, if it cannot answer or replace it."""
    rig.accept()
    opening = sample(NoticeReason.OPENED, "en")
    receipt = await rig.notifier.deliver(opening)
    rig.forget()
    before = len(rig.seen())
    reasons = (NoticeReason.UPDATED, NoticeReason.REPORT, NoticeReason.RECOVERED)
    references = (receipt.reference, *_FOREIGN) if rig.can & {Can.THREADS, Can.EDITS} else _FOREIGN[:1]
    for number, (reason, reference) in enumerate((one, ref) for one in reasons for ref in references):
        message = replace(sample(NoticeReason.REPORT, "en"), key=f"key-{number}", reason=reason, reference=reference)
        await rig.notifier.deliver(message)
        _must(len(rig.seen()) == before + number + 1, f"{reason} after {reference!r} is lost")


NEEDS: dict[str, Can] = {
    "tells all": Can.WHOLE,
    "names a closed port": Can.NETWORK,
    "refuses a stranger's certificate": Can.NETWORK,
    "gives up on a slow accept": Can.NETWORK,
    "answers its thread": Can.THREADS,
    "replaces its opening": Can.EDITS,
}
LAWS: dict[str, Callable[[Rig], Awaitable[None]]] = {
    "tells all": _tells_all,
    "keeps its frame": _keeps_its_frame,
    "gives verdicts, and no secret": _gives_verdicts,
    "names a closed port": _names_a_closed_port,
    "is examined without sending": _is_examined_without_sending,
    "is recognised when sent twice": _is_recognised_twice,
    "closes its connection when cancelled": _closes_when_cancelled,
    "refuses a stranger's certificate": _refuses_a_stranger,
    "gives up on a slow accept": _gives_up_a_slow_accept,
    "pings nobody": _pings_nobody,
    "answers its thread": _answers_its_thread,
    "replaces its opening": _replaces_its_opening,
    "survives a lost opening": _survives_a_lost_opening,
}


async def keep(law: str, rig: Rig) -> bool:
    """Run a law; False where it is about something of which the channel is not capable."""
    if law in NEEDS and NEEDS[law] not in rig.can:
        return False
    await LAWS[law](rig)
    return True
