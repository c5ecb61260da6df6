"""Thumbs by a link: over real sockets against the built application. Looking changes nothing; answering is kept."""

import contextlib
import html
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.web._made import app_of
from tests.web._served import serving

from vigie.errors import StoreError, StoreFault
from vigie.report.history import misled
from vigie.web.feedback import CAUSE, NOTE
from vigie.web.forms import BODY_BYTES


@contextlib.asynccontextmanager
async def visiting(office: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on a real socket."""
    async with (
        serving(office.app) as listener,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize("query", ["", "?helpful=yes", "?helpful=no", "?helpful=yes&cause=behind_proxy&note=x", "?helpful=%00"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(method: str, query: str, open_office: Any) -> None:
    office = await open_office()
    async with visiting(office) as client:
        answers = [await client.request(method, office.path + query) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert ("<form" in answer.text) is (method == "GET")
    assert await office.said() == []


@pytest.mark.parametrize(("query", "chosen"), [("?helpful=yes", "yes"), ("?helpful=no", "no"), ("", None), ("?helpful=maybe", None)])
async def test_the_thumb_of_the_link_is_chosen_already(query: str, chosen: str | None, open_office: Any) -> None:
    office = await open_office()
    async with visiting(office) as client:
        page = (await client.get(office.path + query)).text

    assert [value for value in ("yes", "no") if f'value="{value}" required checked' in page] == ([chosen] if chosen else [])
    assert "<script" not in page
    assert "The nginx server answers HTTP 502." in page
    assert "llama3" in page


@pytest.mark.parametrize(
    ("form", "helpful", "cause", "note", "misleads"),
    [
        ({"helpful": "yes"}, True, "", "", False),
        ({"helpful": "no", "note": "  the\r\ncable\x00 was \u202ecut "}, False, "", "the cable was cut", True),
        ({"helpful": "yes", "cause": "not_listening"}, True, "not_listening", "", True),
        ({"helpful": "yes", "cause": "BEHIND_proxy "}, True, "behind_proxy", "", False),
        ({"helpful": "no", "cause": "a mouse", "note": "grey"}, False, "", "a mouse – grey", True),
        ({"helpful": "yes", "cause": "é" * CAUSE, "note": "…" * NOTE}, True, "", f"{'é' * CAUSE} – {'…' * NOTE}", False),
    ],
)
async def test_an_answer_is_kept_as_the_command_keeps_it(
    form: dict[str, str], helpful: bool, cause: str, note: str, misleads: bool, open_office: Any
) -> None:
    office = await open_office()
    async with visiting(office) as client:
        answer = await client.post(f"{office.path}?helpful=yes", data=form)

    assert (answer.status_code, "Thank you, your answer has been recorded." in answer.text) == (200, True)
    (one,) = await office.said()
    assert (one.incident, one.helpful, one.cause, one.note, one.by) == (office.incident.id, helpful, cause, note, "a reader (link)")
    assert misled("behind_proxy", [one]) is misleads


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_cause_is_known_by_its_words_in_the_readers_language(language: str, open_office: Any) -> None:
    office = await open_office(language=language)
    async with visiting(office) as client:
        page = (await client.get(office.path)).text
        offered = [html.unescape(part.partition('"')[0]) for part in page.split('<option value="')[1:]]
        for words in offered:
            await client.post(office.path, data={"helpful": "no", "cause": words})

    said = await office.said()
    assert len(offered) == len(set(offered)) > 20
    assert len(said) == 30  # the bound
    assert all(one.cause and not one.note for one in said)


async def test_the_page_speaks_the_configured_language_and_the_other_by_a_link(open_office: Any) -> None:
    office = await open_office(language="fr")
    async with visiting(office) as client:
        french = await client.get(f"{office.path}?helpful=no")
        english = await client.get(f"{office.path}?lang=en&helpful=no")
        thanks = await client.post(office.path, data={"helpful": "no"})

    assert '<html lang="fr">' in french.text
    assert "L&#39;analyse a-t-elle été utile ?" in french.text
    assert 'href="?lang=en&amp;helpful=no"' in french.text
    assert '<html lang="en">' in english.text
    assert "Was the analysis helpful?" in english.text
    assert "Merci, c&#39;est enregistré." in thanks.text
    assert (await office.said())[0].by == "un lecteur (lien)"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "/feedback/shop-api-7/AAAAAAAAAAAAAAAAAAAAAA",
        "/feedback/shop-api-7/é%00",
        "/feedback/shop-api-8/{signature}",
        "/feedback/%3Cscript%3Ealert(1)%3C%2Fscript%3E/{signature}",
        "/feedback/%3Cscript%3Ealert(1)/{signature}",
        "/feedback/shop-api-7/{signature}A",
        "/feedback/shop-api-7/{short}",
        "/feedback/shop-api-7/%22%3E%3Cscript%3Ealert(1)",
    ],
)
async def test_a_link_that_is_not_ours_leads_to_nothing(method: str, path: str, open_office: Any) -> None:
    office = await open_office()
    signature = office.path.rpartition("/")[2]
    async with visiting(office) as client:
        answer = await client.request(
            method, path.format(signature=signature, short=signature[:-1]), data={"helpful": "no"} if method == "POST" else None
        )

    assert answer.status_code == 404
    assert "script" not in answer.text
    assert "shop-api" not in answer.text
    assert await office.said() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(method: str, open_office: Any) -> None:
    office = await open_office()
    async with visiting(office) as client:
        assert (await client.request(method, office.path)).status_code == 405
    assert await office.said() == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"helpful=yes&note=" + b"x" * BODY_BYTES, "application/x-www-form-urlencoded", 413),
        (b"helpful=yes&note=" + b"x" * 3_000_000, "application/x-www-form-urlencoded", 413),
        (b'{"helpful": true}', "application/json", 415),
        (b"helpful=yes", "text/plain", 415),
        (b"", "application/x-www-form-urlencoded", 400),
        (b"helpful=maybe", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"helpful=yes"] * 21), "application/x-www-form-urlencoded", 400),
        (urlencode({"helpful": "yes", "cause": "x" * (CAUSE + 1)}).encode(), "application/x-www-form-urlencoded", 400),
        (urlencode({"helpful": "yes", "note": "x" * (NOTE + 1)}).encode(), "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe=%zz&helpful", "application/x-www-form-urlencoded; charset=utf-16", 400),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else str(value),
)
async def test_what_is_no_answer_is_refused_and_not_kept(body: bytes, kind: str, status: int, open_office: Any) -> None:
    office = await open_office()
    async with visiting(office) as client:
        try:
            answer = await client.post(office.path, content=body, headers={"Content-Type": kind})
        except httpx.TransportError:
            assert len(body) > 1_048_576, "only a flood may be cut off"
        else:
            assert answer.status_code == status
            assert "Please say whether the analysis was helpful" in answer.text
    assert await office.said() == []


async def test_a_body_without_a_length_is_bounded_too(open_office: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"helpful=yes&note="
        for _ in range(10):
            yield b"x" * 1_000

    office = await open_office()
    async with visiting(office) as client:
        answer = await client.post(office.path, content=pieces(), headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert answer.status_code == 413
    assert await office.said() == []


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</bdi></title><script>", "a\u202eb\x00c"]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_text_stays_text(text: str, open_office: Any) -> None:
    """Of the monitor's name, of the model's sentence, of the reader's own form when it comes back."""
    office = await open_office(name=text, sentences=(text,))
    async with visiting(office) as client:
        page = (await client.get(office.path)).text
        back = (await client.post(office.path, data={"cause": text, "note": text})).text
        thanks = (await client.post(office.path, data={"helpful": "no", "cause": text, "note": text})).text

    for found in (page, back, thanks):
        assert "<script" not in found
        assert "<img" not in found
        assert "\u202e" not in found
        assert "49" not in found.partition("<main>")[2].replace("shop-api", "")
    shown = html.escape(text.replace("\u202e", "").replace("\x00", "")).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    assert page.count(shown) >= 2
    assert back.count(shown) >= 4


async def test_the_same_answer_twice_is_kept_once_and_a_flood_not_at_all(open_office: Any) -> None:
    office = await open_office()
    async with visiting(office) as client:
        for _ in range(3):
            assert (await client.post(office.path, data={"helpful": "no"})).status_code == 200
        assert len(await office.said()) == 1
        status = [(await client.post(office.path, data={"helpful": "no", "note": str(number)})).status_code for number in range(40)]
        answer = await client.post(office.path, data={"helpful": "yes"})

    assert status == [200] * 29 + [429] * 11
    assert "vigie incidents resolve shop-api-7" in answer.text
    assert len(await office.said()) == 30


async def test_a_store_that_fails_is_said_and_nothing_is_thanked_for(open_office: Any) -> None:
    office = await open_office()
    office.store.broken = StoreError(StoreFault.FULL, "the disk is full")
    async with visiting(office) as client:
        answers = [await client.get(office.path), await client.post(office.path, data={"helpful": "no"})]

    for answer in answers:
        assert answer.status_code == 503
        assert "try again in a minute" in answer.text
        assert "Thank you" not in answer.text


async def test_without_a_desk_there_is_no_such_page(open_office: Any) -> None:
    office = await open_office()
    office.app = app_of(None)
    async with visiting(office) as client:
        assert (await client.get(office.path)).status_code == 404
