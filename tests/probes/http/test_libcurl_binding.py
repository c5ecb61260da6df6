"""Every function of curl_cffi's private extension that is used here, and the numbers of libcurl: a new release that changes one fails this."""

import asyncio
import importlib.metadata
import sys
import tomllib
from pathlib import Path
from typing import Any

import pycurl
import pytest

from vigie.probes.kit.http import libcurl
from vigie.probes.kit.http.libcurl_binding import Easy, EasyMulti, Library, is_shared, library
from vigie.probes.kit.http.transfers import Transfers
from vigie.testing.servers import page, serving

OTHER_NAMES = {
    "HTTP_1_0": "CURL_HTTP_VERSION_1_0",
    "HTTP_1_1": "CURL_HTTP_VERSION_1_1",
    "HTTP_2_0": "CURL_HTTP_VERSION_2_0",
    "HTTP_2TLS": "CURL_HTTP_VERSION_2TLS",
    "HTTP_2_PRIOR_KNOWLEDGE": "CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE",
    "HTTP_3": "CURL_HTTP_VERSION_3",
    "HTTP_3ONLY": "CURL_HTTP_VERSION_3ONLY",
    "HTTP_VERSION": "INFO_HTTP_VERSION",
    "HTTP_VERSION_WANTED": "HTTP_VERSION",
    "CERTINFO": "INFO_CERTINFO",
    "CERTINFO_WANTED": "OPT_CERTINFO",
    "SSLVERSION_TLSV1_2": "SSLVERSION_TLSv1_2",
}
UNNAMED = {  # by pycurl
    "OK": 0,
    "E_OWN": -1,
    "E_WEIRD_SERVER_REPLY": 8,
    "E_HTTP2_STREAM": 92,
    "E_QUIC_CONNECT_ERROR": 96,
    "E_PROXY": 97,
    "E_TOO_LARGE": 100,
    "ERRORBUFFER": 10_010,
    "HEADERDATA": 10_029,
    "DEBUGDATA": 10_095,
    "M_SOCKETDATA": 10_002,
    "M_TIMERDATA": 10_005,
    "PROTO_HTTP_AND_HTTPS": pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
}


@pytest.fixture
def loaded() -> Library:
    found = library()
    if found is None:
        pytest.skip("curl_cffi is not installed")
    return found


class Kept:
    """Takes in everything, or refuses the body, or fails."""

    def __init__(self, *, refuse: bool = False, fail: bool = False) -> None:
        self.lines, self.chunks = list[bytes](), list[bytes]()
        self.refuse, self.fail = refuse, fail

    def header(self, line: bytes) -> int | None:
        self.lines.append(line)
        return None

    def body(self, chunk: bytes) -> int | None:
        if self.fail:
            raise RuntimeError("no room")
        self.chunks.append(chunk)
        return -1 if self.refuse else None


def test_the_numbers_are_libcurls() -> None:
    numbers = {name: value for name, value in vars(libcurl).items() if name.isupper()}

    assert numbers == {name: UNNAMED.get(name, getattr(pycurl, OTHER_NAMES.get(name, name), None)) for name in numbers}


def test_where_the_package_is_installed_its_extension_is_the_one_that_is_known() -> None:
    """Else everything would silently be on OpenSSL, at half as much again."""
    installed = {found.metadata["Name"].replace("_", "-").lower() for found in importlib.metadata.distributions()}
    found = library()

    assert (found is not None) is ("curl-cffi" in installed)
    assert found is None or ("BoringSSL" in found.version and "libcurl/8." in found.version)


def test_the_package_is_pinned_to_one_release() -> None:
    """Its extension is private: the next release may change it."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    (wanted,) = [one for one in project["project"]["dependencies"] if one.startswith("curl_cffi")]

    assert ">=0.17,<0.18" in wanted


def test_only_the_extension_is_loaded(loaded: Library) -> None:
    assert loaded.version
    assert not {"curl_cffi", "cffi"} & sys.modules.keys()
    assert not is_shared()


async def test_a_transfer_from_its_options_to_its_facts(loaded: Library) -> None:
    easy, multi, seen = Easy(loaded), EasyMulti(loaded), list[bytes]()
    transfers = Transfers(multi)
    async with serving(page(b"hello", seen=seen)) as port:
        easy.set(libcurl.URL, f"http://127.0.0.1:{port}/a".encode())
        easy.set(libcurl.VERBOSE, 1)
        easy.set_lines(libcurl.HTTPHEADER, [b"User-Agent: me", b"Accept:"])
        for head in (0, 1, 0):
            kept = Kept()
            easy.begin(kept)
            easy.set(libcurl.NOBODY, head)
            assert await transfers.perform(easy) == (0, "")
            assert kept.lines[0] == b"HTTP/1.1 200 OK\r\n"
            assert kept.chunks == ([] if head else [b"hello"])
        facts = easy.info(libcurl.RESPONSE_CODE), easy.info(libcurl.HTTP_VERSION), easy.info_text(libcurl.PRIMARY_IP)
        total, connected = easy.info(libcurl.TOTAL_TIME_T), easy.info(libcurl.CONNECT_TIME_T)

    assert facts == (200, libcurl.HTTP_1_1, "127.0.0.1")
    assert total >= connected > 0
    assert any(b"127.0.0.1" in line for line in easy.said), easy.said
    assert easy.certificates() == ()
    assert [request.split(b" ")[0] for request in seen] == [b"GET", b"HEAD", b"GET"]
    assert seen[0] == f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: me\r\n\r\n".encode()
    transfers.close()
    multi.close()
    easy.close()


@pytest.mark.parametrize(("refuse", "fail"), [(True, False), (False, True)])
async def test_a_receiver_that_refuses_or_fails_ends_the_transfer(
    refuse: bool, fail: bool, loaded: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append(found.exc_value))
    easy, multi = Easy(loaded), EasyMulti(loaded)
    transfers = Transfers(multi)
    async with serving(page(b"hello")) as port:
        easy.set(libcurl.URL, f"http://127.0.0.1:{port}/".encode())
        easy.begin(Kept(refuse=refuse, fail=fail))
        code, words = await transfers.perform(easy)

    assert code == pycurl.E_WRITE_ERROR
    assert words
    assert [str(error) for error in told] == ["no room"] * fail
    transfers.close()
    multi.close()
    easy.close()


async def test_a_failure_has_libcurls_words_and_the_systems_number(loaded: Library, unused_port: int) -> None:
    easy, multi = Easy(loaded), EasyMulti(loaded)
    transfers = Transfers(multi)
    easy.set(libcurl.URL, f"http://127.0.0.1:{unused_port}/".encode())
    easy.begin(Kept())
    code, words = await transfers.perform(easy)

    assert code == libcurl.E_COULDNT_CONNECT
    assert str(unused_port) in words
    assert easy.info(libcurl.OS_ERRNO)
    transfers.close()
    multi.close()
    easy.close()


def test_an_option_that_is_refused_is_said_and_not_remembered(loaded: Library) -> None:
    easy = Easy(loaded)
    for _ in range(2):
        with pytest.raises(ValueError, match="option 84"):
            easy.set(libcurl.HTTP_VERSION_WANTED, 4_711)
    with pytest.raises(ValueError, match="option 9999"):
        easy.set_lines(9_999, [b"x"])
    easy.set(libcurl.HTTP_VERSION_WANTED, libcurl.HTTP_1_1)
    easy.close()


async def test_what_is_closed_under_way_is_freed_when_the_last_transfer_has_gone(loaded: Library) -> None:
    easy, multi = Easy(loaded), EasyMulti(loaded)
    transfers, came = Transfers(multi), asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        came.set()
        await reader.read()

    async with serving(deaf) as port:
        easy.set(libcurl.URL, f"http://127.0.0.1:{port}/".encode())
        easy.begin(Kept())
        waiting = asyncio.create_task(transfers.perform(easy))
        await came.wait()
        transfers.close()
        multi.close()
        await asyncio.gather(waiting, return_exceptions=True)

    assert waiting.cancelled()
    assert multi._easies == {}
    easy.close()
