"""The usual shape of a page: what varies is learnt, what is far from it is told once and then learnt too."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.model import Cause, CheckResult, PageFacts, Sensitivity, Status, Timings
from vigie.learning.baseline import Baseline, accepted, judge
from vigie.learning.page_profile import PageProfile
from vigie.report.wording import cause_words, short_words

NORMAL = Sensitivity.NORMAL
NOTHING = Baseline()
HOUR = 3_600_000
START = 1_767_571_200_000
SHOP = PageFacts(
    "d0", 30_000, 900, "title-1", "text/html", ("header", "nav", "main", "footer", "h1", "form"),
    ("cdn.shop.example", "stats.example"), ("pay.example", "social.example", "help.example"),
)  # fmt: skip


def up(at: int, page: PageFacts | None) -> CheckResult:
    return CheckResult("shop", at, Status.UP, timings=Timings(total=100.0), page=page)


@dataclass
class Watched:
    """A page looked at every ten minutes; one that equals the page before is not told, as the probe does it."""

    known: Baseline = NOTHING
    at: int = START
    before: PageFacts | None = None

    def look(self, page: PageFacts) -> CheckResult:
        judged, self.known = judge(up(self.at, None if page == self.before else page), self.known, NORMAL)
        self.before, self.at = page, self.at + HOUR // 6
        return judged

    def learn(self, page: Callable[[int], PageFacts] = lambda _: SHOP, hours: int = 50) -> "Watched":
        for number in range(hours * 6):
            assert self.look(page(number)).status is Status.UP
        return self


def varied(**changes: object) -> PageFacts:
    return replace(SHOP, **{"digest": "d1", **changes})  # type: ignore[arg-type]


FAR: dict[str, PageFacts] = {
    "script": varied(scripts=(*SHOP.scripts, "evil.example")),
    "type": varied(type="application/json"),
    "size": varied(bytes=4_000, words=880),
    "size, landmarks, title": varied(bytes=3_000, words=30, landmarks=("h1",), title="title-2"),
    "landmarks, title": varied(landmarks=("h1", "main"), title="title-2"),
    "links": varied(links=(*SHOP.links, *(f"pills{number}.example" for number in range(40)))),
    "size, title": varied(bytes=400_000, title="title-2"),
}


@pytest.mark.parametrize(("signs", "page"), FAR.items(), ids=list(FAR))
def test_a_page_far_from_the_usual_is_told_with_what_is_unlike(signs: str, page: PageFacts) -> None:
    judged = Watched().learn().look(page)
    assert (judged.status, judged.cause) == (Status.DEGRADED, Cause.CONTENT_CHANGED)
    assert judged.figures["signs"] == signs
    assert judged.figures["bytes"] == page.bytes
    for language in ("fr", "en"):
        assert "{" not in cause_words(Cause.CONTENT_CHANGED, judged.figures, language)
        assert short_words(Cause.CONTENT_CHANGED, judged.figures, language)


def test_the_new_script_host_is_named_and_never_in_the_words_of_a_report() -> None:
    judged = Watched().learn().look(FAR["script"])
    assert "evil.example" in judged.message
    assert judged.figures["host"] == "evil.example"
    assert "evil" not in cause_words(Cause.CONTENT_CHANGED, judged.figures, "en")


NEAR: dict[str, PageFacts] = {
    "one word": varied(bytes=30_004, words=900),
    "another title alone": varied(title="title-2"),
    "a longer page": varied(bytes=90_000, words=3_000),
    "a shorter page": varied(bytes=15_000, words=500),
    "a new link": varied(links=(*SHOP.links, "partner.example")),
    "a script less": varied(scripts=SHOP.scripts[:1]),
    "a landmark less": varied(landmarks=SHOP.landmarks[:-1]),
    "a landmark more": varied(landmarks=(*SHOP.landmarks, "aside")),
}


@pytest.mark.parametrize("page", NEAR.values(), ids=list(NEAR))
def test_an_honest_change_is_nothing(page: PageFacts) -> None:
    watched = Watched().learn()
    for one in (page, SHOP, page, page):
        assert watched.look(one).status is Status.UP


def test_nothing_is_told_while_it_learns() -> None:
    watched = Watched().learn(hours=20)
    assert all(watched.look(page).status is Status.UP for page in FAR.values())


def lively(number: int) -> PageFacts:
    """A page that is another at every look: a counter in its title, adverts from anywhere, a list of any length."""
    rng = random.Random(number)
    return PageFacts(
        f"d{number}", rng.randrange(2_000, 60_000), rng.randrange(50, 2_000), f"title-{number}", "text/html",
        ("header", "main", *rng.sample(["nav", "aside", "footer", "form", "section"], rng.randrange(5))),
        tuple(f"ad{rng.randrange(500)}.example" for _ in range(4)), tuple(f"news{rng.randrange(900)}.example" for _ in range(30)),
    )  # fmt: skip


def test_a_page_that_always_varies_is_never_accused() -> None:
    watched = Watched().learn(lively, hours=24 * 20)
    assert watched.look(varied(type="application/json")).status is Status.DEGRADED, "but for what never varied"


def variant(number: int) -> PageFacts:
    return SHOP if number % 3 else varied(digest="v", title="title-v", bytes=9_000, scripts=("b.example",), landmarks=("main", "h1"))


def test_two_variants_are_both_usual() -> None:
    Watched().learn(variant, hours=24 * 10)


def monthly_article(number: int) -> PageFacts:
    return varied(
        digest=f"a{number // 500}", title=f"title-{number // 500}", bytes=30_000 + number, links=(*SHOP.links, f"s{number // 500}.example")
    )


def test_a_page_that_changes_now_and_then_is_never_accused() -> None:
    Watched().learn(monthly_article, hours=24 * 40)


def queue(number: int) -> PageFacts:
    return PageFacts(f"q{number}", 10 if number % 9 else 90_000, 3, "", "application/json")


def test_data_may_be_of_any_size() -> None:
    watched = Watched().learn(lambda _: queue(9), hours=30)
    for number in range(9, 40):
        assert watched.look(queue(number)).status is Status.UP


def test_a_tiny_page_may_halve() -> None:
    tiny = PageFacts("t", 30, 4, "", "text/html")
    assert Watched().learn(lambda _: tiny).look(replace(tiny, digest="u", bytes=2, words=1)).status is Status.UP


def test_a_page_that_stays_strange_stays_told_though_it_is_not_sent_again() -> None:
    watched = Watched().learn()
    assert [watched.look(FAR["script"]).status for _ in range(5)] == [Status.DEGRADED] * 5
    assert watched.look(SHOP).status is Status.UP, "and is over when the old page is back"
    assert watched.look(FAR["script"]).status is Status.DEGRADED, "and was not learnt"


def test_a_deployment_is_told_for_a_day_and_is_then_the_usual_page() -> None:
    watched = Watched().learn()
    new = varied(digest="n", title="title-n", bytes=8_000, landmarks=("main",), scripts=("new.example",))
    told = [watched.look(new).status for _ in range(30 * 6)]
    assert told == sorted(told), "degraded, then up, and never degraded again"
    assert 22 * 6 <= told.count(Status.DEGRADED) <= 26 * 6
    assert watched.look(replace(new, digest="n2")).status is Status.UP
    assert watched.look(replace(new, digest="n3", scripts=("new.example", "evil.example"))).status is Status.DEGRADED


def test_a_new_page_that_varies_is_accepted_as_a_whole() -> None:
    watched = Watched().learn()
    scripts = [("a.example",), ("b.example", "c.example")]
    new = [varied(digest=f"n{number}", type="text/plain", scripts=scripts[number]) for number in range(2)]
    told = [watched.look(new[number % 2]).status for number in range(40 * 6)]
    assert told == sorted(told)
    assert told[-1] is Status.UP


def test_a_person_makes_it_the_usual_page_at_once() -> None:
    watched = Watched().learn()
    watched.look(FAR["landmarks, title"])
    watched.known = accepted(watched.known, NORMAL)
    assert [watched.look(FAR["landmarks, title"]).status for _ in range(3)] == [Status.UP] * 3


def test_a_degraded_check_teaches_the_page_too() -> None:
    watched = Watched().learn()
    expiring = CheckResult("shop", watched.at, Status.DEGRADED, Cause.TLS_EXPIRING, timings=Timings(total=100.0), page=FAR["script"])
    judged, watched.known = judge(expiring, watched.known, NORMAL)
    assert judged is expiring
    watched.before = FAR["script"]
    assert watched.look(FAR["script"]).cause is Cause.CONTENT_CHANGED


@given(
    counters=st.lists(st.integers(0, 255), min_size=7, max_size=7),
    numbers=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)),
    links=st.integers(0, 2**256 - 1),
    scripts=st.lists(st.binary(min_size=4, max_size=4), max_size=24),
)
def test_a_shape_reads_back_what_it_packs(
    counters: list[int], numbers: tuple[int, int, int, int], links: int, scripts: list[bytes]
) -> None:
    born, title, kind, parts = numbers
    titles, kinds, news, strays, low, high, words = counters
    shape = PageProfile(born, titles, kinds, news, strays, low, high, words, title, kind, parts, links, b"".join(scripts))
    assert PageProfile.unpack(shape.pack()) == shape
    assert len(shape.pack()) <= 160


@given(
    title=st.text(max_size=5),
    kind=st.text(max_size=5),
    size=st.integers(0, 2**40),
    words=st.integers(0, 2**40),
    names=st.lists(st.text(max_size=5), max_size=60),
)
def test_no_page_breaks_it(title: str, kind: str, size: int, words: int, names: list[str]) -> None:
    page = PageFacts("x", size, words, title, kind, tuple(names), tuple(names), tuple(names))
    for known in (Baseline(), Watched().learn(hours=26).known):
        judged, _ = judge(up(START + 26 * HOUR, page), known, NORMAL)
        assert judged.cause in (None, Cause.CONTENT_CHANGED)
