"""Names with foreign letters, wherever a host is taken: one spelling on the wire, the written one for people, a clear fault where there is none."""

import importlib
from typing import Any

import msgspec
import pytest
from dns.rdatatype import RdataType

from vigie.config.convert import dec_hook
from vigie.core.model import CheckResult, Status
from vigie.net import ascii_name
from vigie.notifiers.email import Config as Mail
from vigie.probes.dns.expect import canonical, question_of
from vigie.probes.kit.deps import configured
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import page, serving

NAME = "straße-☕.test"
HOSTS: dict[str, dict[str, Any]] = {
    "tcp": {"host": NAME, "port": 1},
    "tls": {"host": NAME},
    "smtp": {"host": NAME},
    "imap": {"host": NAME},
    "redis": {"host": NAME},
    "postgres": {"host": NAME},
    "mysql": {"host": NAME},
    "mqtt": {"host": NAME},
    "grpc": {"host": NAME},
    "ssh": {"host": NAME},
    "icmp": {"host": NAME},
    "dns": {"name": NAME},
    "http": {"url": f"https://{NAME}/"},
    "websocket": {"url": f"wss://{NAME}/"},
    "browser": {"url": f"https://{NAME}/"},
}


@pytest.mark.parametrize("kind", HOSTS)
def test_every_kind_takes_one_and_shows_it_as_it_was_written(kind: str) -> None:
    config: Any = configured(importlib.import_module(f"vigie.probes.{kind}").Config, HOSTS[kind])

    assert config.host == NAME
    assert NAME in config.target


@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("bad", ["a／b.test", "ü" * 64 + ".test", "a\u200db.test"])
def test_a_name_that_cannot_be_spelt_is_a_fault_of_the_configuration(kind: str, bad: str) -> None:
    values = {key: value.replace(NAME, bad) if isinstance(value, str) else value for key, value in HOSTS[kind].items()}

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, importlib.import_module(f"vigie.probes.{kind}").Config, dec_hook=dec_hook)


@pytest.mark.parametrize("kind", ["tcp", "http", "websocket"])
async def test_it_is_asked_for_in_one_spelling(kind: str, look_at: Any) -> None:
    async with DnsServer({ascii_name(NAME): Says("A 127.0.0.1")}) as resolver, serving(page(b"hello")) as port:
        urls = {"http": f"http://{NAME}:{port}/", "websocket": f"ws://{NAME}:{port}/"}
        where = {"url": urls[kind]} if kind in urls else {"host": NAME, "port": port}
        result: CheckResult = await look_at(kind, **where, resolver=resolver.address)

    assert result.addresses == ("127.0.0.1",), result.message
    assert kind == "websocket" or result.status is Status.UP


def test_a_question_has_the_same_spelling_and_so_have_expected_records() -> None:
    assert question_of(NAME, "A", signed=False).name.to_text() == f"{ascii_name(NAME)}."
    assert question_of("straße.test", "MX", signed=False).name.to_text() == "xn--strae-oqa.test."
    assert canonical(RdataType.MX, "10 mx.straße.test.") == "10 mx.xn--strae-oqa.test."


def test_mail_takes_them_in_the_server_and_in_addresses() -> None:
    config = Mail(to="ann@bücher.example, bob@shop.example", host="smtp.bücher.example", sender="vigie@straße.example")

    assert config.receivers == ("ann@xn--bcher-kva.example", "bob@shop.example")
    assert config.sent_from == "vigie@xn--strae-oqa.example"
    with pytest.raises(ValueError, match="not a host name"):
        Mail(to="ann@shop.example", host="a／b.example", sender="vigie@shop.example")
    with pytest.raises(ValueError, match="not an email address"):
        Mail(to="änn@shop.example", host="shop.example", sender="vigie@shop.example")
