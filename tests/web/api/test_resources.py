"""Every route: what it gives, what it refuses, and how."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from tests.web.api._server import Running, served

from vigie import resources as shown
from vigie.core.model import Cause, Status
from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Batch, Commit, OutboxRow
from vigie.testing.fakes import fake_result


def problem(answer: httpx.Response, status: int) -> shown.Problem:
    """The problem of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = msgspec.json.decode(answer.content, type=shown.Problem, strict=True)
    assert found.status == status
    return found


def keys(found: shown.Problem) -> list[str]:
    return [one.key for one in found.errors]


async def failed(running: Running, monitor: str = "shop") -> None:
    """Results that open an incident."""
    server = running.server
    for number in range(1, 4):
        one = replace(
            fake_result(monitor, Status.DOWN, server.now() - 10_000 + number * 1000), run=1, sequence=number, cause=Cause.HTTP_STATUS
        )
        await server.runtime.ingest.take(Batch("local", 1, number, (one,)))


@served
async def test_a_monitor_is_made_read_changed_and_removed(api: httpx.AsyncClient) -> None:
    made = await api.post("/monitors", json={"url": "https://c.test/", "tags": ["eu"], "headers": {"X": "secret"}, "every": "5m"})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/api/v1/monitors/c-test"
    one = made.json()
    assert (one["id"], one["state"], one["origin"]["kind"], one["definition"]["headers"]) == ("c-test", "none", "api", {"X": "***"})

    got = await api.get("/monitors/c-test")
    assert got.json() == one
    assert (await api.get("/monitors/c-test", headers={"if-none-match": got.headers["etag"]})).status_code == 304

    patch = {"name": "Catalogue", "tags": None}
    changed = await api.patch("/monitors/c-test", json=patch, headers={"if-match": got.headers["etag"]})
    assert changed.status_code == 200, changed.text
    assert changed.json()["definition"] == {
        "id": "c-test", "url": "https://c.test/", "headers": {"X": "***"}, "every": "5m", "name": "Catalogue",
    }  # fmt: skip
    found = problem(await api.patch("/monitors/c-test", json=patch, headers={"if-match": got.headers["etag"]}), 412)
    assert "read it again" in found.detail
    problem(await api.patch("/monitors/c-test", json=patch), 428)
    problem(await api.delete("/monitors/c-test"), 428)

    replaced = await api.put("/monitors/c-test", json={"url": "https://d.test/"}, headers={"if-match": "*"})
    assert replaced.json()["definition"] == {"id": "c-test", "url": "https://d.test/"}
    problem(await api.delete("/monitors/c-test", headers={"if-match": '"old:x"'}), 412)
    gone = await api.delete("/monitors/c-test", headers={"if-match": replaced.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    problem(await api.get("/monitors/c-test"), 404)
    problem(await api.put("/monitors/c-test", json={}, headers={"if-match": "*"}), 404)
    problem(await api.delete("/monitors/c-test", headers={"if-match": "*"}), 404)


@served
async def test_what_is_wrong_with_a_monitor_is_said_with_key_and_fix(api: httpx.AsyncClient) -> None:
    found = problem(await api.post("/monitors", json={"url": "https://c.test/", "evry": "1m", "expect": {"latency": 5}}), 422)
    assert found.type == "urn:vigie:problem:validation"
    assert keys(found) == ["evry", "expect.latency"]
    assert found.errors[0].fix == "did you mean 'every'?"
    taken = problem(await api.post("/monitors", json={"url": "https://x.test/", "name": "Shop"}), 409)
    assert "the other is in line" in taken.errors[0].detail
    problem(await api.post("/monitors", json=["https://x.test/"]), 422)
    for method in ("put", "patch"):
        own = problem(await getattr(api, method)("/monitors/shop", json={"url": "https://x.test/"}, headers={"if-match": "*"}), 409)
        assert own.type == "urn:vigie:problem:read-only"
        assert "vigie.yaml:7" in own.detail
    problem(await api.delete("/monitors/shop", headers={"if-match": "*"}), 409)
    exec_ = problem(await api.post("/monitors", json={"type": "exec", "command": ["touch", "/tmp/x"]}), 422)
    assert "file alone" in exec_.errors[0].detail


@served
async def test_the_list_is_filtered_and_comes_in_pages(api: httpx.AsyncClient, running_server: Running) -> None:
    await failed(running_server)
    for name in ("one", "two", "three"):
        assert (await api.post("/monitors", json={"url": f"https://{name}.test/", "tags": ["made"]})).status_code == 201

    async def ids(**asked: Any) -> list[str]:
        found, cursor = [], None
        while True:
            page = (await api.get("/monitors", params={"limit": 2, **asked, **({"cursor": cursor} if cursor else {})})).json()
            found += [one["id"] for one in page["items"]]
            if (cursor := page["next"]) is None:
                return found

    assert await ids() == ["blog", "one-test", "shop", "three-test", "two-test"]
    assert await ids(tag="made") == ["one-test", "three-test", "two-test"]
    assert await ids(state="down") == ["shop"]
    assert await ids(q="T.TEST") == []
    assert await ids(q="E.TEST") == ["one-test", "three-test"]
    shop = (await api.get("/monitors/shop")).json()
    assert (shop["state"], shop["result"]["status"], shop["incidents"]) == ("down", "down", ["shop-1"])
    assert shop["origin"]["where"].endswith("vigie.yaml:7")
    blog = (await api.get("/monitors/blog")).json()
    assert (blog["enabled"], blog["state"], blog["definition"]["headers"]) == (False, None, {"X-Key": "***"})
    assert keys(problem(await api.get("/monitors", params={"stat": "down"}), 400)) == ["stat"]
    assert keys(problem(await api.get("/monitors", params={"state": "dwn"}), 400)) == ["state"]
    assert keys(problem(await api.get("/monitors", params={"limit": 0}), 400)) == ["limit"]
    assert keys(problem(await api.get("/monitors", params={"cursor": "bm9uZQ"}), 400)) == ["cursor"]
    problem(await api.get("/monitors?limit=1&limit=2"), 400)


@served
async def test_results_figures_and_a_check(api: httpx.AsyncClient, running_server: Running) -> None:
    await failed(running_server)
    results = (await api.get("/monitors/shop/results")).json()
    assert [one["cause"] for one in results["items"]] == ["http.status"] * 3
    first = (await api.get("/monitors/shop/results", params={"limit": 2})).json()
    rest = (await api.get("/monitors/shop/results", params={"limit": 2, "cursor": first["next"]})).json()
    assert first["items"] + rest["items"] == results["items"]
    uptime = (await api.get("/monitors/shop/uptime", params={"spans": "1h,7d", "from": "2026-01-01T00:00:00Z"})).json()["items"]
    assert [one["span"] for one in uptime] == ["1h", "7d", ""]
    assert uptime[0]["outages"] == 1
    assert uptime[0]["down_ms"] > 0
    rollups = (await api.get("/monitors/shop/rollups", params={"resolution": "hour", "from": hour_ago(running_server)})).json()
    assert sum(one["down"] for one in rollups["items"]) == 3
    for path, asked in (
        ("results", {"from": "yesterday"}),
        ("results", {"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}),
        ("uptime", {"spans": "1s"}),
        ("uptime", {"spans": ",".join(["1h"] * 11)}),
        ("rollups", {"from": "2000-01-01T00:00:00Z", "resolution": "hour"}),
        ("rollups", {"until": "9999-12-31T23:59:59Z"}),
    ):
        problem(await api.get(f"/monitors/shop/{path}", params=asked), 400)
        problem(await api.get(f"/monitors/nobody/{path}"), 404)
    problem(await api.post("/monitors/nobody/check"), 404)
    problem(await api.post("/monitors/blog/check"), 422)


def hour_ago(running: Running) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(running.server.now() / 1000 - 3_600, UTC).isoformat()


@served
async def test_incidents_and_alerts_and_what_people_do(api: httpx.AsyncClient, running_server: Running) -> None:
    await failed(running_server)
    (one,) = (await api.get("/incidents", params={"open": "true"})).json()["items"]
    assert (one["id"], one["alert"], one["severity"], one["closed_at"]) == ("shop-1", "shop-1", "outage", None)
    details = (await api.get("/incidents/shop-1")).json()
    assert details["timeline"][0]["kind"] == "opened"
    (alert,) = (await api.get("/alerts")).json()["items"]
    assert (alert["id"], alert["open"], [each["id"] for each in alert["members"]]) == ("shop-1", True, ["shop-1"])
    assert (await api.get("/alerts/shop-1")).json()["alert"] == alert
    assert (await api.get("/alerts", params={"monitor": "blog"})).json()["items"] == []

    assert (await api.post("/incidents/shop-1/ack", json={"note": "on it"})).json() == {"outcome": "done"}
    assert (await api.get("/incidents/shop-1")).json()["incident"]["acked_by"] == "local"
    assert (await api.post("/incidents/shop-1/ack")).json() == {"outcome": "already"}
    assert (await api.post("/incidents/shop-1/snooze", json={"for": "2h"})).json()["outcome"] in ("done", "already")
    assert (await api.post("/incidents/shop-1/note", json={"text": "The disk."})).json() == {"outcome": "done"}
    for path, body in (
        ("snooze", {}), ("snooze", {"for": "2h", "until": "2030-01-01T00:00:00Z"}), ("snooze", {"for": "soon"}), ("snooze", {"for": "1s"}),
        ("note", {"text": ""}), ("note", {"text": "x" * 2_001}), ("note", {}), ("ack", {"nte": "x"}), ("ack", []), ("resolve", {"note": 5}),
    ):  # fmt: skip
        problem(await api.post(f"/incidents/shop-1/{path}", json=body), 422)
    assert (await api.post("/incidents/shop-1/resolve", json={})).json() == {"outcome": "done"}
    assert (await api.get("/incidents/shop-1")).json()["incident"]["closed_by"] == "local"
    assert problem(await api.post("/incidents/shop-1/ack"), 409).type == "urn:vigie:problem:over"
    for path in ("ack", "resolve"):
        problem(await api.post(f"/incidents/nobody-1/{path}"), 404)
    for path in ("/incidents/nobody-1", "/alerts/nobody-1"):
        problem(await api.get(path), 404)
    problem(await api.get("/incidents", params={"cursor": "x"}), 400)
    problem(await api.get("/alerts", params={"cursor": "x"}), 400)


@served
async def test_notices_are_listed_tried_again_and_dropped(api: httpx.AsyncClient, running_server: Running) -> None:
    ledger = running_server.server.runtime.store.ledger
    now = running_server.server.now()
    rows = tuple(OutboxRow(Notice(f"shop-{number}", "shop", "hook", NoticeReason.OPENED, now), now + 10**9) for number in range(5))
    await ledger.commit(Commit(outbox=rows))
    page = (await api.get("/notices", params={"limit": 3})).json()
    rest = (await api.get("/notices", params={"limit": 3, "cursor": page["next"]})).json()
    assert [one["alert"] for one in page["items"] + rest["items"]] == ["shop-4", "shop-3", "shop-2", "shop-1", "shop-0"]
    key = page["items"][0]["key"]
    assert (await api.post(f"/notices/{key}/retry")).json() == {"outcome": "done"}
    assert (await api.post(f"/notices/{key}/drop")).json() == {"outcome": "done"}
    problem(await api.post(f"/notices/{key}/drop"), 404)
    problem(await api.post("/notices/nobody/retry"), 404)
    (dropped,) = (await api.get("/notices", params={"state": "dropped", "alert": "shop-4"})).json()["items"]
    assert (dropped["last"]["failure"], dropped["last"]["answer"]) == ("dropped", "local")
    assert len((await api.get("/notices", params={"state": "all", "channel": "hook"})).json()["items"]) == 5
    problem(await api.get("/notices", params={"state": "lost"}), 400)
    problem(await api.get("/notices", params={"cursor": "x"}), 400)


@served
async def test_maintenance_is_planned_and_ended(api: httpx.AsyncClient) -> None:
    made = await api.post("/maintenance", json={"for": "30m", "tags": ["eu"], "why": "new disk"})
    assert made.status_code == 201, made.text
    one = made.json()
    assert (one["tags"], one["why"], one["by"], one["covered"], one["recurring"]) == (["eu"], "new disk", "local", 1, False)
    assert made.headers["location"] == f"/api/v1/maintenance/{one['number']}"
    listed = (await api.get("/maintenance")).json()["items"]
    assert [(each["why"], each["number"], each["recurring"]) for each in listed] == [("new disk", 1, False), ("Backups", None, True)]
    assert (await api.delete(f"/maintenance/{one['number']}")).status_code == 204
    problem(await api.delete(f"/maintenance/{one['number']}"), 404)
    problem(await api.delete("/maintenance/99999999999999999999"), 404)
    for body in (
        {},
        {"for": "2h", "until": "2030-01-01T00:00:00Z"},
        {"for": "400d"},
        {"for": "1h", "monitors": ["nobody"]},
        {"for": "1h", "why": 1},
    ):
        problem(await api.post("/maintenance", json=body), 422)


@served
async def test_channels_and_a_test_notice(api: httpx.AsyncClient) -> None:
    (one,) = (await api.get("/channels")).json()["items"]
    assert (one["name"], one["type"], one["waiting"]) == ("hook", "webhook", 0)
    tested = (await api.post("/channels/hook/test")).json()
    assert tested["failure"]
    problem(await api.post("/channels/nobody/test"), 404)


@served
async def test_status_pages_are_made_in_the_same_way(api: httpx.AsyncClient) -> None:
    made = await api.post("/status-pages", json={"id": "public", "title": "Our services", "monitors": ["shop"]})
    assert made.status_code == 201, made.text
    assert [one["id"] for one in (await api.get("/status-pages")).json()["items"]] == ["public"]
    changed = await api.patch("/status-pages/public", json={"title": "Services"}, headers={"if-match": made.headers["etag"]})
    assert changed.json()["title"] == "Services"
    problem(await api.post("/status-pages", json={"id": "public", "title": "Ours", "monitors": ["shop"]}), 409)
    assert keys(problem(await api.post("/status-pages", json={"id": "b", "title": "B", "monitors": ["nobody"]}), 422)) == ["monitors"]
    assert (await api.delete("/status-pages/public", headers={"if-match": "*"})).status_code == 204
    problem(await api.get("/status-pages/public"), 404)


@served
async def test_every_error_is_a_problem(api: httpx.AsyncClient, running_server: Running) -> None:
    problem(await api.get("/nothing"), 404)
    assert problem(await api.put("/monitors"), 405).detail == "allowed here: GET, HEAD, POST"
    assert (await api.put("/monitors")).headers["allow"] == "GET, HEAD, POST"
    problem(await api.post("/monitors", content=b"{}", headers={"content-type": "text/plain"}), 415)
    problem(await api.post("/monitors", content=b"{", headers={"content-type": "application/json"}), 400)
    problem(await api.post("/monitors", content=b"[" * 100_000, headers={"content-type": "application/json"}), 400)
    problem(await api.post("/monitors", content=b'"\\ud800"', headers={"content-type": "application/json"}), 400)
    problem(await api.post("/monitors", json={"url": "x" * 300_000}), 413)
    assert problem(await api.get("/monitors", headers={"authorization": "Bearer nonsense"}), 401).detail
    assert "www-authenticate" in (await api.get("/monitors", headers={"authorization": "Bearer nonsense"})).headers
    problem(await api.post("/monitors", json={}, headers={"sec-fetch-site": "cross-site"}), 403)
    await running_server.server.runtime.store.close()
    found = problem(await api.get("/incidents"), 503)
    assert found.detail


@served
async def test_a_post_that_is_sent_again_is_done_once(api: httpx.AsyncClient) -> None:
    again = {"idempotency-key": "k1"}
    first, second = await asyncio.gather(*(api.post("/maintenance", json={"for": "1h"}, headers=again) for _ in range(2)))
    assert {first.status_code, second.status_code} <= {201, 409}
    third = await api.post("/maintenance", json={"for": "1h"}, headers=again)
    assert (third.status_code, third.headers["idempotency-replayed"]) == (201, "true")
    assert third.content == (first if first.status_code == 201 else second).content
    assert len([one for one in (await api.get("/maintenance")).json()["items"] if one["number"]]) == 1
    problem(await api.post("/maintenance", json={"for": "2h"}, headers=again), 422)
    problem(await api.post("/maintenance", json={"for": "1h"}, headers={"idempotency-key": "a b"}), 400)
    problem(await api.post("/maintenance", json={"for": "later"}, headers={"idempotency-key": "k2"}), 422)
    assert (await api.post("/maintenance", json={"for": "1h"}, headers={"idempotency-key": "k2"})).status_code == 201, "nothing was done"


@served
async def test_changes_are_streamed(running_server: Running) -> None:
    site = running_server.site
    assert site.live is not None
    sent: list[bytes] = []
    seen = asyncio.Event()
    hub = asyncio.create_task(running_server.server.reads.live.run())
    number = site.live.number

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if b"event: " in b"".join(sent):
            seen.set()

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"last-event-id", str(number).encode())], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
        "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip

    async def read() -> None:
        await running_server.app(scope, receive, send)

    reading = asyncio.create_task(read())
    try:
        await failed(running_server)
        async with asyncio.timeout(10):
            await seen.wait()
    finally:
        reading.cancel()
        hub.cancel()
        await asyncio.gather(reading, hub, return_exceptions=True)
    lines = b"".join(sent).decode()
    assert "id: " in lines
    assert '"kind":' in lines


@pytest.mark.parametrize("said", ["x", "-1", "9" * 30])
@served
async def test_a_stream_begins_after_an_event(said: str, api: httpx.AsyncClient) -> None:
    problem(await api.get("/events", headers={"last-event-id": said}), 400)


@served
async def test_each_location_has_a_state_and_an_uptime_of_its_own(api: httpx.AsyncClient, running_server: Running) -> None:
    server = running_server.server
    assert (await api.get("/monitors/shop/locations")).json()["items"] == []
    now = server.now()
    for number in range(1, 5):
        for place, status in (("local", Status.UP), ("lyon", Status.UP), ("paris", Status.DOWN)):
            one = replace(fake_result("shop", status, now - 50_000 + number * 5_000), run=1, sequence=number, location=place)
            await server.runtime.ingest.take(Batch(place, 1, number, (one,)))

    items = (await api.get("/monitors/shop/locations")).json()["items"]
    assert [(one["location"], one["status"], one["silent"]) for one in items] == [
        ("local", "up", False), ("lyon", "up", False), ("paris", "down", False),
    ]  # fmt: skip
    assert [(one["checks"] > 0, one["failed"] == one["checks"]) for one in items] == [(True, False), (True, False), (True, True)]
    assert (await api.get("/monitors/shop")).json()["state"] == "degraded"
    (whole,) = (await api.get("/monitors/shop/uptime", params={"spans": "24h"})).json()["items"]
    (paris,) = (await api.get("/monitors/shop/uptime", params={"spans": "24h", "location": "paris"})).json()["items"]
    (lyon,) = (await api.get("/monitors/shop/uptime", params={"spans": "24h", "location": "lyon"})).json()["items"]
    assert (whole["ratio"], paris["ratio"], lyon["ratio"], paris["outages"]) == (1, 0, 1, None)
    results = (await api.get("/monitors/shop/results", params={"location": "paris"})).json()["items"]
    assert {one["location"] for one in results} == {"paris"}
    problem(await api.get("/monitors/nowhere/locations"), 404)
