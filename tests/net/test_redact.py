"""Secrets planted wherever they may stand, and words that only look like it."""

import time

import pytest

from vigie.net import Secret, Secrets, host_of, redact, redact_url

SECRET = "hunter2Hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://shop.example/health", "https://shop.example/health"),
        ("https://shop.example:8443/a/b?", "https://shop.example:8443/a/b"),
        (f"https://ann:{SECRET}@shop.example/", "https://shop.example/"),
        (f"https://{SECRET}@shop.example/", "https://shop.example/"),
        (f"https://ann@corp:{SECRET}@shop.example/", "https://shop.example/"),
        (f"https://shop.example/?token={SECRET}&page=2", "https://shop.example/?token=***&page=***"),
        (f"https://shop.example/?{SECRET}", "https://shop.example/?***"),
        (f"https://shop.example/#{SECRET}", "https://shop.example/"),
        (f"https://ann:{SECRET}/x@shop.example/", "https://***"),
        (f"https://ann:{SECRET}?x@shop.example/", "https://***"),
        (f"https://ann:{SECRET}#x@shop.example/", "https://***"),
        (f"http://[::1?{SECRET}", "***"),
        ("https://shop.example/@ann", "https://shop.example/@ann"),
        ("https://shop.example:443/@ann", "https://shop.example:443/@ann"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ("", ""),
    ],
)
def test_a_url_keeps_its_place_and_loses_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://ann:{SECRET}@shop.example/ failed",
        f"proxy http://{SECRET}:x@127.0.0.1:3128 refused",
        f"see https://shop.example/?key={SECRET}.",
        f"Authorization: Basic {SECRET}",
        f"authorization: bearer {SECRET}",
        f"WWW-Authenticate: Negotiate {SECRET}=",
        f"password={SECRET}",
        f"PASSWORD: '{SECRET}'",
        f'{{"password": "{SECRET}"}}',
        f'{{"access_token":"{SECRET}","expires":1}}',
        f"client_secret = {SECRET}, retry",
        f"x-api-key: {SECRET}",
        f"Cookie: sid={SECRET}; theme=dark",
        f"set-cookie: sid={SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{SECRET}",
        f"xoxb-{SECRET}-1",
        f"ghp_{SECRET}0123456789",
        f"AKIA{SECRET}",
        f"the session {SECRET}-{SECRET}-{SECRET} is over",
    ],
)
def test_a_secret_planted_in_a_text_is_not_in_what_people_read(text: str) -> None:
    assert SECRET not in redact(text)
    assert redact(text) != text


@pytest.mark.parametrize(
    "text",
    [
        "Failed to connect to 127.0.0.1 port 443 after 2 ms: Could not connect to server",
        "SSL certificate problem: unable to get local issuer certificate",
        "550 5.1.1 <ann@shop.example>: Recipient address rejected: User unknown",
        "the basic idea is that a bearer of news comes back",
        "no key, no password and no token was asked for",
        "see https://shop.example/docs/how-to-log-in for the words",
        "internationalization-of-the-telecommunications-administration",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_known_secrets_go_wherever_they_stand_and_as_a_url_spells_them() -> None:
    text = redact(
        "login p@ss w/rd failed, tried /p%40ss%20w%2Frd and p@ss w/rd2", Secrets(map(Secret, ("p@ss w/rd", "p@ss w/rd2", "", "abc")))
    )

    assert text == "login *** failed, tried /*** and ***"


def test_a_short_word_is_no_secret() -> None:
    assert redact("abc said no", Secrets([Secret("abc")])) == "abc said no"


@pytest.mark.parametrize(
    "unit", ["a.", "a-", "a1-", "eyJaaaaa.", "Cookie: ", "https://", "-----BEGIN PRIVATE KEY-----", 'password="', "sk-"]
)
def test_a_long_text_takes_no_long_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Shop.Example:8443/", "shop.example"),
        ("http://[::1]/", "::1"),
        ("nonsense", ""),
        ("http://[::1/", ""),
        ("http://u:p@a/", "a"),
    ],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    assert host_of(url) == host
