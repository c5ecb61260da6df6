"""What the public sees: by incidents and people's words, in the time that was observed, and nothing else."""

from dataclasses import replace

import pytest

from vigie.core.detection import Severity
from vigie.core.model import Cause, Incident
from vigie.report.colours import contrast, ink_on
from vigie.report.public_page import DAY_MS, DAYS, Known, PublicPage, PublicState, public_page
from vigie.report.publication import Impact, Post, PostKind, Stage, Update
from vigie.report.status_page import Component, Section, StatusPage
from vigie.report.subscriptions import is_public_address, mail_address, web_address

NOW = 1_764_400_000_000
FIRST = (NOW // DAY_MS - DAYS + 1) * DAY_MS
HOUR = 3_600_000
PAGE = StatusPage(
    "public", "Lumen", "/status/public", (Section("", (Component("db-7", "Checkout", "checkout"), Component("web", "Shop", "shop"))),)
)


def incident(start: int, end: int | None = None, *, monitor: str = "db-7", severity: Severity = Severity.OUTAGE) -> Incident:
    return Incident(f"{monitor}-1", monitor, severity, Cause.TCP_REFUSED, start, start + 5_000, end)


def known(*incidents: Incident, **more: object) -> Known:
    base = Known(incidents, {"db-7": FIRST - DAY_MS, "web": FIRST - DAY_MS}, frozenset({"db-7", "web"}))
    return replace(base, **more)  # type: ignore[arg-type]


def post(**more: object) -> Post:
    made = Post(
        "p1",
        "public",
        PostKind.INCIDENT,
        "Payments fail",
        ("web",),
        Impact.DOWN,
        NOW - HOUR,
        (Update(1, NOW - HOUR, Stage.IDENTIFIED, "x", "ann"),),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def states(page: PublicPage) -> list[PublicState]:
    return [one.state for one in page.services]


def test_an_open_incident_is_shown_since_it_began_and_a_single_failed_check_is_not() -> None:
    assert states(public_page(PAGE, known(), [], NOW)) == [PublicState.UP, PublicState.UP]
    made = public_page(PAGE, known(incident(NOW - HOUR)), [], NOW)
    assert states(made) == [PublicState.DOWN, PublicState.UP]
    assert made.services[0].since == NOW - HOUR
    assert made.state is PublicState.DOWN
    slow = public_page(PAGE, known(incident(NOW - HOUR, severity=Severity.DEGRADATION)), [], NOW)
    assert states(slow) == [PublicState.DEGRADED, PublicState.UP]


def test_what_was_never_checked_is_unknown_and_maintenance_hides_trouble() -> None:
    assert states(public_page(PAGE, known(checked=frozenset({"web"})), [], NOW)) == [PublicState.UNKNOWN, PublicState.UP]
    held = known(incident(NOW - HOUR), maintained={"db-7": [(NOW - 2 * HOUR, NOW + HOUR)]})
    made = public_page(PAGE, held, [], NOW)
    assert states(made)[0] is PublicState.MAINTENANCE
    assert made.services[0].availability == 1


def test_availability_leaves_out_what_was_not_observed() -> None:
    out = incident(NOW - 10 * HOUR, NOW - 9 * HOUR)
    day = dict(public_page(PAGE, known(out), [], NOW).services[0].availabilities)
    assert day[1] == pytest.approx(1 - 1 / 24)
    assert day[7] == pytest.approx(1 - 1 / (7 * 24))
    blind = known(out, blind={"": [(NOW - 24 * HOUR, NOW - 12 * HOUR)]})
    assert dict(public_page(PAGE, blind, [], NOW).services[0].availabilities)[1] == pytest.approx(1 - 1 / 12)
    unseen = known(out, blind={"db-7": [(NOW - 24 * HOUR, NOW)]})
    assert dict(public_page(PAGE, unseen, [], NOW).services[0].availabilities)[1] is None
    hidden = public_page(replace(PAGE, show_availability=False), known(out), [], NOW).services[0]
    assert hidden.availability is None
    assert all(ratio is None for _, ratio in hidden.availabilities)


def test_a_day_tells_the_minutes_lost_in_it_across_midnight() -> None:
    midnight = FIRST + 10 * DAY_MS
    made = public_page(PAGE, known(incident(midnight - HOUR, midnight + 2 * HOUR)), [], NOW).services[0]
    assert [(one.day, one.down, one.degraded) for one in made.troubles] == [(9, 60, 0), (10, 120, 0)]


def test_days_before_it_was_watched_and_days_wholly_blind_are_unseen() -> None:
    since = {"db-7": FIRST + 3 * DAY_MS, "web": FIRST - 1}
    blind = {"web": [(FIRST + 5 * DAY_MS - HOUR, FIRST + 7 * DAY_MS + HOUR)]}
    first, second = public_page(PAGE, known(since=since, blind=blind), [], NOW).services
    assert first.unseen == (0, 1, 2)
    assert second.unseen == (5, 6)


def test_what_people_say_counts_as_much_as_a_check() -> None:
    made = public_page(PAGE, known(), [post()], NOW)
    assert states(made) == [PublicState.UP, PublicState.DOWN]
    assert [one.title for one in made.incidents] == ["Payments fail"]
    assert made.incidents[0].services == ("Shop",)
    over = post(updates=(*post().updates, Update(2, NOW, Stage.RESOLVED, "over")), until=NOW)
    ended = public_page(PAGE, known(), [over], NOW)
    assert states(ended) == [PublicState.UP, PublicState.UP]
    assert [one.id for one in ended.past] == ["p1"]
    assert [one.number for one in ended.past[0].updates] == [2, 1]


def test_maintenance_is_announced_by_name_and_time_unless_people_did() -> None:
    span = (NOW + DAY_MS, NOW + DAY_MS + HOUR)
    both = known(planned={"db-7": [span], "web": [span, (NOW + 30 * DAY_MS, NOW + 31 * DAY_MS)]})
    (work,) = public_page(PAGE, both, [], NOW).works
    assert (work.services, work.start, work.until) == (("Checkout", "Shop"), *span)
    told = post(kind=PostKind.MAINTENANCE, impact=Impact.NONE, start=span[0], until=span[1], updates=(Update(1, NOW, Stage.PLANNED, "x"),))
    made = public_page(PAGE, both, [told], NOW)
    assert made.works[0].services == ("Checkout",)
    assert [one.title for one in made.planned] == ["Payments fail"]
    assert public_page(replace(PAGE, announce_maintenance=False), both, [], NOW).works == ()


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert ink_on("#ffff00") == "#0f1215"
    assert ink_on("#000080") == "#ffffff"


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a@b", "@b.fr", "a@b.fr, c@d.fr", "a@b.fr\r\nBcc: x@y.fr", "a b@c.fr", '"x"@c.fr', "a@[10.0.0.1]", "a@b..fr", ".a@b.fr", "a.@b.fr",
        "a..b@c.fr", "<a@b.fr>", "-x\n@b.fr", "a@b.fr\0", "é@b.fr", "a@bé.fr", "a" * 250 + "@b.fr",
    ],
)  # fmt: skip
def test_hostile_mail_addresses_are_refused(text: str) -> None:
    assert mail_address(text) is None


def test_a_mail_address_is_taken_as_it_is() -> None:
    assert mail_address("  Ann+vigie@Example.COM ") == "Ann+vigie@example.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://localhost/", "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://10.0.0.1./", "https://[::1]/",
        "https://user@example.com/", "https://example.com:0/", "https://db.internal/", "https://router.lan/", "https://intra/", "ftp://example.com/",
        "https://example.com/\r\nX: y", "https://1.2.3.0x4/", "https://a.b.c.012/", "https://" + "a" * 600 + ".com/",
    ],
)  # fmt: skip
def test_web_addresses_that_lead_inside_are_refused(url: str) -> None:
    assert web_address(url) is None


def test_a_named_https_address_is_taken() -> None:
    assert web_address("https://hooks.example.com:8443/x?y=1") == "https://hooks.example.com:8443/x?y=1"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("192.168.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::", False), ("no", False), ("240.0.0.1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert is_public_address(address) is public
