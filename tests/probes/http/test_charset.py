"""Charset labels mean what the WHATWG Encoding standard says, for every label of it; Chromium, where there is one, is the judge of the bytes."""

import contextlib
import shutil
from typing import Any

import pytest
from webencodings.labels import LABELS

from vigie.core.model import Status
from vigie.probes.kit.http.charset import decoded_by, encoding_of, text_in
from vigie.testing.servers import page

from .looking import Deps, ask

# Bytes and characters of each encoding out of the standard's own index (encoding.spec.whatwg.org), some where Python's codec of that name fails.
SAMPLES: dict[str, tuple[bytes, str]] = {
    "utf-8": (b"caf\xc3\xa9", "café"),
    "utf-16le": (b"c\0a\0f\0\xe9\0", "café"),
    "utf-16be": (b"\0c\0a\0f\0\xe9", "café"),
    "ibm866": (b"\x8e\xf2", "ОЄ"),
    "iso-8859-2": (b"\xa3\xf3d\xbc", "Łódź"),
    "iso-8859-3": (b"\xa6\xf8", "Ĥĝ"),
    "iso-8859-4": (b"\xbe\xa2", "žĸ"),
    "iso-8859-5": (b"\xb4\xd0", "Да"),
    "iso-8859-6": (b"\xe3\xc7", "كا"),
    "iso-8859-7": (b"\xa4\xe1", "€α"),
    "iso-8859-8": (b"\xf9\xec", "של"),
    "iso-8859-8-i": (b"\xf9\xec", "של"),
    "iso-8859-10": (b"\xaa\xbd", "Š―"),
    "iso-8859-13": (b"\xd0\xa1", "Š”"),
    "iso-8859-14": (b"\xde\xf0", "Ŷŵ"),
    "iso-8859-15": (b"\xa4\xbd", "€œ"),
    "iso-8859-16": (b"\xaa\xa4", "Ș€"),
    "koi8-r": (b"\xe4\xc1", "Да"),
    "koi8-u": (b"\xa4\xae\xbe", "єўЎ"),
    "macintosh": (b"\x8e\xdb", "é€"),
    "windows-874": (b"\xa1\x80", "ก€"),
    "windows-1250": (b"\xa3\x8a", "ŁŠ"),
    "windows-1251": (b"\xc4\xe0", "Да"),
    "windows-1252": (b"\xe9\x80\x81", "é€\x81"),
    "windows-1253": (b"\xe1\x80", "α€"),
    "windows-1254": (b"\xfd\x80\xd0", "ı€Ğ"),
    "windows-1255": (b"\xf9\x80\xca", "ש€\u05ba"),
    "windows-1256": (b"\xc7\x80", "ا€"),
    "windows-1257": (b"\xd0\x80", "Š€"),
    "windows-1258": (b"\xd0\x80", "Đ€"),
    "x-mac-cyrillic": (b"\x84\xa2\xff", "ДҐ€"),
    "gbk": (b"\xd3\xaa\x80\x90\x30\x81\x30", "营€\U00010000"),
    "gb18030": (b"\xd3\xaa\xa8\xbc\xfe\x59\xa6\xd9", "营ḿ龴︐"),
    "big5": (b"\xc0\xe7\xf9\xd6\xa1\x45\x88\x62", "營碁‧Ê̄"),
    "euc-jp": (b"\xb1\xc4\xad\xa1\xfc\xee\xa1\xc1\x8f\xb0\xa1", "営①黑～丂"),
    "iso-2022-jp": (b"\x1b$B1D-!\x1b(B x \x1b(I1\x1b(B", "営① x ｱ"),
    "shift_jis": (b"\x89\x63\x87\x40\xfb\xfc\x81\x60\xb1", "営①髙～ｱ"),
    "euc-kr": (b"\xbf\xb5\x81\x41\xc6\x52", "영갂힣"),
    "x-user-defined": (b"a\x80\xff", "a\uf780\uf7ff"),
    "replacement": (b"anything", "\ufffd"),
}


def test_each_encoding_of_the_standard_has_a_sample() -> None:
    assert set(LABELS.values()) == SAMPLES.keys()
    assert len(LABELS) > 200


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_label_means_what_the_standard_says(label: str) -> None:
    body, text = SAMPLES[LABELS[label]]

    assert encoding_of(f" {label.upper()}\t") == LABELS[label]
    assert text_in(body, f"text/html; charset={label}") == text
    assert text_in(body, f'text/html;x=1; Charset = "{label.upper()}";y') == text
    if not LABELS[label].startswith("utf-16"):
        read = {"x-user-defined": "windows-1252"}.get(LABELS[label])
        wanted = text if read is None else decoded_by(read, body)
        assert wanted in text_in(b"<meta charset=%b>" % label.encode() + body, "text/html")
        assert wanted in text_in(b'<?xml version="1.0" encoding="%b"?>' % label.encode() + body, "text/xml")


@pytest.mark.parametrize("label", ["gb2312", "shift_jis", "x-sjis", "iso-8859-9", "ks_c_5601-1987", "unicode-1-1-utf-8", "ascii", "csbig5"])
async def test_a_keyword_is_found_and_a_rejected_one_is_seen(label: str, make_deps: Deps) -> None:
    body, text = SAMPLES[LABELS[label]]
    answer = page(b"<p>open " + body, f"text/html; charset={label}")

    found = await ask(make_deps, answer, expect={"keyword": text}, content_checks=False)
    seen = await ask(make_deps, answer, expect={"reject_keyword": text}, content_checks=False)

    assert (found.status, seen.status) == (Status.UP, Status.DOWN), found.message


E_ACUTE, CP1250 = b"\xc3\xa9", b"\xb9"
DECLARED: list[tuple[str, bytes, str, str]] = [
    ("a mark comes before the header", b"\xef\xbb\xbf" + E_ACUTE, "text/html; charset=iso-8859-1", "é"),
    ("a mark of UTF-16 too", b"\xff\xfe\xe9\0", "text/html; charset=utf-8", "é"),
    ("the header before the page", b"<meta charset=windows-1251>" + E_ACUTE, "text/html; charset=utf-8", "é"),
    ("a header that nobody knows counts for nothing", b"<meta charset=windows-1250>" + CP1250, "text/html; charset=klingon", "ą"),
    ("a comment says nothing", b"<!-- <meta charset=windows-1251> --><meta charset=windows-1250>" + CP1250, "", "ą"),
    ("an empty comment ends", b"<!--><meta charset=windows-1250>" + CP1250, "", "ą"),
    ("another tag says nothing", b'<a title="<meta charset=windows-1251>"><meta charset=windows-1250>' + CP1250, "", "ą"),
    ("another attribute says nothing", b'<meta name="charset=windows-1251"><meta charset="windows-1250">' + CP1250, "", "ą"),
    ("content without http-equiv says nothing", b'<meta content="x;charset=windows-1251"><meta charset=windows-1250>' + CP1250, "", "ą"),
    ("content with it does", b'<meta content="text/html; charset=windows-1250" http-equiv="content-type">' + CP1250, "", "ą"),
    ("an unknown label, then a known one", b"<meta charset=klingon><meta charset=windows-1250>" + CP1250, "", "ą"),
    ("with a slash", b"<meta/charset='windows-1250'/>" + CP1250, "", "ą"),
    ("in capitals", b"<!DOCTYPE html><HTML><HEAD><META CHARSET = WINDOWS-1250 >" + CP1250, "text/html", "ą"),
    ("a tag that begins alike", b"<metadata charset=windows-1251><meta charset=windows-1250>" + CP1250, "", "ą"),
    ("UTF-16 that was read as ASCII", b"<meta charset=utf-16be>" + E_ACUTE, "", "é"),
    ("in XML", b"<?xml version='1.0' encoding='iso-8859-2'?>" + CP1250, "application/rss+xml", "š"),
    ("nothing: UTF-8", E_ACUTE, "", "é"),
    ("nothing and no UTF-8: Windows-1252", b"\xe9 \x80", "", "é €"),
    ("the same at the very end", b"caf\xe9", "", "café"),
    ("UTF-8 that was cut inside a character", E_ACUTE + b"\xc3", "", "é"),
]


@pytest.mark.parametrize(("body", "kind", "wanted"), [one[1:] for one in DECLARED], ids=[one[0] for one in DECLARED])
def test_where_a_document_says_it(body: bytes, kind: str, wanted: str) -> None:
    text = text_in(body, kind)

    assert wanted in text
    assert "Ã" not in text


@pytest.mark.parametrize("name", ["euc-jp", "gb18030", "iso-2022-jp", "shift_jis", "big5", "windows-1255"])
@pytest.mark.parametrize("unit", [b"\x80", b"\xad\xa1", b"\x8f\xfe", b"\xff", b"\x1b$B-!\x1b(B", b"\x1b$B"])
def test_a_hostile_body_costs_no_more_than_its_length(name: str, unit: bytes) -> None:
    import time

    body = unit * (1_048_576 // len(unit))
    started = time.process_time()
    decoded_by(name, body)

    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    "unit", [b"<", b"<!--", b"<a ", b'<a b="', b"<meta charset=", b"<meta a='", b"</", b"<a b=c ", b"\xff<m", b" ", b"<?xml encoding="]
)
def test_a_hostile_beginning_is_read_in_no_time(unit: bytes) -> None:
    import time

    started = time.process_time()
    text_in((unit * 4_096)[:4_096] + b"\xff", "")

    assert time.process_time() - started < 0.1


IN_CHROMIUM = """([singles, doubles]) => {
  const read = (name, bytes) => new TextDecoder(name).decode(new Uint8Array(bytes)), found = {};
  for (const name of singles) found[name] = Array.from({length: 256}, (_, byte) => read(name, [byte]));
  for (const name of doubles) {
    found[name] = [];
    for (let first = 0x80; first < 256; first++) for (let second = 0x30; second < 256; second++) found[name].push(read(name, [first, second]));
  }
  return found;
}"""
DOUBLES = ["gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr"]
_LACKS = {"big5": 200}  # rare characters of Hong Kong that Python's table has not


async def test_the_bytes_are_read_as_chromium_reads_them() -> None:
    """Every byte of the encodings of one, every pair of those of two. U+FFFD may differ in number, not in place."""
    playwright = pytest.importorskip("playwright.async_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed")
    singles = sorted({*SAMPLES} - {*DOUBLES, "utf-8", "utf-16le", "utf-16be", "iso-2022-jp", "replacement"})
    async with playwright.async_playwright() as running, contextlib.AsyncExitStack() as stack:
        browser = await running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        stack.push_async_callback(browser.close)
        found: dict[str, Any] = await (await browser.new_page()).evaluate(IN_CHROMIUM, [singles, DOUBLES])
    pairs = [bytes((first, second)) for first in range(0x80, 256) for second in range(0x30, 256)]
    for name, texts in found.items():
        bodies = [bytes((byte,)) for byte in range(256)] if name in singles else pairs
        wrong = [
            (body.hex(), text) for body, text in zip(bodies, texts, strict=True) if decoded_by(name, body) != text and "\ufffd" not in text
        ]
        assert len(wrong) <= _LACKS.get(name, 0), (name, wrong[:5])
