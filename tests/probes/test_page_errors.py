"""Error pages by their structure: each kind in several forms that no table names, and beside each a page about that very thing.

All of it is written here; only the marks by which a program's page is known are the programs'.
"""

import time

import pytest
from tests.probes._reading import Reading

from vigie.core.model import Status
from vigie.probes.kit.http.page.reasons import status_said
from vigie.probes.kit.http.page.translations import TRANSLATED
from vigie.probes.kit.verdict import Verdict

HOST = "www.example.com"
PROSE = "<p>We bake every loaf by hand and open at seven in the morning. The oven was built by the founder's brother.</p>"


def look(body: str, kind: str = "text/html", *, trusted: bool = False, status: int = 200) -> Verdict | None:
    headers = {"content-type": kind} if kind else {}
    return Reading(trusted=trusted).read(status, headers, body.encode(), HOST)[0]


def signature(body: str, kind: str = "text/html") -> str | None:
    verdict = look(body, kind)
    return None if verdict is None else str(verdict.figures["signature"])


def page(title: str, main: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{main}</body></html>"


def site(title: str, main: str) -> str:
    menu = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("bread", "cakes", "shop", "about", "contact"))
    return page(title, f"<header><nav><ul>{menu}</ul></nav></header><main>{main}</main><footer><a href=/imprint>Imprint</a></footer>")


# A page that is a status and nothing else.


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (page("410 Gone", "<h1>Gone</h1><p>It is here no longer.</p>"), "HTTP 410"),
        (page("402 Payment Required", "<h1>402 Payment Required</h1><hr>engine/3"), "HTTP 402"),
        (page("Error: 501 Not Implemented", "<h1>Error: 501 Not Implemented</h1><pre>no</pre>"), "HTTP 501"),
        (page("", "<h1>418</h1><h2>I'm a teapot</h2>"), "HTTP 418"),
        (page("417: Expectation Failed", "417: Expectation Failed"), "HTTP 417"),
        (page("HTTP 415 - Unsupported Media Type", "<h2>Unsupported Media Type</h2>"), "HTTP 415"),
        (page("500 Cannot reach the oven", "<h1>Cannot reach the oven</h1><p>Made by some proxy.</p>"), "HTTP 500"),
        ("<html>Gateway Timeout</html>", "HTTP 504"),
        (page("Błąd serwera (500)", "<h1>Błąd serwera <em>(500)</em></h1><p>Coś się stało.</p>"), "HTTP 500"),
        (page("Hata 503", "<h1>Hizmet yok</h1><h3>Hata 503</h3>"), "HTTP 503"),
    ],
)
def test_a_status_that_is_all_a_page_says(body: str, name: str) -> None:
    assert signature(body) == name


@pytest.mark.parametrize(
    "body",
    [
        page("410 Gone", "<h1>410 Gone</h1><p>In this chapter we look at the HTTP status code 410 and when to send it.</p>"),
        page("404 Bricks", "<h1>404 Bricks</h1><canvas></canvas><p>Arrow keys to move.</p>"),
        page("Conflict", "<h1>Conflict</h1><p>A novel in three parts.</p>"),
        page("Gone", "<h1>Gone</h1><p>A film.</p>"),
        page("Bad Gateway – live in Leeds", "<h1>Bad Gateway</h1><p>Four people, two synths.</p><img src=band.jpg>" + PROSE),
        site("502 Bad Gateway explained", "<h1>502 Bad Gateway explained</h1>" + PROSE * 3),
        page("500 Broadway", "<h1>500 Broadway</h1><p>Flats to let.</p>"),
        page("Locked", "<h1>Locked</h1>"),
        page("", "<h1>451</h1>" + PROSE),
    ],
)
def test_a_page_that_only_shares_the_words(body: str) -> None:
    assert look(body) is None


def test_a_rate_limit_is_a_block() -> None:
    verdict = look(page("429 Too Many Requests", "<h1>Too Many Requests</h1>"))

    assert verdict is not None
    assert verdict.status is Status.DEGRADED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("404 not found", (404, True)),
        ("http error 503 - service unavailable", (503, True)),
        ("not found (404)", (404, True)),
        ("bad gateway", (502, False)),
        ("404", (404, True)),
        ("404 bricks", None),
        ("404 not found 503", None),
        ("200 ok", None),
        ("", None),
        ("sayfa bulunamadı", (404, False)),
    ],
)
def test_what_status_a_title_is(text: str, said: tuple[int, bool] | None) -> None:
    assert status_said(text) == said


# The same in the frame of a site, in languages that have no table of phrases.


@pytest.mark.parametrize(
    "phrase", ["siden blev ikke fundet", "sivua ei löydy", "ไม่พบหน้า", "العثور", "stránka nenájdená", "페이지를 찾을 수 없습니다"]
)
def test_not_found_in_the_frame_of_a_site(phrase: str) -> None:
    known = phrase in TRANSLATED

    found = look(site(f"{phrase.capitalize()} | My site", f"<h1>{phrase}</h1><p>Lorem ipsum dolor sit amet.</p><p><a href=/>Dolor</a></p>"))

    assert (found is not None) is known


def test_a_site_whose_page_is_called_so_is_up() -> None:
    assert look(site("Sivua ei löydy | Elokuvat", "<h1>Sivua ei löydy</h1>" + PROSE * 4)) is None
    assert look(site("Elokuvat", "<h1>Sivua ei löydy</h1><p>Elokuva.</p>")) is None
    assert look(site("Sivua ei löydy | Elokuvat", "<h1>Elokuvat</h1><p>Sivua ei löydy.</p>")) is None


# Documents of servers, whatever their language.

DOCUMENT = '<title>Nah {0}</title><link rev="made" href="mailto:a@b.example"></head><body><h1>Nah {0}</h1><p>Lorem.</p><h2>Error {1}</h2>'


@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_apaches_document_in_a_language_that_nobody_listed(code: int) -> None:
    assert signature(DOCUMENT.format("quxo", code) + "<address><a href=/>host</a></address>") == "Apache error document"


def test_a_page_with_an_address_is_no_document_of_apaches() -> None:
    assert look(DOCUMENT.format("quxo", "in the oven") + "<address>Mill Lane 3</address>") is None
    assert look(page("Nah", "<h1>Nah</h1><h2>Error 404</h2>" + PROSE * 5)) is None
    assert (
        look(page("Keys of the oven", "<h1>Keys of the oven</h1><h2>Usage</h2><p>Press twice.</p><address>Mill Lane 3</address>")) is None
    )


@pytest.mark.parametrize("name", ["ERR_DNS_FAIL", "ERR_CONNECT_FAIL", "ERR_ACCESS_DENIED"])
def test_squids_page_in_a_language_that_nobody_listed(name: str) -> None:
    body = f'<body id="{name}"><div id="titles"><h1>QUXO</h1><h2>lorem ipsum</h2></div><div id="content">dolor</div></body>'

    assert signature(page("QUXO: lorem", body)) == "Squid error page"
    assert look(page("Squid", f"<p>The template begins with</p><pre>{body.replace('<', '&lt;')}</pre>" + PROSE)) is None


# Listings.


def listing(path: str, *names: str, title: str = "Index of {0}", form: str = '<li><a href="{0}">{0}</a></li>', extra: str = "") -> str:
    head = title.format(path)
    return page(head, f'<h1>{head}</h1>{extra}<ul><li><a href="../">..</a></li>' + "".join(form.format(name) for name in names) + "</ul>")


@pytest.mark.parametrize(
    "title", ["Index of {0}", "Directory listing for {0}", "listing directory {0}", "Directory: {0}", "Contents of {0}"]
)
@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", ("notes.txt", "old", "photo.jpg")),
        ("/shop", ("index.php~", "style.css", "images")),
        ("/", ("css", "js", "img")),
        ("/app/", (".env", "composer.json", "vendor")),
        ("/", ()),
    ],
)
def test_a_listing_where_a_page_was(title: str, path: str, names: tuple[str, ...]) -> None:
    verdict = look(listing(path, *names, title=title))

    assert verdict is not None
    assert verdict.figures["family"] == "listing"


@pytest.mark.parametrize(
    "body",
    [
        listing("/", "tool-1.0.tar.gz", "tool-1.1.tar.gz", "SHA256SUMS"),
        listing("/", "dists", "pool", "ls-lR.gz"),
        listing("/", "debian", "ubuntu", "index.html"),
        listing("/iso", "disk.iso", "disk.iso.sig"),
        listing("/holiday", "a.jpg", "b.jpg"),
        listing("/pub"),
        listing("/", "a", "b", extra=PROSE),
        listing("/", "backup.log", "access.log"),
        page("Index of terms", "<h1>Index of terms</h1>" + "".join(f'<a href="#{name}">{name}</a> ' for name in ("oven", "loaf"))),
        page("Coverage of all files", "<h1>/</h1><table><tr><td><a href=oven.html>oven</a><td><a href=loaf.html>loaf</a></table>"),
        page("Index of /", "<h1>How to switch off the listing Index of /</h1>" + PROSE * 3),
        site("Directory listings", "<h1>Directory listings</h1><pre>Index of /\n../\nstyle.css</pre>" + PROSE),
    ],
    ids=[
        "releases",
        "archive",
        "mirror",
        "images",
        "photos",
        "empty below the root",
        "own text",
        "logs",
        "book",
        "coverage",
        "howto",
        "manual",
    ],
)
def test_a_listing_that_is_meant_and_a_page_about_one(body: str) -> None:
    assert look(body) is None


@pytest.mark.parametrize(
    "body",
    [
        page("/", '<header><h1><a href="/">/</a></h1></header><main><a href="./notes/">notes/</a><a href="./a.txt">a.txt</a></main>'),
        page(
            "shop",
            '<header><h1><a href="../">/</a><a href="">shop</a>/</h1></header><a href="./index.php">index.php</a><a href="./a.css">a.css</a>',
        ),
        page("host - /", '<h1>host - /</h1><pre>1/2/2024 <a href="/notes/">notes</a><br>1/2/2024 10 <a href="/a.txt">a.txt</a></pre>'),
        '<pre>\n<a href="app.js">app.js</a>\n<a href="style.css">style.css</a>\n</pre>',
    ],
    ids=["bare path", "crumbs", "host and path", "no title"],
)
def test_a_listing_that_does_not_call_itself_one(body: str) -> None:
    verdict = look(body)

    assert verdict is not None
    assert verdict.figures["family"] == "listing"


def test_whoever_expects_the_listing_gets_it() -> None:
    assert look(listing("/", "notes.txt", "style.css"), trusted=True) is None


# Debug pages.

FRAMES = {
    "python": '<p>File "/srv/app/views.py", line 12, in show</p><p>File "/srv/lib/run.py", line 8, in call</p><p>File "/srv/lib/wsgi.py", line 3, in main</p>',
    "ruby": "<pre>/srv/app/show.rb:12:in `show'\n/srv/lib/run.rb:8:in `call'\n/srv/lib/rack.rb:3:in `main'</pre>",
    "node": "<pre>at show (/srv/app/show.js:12:3)\nat call (/srv/lib/run.js:8:1)\nat main (node:internal/main:3:1)</pre>",
    "perl": "<ol><li>main in /srv/app/show.pm line 12</li><li>Run in /srv/lib/Run.pm line 8</li><li>in /srv/lib/Psgi.pm line 3</li></ol>",
    "java": "<pre>at a.b.Show.show(Show.java:12)\nat a.b.Run.call(Run.java:8)\nat a.b.Main.main(Main.java:3)</pre>",
    "spans": "<div><span>/srv/a/show.py</span>:<span>12</span> in x</div><div><span>/srv/b/run.py</span>:<span>8</span> in y</div><div><span>/srv/c/m.py</span>:<span>3</span></div>",
}


@pytest.mark.parametrize("language", FRAMES)
@pytest.mark.parametrize(
    ("title", "heading"),
    [
        ("OvenError: too cold", "OvenError"),
        ("OvenError at /bread", "OvenError at /bread"),
        ("The Quxo Debugger", "app.OvenError: too cold"),
        ("500 Internal Server Error", "500 Internal Server Error"),
        ("Error", "Oven\\Cold\\OvenException"),
    ],
)
def test_a_debug_page_of_an_unknown_framework(language: str, title: str, heading: str) -> None:
    body = page(title, f"<h1>{heading}</h1><h2>OvenError: too cold</h2>{FRAMES[language]}<table><tr><td>PATH<td>/usr/bin</table>")

    assert signature(body) is not None


@pytest.mark.parametrize("language", FRAMES)
def test_a_page_that_quotes_a_trace(language: str) -> None:
    quoted = FRAMES[language]
    assert look(site("OvenError: too cold - Help forum", f"<h1>OvenError: too cold</h1>{quoted}<p>What is wrong?</p>")) is None
    assert look(page("How to read a trace", f"<h1>How to read a trace</h1>{PROSE}{quoted}")) is None
    assert look(page("Oven diary", f"<h1>Oven diary</h1>{PROSE}<pre>OvenError: too cold</pre>{quoted}")) is None


# PHP.


@pytest.mark.parametrize("kind", ["Warning", "Notice", "Deprecated"])
@pytest.mark.parametrize("end", ["<br />\n", "<br />\r\n"])
def test_a_message_of_php_in_a_page_that_works(kind: str, end: str) -> None:
    message = f"<br />\n<b>{kind}</b>:  Undefined thing in <b>/srv/www/shop.php</b> on line <b>12</b>{end}"

    verdict = look(site("Shop", f"<h1>Shop</h1>{PROSE * 4}{message}{PROSE}"))

    assert verdict is not None
    assert (verdict.status, verdict.figures["signature"]) == (Status.DEGRADED, "PHP message")
    assert verdict.message == "the page shows an application's error: PHP message (markup)"
    alone = look(message)
    assert alone is not None
    assert alone.status is Status.DOWN


def test_a_fatal_error_amid_a_page_is_down() -> None:
    verdict = look(
        site(
            "Shop", f"{PROSE * 4}<br />\n<b>Fatal error</b>:  Uncaught X in /a.php:3\nthrown in <b>/srv/a.php</b> on line <b>3</b><br />\n"
        )
    )

    assert verdict is not None
    assert verdict.status is Status.DOWN


def test_a_line_of_php_without_markup() -> None:
    assert look(site("Shop", f"<h1>Shop</h1>{PROSE * 4}\nWarning: Undefined thing in /srv/www/shop.php on line 12\n{PROSE}")) is not None
    assert look(f"\nDeprecated: old thing in C:\\www\\shop.php on line 3\n{page('Shop', PROSE * 3)}") is not None


@pytest.mark.parametrize("quote", ["<pre>{0}</pre>", "<code>{0}</code>", "<textarea>{0}</textarea>", "<!-- {0} -->", "<p>{0}</p>"])
def test_a_message_of_php_that_is_quoted(quote: str) -> None:
    message = "<br />\n<b>Warning</b>:  Undefined thing in <b>/srv/www/shop.php</b> on line <b>12</b><br />\n"
    if quote.startswith("<p>"):
        message = "<b>Warning</b>: Undefined thing in /srv/www/shop.php on line 12"

    assert look(site("Help", f"<h1>What does this mean?</h1>{PROSE * 3}{quote.format(message)}{PROSE}")) is None


def test_phpinfo_is_no_page() -> None:
    mark = '<meta name="ROBOTS" content="NOINDEX,NOFOLLOW,NOARCHIVE" />'
    table = '<tr><td class="e">System</td><td class="v">x</td></tr>' * 400

    assert signature(page("PHP 8.2.1 - phpinfo()", f'<h1 class="p">PHP Version 8.2.1</h1><table>{table}</table>', mark)) == "phpinfo()"
    assert look(site("PHP: phpinfo - Manual", "<h1>phpinfo</h1>" + PROSE * 3)) is None
    assert look(site("phpinfo() and what it shows", "<h1>phpinfo()</h1>" + PROSE * 3)) is None


# Without markup.


@pytest.mark.parametrize(
    "text",
    [
        "Internal Server Error",
        "Bad Gateway\n",
        "404 page not found",
        "404: Not Found",
        "HTTP 503 Service Unavailable",
        "no healthy upstream",
        "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        "default backend - 404",
        "Forbidden",
        "Service Unavailable",
        "413 Payload Too Large",
        "500 Internal Server Error\n\nThe oven is cold.",
        "Not Found\n\nThe requested resource was not found on this server.\n",
        "Cannot GET /bread",
        "dial tcp 10.0.0.3:80: connect: connection refused",
        "Something went wrong.",
        "A server error occurred.  Please contact the administrator.",
        'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in bake\n    1/0\nZeroDivisionError: division by zero\n',
        "TypeError: oven is undefined\n    at bake (/srv/bread.js:3:9)\n    at main (/srv/main.js:1:1)",
        "panic: oven is cold\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/main.go:3 +0x1d",
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", ""])
def test_a_text_that_is_nothing_but_an_error(text: str, kind: str) -> None:
    assert look(text, kind) is not None
    assert look(text, kind, trusted=True) is None
    assert look(text, kind, status=404) is None


@pytest.mark.parametrize(
    "text",
    [
        "OK",
        "pong",
        "healthy",
        "Locked",
        "Gone",
        "Conflict",
        "404",
        "not found: 0\nfound: 12",
        "error_count 0\nrequests_total 41\n",
        "Errors: none",
        "Bad Gateway is a band from Leeds.",
        "404 Not Found\n\nThis chapter tells when the HTTP status code 404 is sent.",
        "User-agent: *\nDisallow: /not-found\n",
        "2024-03-01 12:00 upstream connect error or disconnect/reset before headers\n2024-03-01 12:01 recovered",
        'How to read it:\nTraceback (most recent call last):\n  File "/srv/a.py", line 3, in bake\n',
        '{"error": "Internal Server Error"}',
        "Something went wrong in the kitchen, and that is how the cake was invented by two sisters.\nIt is sold since.",
        "",
    ],
)
def test_a_text_that_is_something_else(text: str) -> None:
    assert look(text, "text/plain") is None


@pytest.mark.parametrize("start", ["", "Fatal error: ", "TypeError: ", "panic: ", "a.b.Exception", "Traceback (most recent call last):\n"])
@pytest.mark.parametrize("unit", ["a", "a.", " in ", "\nat a", "\n", " in /a", "404 ", "not found ", "x at y line 1\n"])
def test_a_hostile_text_costs_little(start: str, unit: str) -> None:
    ordinary, text = ("a line of some words\n" * 3_200)[:65_000], (start + unit * 65_000)[:65_000]

    assert min(spent(text) for _ in range(3)) < 30 * min(spent(ordinary) for _ in range(3)) + 0.005


def spent(text: str) -> float:
    started = time.process_time()
    look(text, "text/plain")
    return time.process_time() - started


def test_a_long_text_is_a_document() -> None:
    trace = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in bake\nOvenError\n'

    assert look(trace + "x" * 70_000, "text/plain") is None
