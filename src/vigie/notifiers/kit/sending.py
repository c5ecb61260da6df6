"""One request of a channel that needs several, or says no in a way of its own: a value as JSON or as a form, and any 2xx is a yes."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from vigie.net import Secrets, held_by
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import Answer, exchange, refused

_ANSWER_BYTES = 64 * 1024
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def ask(
    deps: NotifierDeps, config: Any, url: str, body: Any, headers: Mapping[str, str] | None = None, *, form: bool = False
) -> Answer:
    """The answer to a POST, whatever its status, without the secrets of `config`. Raises DeliveryError where there is none."""
    sent = urlencode(body).encode() if form else msgspec.json.encode(body)
    head = {**(_FORM if form else {}), **(headers or {})}
    return await exchange(deps, "POST", url, sent, head, Secrets(held_by(config)), _ANSWER_BYTES)


async def send(
    deps: NotifierDeps, config: Any, url: str, body: Any, headers: Mapping[str, str] | None = None, *, form: bool = False
) -> Answer:
    """The same; raises DeliveryError for anything but a 2xx."""
    return taken(deps, await ask(deps, config, url, body, headers, form=form))


def taken(deps: NotifierDeps, answer: Answer) -> Answer:
    """The answer, if it is a 2xx; else raises DeliveryError by its status."""
    if answer.is_success:
        return answer
    raise refused(answer.where, answer.status, answer.words, answer.retry_after, deps.clock.now())


def json_of(answer: Answer) -> Mapping[str, Any]:
    """The object that an answer holds; empty for anything else."""
    try:
        found = msgspec.json.decode(answer.raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
