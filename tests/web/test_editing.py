"""Monitors made and changed by page, over definitions in memory: what is entered, which fault is beside which field, what is saved."""

import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.web._definitions import MemoryDefinitions, in_file
from tests.web._managed import HOSTILE, Office, office
from tests.web.test_managing_pages import get, post, text_of

from vigie import plugins
from vigie.testing.webhook_server import WebhookServer

KNOWN = "monitors: [https://shop.test/]"
HX = {"HX-Request": "true"}


def desk_of(folder: Path) -> Office:
    return office(
        folder, KNOWN, definitions=MemoryDefinitions([in_file("blog", {"name": "Blog", "url": "https://blog.test/", "tags": ["web"]})])
    )


def faults(response: httpx.Response) -> dict[str, str]:
    """What is said beside each field."""
    found = re.findall(r'<p class="fault" id="e-([^"]+)"[^>]*>(.*?)</p>', response.text, re.DOTALL)
    return {name: html.unescape(said).strip() for name, said in found if said.strip()}


def fields(response: httpx.Response) -> dict[str, str]:
    """What the form would send again."""
    inputs = re.findall(r'<input [^>]*name="([^"]+)" (?:[^>]* )?value="([^"]*)"', response.text)
    return {name: html.unescape(value) for name, value in inputs}


@pytest.mark.parametrize("kind", plugins.kinds("probes"))
async def test_every_kind_has_its_form(tmp_path: Path, kind: str) -> None:
    response = await get(desk_of(tmp_path), f"/monitors/new?kind={kind}&lang=fr")
    assert response.status_code == 200
    assert re.search(rf'<option value="{kind}" selected>', response.text)


async def test_a_bare_address_is_enough(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    response = await post(desk, "/monitors/new", {"kind": "http", "f.url": "https://made.test/"})
    assert (response.status_code, response.headers["location"]) == (303, "/monitors/made-test?done=saved")
    assert desk.definitions.calls == [{"body": {"url": "https://made.test/"}, "by": "local", "key": None, "version": None, "trusted": True}]


async def test_an_address_of_another_kind_changes_the_kind(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    response = await post(desk, "/monitors/validate", {"kind": "http", "f.url": "tcp://db.test:5432"}, **HX)
    assert response.headers["hx-retarget"] == "#editor"
    assert '<option value="tcp" selected>' in response.text
    await post(desk, "/monitors/new", {"kind": "http", "f.url": "tcp://db.test:5432"})
    assert desk.definitions.calls[-1]["body"] == {"url": "tcp://db.test:5432"}


async def test_faults_are_beside_their_fields_while_somebody_types(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    form = {"kind": "http", "f.url": "https://made.test/", "f.every": "5", "f.expect.status": "abc", "f.headers": "none"}
    assert set(faults(await post(desk, "/monitors/validate", form, **HX))) == {"headers"}
    del form["f.headers"]
    said = faults(await post(desk, "/monitors/validate", form, **HX))
    assert set(said) == {"every", "expect-status"}
    assert "write 500ms, 30s, 5m, 2h or 1d" in said["every"]
    response = await post(desk, "/monitors/validate", {"kind": "http"}, **HX)
    assert faults(response) == {}, "what is not there yet is not a fault while somebody types"
    response = await post(desk, "/monitors/new", {"kind": "http"})
    assert response.status_code == 422
    assert set(faults(response)) == {"url"}


async def test_what_is_wrong_is_not_saved_and_stays_entered(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    form = {"kind": "http", "f.url": "https://made.test/", "f.every": "5", "f.name": HOSTILE}
    response = await post(desk, "/monitors/new", form)
    assert response.status_code == 422
    assert fields(response)["f.name"] == HOSTILE
    assert "<script>alert" not in response.text
    assert set(faults(response)) == {"every"}


async def test_it_is_edited_with_its_version_and_its_secrets(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    await post(desk, "/monitors/new", {"kind": "http", "f.url": "https://made.test/", "f.name": "Made", "f.headers": "X-Key: ***"})
    page = await get(desk, "/monitors/made/edit")
    assert "X-Key: ***" in page.text
    sent = {**{name: value for name, value in fields(page).items() if value}, "kind": "http", "f.headers": "X-Key: ***", "f.every": "30s"}
    response = await post(desk, "/monitors/made/edit", sent)
    assert response.headers["location"] == "/monitors/made?done=saved"
    call = desk.definitions.calls[-1]
    assert (call["key"], call["version"]) == ("made", "1")
    assert call["body"] == {"url": "https://made.test/", "headers": {"X-Key": "***"}, "name": "Made", "every": "30s"}
    response = await post(desk, "/monitors/made/edit", sent)
    assert response.status_code == 409
    assert "Somebody changed it meanwhile" in text_of(response)


async def test_one_of_the_file_is_shown_with_its_line_and_copied(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    said = text_of(await get(desk, "/monitors/blog/edit"))
    assert "Blog is changed in the file" in said
    assert "vigie.yaml:42" in said
    assert (await post(desk, "/monitors/blog/edit", {"kind": "http", "f.url": "https://x.test/"})).status_code == 422
    copied = fields(await get(desk, "/monitors/new?from=blog"))
    assert (copied["f.name"], copied["f.url"]) == ("Blog 2", "https://blog.test/")
    assert (await get(desk, "/monitors/blog/delete")).status_code == 404


async def test_it_is_deleted_after_it_was_asked(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    await post(desk, "/monitors/new", {"kind": "http", "f.url": "https://made.test/", "f.name": "Made"})
    assert "Its history and past alerts stay" in text_of(await get(desk, "/monitors/made/delete"))
    assert (await post(desk, "/monitors/made/delete", {})).headers["location"] == "/?done=deleted"
    assert (await get(desk, "/monitors/made/edit")).status_code == 404


async def test_without_script_each_button_answers_a_page(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    form: dict[str, Any] = {"kind": "tcp", "f.url": "", "do": "kind"}
    assert '<option value="tcp" selected>' in (await post(desk, "/monitors/new", form)).text
    form = {"kind": "http", "f.url": "https://made.test/", "do": "check"}
    assert "Everything is valid" in text_of(await post(desk, "/monitors/new", form))
    assert desk.definitions.calls == []


async def test_an_address_is_tried_without_being_kept(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    async with WebhookServer() as server:
        response = await post(desk, "/monitors/try", {"address": f"http://127.0.0.1:{server.port}/"}, **HX)
        said = text_of(response)
        assert "HTTP 200" in said
        assert "first byte" in said
        assert "Watch this service" in said
        server.status = 503
        said = text_of(await post(desk, "/monitors/new", {"kind": "http", "f.url": f"http://127.0.0.1:{server.port}/", "do": "try"}))
        assert "HTTP 503" in said
    assert desk.definitions.calls == []
    said = text_of(await post(desk, "/monitors/try", {"kind": "heartbeat", "f.token": "a" * 32, "f.period": "1d"}, **HX))
    assert "reports in by itself" in said
