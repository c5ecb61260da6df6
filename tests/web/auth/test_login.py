"""The way in: who gets in, who does not, and what the one may learn about the other."""

import asyncio
from dataclasses import replace

import pyotp
import pytest
from tests.web.auth._door import HTML, KEPT, NOW, PASSWORD, Town, log_in, status

from vigie.accounts import SESSION_IDLE_MS, SESSION_MS, Role
from vigie.web.auth import passwords, totp
from vigie.web.auth.passwords import fault_of, hash_now
from vigie.web.auth.sessions import safe_next
from vigie.web.door import Door

DAY = 86_400_000


async def test_a_login_leads_back_and_a_logout_ends_the_session_itself() -> None:
    town = Town()
    await town.user()
    async with town.client() as client:
        asked = await client.get("/settings/audit?actor=x", headers=HTML)
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=%2Fsettings%2Faudit%3Factor%3Dx")
        french = await client.get("/settings/audit?lang=fr", headers=HTML)
        assert french.headers["location"] == "/login?next=%2Fsettings%2Faudit%3Flang%3Dfr&lang=fr"
        answer = await log_in(client, next="/settings/audit?actor=x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings/audit?actor=x")
        cookie = client.cookies["vigie"]
        assert await status(client) == 200
        await client.post("/logout")
        assert "vigie" not in client.cookies
        client.cookies.set("vigie", cookie)
        assert await status(client) == 303


async def test_each_login_is_a_session_of_its_own() -> None:
    """Whoever was given a cookie before is not logged in by it (session fixation)."""
    town = Town()
    await town.user()
    async with town.client() as client:
        client.cookies.set("vigie", "planted")
        await log_in(client)
        client.cookies.clear()
        await log_in(client)
        second = client.cookies["vigie"]
        await log_in(client)
        assert client.cookies["vigie"] != second
        client.cookies.clear()
        client.cookies.set("vigie", second)
        assert await status(client) == 303
        client.cookies.clear()
        client.cookies.set("vigie", "planted")
        assert await status(client) == 303


async def test_the_cookie_over_tls_and_without() -> None:
    town = Town(trusted=("10.0.0.0/8",), public_url="https://vigie.example")
    await town.user()
    async with town.client("10.0.0.9", "http://vigie.example", **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}) as client:
        answer = await client.post("/login", data={"name": "ann", "password": PASSWORD}, headers={"Origin": "https://vigie.example"})
        cookie = next(one for one in answer.headers.get_list("set-cookie") if "__Host-vigie=" in one)
        assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    (session,) = await town.store.accounts.sessions((await town.store.accounts.users())[0].id)
    assert session.address == "192.0.2.7"
    assert cookie.partition("=")[2].partition(";")[0] not in repr(town.store.data.sessions)


async def test_a_session_ends_when_it_is_old_or_idle() -> None:
    for later in (SESSION_MS, SESSION_IDLE_MS):
        town = Town()
        await town.user()
        async with town.client() as client:
            await log_in(client)
            step = SESSION_IDLE_MS - DAY
            while later == SESSION_MS and town.now - NOW < SESSION_MS - step:
                town.now += step
                assert await status(client) == 200
            town.now = max(NOW + later, town.now) + step if later == SESSION_MS else NOW + later + 1
            assert await status(client) == 303


@pytest.mark.parametrize(
    "path",
    [
        "//evil.test",
        "/\\evil.test",
        "https://evil.test",
        "evil",
        "/login",
        "/logout",
        "/\t/evil.test",
        "/x\r\nSet-Cookie: a=b",
        "/\\/evil",
        "",
    ],
)
def test_a_login_leads_nowhere_else(path: str) -> None:
    assert safe_next(path) == "/"


def test_a_login_leads_to_pages_of_ours() -> None:
    assert safe_next("/monitors/a%2Fb?x=1&y=//z") == "/monitors/a%2Fb?x=1&y=//z"


async def test_wrong_names_and_wrong_passwords_are_not_told_apart() -> None:
    """Nor disabled accounts, nor those without a password: the same answer, and argon2 runs in each case."""
    town = Town()
    await town.user()
    bob = await town.user("bob")
    await town.store.accounts.save_user(replace(bob, disabled=True))
    await town.user("eve", password="")
    answers = set()
    async with town.client() as client:
        for name, password in (("ann", "wrong wrong wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("eve", ""), ("no name!", PASSWORD)):
            answer = await log_in(client, name, password)
            answers.add((answer.status_code, answer.text.replace(f'value="{name}"', "")))
            assert not client.cookies
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


async def test_every_attempt_costs_one_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    town, seen = Town(), list[str]()
    await town.user()
    real = passwords._verify

    def watched(kept: str, password: str) -> bool:
        seen.append(kept)
        return real(kept, password)

    monkeypatch.setattr(passwords, "_verify", watched)
    async with town.client() as client:
        for name in ("ann", "nobody", "not a name!"):
            await log_in(client, name, "wrong wrong wrong")
    assert seen == [KEPT, "", ""]


async def test_guessing_is_slowed_down_and_the_lock_ends() -> None:
    town = Town()
    await town.user()
    async with town.client() as client:
        for _ in range(5):
            assert (await log_in(client, password="wrong wrong wrong")).status_code == 401
        refused = await log_in(client)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        town.now += int(refused.headers["retry-after"]) * 1000
        assert (await log_in(client)).status_code == 303


async def test_a_lock_by_strangers_does_not_lock_out_who_is_logged_in_elsewhere() -> None:
    town = Town()
    await town.user()
    async with town.client("192.0.2.1", base="http://127.0.0.1:8080") as at_home:
        await log_in(at_home)
        for number in range(60):
            async with town.client(f"198.51.100.{number}") as stranger:
                await log_in(stranger, password="wrong wrong wrong")
        async with town.client("203.0.113.9") as elsewhere:
            locked = await log_in(elsewhere)
            assert locked.status_code == 429
            assert int(locked.headers["retry-after"]) <= 60
        assert (await log_in(at_home)).status_code == 303


async def test_one_address_cannot_try_many_names() -> None:
    town = Town()
    await town.user()
    async with town.client("198.51.100.1") as client:
        found = [(await log_in(client, f"name{number}", "wrong wrong wrong")).status_code for number in range(22)]
    assert found == [401] * 20 + [429] * 2
    async with town.client("198.51.100.2") as client:
        assert (await log_in(client)).status_code == 303


async def test_of_many_guesses_at_once_no_more_are_heard() -> None:
    town = Town()
    await town.user()
    async with town.client() as client:
        found = await asyncio.gather(*(log_in(client, password=f"guess number {number}") for number in range(12)))
    assert [one.status_code for one in found].count(429) >= 6


async def test_a_code_is_asked_for_and_good_once() -> None:
    town, secret = Town(), totp.new_secret()
    ann = await town.user()
    plain, hashes = totp.new_recovery()
    await town.store.accounts.save_user(replace(ann, totp=secret, recovery=hashes))
    code = pyotp.TOTP(secret).generate_otp(NOW // 30_000)
    async with town.client() as client, town.client() as other:
        first = await log_in(client, next="/settings/users")
        assert first.headers["location"] == "/login/code"
        assert await status(client) == 303
        wrong = await client.post("/login/code", data={"code": "000000" if code != "000000" else "000001"})
        assert wrong.status_code == 401
        done = await client.post("/login/code", data={"code": code[:3] + " " + code[3:]})
        assert (done.status_code, done.headers["location"]) == (303, "/settings/users")
        assert await status(client) == 200
        await log_in(other)
        assert (await other.post("/login/code", data={"code": code})).status_code == 401  # replayed
        assert (await other.post("/login/code", data={"code": plain[0].lower()})).status_code == 303
        async with town.client() as third:
            await log_in(third)
            assert (await third.post("/login/code", data={"code": plain[0]})).status_code == 401
    saved = await town.store.accounts.user("ann")
    assert saved is not None
    assert len(saved.recovery) == 9


async def test_codes_cannot_be_guessed_through() -> None:
    town = Town()
    ann = await town.user()
    await town.store.accounts.save_user(replace(ann, totp=totp.new_secret()))
    async with town.client() as client:
        found = []
        for number in range(12):
            await log_in(client)
            found.append((await client.post("/login/code", data={"code": f"{number:06}"})).status_code)
    assert found.count(401) <= 5
    assert found[-1] == 429


async def test_the_second_step_needs_the_first() -> None:
    town = Town()
    await town.user()
    async with town.client() as client:
        assert (await client.get("/login/code")).headers["location"] == "/login?fault=again"
        client.cookies.set("vigie-login", "made-up")
        assert (await client.post("/login/code", data={"code": "123456"})).headers["location"] == "/login?fault=again"


async def test_what_may_be_a_password() -> None:
    assert fault_of("short", "ann") == "short"
    assert fault_of("x" * 257, "ann") == "long"
    for obvious in (
        "password1234",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "abcdefghijklmnop",
        "ann-ann-ann-2024",
        "correct horse battery staple",
    ):
        assert fault_of(obvious, "ann") == "obvious", obvious
    for good in (PASSWORD, "tr0ub4dor&3xyz", "ünïcödé is fine", "pass the salt, Anna"):
        assert fault_of(good, "ann") is None, good


async def test_a_password_is_the_same_however_it_was_typed() -> None:
    town = Town()
    await town.user(password=hash_now("une clé déposée là"))
    async with town.client() as client:
        assert (await log_in(client, password="une cle\u0301 de\u0301pose\u0301e la\u0300")).status_code == 303


async def test_the_first_account_by_the_link() -> None:
    town = Town(listen="0.0.0.0:8080")
    token = town.door.open_setup()
    async with town.client("192.0.2.5") as client:
        assert await status(client) == 303
        assert (await client.get("/health")).status_code in (200, 503)
        assert (await client.get("/setup/wrong")).status_code == 404
        form = {"name": "Ann", "password": PASSWORD, "again": PASSWORD}
        assert (await client.post(f"/setup/{token}", data={**form, "password": "short"})).status_code == 422
        assert (await client.post(f"/setup/{token}", data={**form, "again": "other"})).status_code == 422
        done = await client.post(f"/setup/{token}", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert await status(client) == 200
    async with town.client("192.0.2.6") as client:
        assert (await client.get(f"/setup/{token}")).status_code == 404
        assert (await client.post(f"/setup/{token}", data=form)).status_code == 404
    assert [(one.name, one.role) for one in await town.store.accounts.users()] == [("ann", Role.ADMIN)]


async def test_the_link_lasts_an_hour_and_not_beside_a_user() -> None:
    town = Town(listen="0.0.0.0:8080")
    token = town.door.open_setup()
    async with town.client() as client:
        town.now += 3_599_000
        assert (await client.get(f"/setup/{token}")).status_code == 200
        town.now += 2_000
        assert (await client.get(f"/setup/{token}")).status_code == 404
        token = town.door.open_setup()
        await town.user()
        assert (await client.get(f"/setup/{token}")).status_code == 404


async def test_pages_of_the_account_change_it() -> None:
    town = Town()
    await town.user()
    async with town.client() as client, town.client() as other:
        await log_in(client)
        await log_in(other)
        assert "this session" in (await client.get("/account")).text
        new = {"current": PASSWORD, "password": "tout à fait autre chose", "again": "tout à fait autre chose"}
        assert (await client.post("/account/password", data={**new, "current": "wrong"})).status_code == 422
        assert (await client.post("/account/password", data=new)).status_code == 303
        assert await status(client) == 200
        assert await status(other) == 303
        assert (await log_in(other)).status_code == 401
        assert (await log_in(other, password=new["password"])).status_code == 303
        page = (await client.get("/account/codes")).text
        secret = page.partition("<code>")[2].partition("</code>")[0].replace(" ", "")
        token = page.partition('name="token" value="')[2].partition('"')[0]
        code = pyotp.TOTP(secret).generate_otp(town.now // 30_000)
        shown = await client.post("/account/codes", data={"token": token, "code": code, "current": new["password"]})
        assert shown.text.count("<li><code>") == 10
        assert await status(other) == 303
        assert (await log_in(other, password=new["password"])).headers["location"] == "/login/code"
        off = await client.post("/account/codes/off", data={"current": new["password"]})
        assert off.status_code == 303
        assert (await client.post("/account/sessions/end", data={})).status_code == 303


async def test_an_admin_manages_people() -> None:
    town = Town()
    await town.user()
    async with town.client() as client, town.client() as other:
        await log_in(client)
        made = await client.post("/settings/users", data={"name": "Bob", "role": "viewer", "password": ""})
        password = made.text.partition("<code>")[2].partition("</code>")[0]
        assert (await log_in(other, "bob", password)).status_code == 303
        assert await status(other, "/settings/users") == 403
        assert (await client.post("/settings/users/bob/role", data={"role": "admin"})).status_code == 303
        assert await status(other, "/settings/users") == 200
        assert (await client.post("/settings/users/ann/role", data={"role": "viewer"})).status_code == 303
        assert await status(client, "/settings/users") == 403
        assert (await other.post("/settings/users/bob/disable")).status_code == 409
        assert (await other.post("/settings/users/ann/disable")).status_code == 303
        assert await status(client) == 303
        assert (await log_in(client)).status_code == 401
        reset = await other.post("/settings/users/bob/reset")
        assert reset.status_code == 200
        assert await status(other) == 303
        assert (await other.post("/settings/users/nobody/enable")).status_code in (303, 401)


def test_nobody_pushes_the_logins_of_others_out() -> None:
    door = Door(lambda: 0.0)
    known = door.begin("code", "ann")
    other = door.begin("passkey", place="192.0.2.1")
    mine = [door.begin("passkey", place="203.0.113.9") for _ in range(5_000)]
    assert door.pending(known, "code") is not None
    assert door.pending(other, "passkey") is not None
    assert [door.pending(one, "passkey") is not None for one in (mine[0], mine[-1])] == [False, True]
    for number in range(5_000):
        door.begin("oidc", place=f"place {number}")
    assert door.pending(known, "code") is not None
