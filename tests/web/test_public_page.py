"""Public pages through the application: what is there, where it is, and that a reader is sent the same bytes until something changes."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from tests.web._status import HOUR, NOW, Rig, incident, page

from vigie.commands.status_pages import NewPost
from vigie.config.status_pages import RESERVED
from vigie.errors import StoreError, StoreFault
from vigie.report.publication import Impact, PostKind, Stage
from vigie.report.status_page import Accent, Component, Section
from vigie.web.app import routes_of
from vigie.web.site import Site

FAILING = NewPost(PostKind.INCIDENT, "Payments fail", ("db-7",), Impact.DOWN, Stage.INVESTIGATING, "We are on it.", NOW - HOUR)


async def test_the_page_says_how_it_is_in_both_languages_without_script() -> None:
    rig = Rig([page()])
    await rig.watched(incident())
    async with rig.client() as client:
        english, french = [(await client.get("/status/public", params={"lang": lang})).text for lang in ("en", "fr")]
    assert "<h1><bdi>Checkout is not working</bdi></h1>" in english
    assert "<h1><bdi>Checkout ne fonctionne pas</bdi></h1>" in french
    assert '<html lang="fr">' in french
    for text in (english, french):
        assert "<script" not in text
        assert "style=" not in text


async def test_updates_of_people_head_the_page_and_move_to_the_past() -> None:
    rig = Rig([page(zone=ZoneInfo("Europe/Paris"))])
    await rig.watched()
    key = await rig.desk.publish("public", replace(FAILING, next_update=NOW + HOUR), "ann")
    assert key is not None
    async with rig.client() as client:
        text = (await client.get("/status/public")).text
        assert "<h1><bdi>Payments fail</bdi></h1>" in text
        assert "Since 07:06. Next update by 09:06." in text
        assert "We are on it." in text
        assert "ann" not in text.replace("channel", "")
        assert await rig.desk.update("public", key, Stage.RESOLVED, "Fixed.\nSorry.", "bob")
        text = (await client.get("/status/public")).text
        assert "All services are working" in text
        assert f'href="/status/public/history#i-{key}"' in text
        assert "1 h 00 min. <bdi>Fixed.</bdi>" in text
        history = (await client.get("/status/public/history")).text
    assert "Investigating" in history
    assert "Resolved" in history


async def test_an_answer_is_known_by_its_content_until_something_changes() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        first = await client.get("/status/public")
        assert first.headers["cache-control"] == "public, max-age=15"
        assert first.headers["content-encoding"] == "gzip"
        tag = first.headers["etag"]
        assert (await client.get("/status/public", headers={"if-none-match": tag})).status_code == 304
        await rig.desk.publish("public", FAILING, "ann")
        changed = await client.get("/status/public", headers={"if-none-match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        assert "style-src 'self';" in changed.headers["content-security-policy"]
        assert "unsafe" not in changed.headers["content-security-policy"]


async def test_it_is_up_while_the_store_is_not() -> None:
    rig = Rig([page()])
    await rig.watched(incident())
    async with rig.client() as client:
        before = (await client.get("/status/public")).text
        rig.store.broken = StoreError(StoreFault.FULL, "the disk is full")
        rig.clock.at += 300_000
        after = await client.get("/status/public")
        assert (after.status_code, after.text) == (200, before)
        assert (await client.get("/status/public/history")).status_code == 200


async def test_a_page_that_never_was_shown_waits_for_the_store() -> None:
    rig = Rig([page()])
    rig.store.broken = StoreError(StoreFault.FULL, "the disk /var/secret is full")
    async with rig.client() as client:
        found = await client.get("/status/public")
    assert found.status_code == 503
    assert "secret" not in found.text


async def test_a_page_has_a_path_of_its_own_and_no_other() -> None:
    rig = Rig([page(path="/etat")])
    await rig.watched()
    async with rig.client() as client:
        assert 'href="/etat/history"' in (await client.get("/etat")).text
        assert (await client.get("/etat/history")).status_code == 200
        assert (await client.get("/etat/nothing")).status_code == 404
        assert (await client.get("/status/public")).status_code == 404
        assert (await client.get("/status/public.json")).status_code == 200
        assert (await client.get("/etatx")).status_code == 404


async def test_nothing_else_is_reachable_on_a_page_s_own_domain() -> None:
    rig = Rig(
        [page(domain="status.example.org", url="https://status.example.org"), page(name="other", path="/status/other", title="Other")]
    )
    await rig.watched()
    async with rig.client("status.example.org") as client:
        first = await client.get("/")
        assert first.status_code == 200
        assert 'href="/history"' in first.text
        for path in ("/history", "/feed.atom", "/summary.json", "/badge/shop.svg", "/static/status.css", "/logo"):
            assert (await client.get(path)).status_code == 200, path
        for path in (
            "/status/other", "/status/public", "/other", "/status-pages", "/monitors", "/health", "/ping/x", "/static/vigie.css", "/api/v1/monitors",
            "/login", "/../status/other", "/badge/other/shop.svg", "/%2e%2e/other",
        ):  # fmt: skip
            found = await client.get(path)
            assert found.status_code == 404, path
            assert "Other" not in found.text
    async with rig.client("else.example.org") as client:
        assert (await client.get("/")).status_code == 421


async def test_a_private_page_is_for_those_who_may_log_in_and_its_existence_for_nobody_else() -> None:
    rig = Rig([page(public=False)])
    await rig.watched()
    async with rig.client() as client:
        found = await client.get("/status/public")
        assert found.status_code == 200
        assert found.headers["cache-control"] == "private, no-store"
    paths = ["", "/history", "/feed.atom", "/summary.json", "/logo", "/badge/shop.svg", "/webhook", "/confirm/a/b"]
    async with rig.client("vigie.example.com") as stranger:  # from elsewhere nobody is known
        for path in paths:
            private, none = [
                await stranger.get(f"/status/{name}{path}", headers={"x-forwarded-for": "8.8.8.8"}) for name in ("public", "nope")
            ]
            if private.status_code != 200:
                assert (private.status_code, private.content) == (none.status_code, none.content)


async def test_feeds_are_well_formed_whatever_people_write() -> None:
    rig = Rig([page()])
    await rig.watched()
    await rig.desk.publish("public", replace(FAILING, title="A <b>&\x07 ]]>", text="x < y & 'z' \x00\ufffe"), "ann")
    async with rig.client() as client:
        atom, rss = (
            ET.fromstring((await client.get("/status/public/feed.atom")).content),
            ET.fromstring((await client.get("/status/public/feed.rss")).content),
        )
    assert atom.findtext("{*}entry/{*}title") == "Investigating: A <b>& ]]>"
    assert rss.findtext("channel/item/description", "").startswith("x < y & 'z'")


async def test_the_summary_says_what_the_page_says() -> None:
    rig = Rig([page(show_latency=True)])
    await rig.watched(incident())
    async with rig.client() as client:
        found = json.loads((await client.get("/status/public.json")).text)
    assert (found["status"], found["headline"]) == ("down", "Checkout is not working")
    checkout = found["groups"][0]["services"][0]
    assert (checkout["key"], checkout["status"]) == ("checkout", "down")
    assert checkout["availability"]["1d"] == pytest.approx(1 - 1 / 24, abs=1e-5)
    assert checkout["days"][0]["down_minutes"] == pytest.approx(60, abs=0.1)


async def test_badges_say_the_state_and_availability_of_what_is_on_the_page() -> None:
    rig = Rig([page()])
    await rig.watched(incident())
    async with rig.client() as client:
        assert "<title>Checkout – Not working</title>" in (await client.get("/badge/public/checkout.svg")).text
        day = (await client.get("/badge/public/checkout.svg?type=availability&span=24h&lang=fr")).text
        assert "<title>Checkout, disponibilité 24 h – 95,83\u00a0%</title>" in day
        assert "unknown" in (await client.get("/badge/public/shop.svg?type=latency")).text
        ET.fromstring(day)
        for path in (
            "/badge/public/db-7.svg",
            "/badge/nope/shop.svg",
            "/badge/public/shop.svg?type=x",
            "/badge/public/shop.svg?type=availability&span=1y",
        ):
            assert (await client.get(path)).status_code == 404, path


async def test_own_colours_are_a_sheet_of_their_own() -> None:
    rig = Rig([page(accent=Accent("#1b55a8", "#8db8f5"))])
    await rig.watched()
    async with rig.client() as client:
        assert 'href="/status/public/theme.css"' in (await client.get("/status/public")).text
        assert "--on-key: light-dark(#ffffff, #0f1215)" in (await client.get("/status/public/theme.css")).text


async def test_a_usual_page_has_at_most_12_kb_with_its_sheet() -> None:
    many = tuple(Component(f"m{number}", f"Service number {number}", f"s{number}") for number in range(30))
    rig = Rig([page(sections=(Section("", many),))])
    await rig.watched()
    for number in range(5):
        await rig.desk.publish("public", replace(FAILING, title=f"Incident {number}", text="We are on it. " * 30), "ann")
    async with rig.client() as client:
        async with client.stream("GET", "/status/public") as found:
            size = len(b"".join([piece async for piece in found.aiter_raw()]))
        async with client.stream("GET", "/static/status.css") as found:
            size += len(b"".join([piece async for piece in found.aiter_raw()]))
    assert size <= 12_288


def test_no_page_can_take_a_path_of_vigie_s_own() -> None:
    site: Site = Rig([page()]).site
    firsts = {route.path.split("/")[1] for route in routes_of(site)}  # type: ignore[attr-defined]
    assert {one for one in firsts if one and "{" not in one} <= RESERVED
