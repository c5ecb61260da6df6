"""The address of a bus, and what is wrong with it."""

from pathlib import Path

import pytest

from vigie.net import Secret
from vigie.net.nats.address import Config


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("nats://bus", Config(servers=("bus:4222",))),
        ("NATS://bus:4333/", Config(servers=("bus:4333",))),
        ("nats://a,b:1,nats://c", Config(servers=("a:4222", "b:1", "c:4222"))),
        ("tls://[2001:db8::1]:4222", Config(servers=("[2001:db8::1]:4222",), tls=True)),
        ("nats://me:p%40ss@a,b", Config(servers=("a:4222", "b:4222"), user="me", password=Secret("p@ss"))),
        ("nats://me:p@a,me:p@b", Config(servers=("a:4222", "b:4222"), user="me", password=Secret("p"))),
        ("nats://t0ken@a", Config(servers=("a:4222",), token=Secret("t0ken"))),
        ("nats://a?token=t0ken&replicas=3", Config(servers=("a:4222",), token=Secret("t0ken"), replicas=3)),
        ("nats://a?max_age=12h&max_bytes=20GB", Config(servers=("a:4222",), max_age=43_200, max_bytes=20_000_000_000)),
        ("nats://a?agent=paris-1&location=paris", Config(servers=("a:4222",), agent="paris-1", location="paris")),
    ],
)
def test_an_address_says_where_the_bus_is_and_who_we_are(address: str, wanted: Config) -> None:
    assert Config.of(address) == wanted


def test_files_start_at_the_folder_of_the_configuration(tmp_path: Path) -> None:
    found = Config.of("tls://a?creds=vigie.creds&ca_file=/etc/ca.pem", tmp_path)
    assert (found.creds, found.ca_file) == (str(tmp_path / "vigie.creds"), "/etc/ca.pem")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://a", "nats://host:4222"),
        ("a:4222", "nats://host:4222"),
        ("nats://", "is not a host"),
        ("nats://a:0", "is not a host"),
        ("nats://a:99999", "is not a host"),
        ("nats://a,,b", "is not a host"),
        ("nats://a b", "is not a host"),
        ("nats://me:p@a,you:p@b", "one login"),
        ("nats://me:p@a?token=x", "exclude each other"),
        ("nats://a?creds=x&nkey=y", "exclude each other"),
        ("tls://a?cert_file=x", "belong together"),
        ("nats://a?replica=3", "unknown option 'replica'"),
        ("nats://a?replicas=many", "from 1 to 5"),
        ("nats://a?replicas=9", "from 1 to 5"),
        ("nats://a?replicas=1&replicas=3", "twice"),
        ("nats://a?token=", "is empty"),
        ("nats://a?max_age=soon", "at least an hour"),
        ("nats://a?max_age=5m", "at least an hour"),
        ("nats://a?max_bytes=1KB", "at least 1MB"),
    ],
)
def test_what_is_wrong_is_said(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("?", r"\?")):
        Config.of(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("nats://me:secret@a,b", "nats://me:***@a:4222,b:4222"),
        ("nats://s3cr3t@a", "nats://***@a:4222"),
        ("tls://a?creds=x", "tls://a:4222"),
        ("nats://a?token=s3cr3t", "nats://***@a:4222"),
    ],
)
def test_secrets_are_never_shown(address: str, shown: str) -> None:
    found = Config.of(address)
    assert found.shown == shown
    assert "s3cr3t" not in repr(found)
    assert "secret" not in repr(found)


def test_a_server_elsewhere_without_tls_is_named() -> None:
    assert Config.of("nats://127.0.0.1,bus.example").unencrypted == "bus.example"
    assert Config.of("nats://[::1]:4222,localhost").unencrypted == ""
    assert Config.of("tls://bus.example").unencrypted == ""
