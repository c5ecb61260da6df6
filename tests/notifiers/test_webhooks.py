"""Slack, Teams and the generic webhook: the shape that each receiver wants, and its bounds."""

import contextlib
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.core.detection import Severity
from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps, slack, teams, webhook
from vigie.notifiers.kit.document import document
from vigie.notifiers.kit.http import reach, refused
from vigie.notifiers.kit.text import clean
from vigie.report.facts import Link
from vigie.templating import Renderer
from vigie.testing import webhook_server as hook
from vigie.testing.messages import every_sample, hostile, sample, storm_message
from vigie.testing.notifier_suite import refused as failure
from vigie.testing.smtp_server import SILENT, SmtpServer
from vigie.testing.webhook_server import WebhookServer

PAGE = clean(sample(NoticeReason.OPENED, "fr"))


def leaves(value: Any, name: str) -> list[Any]:
    """Every value under a key of this name, however deep."""
    if isinstance(value, dict):
        return [inner for key, one in value.items() for inner in ([one] if key == name else leaves(one, name))]
    return [inner for one in value for inner in leaves(one, name)] if isinstance(value, list) else []


def test_slack_has_header_lines_analysis_facts_links_and_the_key_last() -> None:
    blocks = slack.payload(PAGE)["blocks"]
    assert [block["type"] for block in blocks] == ["header", "section", "section", "section", "section", "context"]
    assert blocks[0]["text"]["text"] == PAGE.headline
    assert 3 <= blocks[1]["text"]["text"].count("\n") + 1 <= 6
    assert blocks[2]["text"]["text"].startswith("_Analyse automatique")
    assert "`F1` " in blocks[3]["text"]["text"]
    assert blocks[3]["text"]["text"].endswith(f"… +{len(PAGE.rows) - 8}")
    assert blocks[4]["text"]["text"] == "<https://wiki.example.com/shop?page=api&amp;part=2|Runbook>"
    assert "shop-api-7" in blocks[-1]["elements"][0]["text"]


def test_slack_texts_cannot_mention_or_link_and_stay_in_bounds() -> None:
    body = slack.payload(clean(hostile()))
    texts = [text for text in leaves(body, "text") if isinstance(text, str)] + [
        block["text"]["text"] for block in body["blocks"] if "text" in block
    ]
    marked = [text for text in texts if "<" in text]
    assert marked
    for text in marked:
        assert text == body["blocks"][0]["text"]["text"] or text.startswith("<https://x.example/a?b=1&amp;c=2|ok>")
    assert body["blocks"][0]["text"]["type"] == "plain_text"  # where nothing is markup
    assert len(body["blocks"][0]["text"]["text"]) <= 150
    assert all(len(text) <= 3_000 for text in texts)
    assert "&lt;!channel&gt;" in body["text"]


@pytest.mark.parametrize("message", every_sample(), ids=lambda one: f"{one.reason}-{one.language}")
def test_teams_gets_an_adaptive_card_whose_text_knows_no_markup(message: Any) -> None:
    attachment = teams.payload(clean(message))["attachments"][0]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["body"][0]["inlines"][0]["text"] == message.headline
    assert [action["url"] for action in card["actions"]] == [link.url for link in message.links]


@pytest.mark.parametrize(
    ("reason", "severity", "colour"),
    [
        (NoticeReason.OPENED, Severity.OUTAGE, "Attention"),
        (NoticeReason.OPENED, Severity.DEGRADATION, "Warning"),
        (NoticeReason.RECOVERED, Severity.OUTAGE, "Good"),
        (NoticeReason.CLOSED, Severity.OUTAGE, "Default"),
    ],
)
def test_a_card_has_the_colour_of_its_news(reason: NoticeReason, severity: Severity, colour: str) -> None:
    card = teams.payload(clean(sample(reason, "en", severity=severity)))["attachments"][0]["content"]
    assert card["body"][0]["inlines"][0]["color"] == colour


def test_a_card_stays_below_the_limit_of_teams_whatever_it_holds() -> None:
    assert len(msgspec.json.encode(teams.payload(clean(hostile())))) < 28_000
    flames = "\U0001f525" * 5_000
    row = replace(hostile().rows[0], value=flames)
    worst = replace(hostile(), headline=flames, lines=(flames,) * 9, rows=(row,) * 20, footer=flames, analysis_label=flames)
    assert len(msgspec.json.encode(teams.payload(clean(worst)))) < 28_000


async def test_a_webhook_is_signed_over_timestamp_and_body(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        channel = webhook.build(
            webhook.Config(url=Secret(receiver.url), secret=Secret("k"), headers={"Authorization": Secret("Bearer abc")}), deps
        )
        await channel.deliver(PAGE)
        request = receiver.requests[0]
    stamp = request.headers["x-vigie-timestamp"]
    wanted = hmac.new(b"k", stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-vigie-signature"] == f"sha256={wanted}"
    assert int(stamp) == deps.clock.now() // 1000
    assert request.headers["idempotency-key"] == "shop-api-7:opened:mail"
    assert request.headers["authorization"] == "Bearer abc"
    assert request.headers["content-type"] == "application/json"
    assert request.method == "POST"
    assert request.path == "/services/T0SECRET01/b0SECRET02?sig=hushhush03"


async def test_without_a_secret_there_is_no_signature(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        await webhook.build(webhook.Config(url=Secret(receiver.url)), deps).deliver(PAGE)
    assert "x-vigie-signature" not in receiver.requests[0].headers


def test_what_the_check_dropped_is_gone_before_any_channel_lays_a_message_out() -> None:
    page = sample(NoticeReason.OPENED, "fr")
    assert page.analysis is not None
    assert page.analysis.dropped
    assert PAGE.analysis is not None
    assert PAGE.analysis.dropped == ()


def test_the_fields_of_a_webhook_are_a_contract() -> None:
    body = msgspec.json.decode(msgspec.json.encode(document(PAGE)))
    assert list(body) == [
        *("version", "key", "thread", "opens_thread", "reason", "severity", "cause", "language", "monitor", "target", "at", "since"),
        *("headline", "subject", "lines", "rows", "analysis", "members", "ended", "locations", "actions", "links", "footer"),
    ]
    assert (body["version"], body["reason"], body["severity"], body["cause"]) == (1, "opened", "outage", "http.status")
    assert body["rows"][0].keys() == {"id", "label", "value"}
    assert body["analysis"].keys() == {"label", "model", "language", "sentences", "duration_ms"}
    assert body["links"] == [{"label": "Runbook", "url": "https://wiki.example.com/shop?page=api&part=2"}]
    assert (body["members"], body["ended"], body["locations"], body["actions"]) == (None, False, [], [])
    assert document(clean(sample(NoticeReason.RECOVERED, "en")))["analysis"] is None


def test_a_webhook_has_the_services_of_an_alert_and_what_may_be_done_about_it() -> None:
    actions = (Link("Acknowledge", "https://vigie.example.com/respond/1", "ack:secret-of-a-button"),)
    body = msgspec.json.decode(msgspec.json.encode(document(clean(replace(storm_message(NoticeReason.OPENED, "en"), actions=actions)))))
    assert (body["members"]["label"], body["members"]["more"]) == ("Services affected (500)", "and 488 more")
    assert body["members"]["rows"][0] == {
        "id": "shop-1",
        "label": "down since 01:00:00 UTC+1",
        "value": "Shop (https://shop.example.com/health)",
    }
    assert body["actions"] == body["links"] == [{"label": "Acknowledge", "url": "https://vigie.example.com/respond/1"}]
    assert document(clean(storm_message(NoticeReason.RECOVERED, "en")))["ended"] is True


@pytest.mark.parametrize("key", ["Équipe:opened", "a\r\nX-Evil: 1", "\ud800", "café 100%"])
async def test_a_key_of_any_characters_travels_as_ascii(key: str, deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        await webhook.build(webhook.Config(url=Secret(receiver.url)), deps).deliver(replace(PAGE, key=key))
    headers = receiver.requests[0].headers
    assert headers["idempotency-key"].isascii()
    assert "x-evil" not in headers
    assert msgspec.json.decode(receiver.requests[0].body)["key"] == headers["idempotency-key"]


@pytest.mark.parametrize("headers", [{"X-Vigie-Signature": "mine"}, {"content-TYPE": "x"}, {"A": "b\r\nC: d"}, {"A b": "c"}, {"A": "é"}])
def test_a_header_that_cannot_be_sent_is_named(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(headers))):
        webhook.Config(url=Secret("https://hooks.example.com/"), headers={name: Secret(value) for name, value in headers.items()})


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://x/", "https:///x", "https://x/a b", "https://x/é", "https:// x/"])
@pytest.mark.parametrize("module", [slack, teams, webhook])
def test_a_url_that_cannot_be_is_refused(module: Any, url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": url}, module.Config)


async def test_secrets_of_headers_are_masked_when_echoed(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        receiver.status, receiver.answer = 403, b"you sent Bearer-abc-123 and k-secret"
        config = webhook.Config(url=Secret(receiver.url), secret=Secret("k-secret"), headers={"X-Token": Secret("Bearer-abc-123")})
        error = await failure(webhook.build(config, deps), PAGE)
    assert "you sent *** and ***" in error.message


async def test_an_endless_answer_is_not_read_on(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        receiver.status = hook.ENDLESS
        assert (await slack.build(slack.Config(url=Secret(receiver.url)), deps).deliver(PAGE)).answer.startswith("HTTP 200: on and on")


async def test_a_redirect_is_not_followed(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver, WebhookServer() as thief:
        receiver.status, receiver.headers = 307, {"Location": thief.url}
        error = await failure(webhook.build(webhook.Config(url=Secret(receiver.url)), deps), PAGE)
    assert error.permanent
    assert not thief.requests


async def test_plain_text_on_a_tls_url_and_dead_names_are_told_apart(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver:
        error = await failure(slack.build(slack.Config(url=Secret(receiver.url.replace("http:", "https:"))), deps), PAGE)
        assert error.reason is DeliveryReason.TLS
    error = await failure(slack.build(slack.Config(url=Secret("https://hooks.invalid/services/T0")), deps), PAGE)
    assert (error.reason, error.message) == (DeliveryReason.DNS, "hooks.invalid: the name does not resolve")


async def test_a_silent_tls_handshake_runs_into_the_deadline(deps: NotifierDeps, folder: Path) -> None:
    async with SmtpServer(folder, tls="none", fault=SILENT) as server:
        url = f"https://127.0.0.1:{server.port}/services/T0"
        error = await failure(slack.build(slack.Config(url=Secret(url)), deps), PAGE)
        with pytest.raises(DeliveryError, match="did not answer"):
            await reach(deps, url)
        await server.quiet()
    assert (error.reason, error.permanent) == (DeliveryReason.TIMEOUT, False)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7_000),
        ("0", 0),
        ("86400", 3_600_000),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 20_000),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_capped_at_an_hour(header: str | None, wait: int | None, deps: NotifierDeps) -> None:
    assert refused("h", 429, "HTTP 429", header, deps.clock.now()).retry_after_ms == wait


async def test_body_and_headers_can_be_templates_and_what_is_sent_is_signed(deps: NotifierDeps) -> None:
    body = '{"text": {{ headline | tojson }}, "who": {{ channel | tojson }}}'
    with contextlib.closing(Renderer()) as renderer:
        own = replace(deps, render=renderer.render, channel="ops")
        async with WebhookServer() as receiver:
            config = webhook.Config(
                url=Secret(receiver.url), secret=Secret("k"), method="PUT", body=body, header_templates={"X-Severity": "{{ severity }} é"}
            )
            await webhook.build(config, own).deliver(PAGE)
            request = receiver.requests[0]
    assert (request.method, request.headers["x-severity"]) == ("PUT", "outage %C3%A9")
    assert msgspec.json.decode(request.body) == {"text": PAGE.headline, "who": "ops"}
    wanted = hmac.new(b"k", request.headers["x-vigie-timestamp"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-vigie-signature"] == f"sha256={wanted}"


async def test_a_template_that_fails_sends_nothing_and_is_tried_again(deps: NotifierDeps) -> None:
    with contextlib.closing(Renderer()) as renderer:
        async with WebhookServer() as receiver:
            config = webhook.Config(url=Secret(receiver.url), body="{{ lines[0] / 0 }}")
            error = await failure(webhook.build(config, replace(deps, render=renderer.render)), PAGE)
    assert (error.reason, error.permanent, error.retry_after_ms) == (DeliveryReason.CONFIG, False, 300_000)
    assert not receiver.requests


@pytest.mark.parametrize("body", ["{{ headlin }}", "{{ headline", "{% include 'x' %}"])
def test_a_template_that_cannot_be_is_refused(body: str) -> None:
    with pytest.raises(ValueError):
        webhook.Config(url=Secret("https://hooks.example.com/"), body=body)
