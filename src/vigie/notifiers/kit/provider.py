"""A channel of a provider's HTTP API, out of what is its own: the request that a message becomes, and how the provider says no.

    def call(config: Config, message: Message) -> Call: …
    build = Provider(call, …).build

What is the same everywhere is here: the verdict, threads that outlive their first message, and no secret in what people read.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secrets, held_by, host_of
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import SHORT_BYTES, Answer, check_url, exchange, reach, refused, wait_ms
from vigie.notifiers.kit.text import clean
from vigie.ports import Receipt
from vigie.report.facts import Message

Json = Mapping[str, Any]
_ANSWER_BYTES = 256 * 1024  # a provider repeats the message
_LASTING = frozenset((DeliveryReason.AUTH, DeliveryReason.RECIPIENT, DeliveryReason.REJECTED, DeliveryReason.CONFIG))
_FIXES = {
    DeliveryReason.AUTH: "check the token of the channel",
    DeliveryReason.RECIPIENT: "check where the channel sends to, and that its token may",
    DeliveryReason.CONFIG: "check the settings of the channel",
    DeliveryReason.REJECTED: "check the settings of the channel",
}
_CALLING = frozenset((
    *(NoticeReason.OPENED, NoticeReason.DISCLOSED, NoticeReason.REMINDER, NoticeReason.ESCALATED),
    *(NoticeReason.SNOOZE_ENDED, NoticeReason.STALLED),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `body` is sent as JSON, None sends none."""

    url: str
    body: Any = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class No:
    """What an error of the provider's own means: permanent where a person has to mend it."""

    reason: DeliveryReason
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """What is a provider's own; every function takes the channel's Config or the JSON of an answer.

    `call` is given a clean message. Its `reference` is what `reference` made of the answer to the first message of the thread, or empty:
    a provider that edits replaces that message where `edits(message)`, one that threads answers it.
    `room` tells apart where the channel sends to: a reference is of use in its own room only. `answers` says that every yes is a JSON
    object. `code` is the error of an answer, empty for a yes, and `means` says what those that contain a word mean. `same` are the
    errors that say that an edit would change nothing.
    `probe` is a request that tries the login without sending. Where an edit of a message that is not there any more succeeds unseen, `look`
    is the request for that message, and `gone` says so of the answer.
    """

    call: Callable[[Any, Message], Call]
    reference: Callable[[Json], str] = lambda _: ""
    room: Callable[[Any], str] = lambda _: ""
    answers: bool = True
    code: Callable[[Json], str] = lambda _: ""
    seconds: Callable[[Json], Any] = lambda _: None
    means: Mapping[str, No] = field(default_factory=dict)
    same: tuple[str, ...] = ()
    probe: Callable[[Any], Call | None] = lambda _: None
    look: Callable[[Any, str], Call | None] = lambda _, __: None
    gone: Callable[[Json], bool] = lambda _: False

    def build(self, config: Any, deps: NotifierDeps) -> "Channel":
        """The channel."""
        return Channel(self, config, deps)


class Channel:
    """Implements Notifier."""

    def __init__(self, provider: Provider, config: Any, deps: NotifierDeps) -> None:
        self._provider, self._config, self._deps = provider, config, deps

    async def deliver(self, message: Message) -> Receipt:
        """Answer or replace the first message of the thread; post anew where there is none, or where that is refused."""
        provider, room = self._provider, self._room()
        known = message.reference.removeprefix(room) if room and message.reference.startswith(room) else ""
        if known and edits(message) and (look := provider.look(self._config, known)) is not None:
            answer, code = await self._ask(look)
            known = "" if code or not answer.is_success or _read(provider.gone, answer) else known
        message = replace(clean(message), reference=known)
        answer, code = await self._ask(provider.call(self._config, message))
        if code and known and _holds(provider.same, code):
            return Receipt("it reads so already", room + known)
        error = self._error(answer, code)
        if known and error is not None and error.permanent:  # the first message may be gone, too old to be edited, or closed for answers
            known = ""
            answer, code = await self._ask(provider.call(self._config, replace(message, reference="")))
            error = self._error(answer, code)
        if error is not None:
            raise error
        name = known or _read(provider.reference, answer) or ""
        words = f"HTTP {answer.status}" if provider.answers else answer.words
        return Receipt(words, room + name if room and name else "")

    async def examine(self) -> str:
        """Try the login where the provider has a way; else reach its host."""
        call = self._provider.probe(self._config)
        if call is None:
            return await reach(self._deps, self._config.url.reveal())
        answer, code = await self._ask(call)
        if (error := self._error(answer, code)) is not None:
            raise error
        return f"{host_of(call.url)} takes the login (`vigie notify test` sends to it)"

    def _room(self) -> str:
        """What every reference of this room begins with; empty where the provider has none."""
        room = self._provider.room(self._config)
        return f"{hashlib.blake2b(room.encode('utf-8', 'replace'), digest_size=5).hexdigest()}/" if room else ""

    async def _ask(self, call: Call) -> tuple[Answer, str]:
        """The answer, and the error that it holds."""
        body = b"" if call.body is None else msgspec.json.encode(call.body)
        secrets, most = Secrets(held_by(self._config)), _ANSWER_BYTES if self._provider.answers else SHORT_BYTES
        answer = await exchange(self._deps, call.method, call.url, body, call.headers, secrets, most)
        if answer.is_success and self._provider.answers and not _data(answer):  # of a login page, a proxy, a server that broke off
            words = f"{answer.where} did not answer in JSON ({answer.words})"
            raise DeliveryError(DeliveryReason.SERVER, words, fix=_FIXES[DeliveryReason.CONFIG])
        return answer, _read(self._provider.code, answer) or ""

    def _error(self, answer: Answer, code: str) -> DeliveryError | None:
        """The verdict, None for a yes: by the provider's own error, else by the HTTP status."""
        if not code and answer.is_success:
            return None
        seconds, now = _read(self._provider.seconds, answer), self._deps.clock.now()
        wait = answer.retry_after if seconds is None else str(seconds)
        no = next((no for word, no in self._provider.means.items() if word in code), None)
        if no is None and not answer.is_success:
            return refused(answer.where, answer.status, answer.words, wait, now)
        no = no or No(DeliveryReason.REJECTED)
        lasting = no.reason in _LASTING
        words = f"{answer.where} {'rejected the message' if lasting else 'cannot take the message now'} ({answer.words})"
        fix = no.fix or _FIXES.get(no.reason, "")
        return DeliveryError(no.reason, words, fix=fix, permanent=lasting, retry_after_ms=None if lasting else wait_ms(wait, now))


def edits(message: Message) -> bool:
    """Whether the first message of the thread is to be replaced by this one."""
    return bool(message.reference) and message.reason is NoticeReason.UPDATED


def calls(message: Message) -> bool:
    """Whether those whom the configuration names are to be notified by name: of what somebody should look at, and of nothing else."""
    return message.reason in _CALLING


def _read(what: Callable[[Json], Any], answer: Answer) -> Any:
    """Something of an answer; None where it is not as the provider's documentation has it."""
    try:
        return what(_data(answer))
    except (LookupError, TypeError, AttributeError, ValueError):
        return None


def _data(answer: Answer) -> Json:
    try:
        found = msgspec.json.decode(answer.raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _holds(words: tuple[str, ...], code: str) -> bool:
    return any(word in code for word in words)


def check_ways(config: Any, *needed: str) -> None:
    """Raise ValueError unless a channel has a webhook in `url`, or a `channel` with all that an account needs."""
    if getattr(config, "channel", ""):
        if missing := [f"`{name}`" for name in needed if not getattr(config, name)]:
            raise ValueError(f"`channel` needs {' and '.join(missing)} too")
    elif config.url is None:
        raise ValueError(f"write `url` (a webhook), or {', '.join(f'`{name}`' for name in needed)} and `channel`")
    else:
        check_url(config.url)
