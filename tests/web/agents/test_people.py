"""What people do about agents: by the API and by the page of the settings."""

from pathlib import Path

import httpx
from tests.web.agents._desk import Caller, town


async def test_an_agent_is_enrolled_listed_and_revoked_by_the_api(tmp_path: Path) -> None:
    async with town(tmp_path) as one, httpx.AsyncClient(base_url=f"{one.address}/api/v1") as api:
        made = await api.post("/agents", json={"name": "paris-1", "location": "paris"})
        assert made.status_code == 201, made.text
        assert (await api.post("/agents", json={"name": "paris-1", "location": "lyon"})).status_code == 409
        for bad in ({"name": "Paris!", "location": "paris"}, {"name": "x", "location": "home"}, {"name": "x"}):
            assert (await api.post("/agents", json=bad)).status_code in (400, 422)
        paris = Caller(one.address, made.json()["token"])
        one.callers.append(paris)
        await paris.introduce()
        (listed,) = (await api.get("/agents")).json()["items"]
        assert (listed["name"], listed["location"], listed["state"], listed["version"]) == ("paris-1", "paris", "reporting", "1.2.3")
        assert paris.token not in str(listed)
        assert (await api.delete("/agents/paris-1")).status_code == 204
        assert (await api.delete("/agents/paris-1")).status_code == 404
        assert (await paris.post("hello", b"")).status_code == 401


async def test_the_page_shows_the_token_once(tmp_path: Path) -> None:
    async with town(tmp_path) as one, httpx.AsyncClient(base_url=one.address, headers={"Accept": "text/html"}) as page:
        same = {"Origin": one.address, "Sec-Fetch-Site": "same-origin"}
        made = await page.post("/settings/agents", data={"name": "paris-1", "location": "paris"}, headers=same)
        assert made.status_code == 200
        assert "vigie_agent_" in made.text
        shown = await page.get("/settings/agents")
        assert "paris-1" in shown.text
        assert "vigie_agent_" not in shown.text
        assert (await page.post("/settings/agents", data={"name": "paris-1", "location": "paris"}, headers=same)).status_code == 409
        assert (await page.post("/settings/agents", data={"name": "x", "location": "home"}, headers=same)).status_code == 422
        assert (await page.post("/settings/agents/paris-1/revoke", headers=same)).status_code == 303
        assert "paris-1" not in (await page.get("/settings/agents?lang=fr")).text.split("<form")[0]
