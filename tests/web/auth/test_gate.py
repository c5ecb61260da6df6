"""Who is taken for whom: tokens, this machine, proxies; what another site's page cannot ask for; what goes on record."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from tests.web.auth._door import HTML, NOW, Town, log_in, status

from vigie.accounts import Role
from vigie.errors import StoreError, StoreFault
from vigie.web.access import is_still
from vigie.web.errors import Errors
from vigie.web.gate import Gate
from vigie.web.hosts import Hosts


async def test_without_users_this_machine_alone_may_do_everything() -> None:
    town = Town()
    async with town.client() as client:
        assert await status(client) == 200
    async with town.client("192.0.2.1") as client:
        assert await status(client) == 303
    await town.user()
    async with town.client() as client:
        assert await status(client) == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Proto": "https"},
        {"Via": "1.1 proxy"},
        {"Host": "vigie.example"},
        {"Host": "192.168.1.5:8080"},
        {"Host": "127.0.0.1.evil.test"},
    ],
)
async def test_who_comes_by_a_proxy_is_not_this_machine(headers: dict[str, str]) -> None:
    town = Town()
    async with town.client() as client:
        assert await status(client, "/settings/audit", **headers) == 303


@pytest.mark.parametrize(("listen", "url"), [("0.0.0.0:8080", None), ("127.0.0.1:8080", "https://v.example"), ("[::]:80", None)])
async def test_where_others_reach_the_page_nobody_is_local(listen: str, url: str | None) -> None:
    town = Town(listen=listen, public_url=url)
    async with town.client() as client:
        assert await status(client) == 303
        assert "set-up link" in (await client.get("/login")).text


async def test_trusted_proxies_make_nobody_local() -> None:
    town = Town(trusted=("127.0.0.1",))
    async with town.client() as client:
        assert await status(client) == 303
        assert await status(client, "/settings/audit", **{"X-Forwarded-For": "127.0.0.1"}) == 303


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, "192.0.2.7"),
        ("10.0.0.1", {"X-Forwarded-For": "1.2.3.4, 192.0.2.7"}, "192.0.2.7"),  # the first one is what the client claims
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7, 10.0.0.2"}, "192.0.2.7"),
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7:4711"}, "192.0.2.7"),
        ("10.0.0.1", {"Forwarded": 'for="[2001:db8::7]:4711";proto=https, for=10.0.0.2'}, "2001:db8::7"),
        ("10.0.0.1", {"Forwarded": "for=_hidden"}, "_hidden"),
        ("10.0.0.1", {}, "10.0.0.1"),
        ("192.0.2.9", {"X-Forwarded-For": "127.0.0.1"}, "192.0.2.9"),
        ("192.0.2.9", {"Forwarded": "for=127.0.0.1"}, "192.0.2.9"),
    ],
)
async def test_an_address_is_believed_from_trusted_proxies_alone(peer: str, headers: dict[str, str], address: str) -> None:
    town = Town(trusted=("10.0.0.0/8",))
    await town.user()
    async with town.client(peer, **headers) as client:
        await log_in(client)
    (session,) = town.store.data.sessions.values()
    assert session.address == address


async def test_an_untrusted_peer_does_not_choose_the_scheme_or_the_host() -> None:
    town = Town(trusted=("10.0.0.0/8",), hosts=Hosts(["vigie.example"]))
    await town.user()
    for peer, code in (("192.0.2.9", 421), ("10.0.0.1", 303)):
        async with town.client(
            peer, "http://inner.example", **{"X-Forwarded-Host": "vigie.example", "X-Forwarded-Proto": "https"}
        ) as client:
            answer = await client.get("/settings/audit", headers=HTML)
            assert answer.status_code == code
            assert ("strict-transport-security" in answer.headers) is (code == 303)


async def test_a_token_does_what_its_scope_allows() -> None:
    town = Town()
    ann = await town.user()
    read, admin = await town.token(Role.VIEWER), await town.token(Role.ADMIN)
    owned = await town.token(Role.ADMIN, owner=ann.id)
    short = await town.token(Role.ADMIN, expires_at=NOW + 1000)
    async with town.client() as client:

        async def by(token: str, path: str = "/settings/audit") -> int:
            return (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code

        assert [await by(one) for one in (read, admin, owned, short)] == [403, 200, 200, 200]
        town.now += 1000
        assert await by(short) == 401
        await town.store.accounts.save_user(replace(ann, role=Role.VIEWER))
        assert await by(owned) == 403
        await town.store.accounts.save_user(replace(ann, version=2, disabled=True))
        assert await by(owned) == 401
        for one in await town.store.accounts.tokens():
            await town.store.accounts.revoke_token(one.id)
        assert [await by(one) for one in (read, admin)] == [401, 401]


async def test_whose_token_was_revoked_reads_no_stream_on() -> None:
    town = Town()
    read = await town.token(Role.VIEWER)
    scope = {
        "type": "http", "scheme": "http", "method": "GET", "path": "/events", "query_string": b"", "client": ("192.0.2.3", 1),
        "headers": [(b"host", b"vigie.test"), (b"authorization", b"Bearer " + read.encode())],
    }  # fmt: skip
    gate = Gate(town.site, Errors(town.site).store)
    request = Request(await gate.identified(gate.located(scope)))
    assert await is_still(request)
    (one,) = await town.store.accounts.tokens()
    await town.store.accounts.revoke_token(one.id)
    assert not await is_still(request)


async def test_a_stream_that_is_left_open_keeps_no_session() -> None:
    town = Town()
    ann = await town.user()
    async with town.client("192.0.2.3") as client:
        cookie = (await log_in(client)).cookies["vigie"]
    scope = {
        "type": "http", "scheme": "http", "method": "GET", "path": "/events", "query_string": b"", "client": ("192.0.2.3", 1),
        "headers": [(b"host", b"vigie.test"), (b"cookie", b"vigie=" + cookie.encode())],
    }  # fmt: skip
    gate = Gate(town.site, Errors(town.site).store)
    request = Request(await gate.identified(gate.located(scope)))
    (before,) = await town.store.accounts.sessions(ann.id)
    town.now += 3_600_000
    assert await is_still(request)
    assert list(await town.store.accounts.sessions(ann.id)) == [before]
    await town.store.accounts.end_sessions(ann.id)
    assert not await is_still(request)


async def test_a_wrong_token_is_a_stranger_even_where_the_page_is_open() -> None:
    town = Town()
    async with town.client() as client:
        answer = await client.get("/settings/audit", headers={"Authorization": "Bearer vigie_wrong"})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/health", headers={"Authorization": "Bearer x"})).status_code != 401


async def test_a_token_in_the_address_is_none() -> None:
    town = Town()
    await town.user()
    token = await town.token(Role.ADMIN)
    async with town.client() as client:
        for name in ("token", "access_token", "api_key", "authorization"):
            assert (await client.get(f"/settings/audit?{name}={token}")).status_code == 401


async def test_tokens_cannot_be_guessed_through() -> None:
    town = Town()
    await town.user()
    token = await town.token()
    async with town.client() as client:
        found = [
            (await client.get("/settings/audit", headers={"Authorization": f"Bearer vigie_{number}"})).status_code for number in range(32)
        ]
        assert found == [401] * 30 + [429] * 2
    async with town.client("192.0.2.8") as client:
        assert (await client.get("/settings/audit", headers={"Authorization": f"Bearer {token}"})).status_code == 403


@pytest.mark.parametrize(
    ("headers", "done"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, False),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://127.0.0.1:8080.evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
    ],
)
@pytest.mark.parametrize("open_", [True, False])
async def test_another_site_cannot_have_anything_done(headers: dict[str, str], done: bool, open_: bool) -> None:
    town = Town()
    async with town.client() as client:
        if not open_:
            await town.user()
            await log_in(client)
        del client.headers["origin"]
        answer = await client.post("/settings/tokens", data={"name": "x", "scope": "read", "days": "30"}, headers=headers)
        assert answer.status_code == (200 if done else 403)
        assert len(await town.store.accounts.tokens()) == int(done)
        assert (await client.get("/settings/tokens", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_a_cookie_needs_a_browser_that_says_where_it_is_and_a_token_does_not() -> None:
    town = Town()
    await town.user()
    token = await town.token(Role.ADMIN)
    async with town.client() as client:
        await log_in(client)
        del client.headers["origin"]
        assert (await client.post("/settings/users/ann/logout")).status_code == 403
        client.cookies.clear()
        sent = await client.post("/settings/users/ann/logout", headers={"Authorization": f"Bearer {token}", "Origin": "http://evil.test"})
        assert sent.status_code == 303


async def test_a_login_cannot_be_forged_either() -> None:
    town = Town()
    await town.user()
    async with town.client() as client:
        answer = await client.post("/login", data={"name": "ann", "password": "x"}, headers={"Origin": "http://evil.test"})
        assert answer.status_code == 403


async def test_refusals_by_who_looks() -> None:
    town = Town()
    await town.user("bob", Role.VIEWER)
    async with town.client() as client:
        page = await client.get("/settings/audit", headers=HTML)
        assert page.status_code == 303
        assert (await client.get("/settings/audit", headers={"HX-Request": "true"})).headers["hx-redirect"] == "/login"
        assert (await client.get("/settings/audit")).headers["www-authenticate"]
        await log_in(client, "bob")
        page = await client.get("/settings/audit", headers=HTML)
        assert (page.status_code, "role admin" in page.text) == (403, True)
        problem = await client.get("/settings/audit", headers={"Accept": "application/json"})
        assert (problem.status_code, problem.headers["content-type"]) == (403, "application/problem+json")


async def test_what_is_done_is_on_record_with_its_outcome() -> None:
    town = Town()
    await town.user()
    async with town.client("192.0.2.3") as client:
        await log_in(client, password="wrong wrong wrong")
        await log_in(client)
        await client.post("/settings/users", data={"name": "bob", "role": "viewer", "password": "tout à fait autre chose"})
        await client.post("/settings/users/ann/disable")
        await client.post("/settings/users/bob/role", data={"role": "editor"}, headers={"Origin": "http://evil.test"})
    entries = [(one.action, one.actor, one.outcome, one.address) for one in reversed(await town.store.accounts.audit())]
    assert entries == [
        ("login", "", 401, "192.0.2.3"),
        ("login", "ann", 303, "192.0.2.3"),
        ("user_add", "ann", 303, "192.0.2.3"),
        ("user_disable", "ann", 409, "192.0.2.3"),
        ("user_role", "ann", 403, "192.0.2.3"),
    ]
    assert "autre chose" not in repr(town.store.data.audit)
    assert "wrong wrong" not in repr(town.store.data.audit)


async def test_what_cannot_be_recorded_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town()
    await town.user()

    async def full(*_: Any) -> int:
        raise StoreError(StoreFault.FULL, "no space left")

    async with town.client() as client:
        await log_in(client)
        monkeypatch.setattr(town.store.accounts, "begin_audit", full)
        answer = await client.post("/settings/tokens", data={"name": "x", "scope": "read", "days": "30"})
        assert answer.status_code == 503
        assert await town.store.accounts.tokens() == []


async def test_a_store_that_cannot_be_read_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town()

    async def broken(*_: Any) -> bool:
        raise StoreError(StoreFault.OTHER, "gone")

    monkeypatch.setattr(town.store.accounts, "any_user", broken)
    async with town.client() as client:
        assert (await client.get("/settings/audit")).status_code == 503


async def test_strangers_cannot_fill_the_record() -> None:
    town = Town()
    await town.user()
    for number in range(700):
        async with town.client(f"198.51.{number // 250}.{number % 250}") as client:
            await client.post("/logout")
    assert len(town.store.data.audit) == 600


async def test_every_page_is_under_the_strict_policy() -> None:
    town = Town()
    async with town.client() as client:
        for path in ("/login", "/settings/users", "/settings/tokens", "/settings/audit", "/nothing"):
            answer = await client.get(path)
            assert "unsafe" not in answer.headers.get("content-security-policy", "")
            assert answer.headers["x-content-type-options"] == "nosniff"
            if answer.status_code == 200:
                assert "<style" not in answer.text
                assert " style=" not in answer.text
                assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_a_passkey_that_was_not_asked_for_is_refused() -> None:
    town = Town()
    await town.user()
    async with town.client(base="http://localhost:8080") as client:
        options = (await client.post("/login/passkey/options")).json()
        bodies: list[Any] = [{}, {"token": "x"}, {"token": options["token"], "credential": {"id": "x"}}, {"token": options["token"]}, []]
        for body in bodies:
            assert (await client.post("/login/passkey", json=body)).status_code == 401
        assert (await client.post("/account/passkeys/options")).status_code == 401
