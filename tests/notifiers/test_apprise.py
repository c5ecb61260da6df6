"""Apprise: several services by one channel, each asked until it has the notice and then no more; in a process that can be killed."""

import sys
from typing import Any

import msgspec
import pytest
from tests.notifiers.servers.apprise import Apprise as Receiver

from vigie import plugins
from vigie.config.convert import dec_hook
from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryReason, MissingExtra
from vigie.notifiers import NotifierDeps
from vigie.notifiers.apprise import Apprise, Config, build, verify
from vigie.testing.messages import sample
from vigie.testing.notifier_suite import refused
from vigie.testing.webhook_server import Answer, WebhookServer

PAGE = sample(NoticeReason.OPENED, "en")


def config(*urls: str, **more: Any) -> Config:
    return msgspec.convert({"urls": list(urls), **more}, Config, dec_hook=dec_hook)


def channel(deps: NotifierDeps, *urls: str, **more: Any) -> Apprise:
    return build(config(*urls, **more), deps)


async def test_who_has_it_is_not_asked_again(deps: NotifierDeps) -> None:
    well, ill = Receiver(), Receiver()
    statuses = [500, 200]
    async with WebhookServer(well.answer) as one, WebhookServer(lambda _: Answer(statuses.pop(0), b"")) as two:
        made = channel(deps, f"json://127.0.0.1:{one.port}/room-0123456789", f"json://127.0.0.1:{two.port}/x")
        error = await refused(made, PAGE)
        assert (error.reason, error.permanent) == (DeliveryReason.SERVER, False)
        receipt = await made.deliver(PAGE)
    assert receipt.answer == "taken by json, json"
    assert (len(one.requests), len(two.requests)) == (1, 2)
    assert well.messages[0][0]["title"] == PAGE.headline
    assert well.messages[0][0]["type"] == "failure"
    assert all(line in well.messages[0][0]["message"] for line in PAGE.lines)
    assert not ill.messages


async def test_a_service_that_apprise_does_not_know_is_said_and_given_up(deps: NotifierDeps) -> None:
    error = await refused(channel(deps, "nosuchservice://host/secret-token-01"), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.CONFIG, True)
    assert "nosuchservice" in error.message
    assert "secret-token-01" not in f"{error} {error.fix}"
    problems = list(verify(config("json://localhost/x", "nosuchservice://host/secret-token-01")))
    assert [one.key for one in problems] == ["urls.1"]


def test_nothing_of_apprise_is_in_this_process() -> None:
    assert "apprise" not in sys.modules


def test_without_the_extra_the_command_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_is_there", lambda name: False)
    with pytest.raises(MissingExtra, match="apprise needs the Python module apprise") as missing:
        plugins.load("notifiers", "apprise")
    assert missing.value.fix == "pip install 'vigie[apprise]'"


@pytest.mark.parametrize("url", ["not a url", "", "://x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="does not begin with the name of a service"):
        config(url)
