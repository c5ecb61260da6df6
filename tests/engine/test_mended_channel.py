"""A running server that takes over a mended channel tries at once what that channel owes."""

from pathlib import Path

from vigie.clock import SystemClock
from vigie.config import load
from vigie.core.notification import Notice, NoticeReason
from vigie.ports import Commit, Delivery, OutboxRow
from vigie.server import Server


async def test_a_reload_tries_what_a_mended_channel_owes_and_nothing_else(tmp_path: Path) -> None:
    file, clock = tmp_path / "vigie.yaml", SystemClock()
    text = (
        "llm: {provider: none}\nmonitors: [https://a.test/]\n"
        "notify: {hook: {type: webhook, url: 'https://a.test/OLD'}, other: {type: webhook, url: 'https://b.test/'}}\n"
    )
    file.write_text(text)
    service = Server(load(file, {}, tmp_path), clock, lambda: load(file, {}, tmp_path))
    try:
        now, ledger = clock.now(), service.runtime.store.ledger
        await service.runtime.retry_unsent()  # as at the start
        for incident, channel, retry_at in (("a-1", "hook", now + 300_000), ("a-2", "hook", None), ("a-3", "other", now + 300_000)):
            notice = Notice(incident, "a", channel, NoticeReason.OPENED, now)
            await ledger.commit(Commit(outbox=(OutboxRow(notice, now),)))
            await ledger.record(Delivery.of(notice, now, 1, "auth", "HTTP 401", 5), retry_at)
        assert await service.reloading.reload()
        assert await ledger.claim(clock.now(), 60_000, 10) == [], "nothing has changed"
        file.write_text(text.replace("OLD", "NEW"))
        assert await service.reloading.reload()
        assert sorted(row.notice.alert for row in await ledger.claim(clock.now() + 1, 60_000, 10)) == ["a-1", "a-2"]
    finally:
        await service.runtime.close()
