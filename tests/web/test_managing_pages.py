"""The pages by which people set things up: planned work, channels, who is on call, settings, Vigie's own state. Over a store in memory."""

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web._managed import HOSTILE, NOW, Office, office

from vigie.core.model import Cause
from vigie.core.notification import Notice, NoticeReason
from vigie.observation.channel import ChannelState, Spell
from vigie.observation.visibility import Blind
from vigie.planning.maintenance import StartedMaintenance
from vigie.ports import Commit, OutboxCounts, OutboxRow, OutboxState
from vigie.queries.setup import Feed
from vigie.testing.webhook_server import WebhookServer
from vigie.text import LANGUAGES
from vigie.web.app import build
from vigie.web.site import Site

HOUR, DAY = 3_600_000, 86_400_000
PAGES = ("/maintenance", "/channels", "/channels/chat", "/oncall", "/settings", "/settings/points", "/system", "/monitors/new")
FULL = """
notify:
  chat: {type: webhook, url: "http://127.0.0.1:9/hook?key=abcdef123456"}
people:
  anna: {channels: [chat]}
  bob: {channels: [chat]}
oncall:
  primary: {people: [anna, bob], starts: 2026-11-02 09:00, overrides: [{from: 2026-12-03 09:00, until: 2026-12-04 09:00, person: bob}]}
maintenance:
  - {every: "sun 02:00", for: 2h, why: Backups, tags: [shop]}
  - {from: 2026-11-29 09:00, until: 2026-11-29 15:00, why: Moving, monitors: [Blog]}
monitors:
  - {name: Shop, url: "https://shop.test/", tags: [shop]}
  - {name: Blog, url: "https://blog.test/"}
"""


def client(app: Any, **values: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1", **values)


async def get(desk: Office, path: str, **headers: str) -> httpx.Response:
    async with client(desk.app, headers=headers) as web:
        return await web.get(path)


async def post(desk: Office, path: str, data: dict[str, Any], **headers: str) -> httpx.Response:
    async with client(desk.app, headers=headers) as web:
        return await web.post(path, data=data)


def text_of(response: httpx.Response) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
async def test_each_page_answers_in_both_languages(tmp_path: Path, path: str, language: str) -> None:
    response = await get(office(tmp_path, FULL), f"{path}?lang={language}")
    assert response.status_code == 200, response.text
    assert f'<html lang="{language}">' in response.text
    assert "style=" not in response.text
    if path != "/monitors/new":  # which has examples with braces
        assert "{" not in text_of(response)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_without_what_it_is_about_says_so(path: str) -> None:
    desk: Any = _Bare()
    async with client(build(Site(desk, desk))) as web:
        assert (await web.get(path)).status_code == 503


class _Bare:
    """Nothing is behind it."""

    async def health(self) -> None:
        raise AssertionError


async def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    quoted = HOSTILE.replace("'", "''")
    text = f"""
notify:
  '{quoted}': {{type: webhook, url: "http://127.0.0.1:9/x"}}
people:
  '{quoted} ': {{channels: ['{quoted}']}}
oncall:
  'r {quoted}': {{people: ['{quoted} '], starts: 2026-11-02 09:00}}
maintenance:
  - {{from: 2026-11-29 09:00, until: 2026-11-29 15:00, why: '{quoted}', tags: ['{quoted}']}}
monitors:
  - {{name: '{quoted}', url: "https://shop.test/", tags: ['{quoted}']}}
"""
    desk = office(tmp_path, text)
    for path in ("/maintenance", "/channels", "/oncall", "/settings", "/system", "/choices/monitors?q=scr"):
        response = await get(desk, path)
        assert response.status_code == 200
        assert "<script>alert" not in response.text
    assert HOSTILE in html.unescape((await get(desk, "/maintenance")).text)
    address = re.findall(r'href="(/channels/[^"]+)"', (await get(desk, "/channels")).text)
    assert [(await get(desk, html.unescape(one))).status_code for one in address] == [200]


# Planned work


async def test_planned_work_is_shown_with_its_line(tmp_path: Path) -> None:
    said = text_of(await get(office(tmp_path, FULL), "/maintenance"))
    assert "1 maintenance window is under way, until 15:00 UTC+1" in said
    assert "Blog (1 service)" in said
    line = (tmp_path / "vigie.yaml").read_text().splitlines().index('  - {every: "sun 02:00", for: 2h, why: Backups, tags: [shop]}') + 1
    assert f"vigie.yaml:{line}" in said
    assert "and 11 more times within 90 days" in said


@pytest.mark.parametrize(
    ("month", "on", "times"),
    [
        ("2026-03", 29, ["03:00"]),  # 02:30 does not come: the clocks go forward
        ("2026-10", 25, ["02:30"]),  # 02:30 comes twice: the first one counts
        ("2026-07", 5, ["02:30"]),
    ],
)
async def test_recurring_work_follows_the_clock_on_the_wall(tmp_path: Path, month: str, on: int, times: list[str]) -> None:
    desk = office(tmp_path, 'maintenance: [{every: "sun 02:30", for: 1h, why: Backups}]\nmonitors: [https://shop.test/]')
    response = await get(desk, f"/maintenance?month={month}")
    cells = re.findall(r'<td class="( today)?"><span class="d"[^>]*>(\d+)</span>(.*?)</td>', response.text, re.DOTALL)
    found = {int(day): re.findall(r'<span class="t">([^<]+)</span>', inside) for _, day, inside in cells}
    assert found[on] == times


async def test_people_begin_change_and_end_planned_work(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    response = await post(desk, "/maintenance", {"when": "now", "for": "2h", "scope": "some", "monitor": "Shop", "why": "New database"})
    assert (response.status_code, response.headers["location"]) == (303, "/maintenance?done=started")
    (begun,) = await desk.store.catalog.maintenance(0)
    assert (begun.start, begun.end, begun.monitors, begun.why, begun.by) == (NOW, NOW + 2 * HOUR, ("shop",), "New database", "local")
    shop = desk.desired.monitors[0].monitor
    assert desk.planner.maintenance_of(shop) is not None

    response = await post(desk, f"/maintenance/{begun.number}", {"until": "2026-11-29T20:30", "why": "Longer"})
    assert response.headers["location"].endswith("changed")
    (changed,) = await desk.store.catalog.maintenance(0)
    assert (changed.end, changed.why) == (NOW + 9 * HOUR + HOUR // 2, "Longer")

    assert (await post(desk, f"/maintenance/{begun.number}/end", {})).headers["location"].endswith("ended")
    assert desk.planner.maintenance_of(shop) is None
    assert (await post(desk, f"/maintenance/{begun.number}/end", {})).headers["location"].endswith("over")
    assert (await post(desk, "/maintenance/99/end", {})).headers["location"].endswith("over")
    assert "Maintenance is over" in text_of(await get(desk, "/maintenance?done=ended"))


async def test_later_work_is_planned_in_the_zone_of_the_configuration(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    form = {"when": "later", "start": "2026-11-30T10:00", "for": "1h30m", "scope": "all"}
    assert (await post(desk, "/maintenance", form)).headers["location"].endswith("planned")
    (begun,) = await desk.store.catalog.maintenance(0)
    assert (begun.start, begun.end, begun.monitors, begun.tags) == (NOW + 23 * HOUR, NOW + 23 * HOUR + 90 * 60_000, (), ())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"for": "soon"}, "Write a duration from 1m to 365d"),
        ({"for": "400d"}, "Write a duration from 1m to 365d"),
        ({"when": "later", "start": "yesterday"}, "Write a date and a time"),
        ({"when": "later", "start": "2020-01-01T00:00"}, "Write a date and a time"),
        ({"monitor": ""}, "Name at least one service or tag"),
        ({"monitor": "Shup"}, "Did you mean “Shop”?"),
        ({"monitor": "zzz"}, "No service is called “zzz”"),
        ({"monitor": "", "tags": "shop, nowhere"}, "No service has the tag “nowhere”"),
    ],
)
async def test_what_cannot_be_planned_is_said_and_nothing_is_planned(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    desk = office(tmp_path, FULL)
    response = await post(desk, "/maintenance", {"when": "now", "for": "1h", "scope": "some", "monitor": "Shop", **changed})
    assert response.status_code == 422
    assert said in text_of(response)
    assert await desk.store.catalog.maintenance(0) == []


async def test_an_end_that_has_passed_changes_nothing(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    begun = StartedMaintenance(0, NOW - HOUR, NOW + HOUR, ("shop",), (), "work", "ann")
    number = await desk.store.catalog.start_maintenance(begun)
    await desk.planner.refresh()
    response = await post(desk, f"/maintenance/{number}", {"until": "2026-11-29T09:00", "why": ""})
    assert response.status_code == 422
    assert "The end must be in the future" in text_of(response)
    assert await desk.store.catalog.maintenance(0) == [replace(begun, number=number)]


async def test_a_monitor_is_silenced(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    response = await post(desk, "/monitors/shop/silence", {"for": "30m"})
    assert (response.status_code, response.headers["location"]) == (303, "/monitors/shop?done=silenced")
    (begun,) = await desk.store.catalog.maintenance(0)
    assert (begun.monitors, begun.end - begun.start) == (("shop",), HOUR // 2)
    assert (await post(desk, "/monitors/gone/silence", {"for": "30m"})).status_code == 404
    assert (await post(desk, "/monitors/shop/silence", {"for": "never"})).status_code == 422


@pytest.mark.parametrize("feed", Feed)
async def test_a_calendar_needs_its_secret(tmp_path: Path, feed: Feed) -> None:
    desk = office(tmp_path, FULL)
    assert desk.site.setup is not None
    secret = desk.site.setup.feed_secret(feed)
    assert secret in (await get(desk, f"/{feed}")).text
    for wrong in ("", "?token=", "?token=é", f"?token={secret}0"):
        assert (await get(desk, f"/{feed}.ics{wrong}")).status_code == 404
    response = await get(desk, f"/{feed}.ics?token={secret}")
    assert response.headers["content-type"].startswith("text/calendar")
    assert response.text.count("BEGIN:VEVENT") > 10


async def test_ten_thousand_monitors_are_not_sent(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    one = desk.desired.monitors[0]
    many = tuple(replace(one, monitor=replace(one.monitor, id=f"s{number}", name=f"Service {number}")) for number in range(10_000))
    desk = Office(replace(desk.desired, monitors=many), desk.clock)
    page = (await get(desk, "/maintenance")).text
    assert len(page) < 40_000
    found = re.findall(r'value="([^"]+)"', (await get(desk, "/choices/monitors?monitor=service+42")).text)
    assert found[0] == "Service 42"
    assert len(found) == 20


# Channels


async def test_a_channel_that_fails_comes_first_with_what_waits(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL.replace("notify:", 'notify:\n  mail: {type: webhook, url: "http://127.0.0.1:9/m"}'))
    spell = Spell(NOW - HOUR, 3, 1, "refused", "the connection was refused")
    await desk.store.ledger.save_channel(ChannelState("chat", spell))
    notice = Notice("shop-1", "shop", "chat", NoticeReason.OPENED, NOW - HOUR)
    await desk.store.ledger.commit(Commit(outbox=(OutboxRow(notice, NOW + 60_000, 2),)))
    said = text_of(await get(desk, "/channels"))
    assert "1 of 2 channels is failing" in said
    assert "failing since 10:00 UTC+1: the connection was refused" in said
    assert "1 notice waiting" in said
    assert said.index("chat") < said.index("mail")

    said = text_of(await get(desk, "/channels/chat"))
    assert "chat has been failing since 10:00 UTC+1" in said
    assert "shop-1" in said
    assert (await post(desk, "/channels/chat/notices", {"key": "gone", "do": "drop"})).headers["location"].endswith("gone")
    assert (await post(desk, "/channels/chat/notices", {"key": notice.key, "do": "retry"})).headers["location"].endswith("retried")
    ((row,),) = [await desk.store.ledger.outbox(OutboxState.WAITING)]
    assert row.due_at <= NOW
    assert (await post(desk, "/channels/chat/notices", {"key": notice.key, "do": "drop"})).headers["location"].endswith("dropped")
    assert await desk.store.ledger.counts() == OutboxCounts(0, 0)


async def test_the_secret_of_a_channel_is_not_shown(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    for path in ("/channels", "/channels/chat", "/oncall"):
        response = await get(desk, path)
        assert "abcdef123456" not in response.text
        assert "http://127.0.0.1:9/***" in response.text


async def test_a_channel_is_tested_against_a_real_server(tmp_path: Path) -> None:
    async with WebhookServer() as server:
        desk = office(tmp_path, FULL.replace("http://127.0.0.1:9/hook?key=abcdef123456", server.url))
        response = await post(desk, "/channels/chat/test", {}, **{"HX-Request": "true"})
        assert response.status_code == 200
        assert text_of(response).startswith("Delivered:")
        assert len(server.requests) == 1
        server.status = 403
        response = await post(desk, "/channels/chat/test", {})
        assert "Failed:" in text_of(response)
        assert server.url not in response.text
        assert (await post(desk, "/channels/gone/test", {})).status_code == 404


# Who is on call


async def test_who_is_on_call_now_and_next(tmp_path: Path) -> None:
    said = text_of(await get(office(tmp_path, FULL), "/oncall"))
    assert "bob is on call until 30 Nov 09:00 UTC+1" in said
    assert "override" in said
    alone = FULL.replace("people: [anna, bob]", "people: [anna]")
    said = text_of(await get(office(tmp_path, alone), "/oncall?lang=fr"))
    assert "anna est d’astreinte jusqu’au 3 déc. 09:00 UTC+1" in said
    assert "bob remplace" in said
    said = text_of(await get(office(tmp_path, re.sub(r", overrides: \[.*\]", "", alone)), "/oncall?lang=fr"))
    assert "anna est toujours d’astreinte" in said


async def test_fifty_rotations(tmp_path: Path) -> None:
    people = "".join(f"  p{number}: {{channels: [chat]}}\n" for number in range(50))
    rotations = "".join(
        f"  r{number}: {{people: [p{number}, p{(number + 1) % 50}], starts: 2026-11-02 09:00, every: 1d}}\n" for number in range(50)
    )
    text = f'notify: {{chat: {{type: webhook, url: "http://127.0.0.1:9/"}}}}\npeople:\n{people}oncall:\n{rotations}monitors: [https://shop.test/]'
    response = await get(office(tmp_path, text), "/oncall")
    assert response.text.count('role="img"') >= 50
    assert "and 47 more" in text_of(response)


# Settings and Vigie's own state


async def test_the_faults_of_the_file_as_it_is_now_have_line_and_fix(tmp_path: Path) -> None:
    desk = office(tmp_path, FULL)
    assert "The configuration is in order" in text_of(await get(desk, "/settings?examine=1"))
    desk = office(tmp_path, FULL)
    path = tmp_path / "vigie.yaml"
    path.write_text(path.read_text().replace("tags: [shop]}\n  - {from", "tags: [shup]}\n  - {from"))
    response = await get(desk, "/settings/points", **{"HX-Request": "true"})
    said = text_of(response)
    assert "no monitor has the tag 'shup'" in said
    assert "did you mean 'shop'?" in said
    assert re.search(r"vigie\.yaml:\d+", said)
    assert "stays in force" in said
    path.unlink()
    desk = office(tmp_path, FULL)
    path.unlink()
    assert "1 fault keeps the file from being applied" in text_of(await get(desk, "/settings?examine=1"))


@pytest.mark.parametrize(
    ("stalled", "blind", "said"),
    [
        ((), None, "Vigie works as it should"),
        (("writer",), None, "Vigie has stalled: the writing of results"),
        ((), Blind(1, NOW - HOUR, Cause.DNS_TIMEOUT), "Vigie has not been able to see since 10:00 UTC+1"),
        ((), Blind(1, NOW - HOUR, Cause.PROBE_ERROR, NOW - HOUR // 2), "no results: a crash, suspension or stall"),
        ((), Blind(1, NOW - HOUR, Cause.PROBE_ERROR, NOW - HOUR // 2, quiet=True), "stopped on request"),
    ],
)
async def test_how_vigie_itself_is(tmp_path: Path, stalled: tuple[str, ...], blind: Blind | None, said: str) -> None:
    desk = office(tmp_path, FULL, stalled=stalled)
    if blind is not None:
        await desk.store.ledger.commit(Commit(blind=(blind,)))
    assert said in text_of(await get(desk, "/system"))
