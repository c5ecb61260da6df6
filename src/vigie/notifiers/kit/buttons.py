"""Buttons under a chat's messages: what a provider needs to say that one was pressed."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secrets, held_by
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import exchange, refused
from vigie.notifiers.kit.provider import Call
from vigie.notifiers.kit.text import flat
from vigie.report.facts import Message

_NAME = 60


def pressable(message: Message) -> bool:
    """Whether every action of a message has what a button carries."""
    return bool(message.actions) and all(link.token for link in message.actions)


def unlinked(message: Message) -> Message:
    """The message without its actions among the links: they are buttons."""
    return replace(message, links=tuple(link for link in message.links if link not in message.actions))


def same(right: str, given: str) -> bool:
    """Whether two texts are equal, without telling by the time taken how much of them is."""
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def named(*names: Any) -> str:
    """What a chat calls a person, by the first of these that says something."""
    return next((flat(one, _NAME) for one in names if isinstance(one, str) and flat(one, _NAME).strip()), "somebody")


def read_json(text: bytes | str) -> Mapping[str, Any]:
    """An object; empty for anything else."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def ask(deps: NotifierDeps, config: Any, call: Call) -> None:
    """Send a request; raise DeliveryError where it is refused."""
    answer = await exchange(deps, call.method, call.url, msgspec.json.encode(call.body), call.headers, Secrets(held_by(config)))
    if not answer.is_success:
        raise refused(answer.where, answer.status, answer.words, answer.retry_after, deps.clock.now())
    said = read_json(answer.raw)
    if said.get("ok") is False:  # Slack and Telegram say no with a 200, too
        why = flat(str(said.get("error") or said.get("description") or "no reason given"), _NAME)
        raise DeliveryError(DeliveryReason.REJECTED, f"{answer.where} refuses: {why}", fix="check the settings of the channel")
