"""Which names the page answers to: a foreign page whose name resolves to this machine gets nothing (DNS rebinding)."""

from typing import Any

import httpx
import pytest
from tests.web._made import Snapshot, health_of, site_of
from tests.web.test_pings import TOKEN, PingReceiver

from vigie.web import hosts
from vigie.web.app import build, build_pings
from vigie.web.hosts import Hosts, is_loopback, name_of, own_names

OURS = Hosts(["vigie.example", "Straße.example", "*.wild.example", "status.example."])


@pytest.mark.parametrize(
    "header",
    [
        "vigie.example",
        "VIGIE.example:8080",
        "vigie.example.",
        "vigie.example.:80",
        "status.example",
        "xn--strae-oqa.example",
        "a.wild.example",
        "a.b.wild.example:1",
        "localhost",
        "localhost:8080",
        "vigie.localhost",
        "127.0.0.1",
        "192.168.1.5:8080",
        "[::1]",
        "[::1]:8080",
        "[2001:DB8::1]",
        "[fe80::1%eth0]:80",
        "vigie.example:",
    ],
)
def test_names_and_addresses_of_ours(header: str) -> None:
    assert OURS.allow(header)


@pytest.mark.parametrize(
    "header",
    [
        "evil.example",
        "vigie.example.evil.test",
        "evil-vigie.example",
        "wild.example",
        "127.0.0.1.evil.test",
        "127.0.0.1.nip.io",
        "localhost.evil.test",
        "2130706433",
        "0x7f.1",
        "::1",
        "[vigie.example]",
        "[::1",
        "user@vigie.example",
        "vigie.example@evil.test",
        "vigie.example/",
        "vigie.example,evil.test",
        "vigie.example evil.test",
        "vigie.example:80:80",
        "vigie.example:99999999",
        "",
        ":80",
        ".",
        "évil.example",
    ],
)
def test_names_of_others_and_what_is_no_name(header: str) -> None:
    assert not OURS.allow(header)


def test_a_name_is_read_without_port_and_dot() -> None:
    assert [name_of(one) for one in ("A.b.:1", "[::1]:1", "a b", "[x]")] == ["a.b", "::1", None, None]


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("[::]", False),
        ("192.0.2.1", False),
        ("vigie.example", False),
    ],
)
def test_what_others_can_reach(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_the_names_of_the_machine_count_where_others_can_reach_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Tower")
    monkeypatch.setattr(hosts, "_HOSTS_FILE", tmp_path / "hosts")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 tower.lan.example tower # us\n192.0.2.1 other.example\n")

    assert own_names("127.0.0.1:8080", None, ()) == {"127.0.0.1"}
    assert own_names("127.0.0.1:8080", "https://v.example/x", ["w.example"]) == {"127.0.0.1", "v.example", "w.example"}
    assert own_names("0.0.0.0:8080", None, ()) == {"0.0.0.0", "tower", "tower.local", "tower.lan.example"}
    (tmp_path / "hosts").unlink()
    assert own_names("vigie.example:8080", None, ()) == {"vigie.example", "tower", "tower.local"}


async def asked(app: Any, path: str, host: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        return await client.get(f"http://127.0.0.1{path}", headers={"Host": host})


def application(ears: Any) -> Any:
    return build(site_of(Snapshot((), (), health_of((), 1), "en"), receiver=ears), OURS)


@pytest.mark.parametrize("path", ["/", "/health", "//health/", "/nothing", "/pings", "/ping", "/feedback/a/b"])
async def test_a_foreign_name_opens_no_page_and_is_told_the_key(path: str) -> None:
    answer = await asked(application(PingReceiver()), path, "evil.example:8080")

    assert answer.status_code == 421
    assert "add evil.example to `web.hosts`" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await asked(application(PingReceiver()), path, "<script>")).text.count("<") == 0


async def test_a_name_of_ours_opens_the_page() -> None:
    for path in ("/", "/health", "/health/"):
        assert (await asked(application(None), path, "vigie.example:8080")).status_code == 200


@pytest.mark.parametrize("path", [f"/ping/{TOKEN}", f"/ping/{TOKEN}/start/", f"//ping//{TOKEN}", f"/api/push/{TOKEN}/"])
async def test_a_ping_may_call_us_anything(path: str) -> None:
    ears = PingReceiver()
    assert (await asked(application(ears), path, "old-name.example")).status_code == 200
    assert (await asked(build_pings(ears), path, "old-name.example")).status_code == 200
    assert len(ears.heard) == 2


@pytest.mark.parametrize("path", ["/", "/health", "/feedback/a/b", "/index.html"])
async def test_where_pings_alone_are_taken_nothing_is_shown(path: str) -> None:
    answer = await asked(build_pings(PingReceiver()), path, "127.0.0.1")

    assert (answer.status_code, answer.text) == (404, "Not Found")
