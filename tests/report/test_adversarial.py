"""No value that a server can send, and none that a clock can show, breaks a report: the whole chain over adversarial check results."""

import json
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.core.detection import Severity
from vigie.core.model import Cause, Certificate, CheckResult, HttpFacts, Incident, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import Notice, NoticeReason
from vigie.report import measured, prompt, render, rules, select, verify
from vigie.report.facts import Analysis, Message, Subject
from vigie.report.render import RenderContext
from vigie.text import LANGUAGES, formatting
from vigie.text.messages import HEADLINES

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999  # of 0001-01-01 and 9999-12-31 in UTC
ZONES: list[tzinfo] = [
    UTC,
    ZoneInfo("Europe/Paris"),
    ZoneInfo("Pacific/Kiritimati"),
    ZoneInfo("America/Adak"),
    timezone(timedelta(hours=-23, minutes=-59)),
]
ODD_TEXTS = [
    "",
    " ",
    "\x00",
    "\ud800",
    "\u202eevil\u202c",
    "\u200b" * 50,
    "x" * 100_000,
    "Zoë \U0001f480",
    "{0}{cause}%s",
    "\r\nBcc: a@b.example",
    "<script>",
]

instants = st.one_of(
    st.integers(FIRST, LAST),
    st.integers(-(10**30), 10**30),
    st.sampled_from([FIRST, FIRST - 1, LAST, LAST + 1, 0, -1, 2**31 * 1_000, 2**63 - 1, -(2**63)]),
)
texts = st.one_of(st.text(max_size=40), st.sampled_from(ODD_TEXTS))
lengths = st.one_of(st.integers(0, 10**7), st.integers(-(10**30), 10**30))
spans = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 60_000))
scalars = st.one_of(st.none(), st.booleans(), lengths, st.floats(), texts)
NAMES = [
    "limit_ms", "measured_ms", "usual_ms", "status", "expected", "received", "announced", "redirects", "keyword", "path", "operator", "wanted",
    "days_left", "revoked_days", "expired_days", "loss_percent", "sent", "phase", "signs", "family", "dead", "address", "addresses", "silent_ms",
    "running_ms", "longest_ms", "exit_status", "step", "step_name", "plugin", "console_errors", "where", "page", "signature",
]  # fmt: skip
figures = st.dictionaries(st.sampled_from(NAMES), scalars, max_size=10)
certificates = st.builds(Certificate, texts, texts, instants, instants, texts, texts, st.tuples(texts), texts)
tls = st.builds(
    TlsFacts, st.one_of(st.none(), st.sampled_from(["TLSv1.3", "SSLv3"]), texts), st.one_of(st.none(), texts), st.one_of(st.none(), texts),
    st.one_of(st.none(), instants), st.one_of(st.none(), lengths), st.lists(certificates, max_size=2).map(tuple),
)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(["server", "via", "retry-after", "location"]), st.one_of(texts, st.sampled_from(["²", "9" * 50, "nginx", "٣"]))
)
http = st.builds(
    HttpFacts, lengths, texts, lengths, lengths, st.one_of(st.none(), texts), headers, st.lists(texts, max_size=2).map(tuple), st.one_of(st.none(), texts)
)  # fmt: skip
results = st.builds(
    CheckResult, st.just("shop"), st.integers(0, 4_000_000_000_000), st.sampled_from(Status), st.one_of(st.none(), st.sampled_from(Cause)), texts,
    st.builds(Timings, spans, spans, spans, spans, spans, spans), figures, st.one_of(st.none(), texts), st.lists(texts, max_size=3).map(tuple),
    st.one_of(st.none(), http), st.one_of(st.none(), tls),
)  # fmt: skip
notices = st.sampled_from(list(HEADLINES))  # the others are laid out by reports of their own


def about(result: CheckResult, good: CheckResult | None, after: CheckResult | None, severity: Severity) -> Subject:
    monitor = Monitor("shop", "Shop", "http", "https://shop.example/", "shop.example", 30_000, 5_000)
    incident = Incident("shop-1", "shop", severity, result.cause or Cause.HTTP_STATUS, result.at, result.at + 10_000)
    return Subject(monitor, incident, result, good, failures=3, first_good=after)


def sound(message: Message) -> None:
    """It can be sent, stored and shown."""
    whole = json.dumps(msgspec.to_builtins(message), ensure_ascii=False)
    assert whole.encode("utf-8")
    assert msgspec.json.encode(message)
    for line in (message.headline, message.subject, *message.lines):
        assert "\x00" not in line
        assert "\n" not in line
    assert len(message.headline) <= 100


@pytest.mark.timeout(300)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    results, st.one_of(st.none(), results), st.one_of(st.none(), results), st.sampled_from(Severity), st.sampled_from(ZONES), st.sampled_from(LANGUAGES),
    notices,
)  # fmt: skip
def test_the_whole_chain_holds(
    result: CheckResult,
    good: CheckResult | None,
    after: CheckResult | None,
    severity: Severity,
    zone: tzinfo,
    language: str,
    reason: NoticeReason,
) -> None:
    subject = about(result, good, after, severity)
    bundle = measured.bundle(subject, (), result.at + 12_000, zone)
    found = rules.shortlist(bundle, subject)
    system, user, schema = prompt.build(bundle, subject, found, language)
    assert prompt.tokens(system) + prompt.tokens(user) <= 3 * prompt.MAX_TOKENS
    assert json.dumps([system, user, schema, select.build(bundle, subject, found, language)], ensure_ascii=False).encode("utf-8")
    for fact in bundle.facts:
        reply = json.dumps({"cause": "unknown", "sentences": [{"text": fact.evidence.sentence(language), "facts": [fact.id]}]})
        verify.certify(reply, bundle, subject, found, language, "m")
    analysis = Analysis("m", language, tuple(fact.evidence.sentence(language) for fact in bundle.facts[:2]))
    notice = Notice("shop-1", "shop", "mail", reason, result.at + 12_000)
    sound(render.compose(subject, notice, bundle, analysis, RenderContext(language, zone)))


@given(instants, st.sampled_from(ZONES), st.sampled_from(LANGUAGES), instants)
def test_every_instant_can_be_written(at: int, zone: tzinfo, language: str, seen: int) -> None:
    for text in (
        formatting.timestamp(at, zone), formatting.clock_time(at, zone), formatting.date_time(at, zone, language),
        formatting.short_time(at, zone, language, seen), formatting.moment(at, zone, seen, language), formatting.between(at, seen, zone, at, language),
    ):  # fmt: skip
        assert text.isprintable()


@given(st.floats(), st.sampled_from(LANGUAGES))
def test_every_number_can_be_written(value: float, language: str) -> None:
    for write in (
        formatting.decimal, formatting.grouped, formatting.percent, formatting.hundredths, formatting.milliseconds, formatting.latency,
        formatting.seconds,
    ):  # fmt: skip
        assert write(value, language)


@pytest.mark.parametrize("zone", ZONES)
def test_a_certificate_until_9999_is_an_ordinary_one(zone: tzinfo) -> None:
    shown = TlsFacts("TLSv1.3", "CA", "shop.example", LAST, (LAST - 1_795_525_325_000) // 86_400_000, ())
    failed = CheckResult(
        "shop", 1_795_525_325_000, Status.DOWN, Cause.HTTP_STATUS, figures={"status": 502, "expected": "200-299"}, tls=shown
    )
    bundle = measured.bundle(about(failed, None, None, Severity.OUTAGE), (), failed.at, zone)
    (said,) = [fact.evidence.en for fact in bundle.facts if fact.evidence.name == "days_left"]
    assert " 9999 at " in said


def _figures(**values: Any) -> CheckResult:
    return CheckResult("shop", 0, Status.DOWN, Cause.TIMEOUT_CONNECT, figures=values)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 10**400])
def test_a_span_that_is_no_number_is_left_out(value: float) -> None:
    subject = about(_figures(limit_ms=value), None, None, Severity.OUTAGE)
    assert measured.bundle(subject, (), 0, UTC).facts[0].evidence.en == "Check of shop.example: connection timed out (timeout.connect)."
