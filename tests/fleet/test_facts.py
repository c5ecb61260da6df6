"""What a result may bring from elsewhere: a hostile one is within the bounds afterwards, an honest one is as it was."""

import math
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, Certificate, CheckResult, Expiry, ExpiryKind, HttpFacts, PageFacts, Status, Timings, TlsFacts
from vigie.engine.agents.intake import MAX_WHOLE_BYTES
from vigie.fleet.facts import bounded
from vigie.text.marks import misleading

AT = 1_795_000_000_000
EVIL = "\x1b]0;owned\x07\r\n2026-11-29 00:00:00 - INFO - all is well\x00 \u202egnp.exe"
HUGE = 2**62


def down(**more: Any) -> CheckResult:
    return CheckResult("shop", AT, Status.DOWN, Cause.HTTP_STATUS, **{"message": "HTTP 500", **more})


def texts(value: Any) -> list[str]:
    """All of them, of keys, too."""
    if type(value) is str:
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    if isinstance(value, tuple):
        return [text for one in value for text in texts(one)]
    return [text for one in fields(value) for text in texts(getattr(value, one.name))] if is_dataclass(value) else []


def certificate(names: int, text: str = "shop.test") -> Certificate:
    return Certificate(text, text, AT, AT, text, text, tuple(f"{number}.{text}" for number in range(names)), text)


HOSTILE = {
    "escapes everywhere": down(
        message=EVIL, figures={EVIL: EVIL}, address=EVIL, addresses=(EVIL,), advice=(EVIL,), host=EVIL,
        http=HttpFacts(500, EVIL, type=EVIL, headers={EVIL: EVIL}, hops=(EVIL,), title=EVIL),
        tls=TlsFacts(EVIL, EVIL, EVIL, chain=(certificate(1, EVIL),), limit=certificate(1, EVIL)),
        page=PageFacts(EVIL, 1, title=EVIL, type=EVIL, landmarks=(EVIL,), scripts=(EVIL,), links=(EVIL,)),
        expiries=(Expiry(EVIL, ExpiryKind.DOMAIN, EVIL, AT, AT, place=EVIL),),
    ),
    "a novel": down(message="x" * 5_000),
    "a novel in another script": down(message="\U0001f600" * 5_000),
    "a megabyte": down(advice=("x" * 3_999,) * 300),
    "a telephone book": down(addresses=("192.0.2.7",) * 5_000),
    "a chain of a thousand names each": down(tls=TlsFacts("1.3", chain=tuple(certificate(1_000, "x" * 200) for _ in range(8)))),
    "everything at once": down(
        message="é" * 4_000, figures={f"{number}{'x' * 100}": "y" * 4_000 for number in range(300)}, advice=("a" * 4_000,) * 300,
        addresses=("b" * 100,) * 300, http=HttpFacts(500, "2", headers={str(number): "c" * 200 for number in range(300)}, hops=("d",) * 999),
        tls=TlsFacts("1.3", chain=tuple(certificate(300) for _ in range(300))),
        page=PageFacts("e", 1, landmarks=("f",) * 999, scripts=("g" * 200,) * 999, links=("h",) * 999),
        expiries=tuple(Expiry(str(number), ExpiryKind.CERTIFICATE, "i" * 200, AT, AT) for number in range(300)),
    ),
    "numbers that are none": down(
        timings=Timings(dns=math.nan, connect=math.inf, tls=-1.0, total=1e300), figures={"a": math.nan, "b": -math.inf, "c": HUGE},
        http=HttpFacts(HUGE, "2", HUGE, -HUGE), tls=TlsFacts("1.3", expires_at=HUGE, days_left=-HUGE),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_hostile_is_within_the_bounds_afterwards(kind: str) -> None:
    found = bounded(HOSTILE[kind])
    assert all(misleading(text) is None for text in texts(found))
    assert len(msgspec.msgpack.encode(found)) <= MAX_WHOLE_BYTES
    assert bounded(found) == found
    assert (found.monitor, found.at, found.status, found.cause) == ("shop", AT, Status.DOWN, Cause.HTTP_STATUS)
    assert found.message


def test_numbers_are_numbers() -> None:
    found = bounded(HOSTILE["numbers that are none"])
    assert found.timings == Timings()
    assert found.figures == {"c": 2**53}
    assert found.http == HttpFacts(2**53, "2", 2**53, -(2**53))


HONEST = [
    down(),
    down(
        message="le service répond « erreur » : 500", figures={"status": 500, "measured_ms": 12.5, "host": "bücher.example", "first": True}
    ),
    down(timings=Timings(0.0, 1.5, 2.5, 400.0, 12.0, 416.0), addresses=("192.0.2.7", "2001:db8::7"), advice=("restart it",), host="a.test"),
    down(http=HttpFacts(500, "2", 3, 123_456, "text/html", {"server": "nginx"}, ("https://a.test/",) * 10, "日本語")),
    down(tls=TlsFacts("TLSv1.3", "CA", "shop.test", AT, 90, tuple(certificate(100) for _ in range(4)), certificate(100))),
    down(page=PageFacts("0" * 64, 12_345, 300, "1" * 16, "text/html", ("header", "main"), ("cdn.test",) * 100, ("a.test",) * 150)),
    down(expiries=tuple(Expiry(f"shop.test:{port}", ExpiryKind.CERTIFICATE, "shop.test", AT, AT) for port in range(40))),
]


@pytest.mark.parametrize("result", HONEST)
def test_what_is_honest_is_as_it_was(result: CheckResult) -> None:
    assert bounded(result) is result


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.floats()), st.lists(st.text()))
def test_nothing_of_it_fails(text: str, figures: dict[str, Any], many: list[str]) -> None:
    found = bounded(down(message=text, figures=figures, addresses=tuple(many), advice=tuple(many)))
    assert bounded(found) == found
    assert len(msgspec.msgpack.encode(found)) <= MAX_WHOLE_BYTES
