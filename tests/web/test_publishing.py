"""Where people publish: a draft is offered and nothing is published by itself; what each role may do; what forms refuse."""

from dataclasses import replace
from typing import Any

import pytest
from tests.web._status import HOUR, NOW, Rig, incident, page

from vigie.ports import StoredReport
from vigie.report.facts import Analysis, Bundle
from vigie.web.access import GuardedRoute, Role
from vigie.web.app import routes_of

FORM = {
    "kind": "incident",
    "title": "Payments fail",
    "service": ["checkout"],
    "impact": "down",
    "stage": "investigating",
    "text": "We are on it.",
    "send": "yes",
}
DESK = "/status-pages/public"


async def test_an_incident_is_published_updated_corrected_and_deleted() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        made = await client.post(f"{DESK}/posts", data=FORM)
        assert (made.status_code, made.headers["location"]) == (303, f"{DESK}?done=published")
        (post,) = await rig.queries.posts("public")
        assert (post.monitors, post.updates[0].by, post.start) == (("db-7",), "local", NOW)
        assert "Published." in (await client.get(f"{DESK}?done=published")).text
        assert "Payments fail" in (await client.get("/status/public")).text
        await client.post(f"{DESK}/posts/{post.id}/updates", data={"stage": "resolved", "text": "Fixed."})
        assert "All services are working" in (await client.get("/status/public")).text
        await client.post(f"{DESK}/posts/{post.id}/updates/2/edit", data={"text": "Mended.\n\n\n\nSorry."})
        (post,) = await rig.queries.posts("public")
        assert post.updates[1].text == "Mended.\n\nSorry."
        await client.post(f"{DESK}/posts/{post.id}/updates/2/delete")
        (post,) = await rig.queries.posts("public")
        assert [one.number for one in post.updates] == [1]
        await client.post(f"{DESK}/posts/{post.id}/delete")
        assert await rig.queries.posts("public") == []


async def test_planned_work_is_announced_with_its_times() -> None:
    rig = Rig([page()])
    await rig.watched()
    form = {
        **FORM,
        "kind": "maintenance",
        "stage": "planned",
        "start": "2025-12-01T04:00",
        "until": "2025-12-01T05:30",
        "title": "New disks",
    }
    async with rig.client() as client:
        assert (await client.post(f"{DESK}/posts", data=form)).status_code == 303
        text = (await client.get("/status/public")).text
    assert "Planned maintenance" in text
    assert "1 December, 04:00 – 05:30 · Checkout" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " \u200b "}, "a title of 1 to 120"),
        ({"title": "x" * 121}, "a title of 1 to 120"),
        ({"text": ""}, "a message of 1 to"),
        ({"stage": "planned"}, "choose a stage"),
        ({"next": "tomorrow"}, "the times do not fit"),
        ({"start": "2025-13-01T00:00"}, "the times do not fit"),
        ({"kind": "maintenance", "stage": "planned"}, "the times do not fit"),
    ],
)
async def test_a_form_that_cannot_be_published_says_why_and_keeps_what_was_written(change: dict[str, str], words: str) -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        found = await client.post(f"{DESK}/posts", data={**FORM, **change})
    assert found.status_code == 400
    assert words in found.text
    assert await rig.queries.posts("public") == []


async def test_what_hides_in_a_text_is_taken_out_and_markup_is_shown_as_it_is() -> None:
    rig = Rig([page()])
    await rig.watched()
    async with rig.client() as client:
        await client.post(f"{DESK}/posts", data={**FORM, "title": "A\u202eb <i>", "text": "<script>alert(1)</script>\u200b"})
        text = (await client.get("/status/public")).text
    assert "Ab &lt;i&gt;" in text
    assert "&lt;script&gt;" in text
    assert "<script" not in text


async def test_a_draft_tells_of_the_page_s_services_alone_and_is_published_by_a_person() -> None:
    rig = Rig([page()])
    vault = replace(incident("vault", NOW - 3 * HOUR), alert="db-7-1")
    rig.monitors.append(replace(rig.monitors[0], id="vault", name="Secret vault"))
    await rig.watched(incident(), vault)
    analysis = Analysis("m", "en", ("The host 10.0.0.7 refuses connections [F1].",), cause="host_down")
    await rig.store.ledger.save_report(StoredReport("db-7-1", Bundle("db-7-1", NOW, ()), analysis, None, NOW), NOW, [])
    (draft,) = await rig.queries.drafts("public")
    assert (draft.title, draft.monitors) == ("Checkout is not working", ("db-7",))
    assert draft.text == "Since 06:06 UTC. We are looking into it. Likely cause: the whole host, with everything on it."
    async with rig.client() as client:
        desk = (await client.get(f"{DESK}?draft=db-7-1")).text
        assert 'value="Checkout is not working"' in desk
        assert "Secret vault" not in desk
        assert "We are looking into it" not in (await client.get("/status/public")).text
        await client.post(f"{DESK}/posts", data={**FORM, "alert": "db-7-1"})
    assert await rig.queries.drafts("public") == ()


def test_responders_post_and_editors_do_the_rest() -> None:
    rules = {
        one.name: one.needs for one in routes_of(Rig([page()]).site) if isinstance(one, GuardedRoute) and one.path.startswith(DESK[:13])
    }
    wanted: dict[str, Any] = dict.fromkeys(("status_page_publish", "status_page_update"), Role.RESPONDER)
    wanted |= dict.fromkeys(
        ("status_page_amend", "status_page_retract", "status_page_delete", "status_page_remove_subscriber"), Role.EDITOR
    )
    assert rules == {**wanted, "status_pages": Role.VIEWER, "status_page": Role.VIEWER}


async def test_a_subscriber_is_removed_from_their_own_page_only() -> None:
    rig = Rig([page(), page(name="other", path="/status/other")])
    await rig.watched()
    await rig.readers.subscribe("public", "ann@example.com", "a")
    (one,) = await rig.queries.subscribers("public")
    async with rig.client() as client:
        assert "ann@example.com" in (await client.get(DESK)).text
        assert (await client.post(f"/status-pages/other/subscribers/{one.id}/delete", data={})).status_code == 404
        assert (await client.post(f"{DESK}/subscribers/{one.id}/delete", data={})).status_code == 303
    assert await rig.queries.subscribers("public") == []


async def test_there_is_a_list_and_help_where_there_is_none() -> None:
    async with Rig([page()]).client() as client:
        assert "1 status page" in (await client.get("/status-pages")).text
        assert (await client.get("/status-pages/nope")).status_code == 404
    async with Rig([]).client() as client:
        assert "status_pages:" in (await client.get("/status-pages?lang=fr")).text
