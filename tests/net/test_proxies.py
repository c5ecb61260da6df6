"""Which proxy a URL is reached through: a table, and the very answer of libcurl beside it."""

import os
from collections.abc import Mapping
from typing import Any

import pycurl
import pytest

from vigie.net.proxies import DIRECT, Proxies, UnusableProxyError

A, B, C = "http://127.0.0.11:3128", "http://127.0.0.12:3128", "http://127.0.0.13:3128"
WEB = "https://hooks.example.com/x"
EXEMPT = {"https_proxy": A, "http_proxy": B}


def chosen(environ: Mapping[str, str], url: str) -> str | None:
    """`host:port` of the proxy, None for the direct way, `unusable` where the variable cannot be used."""
    try:
        found = Proxies.of(environ).for_url(url)
    except UnusableProxyError:
        return "unusable"
    return None if found is None else found.place


def by_curl(environ: Mapping[str, str], url: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The same, as libcurl itself does it: where it wants to connect, and no socket is opened."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    asked: list[tuple[str, int]] = []

    def refuse(_purpose: int, where: Any) -> int:
        asked.append(where.addr[:2])
        return int(pycurl.SOCKET_BAD)

    curl = pycurl.Curl()
    host = url.partition("://")[2].partition("/")[0]
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.RESOLVE, [f"{name}:{port}:192.0.2.7" for port in (80, 443, 8080, 8443)] if "[" not in name else [])
    curl.setopt(pycurl.OPENSOCKETFUNCTION, refuse)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, 500)
    try:
        curl.perform()
    except pycurl.error as error:
        if not asked:
            assert error.args[0] in (pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_URL_MALFORMAT), error  # noqa: PT017
            return "unusable"
    finally:
        curl.close()
    address, port = asked[0]
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return where if address.startswith("127.0.0.") or address == "::9" else None


# (environment, URL, what is chosen): each is asked of libcurl, too.
AS_CURL: list[tuple[dict[str, str], str, str | None]] = [
    ({}, WEB, None),
    ({"https_proxy": A}, WEB, "127.0.0.11:3128"),
    ({"HTTPS_PROXY": A}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": A, "HTTPS_PROXY": B}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": "", "HTTPS_PROXY": B}, WEB, "127.0.0.12:3128"),
    ({"https_proxy": A}, "http://hooks.example.com/", None),
    ({"http_proxy": A}, "http://hooks.example.com/", "127.0.0.11:3128"),
    ({"HTTP_PROXY": A}, "http://hooks.example.com/", None),
    ({"HTTP_PROXY": A, "ALL_PROXY": B}, "http://hooks.example.com/", "127.0.0.12:3128"),
    ({"http_proxy": A}, WEB, None),
    ({"all_proxy": A}, WEB, "127.0.0.11:3128"),
    ({"ALL_PROXY": A}, WEB, "127.0.0.11:3128"),
    ({"all_proxy": A, "ALL_PROXY": B}, WEB, "127.0.0.11:3128"),
    ({"all_proxy": A, "https_proxy": C}, WEB, "127.0.0.13:3128"),
    ({"all_proxy": A, "https_proxy": C}, "http://hooks.example.com/", "127.0.0.11:3128"),
    # how a proxy may be written
    ({"https_proxy": "127.0.0.11:3128"}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": "127.0.0.11"}, WEB, "127.0.0.11:80"),
    ({"https_proxy": "http://127.0.0.11"}, WEB, "127.0.0.11:80"),
    ({"https_proxy": "https://127.0.0.11"}, WEB, "127.0.0.11:443"),
    ({"https_proxy": "HTTP://127.0.0.11:8080/"}, WEB, "127.0.0.11:8080"),
    ({"https_proxy": "http://127.0.0.11:8080/some/path?x"}, WEB, "127.0.0.11:8080"),
    ({"https_proxy": "socks5h://127.0.0.11"}, WEB, "127.0.0.11:1080"),
    ({"https_proxy": "socks5://127.0.0.11:9050"}, WEB, "127.0.0.11:9050"),
    ({"https_proxy": "socks4a://127.0.0.11:9050"}, WEB, "127.0.0.11:9050"),
    ({"https_proxy": "socks4://127.0.0.11:9050"}, WEB, "127.0.0.11:9050"),
    ({"https_proxy": "socks://127.0.0.11:9050"}, WEB, "127.0.0.11:9050"),
    ({"https_proxy": "http://me:pass@127.0.0.11:3128"}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": "http://me:p%40ss%3A@127.0.0.11:3128"}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": "me:pass@127.0.0.11:3128"}, WEB, "127.0.0.11:3128"),
    ({"https_proxy": "http://[::9]:3128"}, WEB, "[::9]:3128"),
    ({"https_proxy": "http://[::9]"}, WEB, "[::9]:80"),
    ({"https_proxy": "ftp://127.0.0.11:3128"}, WEB, "unusable"),
    ({"https_proxy": "quic://127.0.0.11:3128"}, WEB, "unusable"),
    ({"https_proxy": "http://127.0.0.11:99999"}, WEB, "unusable"),
    ({"https_proxy": "http://[::1"}, WEB, "unusable"),
    # who is exempt
    ({**EXEMPT, "no_proxy": "*"}, WEB, None),
    ({**EXEMPT, "NO_PROXY": "*"}, WEB, None),
    ({**EXEMPT, "no_proxy": "other.example", "NO_PROXY": "*"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "", "NO_PROXY": "*"}, WEB, None),
    ({**EXEMPT, "no_proxy": "hooks.example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": "HOOKS.Example.COM"}, WEB, None),
    ({**EXEMPT, "no_proxy": "example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": ".example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": ".example.com"}, "https://example.com/", None),
    ({**EXEMPT, "no_proxy": "ample.com"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "example.com"}, "https://notexample.com/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "hooks.example.com.evil.example"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "com"}, WEB, None),
    ({**EXEMPT, "no_proxy": "hooks.example.com."}, WEB, None),
    ({**EXEMPT, "no_proxy": "example.com"}, "https://hooks.example.com./", None),
    ({**EXEMPT, "no_proxy": "a.example,hooks.example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": "a.example, hooks.example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": " ,, hooks.example.com ,"}, WEB, None),
    ({**EXEMPT, "no_proxy": "192.0.2.7"}, "https://192.0.2.7/", None),
    ({**EXEMPT, "no_proxy": "192.0.2.8"}, "https://192.0.2.7/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "192.0.2.0/24"}, "https://192.0.2.7/", None),
    ({**EXEMPT, "no_proxy": "192.0.2.9/24"}, "https://192.0.2.7/", None),
    ({**EXEMPT, "no_proxy": "192.0.3.0/24"}, "https://192.0.2.7/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "192.0.2.0/33"}, "https://192.0.2.7/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "0.2.7"}, "https://192.0.2.7/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "192.0.2.0/24"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "fd07:b51a:cc66:f0::/64"}, "https://[fd07:b51a:cc66:f0::5]/", None),
    ({**EXEMPT, "no_proxy": "fd07:b51a:cc66:f0::/64"}, "https://[fd07:b51a:cc66:f1::5]/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "localhost,127.0.0.1,fd07:b51a:cc66:f0::/64"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "2001:db8::1"}, "https://[2001:db8::1]:8443/", None),
    ({**EXEMPT, "no_proxy": "2001:DB8:0::1"}, "https://[2001:db8::1]/", None),
    ({**EXEMPT, "no_proxy": "2001:db8::/129"}, "https://[2001:db8::1]/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "hooks.example.com"}, "http://hooks.example.com:8080/", None),
    ({**EXEMPT, "no_proxy": "hooks.example.com"}, "https://api.example.com/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "localhost"}, WEB, "127.0.0.11:3128"),
    ({"all_proxy": C, "no_proxy": "example.com"}, WEB, None),
    ({"https_proxy": "nonsense://x", "no_proxy": "example.com"}, WEB, None),
]
# What other programs understand, and libcurl takes for names that nobody has.
BEYOND_CURL: list[tuple[dict[str, str], str, str | None]] = [
    ({**EXEMPT, "no_proxy": "a.example hooks.example.com"}, WEB, None),  # libcurl before 8
    ({**EXEMPT, "no_proxy": "localhost,*"}, WEB, None),
    ({**EXEMPT, "no_proxy": "*.example.com"}, WEB, None),
    ({**EXEMPT, "no_proxy": "*.example.com"}, "https://other.example/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "hooks.example.com:443"}, WEB, None),
    ({**EXEMPT, "no_proxy": "hooks.example.com:8443"}, WEB, "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "example.com:8443"}, "https://hooks.example.com:8443/", None),
    ({**EXEMPT, "no_proxy": "192.0.2.7:443"}, "https://192.0.2.7/", None),
    ({**EXEMPT, "no_proxy": "[2001:db8::1]"}, "https://[2001:db8::1]/", None),
    ({**EXEMPT, "no_proxy": "[2001:db8::1]:8443"}, "https://[2001:db8::1]:8443/", None),
    ({**EXEMPT, "no_proxy": "[2001:db8::1]:8443"}, "https://[2001:db8::1]/", "127.0.0.11:3128"),
    ({**EXEMPT, "no_proxy": "https://hooks.example.com/"}, WEB, None),
    ({**EXEMPT, "no_proxy": "bücher.example"}, "https://xn--bcher-kva.example/", None),
    ({**EXEMPT, "no_proxy": "xn--bcher-kva.example"}, "https://www.bücher.example/", None),
    (EXEMPT, "http://localhost:8080/", None),
    (EXEMPT, "http://127.0.0.1:8080/", None),
    (EXEMPT, "https://[::1]/", None),
    (EXEMPT, "https://app.localhost/", None),
    ({"https_proxy": "http://"}, WEB, "unusable"),
    ({"https_proxy": "http:///x"}, WEB, "unusable"),
    ({"https_proxy": "http://proxy.example:0"}, WEB, "unusable"),
    ({"https_proxy": "http://a proxy:1"}, WEB, "unusable"),
    ({"https_proxy": "\u200bhttp://x:1"}, WEB, "unusable"),
    ({"https_proxy": "::1"}, WEB, "unusable"),
]


@pytest.mark.parametrize(("environ", "url", "expected"), AS_CURL)
def test_the_choice_is_that_of_libcurl(environ: dict[str, str], url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (chosen(environ, url), by_curl(environ, url, monkeypatch)) == (expected, expected)


@pytest.mark.parametrize(("environ", "url", "expected"), BEYOND_CURL)
def test_what_others_understand_is_understood(environ: dict[str, str], url: str, expected: str | None) -> None:
    assert chosen(environ, url) == expected


@pytest.mark.parametrize(
    ("written", "login"),
    [
        ("http://me:pass@p.example", ("me", "pass")),
        ("http://me@p.example", ("me", "")),
        ("http://me:@p.example", ("me", "")),
        ("http://m%40e:p%3Aa%2Fss%25@p.example", ("m@e", "p:a/ss%")),
        ("me:pass@p.example:1", ("me", "pass")),
        ("http://me:a@b@p.example", ("me", "a@b")),
        ("http://p.example", (None, "")),
    ],
)
def test_a_login_is_percent_decoded_and_never_shown(written: str, login: tuple[str | None, str]) -> None:
    found = Proxies.of({"https_proxy": written}).for_url(WEB)
    assert found is not None
    assert (found.username, found.password) == login
    assert "pass" not in f"{found} {found!r} {found.url}"


@pytest.mark.parametrize(
    ("environ", "variable", "words"),
    [
        ({"HTTPS_PROXY": "ftp://p.example"}, "HTTPS_PROXY", "not supported: ftp"),
        ({"all_proxy": "http://me:hush@[::1"}, "all_proxy", "does not name a host and a port"),
        ({"https_proxy": "http://me:hush@p.example:99999"}, "https_proxy", "does not name a host and a port"),
        ({"NO_PROXY": "localhost,10.0.0.0/40"}, "NO_PROXY", "'10.0.0.0/40'"),
        ({"no_proxy": "fd07::/200"}, "no_proxy", "'fd07::/200'"),
    ],
)
def test_a_fault_names_its_variable_and_no_secret(environ: dict[str, str], variable: str, words: str) -> None:
    (fault,) = Proxies.of(environ).faults
    assert fault.variable == variable
    assert words in fault.message
    assert "hush" not in f"{fault}"


def test_a_faulty_exemption_costs_no_other() -> None:
    found = Proxies.of({**EXEMPT, "NO_PROXY": "10.0.0.0/40,example.com"})
    assert found.for_url(WEB) is None


def test_nothing_is_proxied_by_default() -> None:
    assert DIRECT.for_url(WEB) is None
