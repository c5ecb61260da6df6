"""Forms out of the model: every kind has one, what is filled in comes back as it was, and the texts of fields say what they mean."""

from typing import Any

import pytest

from vigie import plugins
from vigie.config import one_monitor
from vigie.config.forms import Forms
from vigie.queries.forms import Widget

FORMS = Forms(lambda: ("default", "night"))
BODIES: list[dict[str, Any]] = [
    {"url": "https://shop.test/"},
    {
        "url": "https://shop.test/health",
        "name": "Shop",
        "every": "30s",
        "timeout": "5s",
        "tags": ["shop", "web"],
        "headers": {"Accept": "application/json", "X-Key": "***"},
        "expect": {"status": "200-299,304", "keyword": ["ok"], "json": {"$.db": "up", "$.queue": "<= 100"}, "tls_days": 21},
        "auth": {"basic": {"user": "ann", "password": "***"}},
        "insecure": True,
        "alert": "night",
    },
    {"type": "tcp", "host": "db.test", "port": 5432, "exchange": [{"send": "PING\\r\\n", "expect": "+PONG"}]},
    {"url": "tcp://db.test:5432", "latency": "200ms"},
    {"type": "exec", "name": "Disk", "command": ["check_disk", "-w", "10%"], "env": {"LANG": "C"}},
    {"type": "heartbeat", "name": "Backup", "token": "***", "period": "1d", "grace": "10m"},
    {
        "type": "steps",
        "name": "Checkout",
        "steps": [{"url": "https://shop.test/"}, {"url": "https://shop.test/cart", "expect": {"status": 200}}],
    },
    {"type": "dns", "lookup": "shop.test", "record": "MX", "expect": {"contains": ["mx1"], "min_count": 2}},
    {"url": "https://shop.test/", "type": "browser", "actions": [{"click": "text=Sign in"}], "viewport": {"width": 800, "height": 600}},
    {"url": "https://shop.test/", "alert": {"confirm": 2, "remind": "1h"}, "enabled": False},
]


@pytest.mark.parametrize("kind", plugins.kinds("probes"))
def test_every_kind_has_a_form(kind: str) -> None:
    form = FORMS.form(kind)
    assert form is not None
    assert form.about
    keys = [one.key for one in form.fields]
    assert len(keys) == len(set(keys))
    assert {"name", "every", "timeout", "tags", "alert"} <= set(keys)
    for one in form.fields:
        assert one.about, one.key
        assert (one.widget is Widget.CHOICE) == bool(one.choices), one.key
    assert any(one.basic for one in form.fields if one.key not in ("name", "every", "tags", "alert")) or kind == "heartbeat"


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.get("type") or body.get("url")))
def test_what_is_filled_in_comes_back(body: dict[str, Any]) -> None:
    kind = FORMS.kind_of(body)
    entered = FORMS.read(kind, FORMS.filled(kind, body))
    assert entered.faults == ()
    assert entered.body == body


def test_every_example_of_an_address_is_accepted() -> None:
    for kind, _ in FORMS.kinds():
        form = FORMS.form(kind)
        if form is not None and form.example and kind not in ("websocket", "grpc"):
            assert not [fault for fault in FORMS.faults({"url": form.example, "type": kind}) if fault.key.endswith("url")], kind


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("expect.tls_days", "7", 7),
        ("expect.tls_days", "seven", "seven"),
        ("insecure", "true", True),
        ("follow_redirects", "false", False),
        ("ip", "4", "4"),
        ("http", "2", "2"),
        ("expect.keyword", "one\r\n\r\n two ", ["one", "two"]),
        ("headers", "A: b: c\n", {"A": "b: c"}),
        ("expect.json", "$.a: 1", {"$.a": 1}),
        ("every", " 30s ", "30s"),
    ],
)
def test_the_text_of_a_field_says(key: str, text: str, value: Any) -> None:
    body: Any = FORMS.read("http", {"url": "https://shop.test/", key: text}).body
    for part in key.split("."):
        body = body[part]
    assert body == value
    if text not in ("seven", " 30s "):
        one_monitor(dict(FORMS.read("http", {"url": "https://shop.test/", key: text}).body))


@pytest.mark.parametrize(("key", "text"), [("headers", "no colon"), ("expect.json", "{a: [")])
def test_what_cannot_be_read_is_a_fault_of_its_field(key: str, text: str) -> None:
    (fault,) = FORMS.read("http", {"url": "https://shop.test/", key: text}).faults
    assert fault.key == key


def test_the_faults_of_an_entry_name_their_keys() -> None:
    body = {"url": "https://shop.test/", "every": "5", "expect": {"status": "abc"}}
    assert {fault.key for fault in FORMS.faults(body)} == {"monitors[0].every", "monitors[0].expect.status"}
    assert FORMS.faults({"url": "https://shop.test/", "alert": "nobody knows"}) == ()


def test_the_file_would_have_it_as_people_write_it() -> None:
    assert FORMS.written({"url": "https://shop.test/"}) == "- https://shop.test/\n"
    text = FORMS.written({"url": "https://shop.test/", "name": "Café", "expect": {"status": 200}})
    assert text == "- url: https://shop.test/\n  name: Café\n  expect:\n    status: 200\n"


def test_the_policies_in_force_can_be_chosen() -> None:
    form = FORMS.form("http")
    assert form is not None
    assert next(one for one in form.fields if one.key == "alert").choices == ("default", "night")
    assert FORMS.form("nothing") is None
