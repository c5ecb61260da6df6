"""Bodies: compressed or only said to be, in every charset, and never more of them than the bound."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest

from vigie.core.model import Cause, Status
from vigie.probes.kit.http.body import EncodingError, decoded, media_type, text_of, title_of
from vigie.testing.servers import answering, page

from .looking import OK, Deps, ask, bounded_memory, is_down


def raw_deflate(plain: bytes) -> bytes:
    """Deflate without the zlib header that the standard asks for, as some servers send it."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(plain) + stream.flush()


def quick_brotli(plain: bytes) -> bytes:
    """Brotli in a tenth of its usual time."""
    squeezed: bytes = brotli.compress(plain, quality=2)
    return squeezed


CODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("br", brotli.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("GZIP ", gzip.compress),
    ("gzip", lambda plain: gzip.compress(plain[:5]) + gzip.compress(plain[5:])),
    ("gzip", lambda plain: gzip.compress(plain) + b"\0\0\0padding"),
    ("br, gzip", lambda plain: gzip.compress(brotli.compress(plain))),
    ("identity", bytes),
    ("unheard-of", bytes),
]
SAID = "tout va très bien".encode()


@pytest.mark.parametrize(("coding", "coder"), CODERS)
async def test_a_compressed_page_is_read(coding: str, coder: Callable[[bytes], bytes], make_deps: Deps) -> None:
    result = await ask(make_deps, page(coder(SAID), more=f"Content-Encoding: {coding}\n"), expect={"keyword": "très bien"})

    assert result.status is Status.UP, result.message
    assert result.http is not None
    assert result.http.bytes == len(SAID)


@pytest.mark.parametrize(
    ("coding", "coder"), [("gzip", gzip.compress), ("br", quick_brotli), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
async def test_a_bomb_costs_its_bound_only(coding: str, coder: Callable[[bytes], bytes], make_deps: Deps) -> None:
    bomb = coder(b"\0" * 100_000_000)

    async with bounded_memory():
        result = await ask(make_deps, page(bomb, more=f"Content-Encoding: {coding}\n"), timeout=3_000)

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.bytes == 1_048_576


async def test_a_bomb_in_a_bomb_costs_its_bound_only(make_deps: Deps) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 100_000_000))

    async with bounded_memory():
        result = await ask(make_deps, page(bomb, more="Content-Encoding: gzip, gzip\n"), timeout=3_000)

    assert result.status is Status.UP


async def test_a_keyword_after_the_bound_is_not_seen_unless_the_bound_is_raised(make_deps: Deps) -> None:
    body = b"x" * 2_000 + b"needle"

    assert is_down(await ask(make_deps, page(body), max_body=1_024, expect={"keyword": "needle"}), Cause.CONTENT_MISSING)
    assert (await ask(make_deps, page(body), max_body=4_096, expect={"keyword": "needle"})).status is Status.UP


async def test_a_body_without_end_is_read_to_its_bound_only(make_deps: Deps) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"z" * 65_536)
            await writer.drain()

    async with bounded_memory():
        result = await ask(make_deps, flood)

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.bytes == 1_048_576


LIES: list[tuple[str, str, bytes]] = [
    ("gzip", "gzip", b"plain text"),
    ("br", "br", b"plain text that is no brotli at all"),
    ("deflate", "deflate", b"\xff\xff plain"),
    ("cut gzip", "gzip", gzip.compress(b"x" * 9_999)[:-9]),
    ("cut br", "br", brotli.compress(bytes(range(256)) * 40)[:-9]),
    ("cut deflate", "deflate", zlib.compress(bytes(range(256)) * 40)[:-9]),
    ("spoilt gzip", "gzip", gzip.compress(bytes(range(256)))[:20] + b"\xff" * 200),
    ("four times over", "gzip, gzip, gzip, gzip", b""),
    ("br in no gzip", "br, gzip", gzip.compress(b"not brotli at all, not at all")),
]


@pytest.mark.parametrize(("coding", "body"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
async def test_a_body_that_is_not_what_its_coding_says(coding: str, body: bytes, make_deps: Deps) -> None:
    result = await ask(make_deps, page(body, more=f"Content-Encoding: {coding}\n"))

    assert is_down(result, Cause.HTTP_PROTOCOL), result.message


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
async def test_an_empty_body_is_no_lie(coding: str, make_deps: Deps) -> None:
    assert (await ask(make_deps, page(b"", "text/plain", more=f"Content-Encoding: {coding}\n"))).status is Status.UP


async def test_several_codings_may_stand_on_lines_of_their_own(make_deps: Deps) -> None:
    more = "Content-Encoding: br\nContent-Encoding: gzip\n"
    body = gzip.compress(brotli.compress(SAID))

    assert (await ask(make_deps, page(body, more=more), expect={"keyword": "très"})).status is Status.UP


# Charsets


WORDS = "déjà vu"
JAPANESE = "営業中 ただいま"
CHARSETS: list[tuple[str, bytes, str, str]] = [
    ("said latin-1", WORDS.encode("latin-1"), "text/html; charset=iso-8859-1", WORDS),
    ("said in quotes", WORDS.encode("latin-1"), 'text/html; charset="ISO-8859-1"', WORDS),
    ("said ascii, is windows", "déjà vu €".encode("cp1252"), "text/html; charset=us-ascii", "€"),
    ("utf-8", WORDS.encode(), "text/html", WORDS),
    ("utf-8 with a mark", WORDS.encode("utf-8-sig"), "text/html; charset=latin-1", WORDS),
    ("utf-16 with a mark", WORDS.encode("utf-16"), "text/plain", WORDS),
    ("utf-16 said", WORDS.encode("utf-16-le"), "text/plain; charset=utf-16le", WORDS),
    ("utf-16 big", WORDS.encode("utf-16-be"), "text/plain; charset=UTF-16BE", WORDS),
    ("in its meta", b'<meta charset="windows-1252">' + WORDS.encode("cp1252"), "text/html", WORDS),
    ("in its old meta", b'<META http-equiv=Content-Type content="text/html; charset=iso-8859-15">' + "5 €".encode("iso-8859-15"), "text/html", "5 €"),
    ("utf-16 in its meta is none", b'<meta charset="utf-16">' + WORDS.encode(), "text/html", WORDS),
    ("shift_jis", JAPANESE.encode("shift_jis"), "text/html; charset=Shift_JIS", "営業中"),
    ("shift_jis in its meta", b"<meta charset=shift_jis>" + JAPANESE.encode("shift_jis"), "text/html", "ただいま"),
    ("euc-jp", JAPANESE.encode("euc-jp"), "text/html; charset=euc-jp", "営業中"),
    ("iso-2022-jp", JAPANESE.encode("iso-2022-jp"), "text/html; charset=iso-2022-jp", "営業中"),
    ("gb18030", "营业中".encode("gb18030"), "text/html; charset=gb18030", "营业中"),
    ("big5", "營業中".encode("big5"), "text/html; charset=big5", "營業中"),
    ("euc-kr", "영업중".encode("euc-kr"), "text/html; charset=euc-kr", "영업중"),
    ("koi8-r", "открыто".encode("koi8-r"), "text/html; charset=koi8-r", "открыто"),
    ("nonsense", WORDS.encode("latin-1"), "text/html; charset=nonsense", WORDS),
    ("a codec that is no charset", WORDS.encode("latin-1"), "text/html; charset=punycode", WORDS),
    ("a codec that is no text", WORDS.encode("latin-1"), "text/html; charset=zlib", WORDS),
    ("one bad byte", WORDS.encode() + b"\xff", "text/html; charset=utf-8", WORDS),
    ("nothing said, one bad byte", b"d\xe9j\xe0 vu", "text/html", WORDS),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "word"), [one[1:] for one in CHARSETS], ids=[one[0] for one in CHARSETS])
async def test_a_keyword_is_found_in_any_charset(body: bytes, kind: str, word: str, make_deps: Deps) -> None:
    result = await ask(make_deps, page(body, kind), expect={"keyword": word, "reject_keyword": "nowhere"})

    assert result.status is Status.UP, result.message


async def test_a_body_cut_in_the_middle_of_a_character_is_still_utf_8(make_deps: Deps) -> None:
    body = "é".encode() * 600 + b"."

    result = await ask(make_deps, page(body), max_body=1_025, expect={"keyword": "éé", "reject_keyword": "Ã"})

    assert result.status is Status.UP, result.message


async def test_nothing_said_about_its_type_is_no_fault(make_deps: Deps) -> None:
    result = await ask(make_deps, answering(OK + "\n", b"hello"), expect={"keyword": "hello"})

    assert result.status is Status.UP
    assert result.http is not None
    assert result.http.type is None


@pytest.mark.parametrize(("head", "kind"), [("text/html; charset=x", "text/html"), (" TEXT/Plain ", "text/plain"), (";", None), ("", None)])
def test_media_types(head: str, kind: str | None) -> None:
    assert media_type({"content-type": head}) == kind


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("<title>Shop</title>", "Shop"),
        ("<TITLE lang=fr>\n Le  magasin\n</TITLE>", "Le magasin"),
        ("<title>a &lt;b&gt; c</title>", "a <b> c"),
        ("<title></title>", None),
        ("no title", None),
        ("<title>" + "x" * 300 + "</title>", "x" * 120),
        ("<title>" + "x" * 500 + "</title>", None),
        ("x" * 70_000 + "<title>late</title>", None),
        ("<title>" * 20_000, None),
    ],
)
def test_titles(text: str, title: str | None) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(("coding", "coder"), CODERS[:5])
@pytest.mark.parametrize("cut", [False, True])
def test_a_stream_that_ends_early_is_fine_only_where_we_left_it(coding: str, coder: Callable[[bytes], bytes], cut: bool) -> None:
    plain = bytes(range(256)) * 16
    part = coder(plain)[:-20]
    if cut:
        assert plain.startswith(decoded(part, coding, 10_000, cut=True))
    else:
        with pytest.raises(EncodingError):
            decoded(part, coding, 10_000, cut=False)


@pytest.mark.parametrize("limit", [1, 100, 4_095, 4_096, 4_097, 9_999])
@pytest.mark.parametrize(("coding", "coder"), CODERS[:5])
def test_never_more_than_the_limit(coding: str, coder: Callable[[bytes], bytes], limit: int) -> None:
    plain: Any = bytes(range(256)) * 16

    assert decoded(coder(plain), coding, limit, cut=False) == plain[:limit]


def test_a_charset_that_was_never_heard_of_is_not_remembered() -> None:
    for number in range(200):
        assert text_of(b"x", {"content-type": f"text/html; charset=made-up-{number}"}) == "x"
