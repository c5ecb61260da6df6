"""Nothing private is in any public byte, whatever the configuration: names, ids, addresses, errors, tags, causes, writers, other pages.

Each private text of a made-up installation holds a marker that nothing else has; every public output there is is searched for it.
"""

import asyncio
import re
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.web._status import HOUR, NOW, Rig

from vigie.commands.status_pages import NewPost
from vigie.core.detection import Severity
from vigie.core.model import Cause, CheckResult, Incident, Monitor, Status
from vigie.planning.maintenance import Maintenance
from vigie.planning.windows import Once
from vigie.ports import Commit, StoredReport
from vigie.report.facts import Analysis, Bundle, Evidence, Fact, FactKind
from vigie.report.publication import Impact, PostKind, Stage
from vigie.report.status_page import Component, Section, StatusPage
from vigie.web.page import templates
from vigie.web.status.export import files

MARK = "zqxprivate"
_CAUSES = [Cause.TCP_REFUSED, Cause.HTTP_STATUS, Cause.DNS_NXDOMAIN, Cause.TLS_EXPIRED]


@st.composite
def installations(draw: st.DrawFn) -> dict[str, Any]:
    """Monitors, which of them are on which page, what broke, what was published, what is planned."""
    count = draw(st.integers(2, 6))
    monitors = [
        Monitor(
            f"{MARK}-id-{number}", f"{MARK} name {number}", "http", f"https://{MARK}-{number}.example/{MARK}", f"{MARK}-{number}.example", 60_000,
            10_000, tags=(f"{MARK}-tag",),
        )
        for number in range(count)
    ]  # fmt: skip
    chosen = draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count - 1))
    shown = tuple(Component(monitors[number].id, f"Public {number}", f"public-{number}") for number in sorted(chosen))
    rest = tuple(
        Component(one.id, f"{MARK} public {number}", f"{MARK}-key-{number}") for number, one in enumerate(monitors) if number not in chosen
    )
    page = StatusPage(
        "open", "Open", draw(st.sampled_from(["/status/open", "/etat"])), (Section("Group", shown),), url="https://status.example.org",
        domain=draw(st.sampled_from([None, "status.example.org"])), language=draw(st.sampled_from(["en", "fr"])), mail=f"{MARK}-channel",
        show_latency=draw(st.booleans()), show_availability=draw(st.booleans()),
    )  # fmt: skip
    others = [
        StatusPage(f"{MARK}-page", f"{MARK} title", f"/{MARK}", (Section(f"{MARK} group", rest),), public=False),
        StatusPage("other", f"{MARK} other", f"/{MARK}-other", (Section("", rest),), public=True, url="https://other.example.org"),
    ]
    incidents = [
        Incident(
            f"{one.id}-1", one.id, draw(st.sampled_from(list(Severity))), draw(st.sampled_from(_CAUSES)), NOW - draw(st.integers(1, 50)) * HOUR,
            NOW - HOUR // 2, draw(st.sampled_from([None, NOW - 60_000])), acked_by=f"{MARK} ann", note=f"{MARK} note", alert=f"{monitors[0].id}-1",
        )
        for one in monitors
        if draw(st.booleans())
    ]  # fmt: skip
    planned = [
        Maintenance("maintenance[0]", Once(NOW + HOUR, NOW + 2 * HOUR), (draw(st.sampled_from(monitors)).id,), why=f"{MARK} why"),
        Maintenance("m1", Once(NOW + 3 * HOUR, NOW + 4 * HOUR), tags=(f"{MARK}-tag",), why=f"{MARK} why", by=f"{MARK} bob"),
    ]
    return {
        "monitors": monitors,
        "page": page,
        "others": others,
        "incidents": incidents,
        "planned": planned,
        "publish": draw(st.booleans()),
    }


@given(installations())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_byte_of_what_is_private_is_public(made: dict[str, Any]) -> None:
    asyncio.run(_searched(made))


async def _searched(made: dict[str, Any]) -> None:
    page: StatusPage = made["page"]
    rig = Rig([page, *made["others"]], made["monitors"], made["planned"])
    await _filled(rig, made)
    found = await _outputs(rig, page)
    assert len(found) > 30
    for where, content in found:
        assert MARK.encode() not in content.lower(), (where, _around(content))
        for cause in _CAUSES:
            assert cause.value.encode() not in content, where


def _around(content: bytes) -> bytes:
    at = content.lower().find(MARK.encode())
    return content[max(at - 80, 0) : at + 80]


async def _filled(rig: Rig, made: dict[str, Any]) -> None:
    """Results with errors in them, incidents, a report, posts of this page and of others, subscribers."""
    monitors = made["monitors"]
    results = tuple(
        CheckResult(
            one.id, at, Status.DOWN, Cause.HTTP_STATUS, message=f"{MARK} error", figures={"status": f"{MARK} figure"}, address=f"{MARK}.9", host=MARK, location=f"{MARK}-paris"
        )
        for one in monitors
        for at in (NOW - 24 * HOUR, NOW)
    )  # fmt: skip
    await rig.store.catalog.sync_monitors(monitors)
    await rig.store.ledger.commit(Commit(results=results, details=results, incidents=tuple(made["incidents"])))
    fact = Fact("F1", Evidence(FactKind.CHECK, "x", MARK, MARK, MARK, NOW, MARK))
    analysis = Analysis(MARK, "en", (f"{MARK} sentence [F1]",), cause="host_down")
    bundle = Bundle(f"{monitors[0].id}-1", NOW, (fact,))
    await rig.store.ledger.save_report(StoredReport(bundle.incident, bundle, analysis, None, NOW), NOW, [])
    for name in ("open", "other", f"{MARK}-page"):
        words = "Payments" if name == "open" else f"{MARK} post"
        for kind, stage in ((PostKind.INCIDENT, Stage.INVESTIGATING), (PostKind.MAINTENANCE, Stage.PLANNED)):
            if made["publish"] or name != "open":
                ids = [one.id for one in monitors]  # those that are not on the page are dropped
                post = NewPost(kind, words, ids, Impact.DOWN, stage, words, NOW - HOUR, NOW + HOUR, NOW + HOUR, alert=f"{MARK}-alert")
                await rig.desk.publish(name, post, f"{MARK} carol")
    await rig.readers.subscribe("open", "reader@example.com", f"{MARK} client")
    await rig.readers.subscribe_webhook("open", "https://hooks.example.com/x", "c")
    await rig.send()
    for one in await rig.store.catalog.publications.subscribers("open"):
        await rig.readers.confirm(one)
    await rig.desk.publish(
        "open", NewPost(PostKind.INCIDENT, "Second", [one.id for one in monitors], Impact.NONE, Stage.RESOLVED, "x", NOW), MARK
    )
    await rig.send()


async def _outputs(rig: Rig, page: StatusPage) -> list[tuple[str, bytes]]:
    """Every public byte: bodies and headers of answers, faults too, mails, webhooks, exported files."""
    base = "" if page.domain else page.path
    keys = [one.key for one in page.components]
    paths = [
        f"{base}{path}" or "/"
        for path in ("", "/history", "/summary.json", "/feed.atom", "/feed.rss", "/logo", "/theme.css", "/webhook", "/nope")
    ]
    paths += [f"{base}{path}?lang={lang}" for path in ("/" if not base else "", "/history", "/webhook") for lang in ("fr", "en", "zz")]
    paths += [f"{base}/badge/{key}.svg?type={kind}" for key in [*keys, "x"] for kind in ("state", "availability", "latency", "x")]
    paths += [f"{base}/confirm/x/y", f"{base}/unsubscribe/x/y", f"{base}.json"]
    found: list[tuple[str, bytes]] = []
    async with rig.client(page.domain or "vigie.example.com") as client:
        for path in paths:
            answer = await client.get(path)
            found.append((path, answer.content + repr(sorted(answer.headers.items())).encode()))
        for path, fields in (
            (f"{base}/subscribe", {"email": "bad"}),
            (f"{base}/subscribe", {"email": "a@b.fr"}),
            (f"{base}/webhook", {"url": "http://x"}),
        ):
            answer = await client.post(path, data=fields)
            found.append((path, answer.content + repr(sorted(answer.headers.items())).encode()))
    assert rig.post.mails
    assert rig.post.hooks
    found += [("mail", repr(mail).encode()) for _, mail, _ in rig.post.mails]
    found += [("webhook", body) for _, _, body in rig.post.hooks]
    public = await rig.queries.public(page.name)
    assert public is not None
    found += [(f"export {name}", name.encode() + content) for name, content in files(templates(), public)]
    found += [
        ("export without an address", content) for _, content in files(templates(), replace(public, page=replace(public.page, url=None)))
    ]
    return found


def test_the_search_finds_what_it_looks_for() -> None:
    assert re.search(MARK, _around(b"x" * 100 + MARK.encode() + b"y" * 100).decode())
