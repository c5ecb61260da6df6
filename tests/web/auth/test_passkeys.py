"""Passkeys, with Chromium's own virtual authenticator, and what is not accepted."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.web._browser import launched
from tests.web._served import served
from tests.web.auth._door import PASSWORD, Town

from vigie.accounts import Role
from vigie.web.auth.passwords import hash_now
from vigie.web.auth.people import new_user

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


def authenticator(page: Any, *, verified: bool = True) -> Any:
    """A key that is always at hand."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_is_added_and_logs_in(browser: Any) -> None:
    town = Town()
    data = town.store.data
    user = new_user("ann", Role.ADMIN, town.now, password=hash_now(PASSWORD))
    data.users[user.id] = user
    with served(town.app) as address:
        context = browser.new_context()
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text))
        authenticator(page)
        base = address.replace("127.0.0.1", "localhost")
        page.goto(base + "/login?next=/account")
        page.fill("[name=name]", "ann")
        page.fill("[name=password]", PASSWORD)
        page.click("form .btn.key")
        page.wait_for_url("**/account")
        page.fill("[data-passkey-add] [name=name]", "laptop")
        page.click("[data-passkey-add] button")
        page.wait_for_url("**/account?done=passkey")
        assert "laptop" in page.inner_text("main")
        page.click("form[action='/logout'] button")
        page.wait_for_url("**/login")
        replayed: list[dict[str, Any]] = []
        page.on("request", lambda one: replayed.append(json.loads(one.post_data)) if one.url.endswith("/login/passkey") else None)
        page.click("[data-passkey-login]")
        page.wait_for_url(base + "/")
        (kept,) = data.users[user.id].passkeys
        assert kept.used_at is not None
        assert [one.method for one in data.sessions.values()][-1:] == ["passkey"]
        again = page.request.post(base + "/login/passkey", data=replayed[0], headers={"Origin": base})
        assert again.status == 401
        assert not [one for one in said if "Content Security Policy" in one or "rror:" in one]
        context.close()


def test_a_passkey_without_verification_or_of_nobody_is_refused(browser: Any) -> None:
    town = Town()
    user = new_user("ann", Role.ADMIN, town.now, password=hash_now(PASSWORD))
    town.store.data.users[user.id] = user
    with served(town.app) as address:
        context = browser.new_context()
        page = context.new_page()
        authenticator(page, verified=False)
        page.goto(address.replace("127.0.0.1", "localhost") + "/login")
        page.click("[data-passkey-login]")
        page.wait_for_selector("[data-passkey-fault]:not([hidden])")
        assert town.store.data.sessions == {}
        context.close()
