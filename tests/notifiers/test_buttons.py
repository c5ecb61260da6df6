"""Buttons of chats: only what the chat itself sent is read, and what came of it is said where it was pressed."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps, slack, telegram
from vigie.notifiers.kit.text import clean
from vigie.ports import Press
from vigie.report.facts import Link, Message
from vigie.testing.messages import sample
from vigie.testing.notifier_rigs import TestClock
from vigie.testing.webhook_server import Answer, WebhookServer

SIGNING, WORD = "8f742231b10e8888abcd99yyyzzz85a5", "a-word-of-ours"
NOW = 1_767_225_600_000
ACTIONS = tuple(
    Link(label, f"https://vigie.example.com/respond/{name}/shop-api-7?sig=x", f"{name}:{'s' * 22}")
    for name, label in (("ack", "Acknowledge"), ("snooze", "Snooze"), ("resolve", "Resolve"))
)
DEPS = NotifierDeps(TestClock(), "watch.example.com", None, 2.0)


def acting(reason: NoticeReason = NoticeReason.OPENED) -> Message:
    """A message whose alert can be acknowledged."""
    message = sample(reason, "en")
    return clean(Message(**{**{name: getattr(message, name) for name in message.__slots__}, "actions": ACTIONS}))


def slack_buttons() -> slack.SlackButtons:
    config = slack.Config(url=Secret("https://hooks.slack.com/services/T/B/x"), signing_secret=Secret(SIGNING))
    made = slack.buttons(config, DEPS, WORD)
    assert made is not None
    return made


def telegram_buttons(api: str = "https://api.telegram.org") -> telegram.TelegramButtons:
    made = telegram.buttons(telegram.Config(token=Secret("1:AAx"), chat="-100", buttons=True, api=api), DEPS, WORD)
    assert made is not None
    return made


def pressed_in_slack(**changed: Any) -> bytes:
    said = {
        "type": "block_actions",
        "user": {"id": "U1", "name": "zoe"},
        "actions": [{"action_id": "ack", "value": ACTIONS[0].token}],
        "response_url": "https://hooks.slack.com/actions/T/1/x",
    }
    return urlencode({"payload": json.dumps(said | changed)}).encode()


def signed(body: bytes, *, secret: str = SIGNING, at: int = NOW) -> dict[str, str]:
    stamp = str(at // 1000)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


def test_a_press_in_slack_is_read() -> None:
    body = pressed_in_slack()

    assert slack_buttons().read(signed(body), body, NOW) == Press(ACTIONS[0].token, "zoe", "https://hooks.slack.com/actions/T/1/x")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(pressed_in_slack(), secret="another"), pressed_in_slack()),
        (signed(pressed_in_slack(), at=NOW - 301_000), pressed_in_slack()),
        (signed(pressed_in_slack(), at=NOW + 301_000), pressed_in_slack()),
        (signed(pressed_in_slack()), pressed_in_slack() + b" "),
        (signed(pressed_in_slack()) | {"x-slack-request-timestamp": "٣" * 10}, pressed_in_slack()),
        (signed(pressed_in_slack()) | {"x-slack-request-timestamp": "9" * 5_000}, pressed_in_slack()),
        (signed(pressed_in_slack()) | {"x-slack-signature": "v0=\xe9"}, pressed_in_slack()),
        ({}, pressed_in_slack()),
        *(
            (signed(one), one)
            for one in (b"", b"payload=", b"payload=[]", b"payload=" + b"%5B" * 60_000, b"\xff\xfe", pressed_in_slack(actions=[]))
        ),
        (signed(pressed_in_slack(user="zoe")), pressed_in_slack(user="zoe")),
    ],
    ids=str,
)
def test_what_slack_did_not_sign_or_mean_is_not_read(headers: dict[str, str], body: bytes) -> None:
    assert slack_buttons().read(headers, body, NOW) is None


@given(st.binary(max_size=400))
def test_nothing_that_slack_signs_breaks_the_reader(body: bytes) -> None:
    slack_buttons().read(signed(body), body, NOW)


async def test_slack_says_what_came_of_it_in_the_channel() -> None:
    async with WebhookServer() as server:
        await slack_buttons().confirm(Press("ack:x", "zoe", server.url), "✅ Acknowledged by <!channel> zoe.")
        (request,) = server.requests
        assert json.loads(request.body) == {
            "response_type": "in_channel",
            "replace_original": False,
            "text": "✅ Acknowledged by &lt;!channel&gt; zoe.",
        }


def test_slack_has_buttons_where_the_app_hears_of_a_press_and_links_elsewhere() -> None:
    with_buttons, with_links = slack.payload(acting(), pressed=True), slack.payload(acting())
    (row,) = [one for one in with_buttons["blocks"] if one["type"] == "actions"]

    assert [(one["action_id"], one["value"], one["text"]["text"]) for one in row["elements"]] == [
        (link.token.partition(":")[0], link.token, link.label) for link in ACTIONS
    ]
    assert "/respond/" not in json.dumps(with_buttons)
    assert json.dumps(with_links).count("/respond/") == 3
    assert not [one for one in with_links["blocks"] if one["type"] == "actions"]
    assert not [
        one for one in slack.payload(clean(sample(NoticeReason.RECOVERED, "en")), pressed=True)["blocks"] if one["type"] == "actions"
    ]


def pressed_in_telegram(**changed: Any) -> bytes:
    query = {"id": "77", "from": {"id": 1, "first_name": "Zoé\u202e"}, "message": {"message_id": 12}, "data": ACTIONS[1].token}
    return json.dumps({"update_id": 5, "callback_query": query | changed}).encode()


def test_a_press_in_telegram_is_read_with_our_secret_alone() -> None:
    source, body = telegram_buttons(), pressed_in_telegram()

    assert source.read({"x-telegram-bot-api-secret-token": WORD}, body, NOW) == Press(ACTIONS[1].token, "Zoé", "77/12")
    for headers in ({}, {"x-telegram-bot-api-secret-token": ""}, {"x-telegram-bot-api-secret-token": WORD + "x"}):
        assert source.read(headers, body, NOW) is None
    for other in (b"", b"[]", b"{" * 50_000, b'{"message": {}}', pressed_in_telegram(data=None, id=None, **{"from": None})):
        assert source.read({"x-telegram-bot-api-secret-token": WORD}, other, NOW) is None


async def test_telegram_tells_whoever_pressed_and_the_others() -> None:
    async with WebhookServer() as server:
        server.tell(Answer(200, {"ok": True, "result": True}))
        await telegram_buttons(f"http://127.0.0.1:{server.port}").confirm(Press("ack:x", "Zoé", "77/12"), "✅ Acknowledged by Zoé.")
        first, second = server.requests

    assert first.path.endswith("/answerCallbackQuery")
    assert json.loads(first.body) == {"callback_query_id": "77", "text": "✅ Acknowledged by Zoé."}
    assert second.path.endswith("/sendMessage")
    assert json.loads(second.body)["reply_parameters"]["message_id"] == 12


async def test_the_bot_sends_presses_and_nothing_else_to_us() -> None:
    async with WebhookServer() as server:
        source = telegram_buttons(f"http://127.0.0.1:{server.port}")
        server.tell(Answer(200, {"ok": True, "result": True}))
        assert "this Vigie" in await source.register("https://vigie.example.com/integrations/ops")
        (request,) = server.requests
        body = json.loads(request.body)
        assert (body["url"], body["secret_token"], body["allowed_updates"]) == (
            "https://vigie.example.com/integrations/ops",
            WORD,
            ["callback_query"],
        )
        server.tell(Answer(400, {"ok": False, "description": "Bad Request: bad webhook: HTTPS url must be provided"}))
        with pytest.raises(DeliveryError) as raised:
            await source.register("http://vigie.example.com/integrations/ops")
        assert raised.value.reason in (DeliveryReason.REJECTED, DeliveryReason.CONFIG)
        assert "1:AAx" not in str(raised.value)


def test_telegram_has_buttons_where_it_is_asked_for_them() -> None:
    config = telegram.Config(token=Secret("1:AAx"), chat="-100", buttons=True)
    with_buttons = telegram.call(config, acting()).body
    plain = telegram.call(telegram.Config(token=Secret("1:AAx"), chat="-100"), acting()).body
    ((*row,),) = with_buttons["reply_markup"]["inline_keyboard"]

    assert [(one["text"], one["callback_data"]) for one in row] == [(link.label, link.token) for link in ACTIONS]
    assert all(len(one["callback_data"].encode()) <= 64 for one in row)
    assert "/respond/" not in with_buttons["text"]
    assert "reply_markup" not in plain
    assert plain["text"].count("/respond/") == 3
