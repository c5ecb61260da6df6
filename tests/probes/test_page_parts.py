"""The parts of reading a page: bounds against hostile ones, what is kept between looks, structure before words."""

import sys
import time
from collections.abc import Iterator

import pytest
from tests.probes._reading import Reading

from vigie.core.model import Cause
from vigie.probes.kit.http.page.parse import Page, excerpt, fold, host_in, parse, site_of
from vigie.probes.kit.http.page.signs import Family
from vigie.report.wording import short_words
from vigie.text import LANGUAGES, pick
from vigie.text.pages import PAGES

HTML = {"content-type": "text/html"}
HOST = "www.example.com"
MEGABYTE = 1_048_576


def read(body: bytes | str, host: str = HOST) -> Page:
    return parse(body.encode() if isinstance(body, str) else body, HTML, host)


def cause(body: bytes | str) -> Cause | None:
    verdict, _ = Reading().read(200, HTML, body.encode() if isinstance(body, str) else body, HOST)
    return None if verdict is None else verdict.cause


def filled(unit: bytes, start: bytes = b"", end: bytes = b"") -> bytes:
    room = MEGABYTE - len(start) - len(end)
    return start + (unit * (room // len(unit) + 1))[:room] + end


def hostile() -> Iterator[tuple[str, bytes]]:
    names = b" ".join(b"a%d" % number for number in range(150_000))
    yield "only brackets", filled(b"<")
    yield "deep", filled(b"<div>")
    yield "deep lists", filled(b"<ul><li>")
    yield "deep just below the bound", b"<ul><li>" * 1_100
    yield "deep, and closed by others", filled(b"<div></x>")
    yield "deep formatting", filled(b"<font size=1><b>")
    yield "distinct formatting", b"".join(b"<font size=%d>" % number for number in range(70_000))
    yield "deep tables", filled(b"<table><tr><td>")
    yield "one giant attribute", filled(b"x", b'<a title="', b'">')
    yield "many attributes", b"<a " + names + b">"
    yield "many attributes, hidden by quotes", b'<a x"="> " ' + names + b">"
    yield "many attributes, after much", b"<p>bread</p>" * 15_000 + b"<a " + names + b">"
    yield "entities", filled(b"&CounterClockwiseContourIntegral;")
    yield "broken entities", filled(b"&")
    yield "invalid bytes", bytes(range(256)) * 4_096
    yield "lone surrogates", filled(b"\xed\xa0\x80<p>")
    yield "an open comment", filled(b"x", b"<!--")
    yield "an open script", filled(b"<!--<script>", b"<script>")
    yield "an open quote", filled(b'="', b"<a ")
    yield "hex names", filled(b"\\x41", b"<script>" + b"_0x1234 " * 9, b"</script>")
    yield "codes to unpack", filled(b"%41", b"<script>eval(unescape('", b"'))</script>")
    yield "hidden in hidden", filled(b"<div style='display:none'><a href=//x.example>casino</a>")
    yield "fatal errors", filled(b"<b>Fatal error</b>:  x ", end=b" on line 3")
    raised = b"<title>OvenError at /x</title><h1>OvenError</h1>"
    yield "paths without an end", filled(b"/srv/a.aa", raised)
    yield "frames without a number", filled(b"in a.py in b.rb at c(", raised)
    yield "one long path", filled(b"a", raised)
    yield "messages of PHP without an end", filled(b"<br />\n<b>Warning</b>:  x in <b>", end=b"</b> on line 3")
    yield "lines of PHP without an end", filled(b"</p>\nWarning: " + b" in /a" * 90 + b"\n", end=b" on line 3")
    yield "a listing without an end", filled(b"<a href=a>a</a>", b"<title>Index of /</title><h1>Index of /</h1>")
    yield "a short text of one word", b"<title>" + b"a" * 300 + b"</title>" + b"error " * 360
    yield "a short text of dots", b"<h1>" + b"a.aa " * 60 + b"</h1>" + b"domain " * 200


@pytest.mark.parametrize(("name", "body"), list(hostile()), ids=[name for name, _ in hostile()])
def test_a_hostile_page_costs_little(name: str, body: bytes) -> None:
    """A few times what an ordinary page of its size takes, on whatever machine; what is not linear takes hundreds of times as long."""
    ordinary = filled(b"<p>some words of a page, <a href=/next>and a link</a>, <b>and more</b> of them</p>")

    assert cost(body) < 15 * cost(ordinary) + 0.005, name


def cost(body: bytes) -> float:
    """CPU seconds of reading a page once, the least of three."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        Reading().read(200, HTML, body, HOST)
        spent.append(time.process_time() - started)
    return min(spent)


@pytest.mark.parametrize("body", [filled(b"<"), filled(b"<div>"), b"<a " + b" ".join(b"a%d" % n for n in range(50_000)) + b">"])
def test_what_was_not_read_to_its_end_is_never_called_blank(body: bytes) -> None:
    assert not read(body).whole
    assert cause(body) is None


def test_of_a_page_too_large_its_beginning_and_its_end_are_read() -> None:
    body = b"<title>Big</title><p>first</p>" + b"<p>bread</p>" * 60_000 + b'<script src="//cdn.example/last.js"></script>'

    page = read(body)

    assert len(excerpt(body)) < len(body) / 2
    assert page.title == "big"
    assert page.text.split()[0] == "first"
    assert page.script_hosts == ("cdn.example",)


def test_a_large_picture_in_an_attribute_is_no_attack() -> None:
    body = b'<h1>Map</h1><img src="data:image/png;base64,' + b"QUFB" * 40_000 + b'"><p>later</p>'

    assert read(body).whole
    assert "later" in read(body).text


def test_the_last_page_is_remembered_by_some_hundred_bytes() -> None:
    reader = Reading()
    verdict, facts = reader.read(200, HTML, filled(b"<p>bread and butter</p>"), HOST)

    kept = [getattr(reader.reader, name) for name in ("_last", "_trusted")]
    size = sum(sys.getsizeof(one) + sum(sys.getsizeof(part) for part in (one if isinstance(one, tuple) else ())) for one in kept)
    assert (verdict, facts is None) == (None, False)
    assert size < 600


@pytest.mark.parametrize("change", ["body", "status", "type", "host"])
def test_a_look_is_new_when_anything_that_it_depends_on_is(change: str) -> None:
    reader = Reading()
    reader.read(200, HTML, b"<p>bread</p>", HOST)

    _, same = reader.read(200, HTML, b"<p>bread</p>", HOST)
    _, other = reader.read(
        201 if change == "status" else 200,
        {"content-type": "application/xhtml+xml"} if change == "type" else HTML,
        b"<p>Bread</p>" if change == "body" else b"<p>bread</p>",
        "other.example" if change == "host" else HOST,
    )

    assert same is None
    assert other is not None


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        ("Хлеб".encode("cp1251"), "text/html; charset=windows-1251", "хлеб"),
        ("<meta charset=shift_jis>パン".encode("cp932"), "text/html", "パン"),
        ("Bäckerei".encode(), "text/html", "bäckerei"),
        ("Bäckerei".encode("latin-1"), "text/html", "bäckerei"),
        ("<p>Pain</p>".encode("utf-16"), "text/html", "pain"),
        (b"\x1b$B%Q%s\x1b(B", "text/html; charset=iso-2022-jp", "パン"),
    ],
)
def test_a_page_is_read_in_its_own_characters(body: bytes, kind: str, word: str) -> None:
    assert word in parse(body, {"content-type": kind}, HOST).lead


def test_words_are_folded_to_one_spelling() -> None:
    assert fold("  We’ll\n be\xa0BACK !") == "we'll be back!"
    assert read("<h1>Page <b>not</b> found</h1><p>Error<b>:</b> x").headings == ("page not found",)


def test_what_is_not_drawn_is_not_read() -> None:
    page = read("<p>bread</p><div style='display: none'>Internal Server Error</div><p hidden>502</p><noscript>Enable it</noscript>")

    assert page.lead == "bread"


def test_elements_hidden_within_hidden_ones_are_taken_out_unharmed() -> None:
    inner = "<span hidden>x</span><p style='visibility:hidden'>y</p>"
    page = read(f"<p>bread</p><div style='display:none'>{inner}<div style='display:none'>{inner}</div></div>" * 20)

    assert page.lead.split() == ["bread"] * 20


@pytest.mark.parametrize(
    ("text", "least", "most"), [("bread " * 900, 880, 920), ("面包很好吃" * 300, 600, 900), ("bread", 1, 1), ("", 0, 0)]
)
def test_words_are_counted_or_estimated(text: str, least: int, most: int) -> None:
    assert least <= read(f"<p>{text}</p>").words <= most


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://CDN.Example.com:8443/a.js?x=//y", "cdn.example.com"),
        ("//user:pw@cdn.example/a", "cdn.example"),
        ("/local//path", ""),
        ("javascript:void(0)//x", ""),
        ("https://", ""),
        ("mailto:a@b.example", ""),
    ],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    assert host_in(url) == host


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("www.shop.example.com", "example.com"),
        ("shop.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)
def test_the_site_of_a_host(host: str, site: str) -> None:
    assert site_of(host) == site


def test_own_scripts_and_links_are_not_told_as_foreign() -> None:
    page = read(
        '<script src="https://static.example.com/a.js"></script><a href="https://blog.example.com/">b</a><a href="//other.example/">o</a>'
    )

    assert (page.script_hosts, page.link_hosts) == ((), ("other.example",))


# Structure before words: the same words, elsewhere

SITE = (
    "<!doctype html><html lang=en><head><title>{title}</title></head><body><header><nav><a href=/>Home</a><a href=/shop>Shop</a>"
    "<a href=/news>News</a><a href=/contact>Contact</a></nav></header><main>{main}</main><footer><a href=/legal>Legal</a></footer></body></html>"
)
TEXT = "<p>" + "We bake every loaf by hand and open at seven. " * 6 + "</p>"


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        (
            "<title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>",
            SITE.format(title="502 Bad Gateway", main="<h1>502 Bad Gateway</h1>" + TEXT),
        ),
        (
            "<title>Maintenance</title><h1>We'll be back soon</h1>",
            SITE.format(title="Maintenance", main="<h1>Maintenance</h1><p>We service lifts.</p>"),
        ),
        (
            "<b>Fatal error</b>:  x in <b>/a.php</b> on line <b>3</b>",
            "<pre>&lt;b&gt;Fatal error&lt;/b&gt;:  x in a.php on line 3</pre><p>is what I see</p>",
        ),
        (
            "<title>Hacked by X</title><h1>Hacked by X</h1>",
            SITE.format(title="Hacked by X: a novel", main="<h1>Hacked by X: a novel</h1>" + TEXT),
        ),
        (
            TEXT * 3 + "<div style='position:absolute;left:-9999px'>" + "<a href=//x.example>cheap viagra</a>" * 3 + "</div>",
            TEXT * 3 + "<div>" + "<a href=//x.example>cheap viagra</a>" * 3 + "</div>",
        ),
        (
            TEXT + '<iframe src="http://x.example/in.cgi" width=0 height=0></iframe>',
            TEXT + '<iframe src="http://x.example/in.cgi" width=640 height=480></iframe>',
        ),
        (
            TEXT + "<script>eval(unescape('" + "%64%6f%63%75%6d%65%6e%74%2e%77%72%69%74%65%28%27%3c%73%63%72%69%70%74" * 2 + "'))</script>",
            TEXT + "<code>eval(unescape('" + "%64%6f%63%75%6d%65%6e%74%2e%77%72%69%74%65%28%27%3c%73%63%72%69%70%74" * 2 + "'))</code>",
        ),
        ("<html><body><div> </div></body></html>", "<html><body><div id=root></div><script src=/app.js></script></body></html>"),
    ],
    ids=["status", "maintenance", "php", "defacement", "spam", "frame", "script", "blank"],
)
def test_the_same_words_mean_nothing_where_they_are_matter(bad: str, good: str) -> None:
    assert cause(bad) is not None
    assert cause(good) is None


def test_every_family_has_its_words_in_both_languages() -> None:
    assert set(PAGES) == set(Family) - {Family.BLANK}
    for family in PAGES:
        for language in LANGUAGES:
            assert len(pick(PAGES[family], language)) <= 30
            assert short_words(Family(family).cause, {"family": family}, language)


LARGE = SITE.format(title="Blue Door Bakery", main="<h1>Bread</h1>" + TEXT * 20)


@pytest.mark.parametrize(
    "change",
    [
        ("</body>", '<script src="http://93.184.216.77/x.php"></script></body>'),
        ("<title>Blue Door Bakery", "<title>Buy Viagra and Cialis Online"),
        ("<main>", "<main><div style='display:none'>" + "<a href=//x.example>online casino</a>" * 4 + "</div>"),
        ("</main>", "<b>Fatal error</b>:  x in <b>/a.php</b> on line <b>3</b>"),
        ("</main>", '</main><iframe src="http://x.example/in.cgi" width=0 height=0></iframe>'),
    ],
    ids=["script", "title", "links", "end", "frame"],
)
def test_what_a_verdict_on_a_large_page_stands_on_is_looked_at_anew(change: tuple[str, str]) -> None:
    reader = Reading()
    bad = LARGE.replace(*change)
    bad = bad[: bad.index("</b>", bad.index("on line")) + 4] if "on line" in bad else bad

    before, _ = reader.read(200, HTML, LARGE.encode(), HOST)
    found, _ = reader.read(200, HTML, bad.encode(), HOST)
    kept, facts = reader.read(200, HTML, bad.replace("by hand and", "by hands and", 9).encode(), HOST)
    after, _ = reader.read(200, HTML, LARGE.encode(), HOST)

    assert not read(LARGE).small
    assert (before, after) == (None, None)
    assert found is not None
    assert found == kept
    assert facts is not None
