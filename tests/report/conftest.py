"""One incident, as the tests of the report see it: Shop API answers 502 behind nginx, one of its two addresses refuses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Incident, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import Notice, NoticeReason, NotificationPolicy
from vigie.report import measured
from vigie.report.facts import Bundle, Evidence, FactKind, Subject
from vigie.report.render import RenderContext

ZONE = timezone(timedelta(hours=1))
AT = 1_795_525_325_000  # 2026-11-24 14:02:05 UTC+1
MINUTE = 60_000


def _certificate(sha: str = "aa") -> Certificate:
    return Certificate("api.shop.example", "Example CA", AT - 10_000_000, AT + 100 * 86_400_000, "EC 256", "ecdsa-with-SHA256", (), sha)


def _result(**changed: Any) -> CheckResult:
    base = CheckResult(
        monitor="shop-api",
        at=AT,
        status=Status.DOWN,
        cause=Cause.HTTP_STATUS,
        message="HTTP 502, expected 200-299",
        timings=Timings(4.2, 11.6, 23.4, 31.2, 1.0, 71.4),
        figures={"status": 502, "expected": "200-299"},
        address="192.0.2.10",
        addresses=("192.0.2.10", "192.0.2.11"),
        http=HttpFacts(502, "HTTP/1.1", bytes=157, type="text/html", headers={"server": "nginx/1.25.3"}),
        tls=TlsFacts("TLSv1.3", "Example CA", "api.shop.example", AT + 99 * 86_400_000, 99, (_certificate(), _certificate("bb"))),
    )
    return replace(base, **changed)


@pytest.fixture
def result() -> Callable[..., CheckResult]:
    """The failed check, with what is changed in it."""
    return _result


@pytest.fixture
def good() -> CheckResult:
    """The last good check, an hour before."""
    return _result(
        at=AT - 60 * MINUTE,
        status=Status.UP,
        cause=None,
        figures={},
        http=HttpFacts(200, "HTTP/1.1", bytes=2_048, headers={"server": "nginx"}),
    )


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """What the report is about; keywords change the check, `of` changes the subject."""

    def make(*, of: dict[str, Any] | None = None, severity: Severity = Severity.OUTAGE, **changed: Any) -> Subject:
        monitor = Monitor(
            "shop-api",
            "Shop API",
            "http",
            "https://api.shop.example/health",
            "api.shop.example",
            30_000,
            5_000,
            notification=NotificationPolicy(to=("mail",)),
        )
        found = _result(**changed)
        incident = Incident("shop-api-3", "shop-api", severity, found.cause or Cause.HTTP_STATUS, AT, AT + 10_000)
        return replace(Subject(monitor, incident, found, failures=3), **(of or {}))

    return make


@pytest.fixture
def look() -> list[Evidence]:
    """What the collectors brought."""

    def one(kind: FactKind, name: str, value: Any, fr: str, en: str, bad: bool | None) -> Evidence:
        return Evidence(kind, name, value, fr, en, AT + 1_000, "diagnostics", bad=bad)

    return [
        one(
            FactKind.CONTROL,
            "link",
            True,
            "La liaison de Vigie fonctionne.",
            "Vigie's own link works.",
            False,
        ),
        one(
            FactKind.TCP,
            "address.192.0.2.10",
            12,
            "L'adresse 192.0.2.10, port 443, accepte la connexion en 12 ms.",
            "The address 192.0.2.10, port 443, accepts the connection in 12 ms.",
            False,
        ),
        one(
            FactKind.TCP,
            "address.192.0.2.11",
            1,
            "L'adresse 192.0.2.11, port 443, refuse la connexion.",
            "The address 192.0.2.11, port 443, refuses the connection.",
            True,
        ),
    ]


@pytest.fixture
def bundle() -> Callable[..., Bundle]:
    """The facts of a subject and of what the collectors brought."""

    def make(subject: Subject, evidence: Sequence[Evidence] = ()) -> Bundle:
        return measured.bundle(subject, evidence, AT + 12_000, ZONE)

    return make


@pytest.fixture
def setting() -> Callable[[str], RenderContext]:
    """A language, in the zone of these tests."""
    return lambda language: RenderContext(language, ZONE)


@pytest.fixture
def notice() -> Callable[..., Notice]:
    """A notice by mail, 12 s after the first failure unless told otherwise."""

    def make(reason: NoticeReason, after_ms: int = 12_000) -> Notice:
        return Notice("shop-api-3", "shop-api", "mail", reason, AT + after_ms)

    return make
