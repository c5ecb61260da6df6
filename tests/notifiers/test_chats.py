"""Chats beyond the laws: who is pinged and when, what is configured how, threads of another room, and texts cut in the provider's units."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notifiers.servers import discord as discord_server
from tests.notifiers.servers import googlechat as google_server
from tests.notifiers.servers import matrix as matrix_server
from tests.notifiers.servers import mattermost as mattermost_server
from tests.notifiers.servers import rocketchat as rocket_server
from tests.notifiers.servers import slack as slack_server
from tests.notifiers.servers import teams as teams_server
from tests.notifiers.servers import telegram as telegram_server

from vigie import plugins
from vigie.config.convert import dec_hook
from vigie.config.secrets import _mark
from vigie.core.notification import NoticeReason
from vigie.engine.masking import MaskedNotifier
from vigie.net import Secret, Secrets
from vigie.notifiers.kit.markup import Markup, markdown_link, of_html, of_markdown, unpinged, written
from vigie.notifiers.kit.text import clean, cut, octets, units
from vigie.report.facts import Message
from vigie.testing.messages import hostile, sample
from vigie.testing.services import Service, service_rig
from vigie.testing.webhook_server import Answer

OPENED, RECOVERED = sample(NoticeReason.OPENED, "en"), sample(NoticeReason.RECOVERED, "en")
CHATS = ("discord", "googlechat", "matrix", "mattermost", "rocketchat", "slack", "teams", "telegram")
FAMILY, FRANCE = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1eb\U0001f1f7"


def with_settings(service: Any, **more: Any) -> Any:
    """The service, its channel configured with more than it has to be."""
    plain = service.settings
    service.settings = lambda origin: plain(origin) | more
    return service


@pytest.mark.parametrize(
    ("make", "mention", "pinged"),
    [
        (discord_server.Discord, "everyone 42 role:7", {"@everyone", "42", "7"}),
        (discord_server.Discord, "here", {"@here"}),
        (google_server.Space, "all 1234", {"users/all", "users/1234"}),
        (matrix_server.Homeserver, "@room @ann:example.org", {"@room", "@ann:example.org"}),
        (mattermost_server.Hook, "@channel @ann", {"channel", "ann"}),
        (mattermost_server.Bot, "@here", {"here"}),
        (rocket_server.Hook, "@all", {"all"}),
        (rocket_server.Account, "@here @ann", {"here", "ann"}),
        (slack_server.Hook, "here U0123 S0456", {"!here", "@U0123", "!subteam^S0456"}),
        (slack_server.Bot, "channel", {"!channel"}),
        (teams_server.Workflow, "ann@example.com bob@example.com", {"ann@example.com", "bob@example.com"}),
        (telegram_server.Telegram, "@ann_ops @bob_ops", {"@ann_ops", "@bob_ops"}),
    ],
)
async def test_a_mention_pings_whom_the_configuration_names_and_only_when_somebody_should_look(
    make: Callable[[], Service], mention: str, pinged: set[str]
) -> None:
    service, foreign = with_settings(make(), mention=mention), hostile().headline[:300] + " @everyone @all @room <!here> <users/all>"

    def about(reason: NoticeReason) -> Message:
        return replace(OPENED, key=reason, reason=reason, headline=foreign, lines=(foreign,))

    async with service_rig(service) as rig:
        for reason in (NoticeReason.OPENED, NoticeReason.REMINDER):
            await rig.notifier.deliver(about(reason))
        assert [set(seen.pings) for seen in rig.seen()] == [pinged, pinged]
        for reason in (NoticeReason.RECOVERED, NoticeReason.REPORT, NoticeReason.TEST, NoticeReason.UPDATED, NoticeReason.STABLE):
            await rig.notifier.deliver(about(reason))
        assert not any(seen.pings for seen in rig.seen()[2:])


@pytest.mark.parametrize("kind", CHATS)
def test_only_what_is_secret_by_nature_is_masked_so_that_threads_are_found_again(kind: str) -> None:
    config = plugins.load("notifiers", kind).Config
    for one in msgspec.structs.fields(config):
        if "Secret" not in str(one.type) and "str" in str(one.type):
            assert _mark((config,), (one.encode_name,)) is not None, one.encode_name


async def test_a_masked_channel_keeps_its_references_or_has_none() -> None:
    async with service_rig(slack_server.Bot()) as rig:
        known = await MaskedNotifier(rig.notifier, Secrets([Secret("xoxb-2345678901-abcdefghijklmnop")])).deliver(OPENED)
        assert known.reference.endswith("C0123456789/1767225600.001001")
        masked = await MaskedNotifier(rig.notifier, Secrets([Secret("C0123456789")])).deliver(OPENED)
        assert masked.reference == ""


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("slack", {}, "write `url` .a webhook., or `token` and `channel`"),
        ("slack", {"channel": "C1"}, "`channel` needs `token` too"),
        ("slack", {"url": "hooks.slack.com"}, "not a web address"),
        ("slack", {"url": "https://hooks.slack.com/x", "mention": "@alice"}, "mention"),
        ("mattermost", {"token": "x"}, "write `url`"),
        ("mattermost", {"channel": "x"}, "`channel` needs `server` and `token` too"),
        ("rocketchat", {"channel": "x", "server": "https://chat.example.com", "user": "u"}, "`channel` needs `token` too"),
        ("discord", {"url": "https://discord.example/api", "mention": "alice"}, "mention"),
        ("telegram", {"token": "x", "chat": "-1", "mention": "everyone"}, "mention"),
        ("matrix", {"token": "x", "server": "https://m.example", "room": "#ops:example.org"}, "room"),
        ("googlechat", {"url": "https://chat.example/", "mention": "<users/all>"}, "mention"),
        ("teams", {"url": "https://teams.example/", "mention": "Ann"}, "mention"),
    ],
)
def test_what_cannot_work_is_a_fault_of_the_configuration(kind: str, values: dict[str, str], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(values, plugins.load("notifiers", kind).Config, dec_hook=dec_hook)


async def test_a_reference_is_of_use_in_its_own_room_only() -> None:
    service = slack_server.Bot()
    async with service_rig(service) as rig:
        receipt = await rig.notifier.deliver(OPENED)
        with_settings(service, channel="C0123456789")  # another way to write the same is another room, too
        await rig.notifier.deliver(replace(RECOVERED, reference=receipt.reference))
        assert [seen.parent for seen in rig.seen()] == ["", ""]


async def test_a_late_report_stays_in_its_thread_and_all_else_is_shown_in_the_channel() -> None:
    service = slack_server.Bot()
    async with service_rig(service) as rig:
        reference = (await rig.notifier.deliver(OPENED)).reference
        for reason in (NoticeReason.REPORT, NoticeReason.RECOVERED):
            await rig.notifier.deliver(replace(sample(reason, "en"), reference=reference))
    bodies = [post.body for post in service.room.posts.values()]
    assert [body.get("reply_broadcast") for body in bodies] == [None, False, True]


async def test_an_answer_without_a_name_is_a_delivery_without_a_reference() -> None:
    for service, odd in (
        (telegram_server.Telegram(), {"ok": True, "result": True}),
        (slack_server.Bot(), {"ok": True}),
        (matrix_server.Homeserver(), {"id": 7}),
        (discord_server.Discord(), {"type": 0}),
    ):
        async with service_rig(service) as rig:
            rig.tell(Answer(200, odd))
            assert (await rig.notifier.deliver(OPENED)).reference == ""


async def test_a_telegram_topic_and_a_discord_thread_are_written_to() -> None:
    telegram, discord = with_settings(telegram_server.Telegram(), topic=7), with_settings(discord_server.Discord(), thread="1000")
    discord.messages["1000"] = "", {"embeds": [{"title": "", "description": ""}]}, b""
    async with service_rig(telegram) as rig:
        await rig.notifier.deliver(OPENED)
    async with service_rig(discord) as rig:
        await rig.notifier.deliver(OPENED)
    assert telegram.messages[11][1]["message_thread_id"] == 7
    assert discord.messages["1001"][0] == "1000"


async def test_an_edit_of_the_same_text_is_taken_by_telegram() -> None:
    service = telegram_server.Telegram()
    async with service_rig(service) as rig:
        receipt = await rig.notifier.deliver(OPENED)
        again = await rig.notifier.deliver(replace(OPENED, reason=NoticeReason.UPDATED, reference=receipt.reference))
    assert (again.reference, len(service.messages)) == (receipt.reference, 1)


@pytest.mark.parametrize("size", [len, units, octets])
@given(
    parts=st.lists(st.sampled_from(["a", "é", "e\u0301", "\U0001f525", FAMILY, FRANCE, "\U0001f44d\U0001f3fd"]), max_size=40),
    limit=st.integers(4, 90),
)
def test_a_cut_keeps_the_units_of_the_provider(size: Callable[[str], int], parts: list[str], limit: int) -> None:
    text = "".join(parts)
    found = cut(text, limit, size)
    assert size(found) <= limit
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))


@given(
    parts=st.lists(st.sampled_from(["a", "é", "e\u0301", "\U0001f525", FAMILY, FRANCE, "\U0001f44d\U0001f3fd"]), max_size=20),
    limit=st.integers(2, 60),
)
def test_a_cut_never_goes_through_what_is_composed(parts: list[str], limit: int) -> None:
    text, found = "".join(parts), cut("".join(parts), limit, units)
    ends = {"".join(parts[:number]) for number in range(len(parts) + 1)}
    assert found == text or found[:-1] in ends


@pytest.mark.parametrize("size", [len, units, octets])
@pytest.mark.parametrize("limit", [4_096, 5_000, 16_383])
@pytest.mark.parametrize("escape", [of_html, of_markdown, str])
def test_whatever_a_message_holds_it_fits_with_its_headline_and_footer(
    escape: Callable[[str], str], limit: int, size: Callable[[str], int]
) -> None:
    message = clean(hostile())
    text = written(message, Markup(escape, headline="{}", link=markdown_link), limit, size)
    assert size(text) <= limit
    assert text.startswith(escape(message.headline))
    assert text.endswith(escape(message.footer))
    assert "https://x.example/a?b=1&c=2" in text


def test_addresses_of_mail_stay_as_they_are_and_names_do_not_ping() -> None:
    assert unpinged("ops@example.com") == "ops@example.com"
    for text in ("@all", "hello @all", "<@all", "é@all", "(@all)", "@@all", ".@all", "_@all"):
        assert "@all" not in unpinged(text)
