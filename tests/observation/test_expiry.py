"""What runs out is announced by steps, once each, whatever restarts, clocks and addresses do."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.expiry import Known
from vigie.core.model import Expiry, ExpiryKind
from vigie.core.notification import NotificationPolicy
from vigie.observation import expiry

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
STEPS = NotificationPolicy().expiry_steps_ms
ENDS = 100 * DAY


def cert(ends: int = ENDS, days: float = 14, *, short: bool = False, place: str = "192.0.2.1") -> Expiry:
    return Expiry("shop.test:443", ExpiryKind.CERTIFICATE, "shop.test", ends, ends - round(days * DAY), short, place)


class Watch:
    """One monitor's life: what was announced, as hours before the end; 0 says that it was renewed."""

    def __init__(self, steps: tuple[int, ...] = STEPS) -> None:
        self.known: Known = ()
        self.steps, self.told = steps, list[int]()

    def see(self, at: int, *seen: Expiry, muted: bool = False) -> list[int]:
        self.known, due = expiry.step(self.known, seen, at, self.steps, muted=muted)
        new = [0 if one.renewed else one.number for one in due]
        self.told += new
        return new


def test_each_step_is_announced_once() -> None:
    watch = Watch()
    for at in range(ENDS - 20 * DAY, ENDS, HOUR):
        watch.see(at, cert())
    assert watch.told == [14 * 24, 7 * 24, 3 * 24, 24]


def test_who_looks_late_hears_of_the_step_that_holds_and_of_none_before() -> None:
    watch = Watch()
    assert watch.see(ENDS - 2 * DAY, cert()) == [3 * 24]
    assert watch.see(ENDS - DAY // 2, cert()) == [24]


def test_the_first_step_lies_within_what_the_monitor_asks_for() -> None:
    long, short = Watch(), Watch()
    for at in range(ENDS - 40 * DAY, ENDS, HOUR):
        long.see(at, cert(days=30))
        short.see(at, cert(days=10))
    assert (long.told, short.told) == ([336, 168, 72, 24], [168, 72, 24])


def test_a_short_life_is_announced_at_its_third_and_at_the_steps_below() -> None:
    six, hours = Watch(), Watch()
    for at in range(ENDS - 6 * DAY, ENDS, MINUTE * 10):
        six.see(at, cert(days=2, short=True))
        hours.see(at, cert(days=1 / 3, short=True))
    assert (six.told, hours.told) == ([48, 24], [8])


def test_nobody_is_told_of_what_nobody_wants_to_hear() -> None:
    watch = Watch(steps=())
    watch.see(ENDS - DAY, cert(days=2, short=True))
    assert (watch.told, watch.known) == ([], ())


def test_what_has_expired_is_an_outage_and_no_step() -> None:
    assert Watch().see(ENDS + 1, cert()) == []


def test_two_addresses_with_different_certificates_repeat_nothing_and_renew_nothing() -> None:
    watch = Watch()
    for number, at in enumerate(range(ENDS - 8 * DAY, ENDS - 6 * DAY, 5 * MINUTE)):
        watch.see(at, cert() if number % 2 else cert(ENDS + 80 * DAY, place="192.0.2.2"))
    assert watch.told == [14 * 24, 7 * 24]


def test_one_address_that_serves_two_certificates_repeats_nothing() -> None:
    watch = Watch()
    for number, at in enumerate(range(ENDS - 8 * DAY, ENDS - 6 * DAY, 5 * MINUTE)):
        watch.see(at, cert() if number % 2 else cert(ENDS + 80 * DAY))
    assert watch.told == [14 * 24, 7 * 24]


def test_a_renewal_is_announced_once_and_the_new_certificate_has_its_own_steps() -> None:
    watch, new = Watch(), ENDS + 80 * DAY
    watch.see(ENDS - 6 * DAY, cert())
    assert watch.see(ENDS - 6 * DAY + MINUTE, cert(new)) == []  # it may still be served by another of the same address
    assert watch.see(ENDS - 6 * DAY + 11 * MINUTE, cert(new)) == [0]
    assert watch.see(ENDS - 5 * DAY, cert(new)) == []
    assert watch.see(new - 10 * DAY, cert(new)) == [14 * 24]


def test_a_renewal_by_what_expires_itself_is_no_good_news() -> None:
    watch = Watch()
    watch.see(ENDS - 2 * DAY, cert())
    assert watch.see(ENDS - 2 * DAY + HOUR, cert(ENDS + DAY)) == [72]


def test_a_maintenance_window_puts_it_off() -> None:
    watch = Watch()
    assert watch.see(ENDS - 6 * DAY, cert(), muted=True) == []
    assert watch.see(ENDS - 6 * DAY + HOUR, cert()) == [168]
    assert watch.see(ENDS - 5 * DAY, cert(ENDS + 80 * DAY), muted=True) == []
    assert watch.see(ENDS - 4 * DAY, cert(ENDS + 80 * DAY)) == [0]


def test_an_address_that_went_does_not_keep_a_renewal_back_for_ever() -> None:
    watch = Watch()
    watch.see(ENDS - 10 * DAY, cert(place="192.0.2.9"))
    new = cert(ENDS + 80 * DAY)
    assert [watch.see(ENDS - 10 * DAY + hours * HOUR, new) for hours in (1, 23, 25, 26)] == [[], [], [0], []]


def test_a_check_without_certificates_changes_nothing() -> None:
    watch = Watch()
    watch.see(ENDS - 6 * DAY, cert())
    before = watch.known
    assert (watch.see(ENDS - 5 * DAY), watch.known) == ([], before)


@given(st.lists(st.tuples(st.integers(-3 * DAY, 3 * DAY), st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=80))
def test_no_step_of_a_certificate_is_announced_twice(moves: list[tuple[int, int, int, bool]]) -> None:
    """Also when the clock is set back, and whatever is served where."""
    watch, at, told = Watch(), ENDS - 16 * DAY, set[tuple[int, int]]()
    for delta, which, place, muted in moves:
        at += delta
        seen = cert(ENDS + which * 2 * DAY, place=f"192.0.2.{place}")
        watch.known, due = expiry.step(watch.known, [seen], at, STEPS, muted=muted)
        for one in due:
            if not one.renewed:
                assert not muted
                assert (one.warned.ends_at, one.number) not in told
                told.add((one.warned.ends_at, one.number))
