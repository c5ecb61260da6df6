"""What a report costs, and what a storm does: certification and the plain report in µs of CPU, and 500 monitors that fail at once.

The storm runs on virtual time with the real engine and store; it says how often the model was asked and how late the last page was.
"""

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from bench.ground import say
from vigie.core.model import Status
from vigie.core.notification import Notice, NoticeReason
from vigie.report import measured, render, rules, verify
from vigie.report.cases import AT, Case, Variant, cases
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing import VirtualClock, run_virtual
from vigie.testing.fakes import FakeChannel, FakeModel, FakeVigie, fake_monitor, policies

TIMES = 300
STORM = 500


def micros(work: Callable[[], object]) -> float:
    """CPU µs of one call, the least of five rounds."""
    work()
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(TIMES):
            work()
        rounds.append((time.process_time() - started) / TIMES * 1e6)
    return min(rounds)


def certification(case: Case) -> float:
    """A reply of three honest sentences."""
    chosen = case.bundle.facts[:3]
    sentences = [{"text": fact.evidence.en, "facts": [fact.id]} for fact in chosen]
    reply = json.dumps({"cause": case.cause, "sentences": sentences})
    kept = verify.certify(reply, case.bundle, case.subject, case.hypotheses, "en", "bench").sentences
    assert len(kept) >= 2, kept
    return micros(lambda: verify.certify(reply, case.bundle, case.subject, case.hypotheses, "en", "bench"))


def plain(case: Case) -> float:
    """From what was measured to the whole message."""
    evidence = [fact.evidence for fact in case.bundle.facts if fact.evidence.source != "check"]
    notice = Notice(case.subject.incident.id, "shop", "mail", NoticeReason.OPENED, AT)

    def work() -> None:
        bundle = measured.bundle(case.subject, evidence, AT, UTC)
        rules.shortlist(bundle, case.subject)
        render.compose(case.subject, notice, bundle, None, render.RenderContext("en", UTC))

    return micros(work)


def storm() -> tuple[int, int, float]:
    """(times the model was asked, pages, lateness of the last page in s after its incident opened)."""
    folder = Path(tempfile.mkdtemp())

    async def run() -> tuple[int, int, float]:
        clock = VirtualClock()
        model, mail, start = FakeModel(clock, takes=20), FakeChannel(clock), clock.now()
        policy = policies(confirm=2, confirm_every_ms=1_000, to=("mail",))
        monitors = [fake_monitor(f"m{number}", every_ms=10_000, policy=policy) for number in range(STORM)]
        store = SqliteStore(folder / "v.db", threads=False)
        vigie = FakeVigie(
            store, clock, monitors, lambda at: Status.DOWN if at - start > 20_000 else Status.UP, {"mail": mail}, model=model, hold_ms=2_000
        )
        async with vigie.at_work():
            await clock.sleep(60)
            opened = {one.id: one.opened_at for one in await store.archive.incidents(limit=STORM)}
        pages = {message.thread: at for at, message in mail.told if message.reason is NoticeReason.OPENED}
        late = max((at - opened[thread] for thread, at in pages.items()), default=0) / 1000
        await asyncio.sleep(0)
        return model.asked, len(pages), late

    found: tuple[int, int, float] = run_virtual(run())
    return found


def main() -> None:
    """Print the figures."""
    logging.getLogger("vigie").setLevel(logging.CRITICAL)
    case = next(one for one in cases() if one.name == "gateway/noisy" and one.variant is Variant.NOISY)
    say("a reply of three sentences certified", certification(case), "µs", 1_000, "CPU, least of 5 rounds")
    say("from what was measured to the plain report", plain(case), "µs", 1_000, "CPU, least of 5 rounds")
    asked, pages, late = storm()
    say(f"{STORM} incidents at once: model asked", asked, "times", 3, f"{pages} pages, the last {late:.1f} s after its incident opened")


if __name__ == "__main__":
    main()
