"""A command as a channel: what it is given, what its end means, and that nothing of it is left."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.config.convert import dec_hook
from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.notifiers import NotifierDeps
from vigie.notifiers import exec as module
from vigie.testing.messages import hostile, sample
from vigie.testing.notifier_suite import refused

PAGE = sample(NoticeReason.OPENED, "fr")


def channel(deps: NotifierDeps, command: str | list[str], **more: Any) -> module.Exec:
    return module.build(msgspec.convert({"command": command, **more}, module.Config, dec_hook=dec_hook), deps)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


async def test_it_is_given_the_document_and_the_variables(deps: NotifierDeps, tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    code = f"import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ)], open({str(file)!r}, 'w')); print('room 7\\nmore')"
    receipt = await channel(deps, python(code), env={"ROOM": "ops"}).deliver(PAGE)
    assert receipt.answer == "exit status 0: room 7"
    document, environment = json.loads(file.read_text())
    assert (document["version"], document["reason"], document["headline"]) == (1, "opened", PAGE.headline)
    assert environment["VIGIE_REASON"] == "opened"
    assert environment["VIGIE_HEADLINE"] == PAGE.headline
    assert environment["VIGIE_TEXT"] == "\n".join(PAGE.lines)
    assert environment["ROOM"] == "ops"
    assert "VIRTUAL_ENV" not in environment


async def test_nothing_in_a_text_reaches_a_shell(deps: NotifierDeps, tmp_path: Path) -> None:
    message = hostile()
    assert (await channel(deps, 'echo "$VIGIE_HEADLINE"', shell=True).deliver(message)).answer.startswith("exit status 0: Shop Bcc:")


async def test_a_command_that_does_not_read_or_writes_much_is_no_obstacle(deps: NotifierDeps) -> None:
    assert (await channel(deps, python("print('x' * 100_000)")).deliver(hostile())).answer.startswith("exit status 0: xxx")


@pytest.mark.parametrize(
    ("code", "reason", "permanent", "wait"),
    [
        (1, DeliveryReason.OTHER, False, None),
        (65, DeliveryReason.REJECTED, True, None),
        (67, DeliveryReason.RECIPIENT, True, None),
        (75, DeliveryReason.OTHER, False, None),
        (78, DeliveryReason.CONFIG, False, 300_000),
        (127, DeliveryReason.CONFIG, False, 300_000),
    ],
)
async def test_the_exit_status_is_the_verdict(
    deps: NotifierDeps, code: int, reason: DeliveryReason, permanent: bool, wait: int | None
) -> None:
    error = await refused(channel(deps, python(f"import sys; print('why', file=sys.stderr); sys.exit({code})")), PAGE)
    assert (error.reason, error.permanent, error.retry_after_ms) == (reason, permanent, wait)
    assert f"ended with status {code}: why" in error.message


async def test_a_program_that_is_not_there_is_named_and_tried_again(deps: NotifierDeps) -> None:
    made = channel(deps, "no-such-program-here --now")
    error = await refused(made, PAGE)
    assert (error.reason, error.permanent, error.retry_after_ms) == (DeliveryReason.CONFIG, False, 300_000)
    with pytest.raises(DeliveryError, match="no-such-program-here was not found in PATH"):
        await made.examine()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"command": ""}, "empty"),
        ({"command": "echo 'open"}, "cannot be split"),
        ({"command": ["a"], "shell": True}, "one line"),
        ({"command": "echo", "timeout": "26s"}, "25s"),
        ({"command": "echo", "env": {"A=B": "c"}}, "A=B"),
    ],
)
def test_what_cannot_be_run_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(settings, module.Config, dec_hook=dec_hook)
