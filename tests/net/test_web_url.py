"""URLs as browsers read them (the standard's own test data in small), and as people are to see them."""

import pytest

from vigie.net import redact_url, web_url
from vigie.net.names import ascii_name, is_loopback, readable_name
from vigie.net.web_url import readable_host, readable_url

BASE = "https://ann:pw@shop.example:8443/a/b?c#d"


@pytest.mark.parametrize(
    ("url", "base", "href"),
    [
        ("  https://Shop.EXAMPLE:443/a\tb\n ", None, "https://shop.example/ab"),
        ("HTTP:\\\\shop.example\\a?b\\c", None, "http://shop.example/a?b\\c"),
        ("http:/\\shop.example", None, "http://shop.example/"),
        ("https:shop.example", None, "https://shop.example/"),
        ("http:///shop.example", None, "http://shop.example/"),
        ("http://0x7f.1", None, "http://127.0.0.1/"),
        ("http://2130706433/", None, "http://127.0.0.1/"),
        ("http://0177.0.0.1/", None, "http://127.0.0.1/"),
        ("http://127.1:80/", None, "http://127.0.0.1/"),
        ("http://[::1]:80/", None, "http://[::1]/"),
        ("http://[0:0::0.0.0.1]/", None, "http://[::1]/"),
        ("http://b%C3%BCcher.example/ü?ü#ü", None, "http://xn--bcher-kva.example/%C3%BC?%C3%BC"),
        ("http://ＳＨＯＰ。example/", None, "http://shop.example/"),
        ("http://straße.example/", None, "http://xn--strae-oqa.example/"),
        ("http://a.example/./b/../%2E%2e/c/.%2e/", None, "http://a.example/"),
        ('http://a.example/"<>{}`|^ \\', None, "http://a.example/%22%3C%3E%7B%7D%60|%5E%20/"),
        ("http://a.example/?\"<>{}`|^ '", None, "http://a.example/?%22%3C%3E{}`|^%20%27"),
        ("http://a b:c d@a.example/", None, "http://a%20b:c%20d@a.example/"),
        ("http://a.example/%zz%", None, "http://a.example/%zz%"),
        ("WSS://a.example", None, "wss://a.example/"),
        ("", BASE, "https://ann:pw@shop.example:8443/a/b?c"),
        ("#x", BASE, "https://ann:pw@shop.example:8443/a/b?c"),
        ("?x", BASE, "https://ann:pw@shop.example:8443/a/b?x"),
        ("x/../y", BASE, "https://ann:pw@shop.example:8443/a/y"),
        ("/x", BASE, "https://ann:pw@shop.example:8443/x"),
        ("//other.example", BASE, "https://other.example/"),
        ("\\\\other.example\\x", BASE, "https://other.example/x"),
        ("https:x", BASE, "https://ann:pw@shop.example:8443/a/x"),
        ("http:x", BASE, "http://x/"),
    ],
)
def test_a_url_is_read_as_browsers_read_it(url: str, base: str | None, href: str) -> None:
    assert web_url(url, base).href == href


@pytest.mark.parametrize(
    "url",
    [
        "", "shop.example", "/a", "http://", "http://a b/", "http://a:99999/", "http://a:b/", "http://[::1", "http://[fe80::1%25eth0]/", "http://1.2.3.4.5/",
        "http://256.256.256.256/", "http://a%2fb/", "http://a\x00b/", "ftp://a/", "file:///a", "javascript:alert(1)", "data:,x", "http://\ud800/", "http://a．１/",
    ],
)  # fmt: skip
def test_what_browsers_cannot_read_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        web_url(url)


@pytest.mark.parametrize(
    ("url", "shown", "host"),
    [
        ("https://Bücher.example/é?q=é", "https://Bücher.example/é?q=é", "bücher.example"),
        ("https://SHOP.example:8443", "https://SHOP.example:8443", "shop.example"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("http://127.1/", "http://127.0.0.1/", "127.0.0.1"),
        ("http:\\\\shop.example\\a", "http://shop.example/a", "shop.example"),
        ("http://a.example\\@b.example/", "http://a.example/@b.example/", "a.example"),
        (" http://shop.example/a b ", "http://shop.example/a%20b", "shop.example"),
    ],
)
def test_people_see_what_was_written_unless_it_misleads(url: str, shown: str, host: str) -> None:
    read = web_url(url)

    assert readable_url(url, read.href, read.host) == shown
    assert readable_host(url, read.host) == host


@pytest.mark.parametrize(
    "url", ["http:\\\\ann:hunter2@host/", "http:/ann:hunter2@host/", "https:ann:hunter2@host/", "http://a\\@ann:hunter2@b/"]
)
def test_a_login_that_only_browsers_see_is_not_shown(url: str) -> None:
    assert "hunter2" not in redact_url(url)


@pytest.mark.parametrize("name", ["a／b.example", "ü：80.example", "ü＠b.example", "xn--ü.example", "a\u200db.example", "ü％41.example"])
def test_a_name_with_what_no_name_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        ascii_name(name)


@pytest.mark.parametrize(
    ("name", "read"),
    [("xn--bcher-kva.example", "bücher.example"), ("shop.example", "shop.example"), ("xn--a.example", "xn--a.example"), ("", "")],
)
def test_punycode_is_read_back(name: str, read: str) -> None:
    assert readable_name(name) == read


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.8.9.1", True), ("::1", True), ("[::1]", True), ("a.localhost", True), ("192.0.2.1", False), ("localhost.example", False)],
)
def test_which_hosts_are_this_machine(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours
