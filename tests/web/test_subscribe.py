"""Readers subscribe, confirm, are sent what is published, and leave by one click; nobody learns who is subscribed."""

import json
import re

import pytest
from tests.web._status import HOUR, NOW, Rig, page

from vigie.commands.status_pages import NewPost
from vigie.errors import DeliveryError, DeliveryReason
from vigie.report.publication import Impact, PostKind, Stage

POST = NewPost(PostKind.INCIDENT, "Payments fail", ("db-7",), Impact.DOWN, Stage.INVESTIGATING, "We are on it.", NOW - HOUR)
BASE = "/status/public"


def link(text: str, what: str) -> str:
    """The path of a link in a mail."""
    found = re.search(rf"https://vigie\.example\.com(/status/public/{what}/\S+)", text)
    assert found is not None, text
    return found[1]


async def confirmed(rig: Rig, address: str = "ann@example.com") -> None:
    async with rig.client() as client:
        await client.post(f"{BASE}/subscribe", data={"email": address})
        await rig.send()
        await client.post(link(rig.post.mails[-1][1].text, "confirm"))


async def test_a_reader_confirms_is_sent_updates_and_leaves_by_one_click() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        asked = await client.post(f"{BASE}/subscribe", data={"email": "Ann@example.com"})
        assert "Check your inbox" in asked.text
        await rig.send()
        ((channel, mail, _),) = rig.post.mails
        assert (channel, mail.to) == ("mail", "Ann@example.com")
        await rig.desk.publish("public", POST, "bob")
        await rig.send()
        assert len(rig.post.mails) == 1, "nothing is sent before it is confirmed"
        path = link(mail.text, "confirm")
        assert "Confirm your subscription" in (await client.get(path)).text
        await rig.desk.publish("public", POST, "bob")
        await rig.send()
        assert len(rig.post.mails) == 1, "opening the link confirms nothing"
        assert "You are subscribed" in (await client.post(path)).text
        await rig.desk.publish("public", POST, "bob")
        await rig.send()
        update = rig.post.mails[-1][1]
        assert "We are on it." in update.text
        assert update.subject == "[Maison Lumen] Investigating: Payments fail"
        headers = dict(update.headers)
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        leave = link(headers["List-Unsubscribe"].strip("<>"), "unsubscribe")
        assert "gets nothing more" in (await client.get(leave)).text
        assert await rig.queries.subscribers("public")
        # RFC 8058: a POST without a cookie and without a page of ours before it.
        gone = await client.post(leave, data={"List-Unsubscribe": "One-Click"}, headers={"origin": "https://mail.example.net"})
        assert gone.status_code == 200
        assert await rig.queries.subscribers("public") == []
        assert (await client.post(leave)).status_code == 200, "twice is no fault"
        await rig.desk.publish("public", POST, "bob")
        await rig.send()
        assert len(rig.post.mails) == 2


async def test_nobody_learns_whether_an_address_is_subscribed() -> None:
    rig = Rig([page()])
    await rig.watched()
    await confirmed(rig)
    async with rig.client() as client:
        known, new = [await client.post(f"{BASE}/subscribe", data={"email": email}) for email in ("ann@example.com", "eve@example.com")]
        assert (known.status_code, known.content) == (new.status_code, new.content)
    await rig.send()
    assert [mail.to for _, mail, _ in rig.post.mails] == ["ann@example.com", "eve@example.com"]
    ann = next(one for one in await rig.queries.subscribers("public") if one.address.startswith("ann"))
    assert ann.confirmed_at is not None, "whoever asks again does not undo it"


async def test_wishes_are_limited_and_an_address_is_asked_once_an_hour() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        answers = [(await client.post(f"{BASE}/subscribe", data={"email": "ann@example.com"})).status_code for _ in range(7)]
        assert answers == [200] * 5 + [429] * 2
        await rig.send()
        assert len(rig.post.mails) == 1
        rig.clock.at += HOUR + 1
        assert (await client.post(f"{BASE}/subscribe", data={"email": "ann@example.com"})).status_code == 200
        await rig.send()
        assert len(rig.post.mails) == 2


async def test_who_never_confirms_is_forgotten() -> None:
    rig = Rig([page()])
    await rig.watched()
    await rig.readers.subscribe("public", "ann@example.com", "a")
    rig.clock.at += 49 * HOUR
    await rig.readers.subscribe("public", "bob@example.com", "a")
    assert [one.address for one in await rig.queries.subscribers("public")] == ["bob@example.com"]


@pytest.mark.parametrize("email", ["", "x", "a@b.fr\r\nBcc: eve@b.fr", "a@b.fr,c@d.fr", '"<script>"@b.fr'])
async def test_a_hostile_address_is_refused_and_not_repeated(email: str) -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        found = await client.post(f"{BASE}/subscribe", data={"email": email})
    assert found.status_code == 400
    assert "Bcc" not in found.text
    assert "<script" not in found.text
    assert await rig.queries.subscribers("public") == []


async def test_a_link_of_somebody_else_or_of_another_page_does_nothing() -> None:
    rig = Rig([page(), page(name="other", path="/status/other")])
    await rig.watched()
    await rig.readers.subscribe("public", "ann@example.com", "a")
    await rig.send()
    path = link(rig.post.mails[0][1].text, "confirm")
    async with rig.client() as client:
        for wrong in (
            path[:-1] + ("A" if path[-1] != "A" else "B"),
            path.replace("/status/public", "/status/other"),
            f"{BASE}/confirm/x/y",
        ):
            assert (await client.post(wrong)).status_code == 404
    (one,) = await rig.queries.subscribers("public")
    assert one.confirmed_at is None


async def test_a_webhook_confirms_by_the_link_in_its_first_message() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        form = await client.get(f"{BASE}/webhook")
        assert 'type="url"' in form.text
        assert (await client.post(f"{BASE}/webhook", data={"url": "https://127.0.0.1/x"})).status_code == 400
        asked = await client.post(f"{BASE}/webhook", data={"url": "https://hooks.example.com/x"})
        await rig.send()
        ((url, secret, body),) = rig.post.hooks
        assert url == "https://hooks.example.com/x"
        assert secret in asked.text
        found = json.loads(body)
        assert found["type"] == "subscription.confirm"
        await client.post(link(found["confirm_url"], "confirm"))
        await rig.desk.publish("public", POST, "bob")
        await rig.send()
    told = json.loads(rig.post.hooks[-1][2])
    assert (told["type"], told["update"]["text"], told["incident"]["services"]) == ("update", "We are on it.", ["Checkout"])
    assert "db-7" not in rig.post.hooks[-1][2].decode()


async def test_what_could_not_be_sent_is_tried_again_until_it_is() -> None:
    rig = Rig([page()])
    await rig.watched()
    await confirmed(rig)
    rig.post.failing = DeliveryError(DeliveryReason.SERVER, "not now")
    await rig.desk.publish("public", POST, "bob")
    await rig.letters.send_due()
    assert len(rig.post.mails) == 1
    rig.post.failing = None
    rig.clock.at += 10_000
    await rig.send()
    assert len(rig.post.mails) == 2
    rig.post.failing = DeliveryError(DeliveryReason.RECIPIENT, "no such user", permanent=True)
    await rig.desk.publish("public", POST, "bob")
    await rig.letters.send_due()
    assert await rig.store.catalog.publications.next_letter() is None


async def test_what_was_retracted_before_it_was_sent_is_not_sent() -> None:
    rig = Rig([page()])
    await rig.watched()
    await confirmed(rig)
    key = await rig.desk.publish("public", POST, "bob")
    assert key is not None
    assert await rig.desk.retract("public", key)
    await rig.send()
    assert len(rig.post.mails) == 1


async def test_a_page_without_mail_takes_no_address() -> None:
    rig = Rig([page(mail=None, webhooks=False)])
    await rig.watched()
    async with rig.client() as client:
        assert "<form" not in (await client.get(BASE)).text
        assert (await client.post(f"{BASE}/subscribe", data={"email": "a@b.fr"})).status_code == 404
        assert (await client.get(f"{BASE}/webhook")).status_code == 404
