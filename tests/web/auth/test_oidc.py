"""Login by a real OpenID Connect provider on loopback: who gets in as what, and what is not believed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from tests.web.auth._door import NOW, Town, log_in, status

from vigie.accounts import Role
from vigie.net import DIRECT, client
from vigie.testing.oidc_server import CLIENT, SECRET, OidcServer
from vigie.testing.servers import unused
from vigie.testing.webhook_server import Answer
from vigie.web.setting import OidcSetting

URL = "https://vigie.example"


def setting_of(issuer: str, **more: Any) -> OidcSetting:
    roles = {"staff": Role.VIEWER, "sre": Role.ADMIN}
    given: dict[str, Any] = {"roles": roles, **more}
    return OidcSetting(issuer, CLIENT, SECRET, lambda url: client(url, DIRECT, None, 5.0), **given)


@asynccontextmanager
async def town_of(**more: Any) -> AsyncIterator[tuple[OidcServer, Town]]:
    async with OidcServer(lambda: NOW / 1000) as provider:
        yield provider, Town(public_url=URL, trusted=("127.0.0.1",), oidc=setting_of(provider.issuer, **more))


def browser(town: Town) -> httpx.AsyncClient:
    return town.client(base=URL, **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "vigie.example"})


async def there_and_back(visitor: httpx.AsyncClient, next_: str = "/") -> httpx.Response:
    """Begin, be sent to the provider, and come back."""
    out = await visitor.get("/login/oidc", params={"next": next_})
    if "/authorize" not in out.headers["location"]:
        return out
    async with httpx.AsyncClient() as outside:
        back = await outside.get(out.headers["location"])
    assert back.headers["location"].startswith(URL + "/login/oidc/callback?")
    return await visitor.get(back.headers["location"])


async def test_somebody_is_let_in_with_the_role_that_the_claim_gives() -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        answer = await there_and_back(visitor, "/settings/users")
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings/users")
        assert await status(visitor, "/settings/users") == 403
        provider.claims["groups"] = ["staff", "sre", "other"]
        await there_and_back(visitor)
        assert await status(visitor, "/settings/users") == 200
        provider.claims["preferred_username"] = "anna"
        provider.claims["groups"] = ["staff"]
        await there_and_back(visitor)
        assert await status(visitor, "/settings/users") == 403
        (user,) = await town.store.accounts.users()
        assert (user.name, user.role, user.subject) == ("ann", Role.VIEWER, f"{provider.issuer}|1234")
        assert {(one.action, one.actor, one.outcome) for one in await town.store.accounts.audit()} == {("login_oidc_callback", "ann", 303)}


async def test_a_provider_vouches_for_nobody_elses_account() -> None:
    async with town_of() as (_, town), browser(town) as visitor:
        await town.user("ann")
        await there_and_back(visitor)
        assert await status(visitor, "/settings/users") == 403
        assert sorted(one.name[:4] for one in await town.store.accounts.users()) == ["ann", "ann-"]


async def test_who_is_disabled_or_has_no_role_is_refused() -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        provider.claims["groups"] = ["others"]
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc_refused"
        assert await town.store.accounts.users() == []
        provider.claims["groups"] = ["staff"]
        await there_and_back(visitor)
        (user,) = await town.store.accounts.users()
        await town.store.accounts.save_user(replace(user, disabled=True))
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc_refused"
        assert "has no access" in (await visitor.get("/login?fault=oidc_refused")).text


@pytest.mark.parametrize(
    ("more", "let_in"),
    [
        ({"email": "ann@example.com", "email_verified": True}, True),
        ({"email": "ann@EXAMPLE.com", "email_verified": True}, True),
        ({"email": "ann@example.com", "email_verified": False}, False),
        ({"email": "ann@example.com"}, False),
        ({"email": "ann@example.com", "email_verified": "true"}, False),
        ({"email": "ann@evil.test", "email_verified": True}, False),
        ({"email": "ann@example.com@evil.test", "email_verified": True}, False),
        ({}, False),
    ],
)
async def test_domains_of_verified_addresses(more: dict[str, Any], let_in: bool) -> None:
    async with town_of(domains=("example.com",)) as (provider, town), browser(town) as visitor:
        provider.claims |= more
        await there_and_back(visitor)
        assert bool(await town.store.accounts.users()) is let_in


async def test_claims_may_lie_deeper_come_from_userinfo_or_be_missing() -> None:
    async with town_of(claim="realm_access.roles") as (provider, town), browser(town) as visitor:
        provider.userinfo = {"realm_access": {"roles": ["sre"]}}
        provider.methods = ["client_secret_post"]
        await there_and_back(visitor)
        assert [one.role for one in await town.store.accounts.users()] == [Role.ADMIN]
    async with town_of(default_role=Role.RESPONDER) as (provider, town), browser(town) as visitor:
        provider.claims = {"sub": "9"}
        await there_and_back(visitor)
        assert [(one.name, one.role) for one in await town.store.accounts.users()] == [("9", Role.RESPONDER)]
        provider.userinfo = {"sub": "somebody else"}
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc"


def without(name: str) -> Any:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize(
    "bend",
    [
        lambda claims: {**claims, "iss": "https://evil.test"},
        lambda claims: {**claims, "aud": "other"},
        lambda claims: {**claims, "aud": [CLIENT, "other"], "azp": "other"},
        lambda claims: {**claims, "exp": NOW // 1000 - 3600},
        lambda claims: {**claims, "iat": NOW // 1000 + 36_000},
        lambda claims: {**claims, "nonce": "replayed"},
        without("nonce"),
        without("iss"),
        without("aud"),
        without("exp"),
        without("sub"),
    ],
)
async def test_an_id_token_that_is_not_for_this_login_is_not_believed(bend: Any) -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        provider.bend = bend
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc"
        assert await town.store.accounts.users() == []


async def test_a_signature_of_somebody_else_is_not_believed() -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        await visitor.get("/login/oidc")
        real = provider.key
        provider.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}, auto_kid=False)
        await there_and_back(visitor)  # new keys are fetched once
        assert len(await town.store.accounts.users()) == 1
        provider.fail["/keys"] = Answer(200, {"keys": [real.as_dict(private=False)]}, {"Content-Type": "application/json"})
        town.now += 700_000
        provider.bend = lambda claims: {**claims, "sub": "5", "exp": town.now // 1000 + 300}
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc"
        assert len(await town.store.accounts.users()) == 1


@pytest.mark.parametrize("key", [SECRET, "x" * 32])
async def test_an_id_token_signed_with_a_shared_secret_is_not_believed(key: str) -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        provider.fail["/keys"] = Answer(200, {"keys": [provider.key.as_dict(private=False)]}, {"Content-Type": "application/json"})
        provider.key = OctKey.import_key(key)  # type: ignore[assignment]  # the provider is made to sign otherwise
        provider.header = {"alg": "HS256", "kid": "k1"}
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc"
        assert await town.store.accounts.users() == []


async def test_an_answer_that_this_browser_did_not_ask_for() -> None:
    """State is good once, in the browser that began: nobody is logged in as somebody else by a link."""
    async with town_of() as (_, town), browser(town) as visitor, browser(town) as victim, httpx.AsyncClient() as outside:
        out = await visitor.get("/login/oidc")
        back = (await outside.get(out.headers["location"])).headers["location"]
        assert (await victim.get(back)).headers["location"] == "/login?fault=again"
        assert (await visitor.get(back)).headers["location"] == "/login?fault=again"  # used up
        out = await visitor.get("/login/oidc")
        back = (await outside.get(out.headers["location"])).headers["location"]
        assert (await visitor.get(back.replace("iss=http", "iss=https"))).headers["location"] == "/login?fault=oidc"
        assert (await visitor.get("/login/oidc/callback?state=x&code=y")).headers["location"] == "/login?fault=again"
        assert await town.store.accounts.users() == []


async def test_a_provider_that_does_not_answer_leaves_the_password() -> None:
    town = Town(public_url=URL, trusted=("127.0.0.1",), oidc=setting_of(f"http://127.0.0.1:{unused()}"))
    await town.user()
    async with browser(town) as visitor:
        assert (await there_and_back(visitor)).headers["location"] == "/login?fault=oidc_unreachable"
        assert "cannot be reached" in (await visitor.get("/login?fault=oidc_unreachable")).text
        assert (await log_in(visitor)).status_code == 303


@pytest.mark.parametrize(
    ("path", "answer", "fault"),
    [
        ("/.well-known/openid-configuration", Answer(404), "oidc"),
        ("/.well-known/openid-configuration", Answer(200, b"<html>"), "oidc"),
        ("/.well-known/openid-configuration", Answer(200, {"issuer": "https://evil.test"}), "oidc"),
        ("/.well-known/openid-configuration", Answer(503), "oidc_unreachable"),
        ("/token", Answer(400, {"error": "invalid_grant"}), "oidc"),
        ("/token", Answer(200, {"access_token": "x"}), "oidc"),
        ("/token", Answer(200, {"id_token": "a.b.c"}), "oidc"),
        ("/keys", Answer(200, {"keys": "none"}), "oidc"),
        ("/keys", Answer(500), "oidc_unreachable"),
    ],
)
async def test_a_provider_that_answers_nonsense(path: str, answer: Answer, fault: str) -> None:
    async with town_of() as (provider, town), browser(town) as visitor:
        provider.fail[path] = answer
        assert (await there_and_back(visitor)).headers["location"] == f"/login?fault={fault}"
        assert await town.store.accounts.users() == []
