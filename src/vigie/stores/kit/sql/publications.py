"""Status pages in a store over SQL: posts, subscribers, letters. What the methods mean is said by vigie.ports.Publications."""

from collections.abc import Sequence
from dataclasses import replace

from vigie.report.publication import Letter, Post, Subscriber
from vigie.stores.kit.records import decode, encode
from vigie.stores.kit.sql.db import Db
from vigie.stores.kit.sql.worker import Worker


class SqlPublications:
    """The Publications port."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def save_post(self, post: Post, letters: Sequence[Letter] = ()) -> None:
        """Keep a post, and what tells of it."""
        await self._worker.run(lambda db: _save_post(db, post, letters))

    async def delete_post(self, page: str, post: str) -> None:
        """Forget a post."""
        await self._worker.run(lambda db: _delete_post(db, page, post))

    async def posts(self, page: str) -> list[Post]:
        """Of a page, newest beginning first."""
        return await self._worker.read(lambda db: _posts(db, page))

    async def save_subscriber(self, subscriber: Subscriber, letters: Sequence[Letter] = ()) -> None:
        """Keep a subscriber, and what is sent to them."""
        await self._worker.run(lambda db: _save_subscriber(db, subscriber, letters))

    async def remove_subscriber(self, subscriber: str) -> None:
        """Forget a subscriber."""
        await self._worker.run(lambda db: _remove_subscriber(db, subscriber))

    async def forget_unconfirmed(self, before: int) -> None:
        """Forget those who never confirmed."""
        await self._worker.run(lambda db: _forget_unconfirmed(db, before))

    async def subscribers(self, page: str) -> list[Subscriber]:
        """Of a page, oldest first."""
        return await self._worker.read(lambda db: _subscribers(db, page))

    async def subscriber(self, subscriber: str) -> Subscriber | None:
        """One of them."""
        return await self._worker.read(lambda db: _subscriber(db, subscriber))

    async def claim_letters(self, now: int, lease_ms: int, limit: int) -> list[Letter]:
        """Due letters that nobody holds."""
        return await self._worker.run(lambda db: _claim(db, now, lease_ms, limit))

    async def settle_letter(self, letter: Letter, retry_at: int | None = None) -> None:
        """Done with it, or not yet."""
        await self._worker.run(lambda db: _settle(db, letter, retry_at))

    async def next_letter(self) -> int | None:
        """When the next one is due."""
        return await self._worker.read(_next)


def _save_post(db: Db, post: Post, letters: Sequence[Letter]) -> None:
    with db.transaction(durable=True):
        db.execute(
            "INSERT OR REPLACE INTO post (page, id, start, body) VALUES (?, ?, ?, ?)", (post.page, post.id, post.start, encode(post))
        )
        _queue(db, letters)


def _queue(db: Db, letters: Sequence[Letter]) -> None:
    db.bulk(
        "INSERT INTO letter (subscriber, due_at, attempts, body) VALUES (?, ?, ?, ?)",
        [(one.subscriber, one.at, one.attempts, encode(one)) for one in letters],
    )


def _delete_post(db: Db, page: str, post: str) -> None:
    with db.transaction(durable=True):
        db.execute("DELETE FROM post WHERE page = ? AND id = ?", (page, post))


def _posts(db: Db, page: str) -> list[Post]:
    rows = db.fetch("SELECT body FROM post WHERE page = ? ORDER BY start DESC, id DESC", (page,))
    return [decode(body, Post) for (body,) in rows]


def _save_subscriber(db: Db, one: Subscriber, letters: Sequence[Letter]) -> None:
    """One row an address and page; the newer one takes the place of the older."""
    with db.transaction(durable=True, alone="subscribers"):
        db.execute("DELETE FROM letter WHERE subscriber IN (SELECT id FROM subscriber WHERE page = ? AND address = ? AND id <> ?)",
                   (one.page, one.address, one.id))  # fmt: skip
        db.execute("DELETE FROM subscriber WHERE page = ? AND address = ? AND id <> ?", (one.page, one.address, one.id))
        db.execute(
            "INSERT OR REPLACE INTO subscriber (id, page, address, created_at, confirmed_at, body) VALUES (?, ?, ?, ?, ?, ?)",
            (one.id, one.page, one.address, one.created_at, one.confirmed_at, encode(one)),
        )
        _queue(db, letters)


def _remove_subscriber(db: Db, subscriber: str) -> None:
    with db.transaction(durable=True):
        db.execute("DELETE FROM letter WHERE subscriber = ?", (subscriber,))
        db.execute("DELETE FROM subscriber WHERE id = ?", (subscriber,))


def _forget_unconfirmed(db: Db, before: int) -> None:
    with db.transaction(durable=True):
        which = "DELETE FROM letter WHERE subscriber IN (SELECT id FROM subscriber WHERE confirmed_at IS NULL AND created_at < ?)"
        db.execute(which, (before,))
        db.execute("DELETE FROM subscriber WHERE confirmed_at IS NULL AND created_at < ?", (before,))


def _subscribers(db: Db, page: str) -> list[Subscriber]:
    rows = db.fetch("SELECT body FROM subscriber WHERE page = ? ORDER BY created_at, id", (page,))
    return [decode(body, Subscriber) for (body,) in rows]


def _subscriber(db: Db, subscriber: str) -> Subscriber | None:
    rows = db.fetch("SELECT body FROM subscriber WHERE id = ?", (subscriber,))
    return decode(rows[0][0], Subscriber) if rows else None


def _claim(db: Db, now: int, lease_ms: int, limit: int) -> list[Letter]:
    """Those that were due first; held from now on."""
    with db.transaction(durable=False, alone="letters"):
        rows = db.fetch(
            "SELECT number, attempts, body FROM letter WHERE due_at <= ? AND lease_until <= ? ORDER BY due_at, number LIMIT ?",
            (now, now, limit),
        )
        db.bulk("UPDATE letter SET lease_until = ? WHERE number = ?", [(now + lease_ms, number) for number, _, _ in rows])
    return [replace(decode(body, Letter), number=number, attempts=attempts) for number, attempts, body in rows]


def _settle(db: Db, letter: Letter, retry_at: int | None) -> None:
    with db.transaction(durable=True):
        if retry_at is None:
            db.execute("DELETE FROM letter WHERE number = ?", (letter.number,))
        else:
            sql = "UPDATE letter SET due_at = ?, lease_until = 0, attempts = ? WHERE number = ?"
            db.execute(sql, (retry_at, letter.attempts + 1, letter.number))


def _next(db: Db) -> int | None:
    rows = db.fetch("SELECT min(max(due_at, lease_until)) FROM letter")
    return None if rows[0][0] is None else int(rows[0][0])
