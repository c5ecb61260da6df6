"""The page behind a good status, by the real probe against real servers: each verdict, and a healthy neighbour of each."""

import gzip
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from vigie.config.convert import dec_hook
from vigie.core.model import Cause, CheckResult, PageFacts, Status
from vigie.probes.http import Config, build
from vigie.probes.kit.deps import ProbeDeps
from vigie.testing.servers import Handler, Serve, answering, page

Deps = Callable[[], ProbeDeps]

DATABASE_ERROR = b"<html><head><title>Database Error</title></head><body><h1>Error establishing a database connection</h1></body></html>"
BAKERY = (
    b"<!doctype html><html lang=en><head><title>Blue Door Bakery</title></head><body><header><nav><a href=/>Home</a></nav></header>"
    b"<main><h1>Bread</h1><p>We bake every loaf by hand and open at seven.</p></main></body></html>"
)
INJECTED = BAKERY + b'<script src="http://93.184.216.77/jquery.php"></script>'
CHALLENGE = b"<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt={cType:'managed'};</script>"
TUTORIAL = BAKERY.replace(b"We bake", b"The page says Error establishing a database connection, or Hacked by somebody. We bake")


async def look(make_deps: Deps, url: str, times: int = 1, **options: Any) -> CheckResult:
    """The last of several looks by one probe."""
    deps = make_deps()
    try:
        probe = build(msgspec.convert({"url": url, **options}, Config, dec_hook=dec_hook), deps)
        for _ in range(times - 1):
            await probe.check(15_000)
        return await probe.check(15_000)
    finally:
        deps.close()


async def ask(serve: Serve, make_deps: Deps, handler: Handler, **options: Any) -> CheckResult:
    async with serve(handler) as port:
        return await look(make_deps, f"http://127.0.0.1:{port}/", **options)


@pytest.mark.parametrize(
    ("body", "status", "cause", "message"),
    [
        (DATABASE_ERROR, Status.DOWN, Cause.CONTENT_ERROR_PAGE, "the page is a database error: WordPress database error (heading)"),
        (b" \n", Status.DOWN, Cause.CONTENT_BLANK, "the page is blank: nothing to read, see or run"),
        (INJECTED, Status.DOWN, Cause.CONTENT_TAMPERED, "the page shows an injected script: script from a bare address (script)"),
        (CHALLENGE, Status.DEGRADED, Cause.HTTP_BLOCKED, "the probe met a challenge for browsers: Cloudflare challenge (markup)"),
    ],
    ids=["error page", "blank", "tampered", "blocked"],
)
async def test_a_page_that_lies_with_a_good_status(
    body: bytes, status: Status, cause: Cause, message: str, serve: Serve, make_deps: Deps
) -> None:
    result = await ask(serve, make_deps, page(body))

    assert (result.status, result.cause, result.message) == (status, cause, message)
    assert set(result.figures) == {"signature", "family", "where"}
    assert result.http is not None
    assert result.http.status == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (TUTORIAL, "text/html", "200 OK"),
        (b"ok", "text/html", "200 OK"),
        (b"", "text/plain", "200 OK"),
        (b"<title>Shop</title>", "text/html", "200 OK"),
        (b"", "text/html", "204 No Content"),
        (BAKERY + b'<script src="https://www.googletagmanager.com/gtag/js"></script>', "text/html", "200 OK"),
        (b"<title>Sign in</title><form><input type=password><div class=cf-turnstile></div></form>", "text/html", "200 OK"),
        (b'{"error": "SQLSTATE[HY000] [2002] Connection refused"}', "text/html", "200 OK"),
        (DATABASE_ERROR, "text/plain", "200 OK"),
    ],
    ids=["talks about it", "tiny", "empty plain", "title alone", "no content", "third party", "captcha at a form", "json", "plain text"],
)
async def test_its_healthy_neighbour_is_up(body: bytes, kind: str, status: str, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(body, kind, status))

    assert result.status is Status.UP, result.message


@pytest.mark.parametrize("off", [False, "off"])
async def test_content_checks_can_be_switched_off(off: object, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(DATABASE_ERROR), content_checks=off)

    assert (result.status, result.page) == (Status.UP, None)


async def test_content_checks_may_be_written_on(serve: Serve, make_deps: Deps) -> None:
    assert (await ask(serve, make_deps, page(DATABASE_ERROR), content_checks="on")).cause is Cause.CONTENT_ERROR_PAGE


@pytest.mark.parametrize("expect", [{"keyword": "database"}, {"json": {"$.ok": True}}])
async def test_a_page_that_satisfies_its_owner_is_the_right_one(expect: dict[str, Any], serve: Serve, make_deps: Deps) -> None:
    body = DATABASE_ERROR if "keyword" in expect else b'{"ok": true}'

    assert (await ask(serve, make_deps, page(body), expect=expect)).status is Status.UP


async def test_tampering_is_seen_even_on_a_page_that_satisfies_its_owner(serve: Serve, make_deps: Deps) -> None:
    assert (await ask(serve, make_deps, page(INJECTED), expect={"keyword": "Bread"})).cause is Cause.CONTENT_TAMPERED


async def test_the_users_own_rule_speaks_first(serve: Serve, make_deps: Deps) -> None:
    assert (await ask(serve, make_deps, page(DATABASE_ERROR), expect={"keyword": "Bread"})).cause is Cause.CONTENT_MISSING


async def test_an_expected_error_status_is_up_whatever_its_page_says(serve: Serve, make_deps: Deps) -> None:
    lost = page(b"<title>404 Not Found</title><h1>404 Not Found</h1>", status="404 Not Found")

    assert (await ask(serve, make_deps, lost, expect={"status": 404})).status is Status.UP


async def test_a_challenge_with_an_error_status_is_but_blocked(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(CHALLENGE, status="403 Forbidden"))

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.HTTP_BLOCKED)
    assert result.http is not None
    assert result.http.status == 403


async def test_a_wall_may_say_so_in_a_header_alone(serve: Serve, make_deps: Deps) -> None:
    handler = page(b"<html></html>", status="503 Service Unavailable", more="cf-mitigated: challenge\n")

    assert (await ask(serve, make_deps, handler)).figures["where"] == "header"


@pytest.mark.parametrize("status", ["403 Forbidden", "429 Too Many Requests", "503 Service Unavailable", "500 Internal Server Error"])
async def test_a_plain_error_status_stays_one(status: str, serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(f"<title>{status}</title><h1>{status}</h1>".encode(), status=status))

    blocked = status.startswith("429")  # a rate limit that says so is a wall
    assert result.cause is (Cause.HTTP_BLOCKED if blocked else Cause.HTTP_STATUS)


async def test_what_is_slow_and_configured_to_be_down_outweighs_a_wall(serve: Serve, make_deps: Deps) -> None:
    result = await ask(serve, make_deps, page(CHALLENGE), expect={"latency": "0ms", "latency_status": "down"})

    assert (result.status, result.cause) == (Status.DOWN, Cause.LATENCY_THRESHOLD)


@pytest.mark.parametrize("method", ["HEAD", "POST"])
async def test_only_what_is_got_is_a_page(method: str, serve: Serve, make_deps: Deps) -> None:
    assert (await ask(serve, make_deps, page(b"" if method == "HEAD" else DATABASE_ERROR), method=method)).status is Status.UP


async def test_a_large_page_is_read_to_its_end(serve: Serve, make_deps: Deps) -> None:
    """Where scripts are injected: long after what is kept of a body that nobody asks about."""
    body = BAKERY.replace(b"</main>", b"<p>We bake every loaf by hand.</p>" * 3_000 + b"</main>") + INJECTED[len(BAKERY) :]

    for handler in (page(body), page(gzip.compress(body), more="Content-Encoding: gzip\n")):
        assert (await ask(serve, make_deps, handler)).cause is Cause.CONTENT_TAMPERED


async def test_the_shape_of_a_page_is_told_once(serve: Serve, make_deps: Deps) -> None:
    body = BAKERY.replace(b"</p>", b' <a href="https://flour.example/mill">Mill</a></p><script src="//cdn.example/a.js"></script>')
    async with serve(page(body)) as port:
        first = await look(make_deps, f"http://127.0.0.1:{port}/")
        second = await look(make_deps, f"http://127.0.0.1:{port}/", times=2)

    assert first.page == PageFacts(
        digest=first.page.digest if first.page else "",
        bytes=len(body),
        words=13,
        title=first.page.title if first.page else "",
        type="text/html",
        landmarks=("header", "nav", "main", "h1"),
        scripts=("cdn.example",),
        links=("flour.example",),
    )
    assert first.page.digest
    assert first.page.title
    assert "Bakery" not in repr(first.page)
    assert second.page is None


async def test_a_page_that_lies_still_has_a_shape(serve: Serve, make_deps: Deps) -> None:
    async with serve(page(DATABASE_ERROR)) as port:
        result = await look(make_deps, f"http://127.0.0.1:{port}/")
        again = await look(make_deps, f"http://127.0.0.1:{port}/", times=2)

    assert result.page is not None
    assert (again.cause, again.page) == (Cause.CONTENT_ERROR_PAGE, None)


async def test_what_is_no_page_tells_its_type_once(serve: Serve, make_deps: Deps) -> None:
    async with serve(page(b'{"a": 1}', "application/json")) as port:
        first = await look(make_deps, f"http://127.0.0.1:{port}/")
        second = await look(make_deps, f"http://127.0.0.1:{port}/", times=2)

    assert first.page == PageFacts("", 8, type="application/json")
    assert second.page is None


async def test_an_untyped_body_is_a_page_only_when_it_looks_like_one(serve: Serve, make_deps: Deps) -> None:
    head = "HTTP/1.1 200 OK\nConnection: close\n\n"

    assert (await ask(serve, make_deps, answering(head, b"<!DOCTYPE html>" + DATABASE_ERROR))).cause is Cause.CONTENT_ERROR_PAGE
    assert (await ask(serve, make_deps, answering(head, b"Error establishing a database connection"))).status is Status.UP


async def test_an_object_stores_error_is_known_by_its_xml(serve: Serve, make_deps: Deps) -> None:
    body = b'<?xml version="1.0"?>\n<Error><Code>NoSuchBucket</Code></Error>'

    assert (await ask(serve, make_deps, page(body, "application/xml"))).cause is Cause.CONTENT_ERROR_PAGE
    assert (await ask(serve, make_deps, page(b"<Errors/>", "application/xml"))).status is Status.UP


async def test_nothing_that_the_target_wrote_is_told(serve: Serve, make_deps: Deps) -> None:
    body = b"<html><head><title>Hacked By SECRETNICK</title></head><body bgcolor=black><h1>Hacked By SECRETNICK</h1></body></html>"

    result = await ask(serve, make_deps, page(body))

    assert result.cause is Cause.CONTENT_TAMPERED
    assert "secretnick" not in (result.message + repr(result.figures) + repr(result.page)).lower()


async def test_a_page_after_a_redirect_belongs_to_the_host_that_sent_it(serve: Serve, make_deps: Deps) -> None:
    body = BAKERY.replace(b"</main>", b'</main><script src="//localhost/own.js"></script><script src="//127.0.0.1/other.js"></script>')
    async with serve(page(body)) as port:
        moved = answering(f"HTTP/1.1 302 Found\nLocation: http://localhost:{port}/\nContent-Length: 0\n\n")
        result = await ask(serve, make_deps, moved, ip=4)

    assert result.page is not None
    assert result.page.scripts == ("127.0.0.1",)
