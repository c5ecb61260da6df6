"""The accounts of a store over SQL. What the methods mean is said by vigie.ports.Accounts."""

import json
from collections.abc import Mapping
from dataclasses import replace

from vigie.accounts import (
    AUDIT_KEPT,
    AUDIT_MS,
    SESSION_IDLE_MS,
    SESSION_MS,
    TOKEN_EXPIRED_MS,
    AuditEntry,
    Role,
    Session,
    Token,
    User,
)
from vigie.stores.kit.records import decode, encode
from vigie.stores.kit.sql.db import Db, Row
from vigie.stores.kit.sql.worker import Worker

_SESSION = 'hash, session.id, "user", created_at, seen_at, agent, address, method'
_COLUMNS = "token.id, hash, prefix, token.name, scope, created_at, created_by, owner, expires_at, used_at"


class SqlAccounts:
    """The Accounts port."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def any_user(self) -> bool:
        """Whether anybody has an account."""
        return await self._worker.read_now(lambda db: bool(db.fetch('SELECT 1 FROM "user" LIMIT 1')))

    async def users(self) -> list[User]:
        """Everybody, by name."""
        return await self._worker.read(lambda db: [_user(row) for row in db.fetch('SELECT version, body FROM "user" ORDER BY name')])

    async def user(self, name: str) -> User | None:
        """Who is called so."""
        return await self._one_user("name = ?", name)

    async def user_by_subject(self, subject: str) -> User | None:
        """Whom a provider knows under this subject."""
        return await self._one_user("subject = ?", subject)

    async def user_by_passkey(self, passkey: str) -> User | None:
        """Whose passkey has this id."""
        return await self._one_user('id = (SELECT "user" FROM passkey WHERE id = ?)', passkey)

    async def _one_user(self, where: str, value: str) -> User | None:
        sql = f'SELECT version, body FROM "user" WHERE {where}'
        found = await self._worker.read_now(lambda db: db.fetch(sql, (value,)))
        return _user(found[0]) if found else None

    async def save_user(self, user: User) -> User | None:
        """Add or replace them, of the version that was read."""
        return await self._worker.run(lambda db: _save_user(db, user))

    async def add_session(self, session: Session) -> None:
        """A login."""
        one = session
        values = (one.hash, one.id, one.user, one.created_at, one.seen_at, one.agent, one.address, one.method)
        await self._worker.run(lambda db: _write(db, f"INSERT INTO session VALUES ({_marks(8)})", values))

    async def session(self, token_hash: str) -> tuple[Session, User] | None:
        """A session and whose it is."""
        sql = f'SELECT {_SESSION}, version, body FROM session JOIN "user" ON "user".id = session."user" WHERE hash = ?'
        found = await self._worker.read_now(lambda db: db.fetch(sql, (token_hash,)))
        return (Session(*found[0][:8]), _user(found[0][8:])) if found else None

    async def sessions(self, user: str) -> list[Session]:
        """Those of a user, the last used first."""
        sql = f'SELECT {_SESSION} FROM session WHERE "user" = ? ORDER BY seen_at DESC, id'
        return [Session(*row) for row in await self._worker.read(lambda db: db.fetch(sql, (user,)))]

    async def touch_session(self, token_hash: str, seen_at: int, address: str) -> None:
        """It was used."""
        sql = "UPDATE session SET seen_at = ?, address = ? WHERE hash = ?"
        await self._worker.run(lambda db: _write(db, sql, (seen_at, address, token_hash), durable=False))

    async def end_sessions(self, user: str, *, only: str | None = None, but: str | None = None) -> int:
        """End those of a user."""
        sql = """DELETE FROM session WHERE "user" = ? AND id = coalesce(?, id) AND hash <> coalesce(?, '')"""
        return await self._worker.run(lambda db: _write(db, sql, (user, only, but)))

    async def add_token(self, token: Token) -> None:
        """A token, by its hash."""
        one = token
        values = (
            one.id, one.hash, one.prefix, one.name, int(one.scope), one.created_at, one.created_by, one.owner, one.expires_at, one.used_at
        )  # fmt: skip
        await self._worker.run(lambda db: _write(db, f"INSERT INTO token VALUES ({_marks(10)})", values))

    async def token(self, token_hash: str) -> tuple[Token, User | None] | None:
        """A token and its owner."""
        sql = f'SELECT {_COLUMNS}, version, body FROM token LEFT JOIN "user" ON "user".id = token.owner WHERE hash = ?'
        found = await self._worker.read_now(lambda db: db.fetch(sql, (token_hash,)))
        return (_token(found[0][:10]), _user(found[0][10:]) if found[0][11] is not None else None) if found else None

    async def tokens(self) -> list[Token]:
        """All of them, the newest first."""
        found = await self._worker.read(lambda db: db.fetch(f"SELECT {_COLUMNS} FROM token ORDER BY created_at DESC, id"))
        return [_token(row) for row in found]

    async def touch_token(self, token: str, used_at: int) -> None:
        """It was used."""
        await self._worker.run(lambda db: _write(db, "UPDATE token SET used_at = ? WHERE id = ?", (used_at, token), durable=False))

    async def revoke_token(self, token: str) -> Token | None:
        """Delete it; what it was."""
        return await self._worker.run(lambda db: _revoke(db, token))

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Record it, fsynced; its number."""
        return await self._worker.run(lambda db: _begin_audit(db, entry))

    async def end_audit(self, number: int, outcome: int, details: Mapping[str, str]) -> None:
        """What came of it."""
        sql, values = "UPDATE audit SET outcome = ?, details = ? WHERE number = ?", (outcome, _json(details), number)
        await self._worker.run(lambda db: _write(db, sql, values, durable=False))

    async def audit(
        self, *, actor: str | None = None, action: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """The newest entries first."""
        # Each filter goes by an index, or walks back from the newest.
        wanted: dict[str, tuple[object, ...]] = {}
        if actor is not None:
            wanted["actor = ?"] = (actor,)
        if action is not None:
            wanted["action >= ? AND action < ?"] = (action, action + "\U0010ffff")
        if before is not None:
            wanted["number < ?"] = (before,)
        where = " AND ".join(wanted) or "1 = 1"
        columns = "at, actor, kind, action, objects, details, address, outcome, number"
        sql = f"SELECT {columns} FROM audit WHERE {where} ORDER BY number DESC LIMIT ?"
        values = [value for one in wanted.values() for value in one]
        found = await self._worker.read(lambda db: db.fetch(sql, (*values, limit)))
        return [
            AuditEntry(at, actor, kind, action, json.loads(objects), json.loads(details), address, outcome, number)
            for at, actor, kind, action, objects, details, address, outcome, number in found
        ]

    async def prune_accounts(self, now: int) -> int:
        """Drop what is over."""
        return await self._worker.run(lambda db: _prune(db, now))


def _marks(number: int) -> str:
    return ", ".join("?" * number)


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


def _user(row: Row) -> User:
    return replace(decode(row[1], User), version=row[0])


def _token(row: Row) -> Token:
    one = Token(*row)
    return replace(one, scope=Role(one.scope))


def _write(db: Db, sql: str, values: tuple[object, ...], *, durable: bool = True) -> int:
    with db.transaction(durable=durable):
        return db.execute(sql, values)


def _save_user(db: Db, user: User) -> User | None:
    """Of the version that was read, or not at all."""
    saved = replace(user, version=user.version + 1)
    with db.transaction(durable=True, alone="users"):
        stored = db.fetch('SELECT version FROM "user" WHERE id = ?', (user.id,))
        others = 'SELECT 1 FROM "user" WHERE id <> ? AND (name = ? OR (subject IS NOT NULL AND subject = ?))'
        if (int(stored[0][0]) if stored else 0) != user.version or db.fetch(others, (user.id, user.name, user.subject or None)):
            return None
        values = (user.id, user.name, user.subject or None, saved.version, encode(saved))
        db.execute(f'INSERT OR REPLACE INTO "user" VALUES ({_marks(5)})', values)
        db.execute('DELETE FROM passkey WHERE "user" = ?', (user.id,))
        db.bulk("INSERT OR REPLACE INTO passkey VALUES (?, ?)", [(one.id, user.id) for one in user.passkeys])
    return saved


def _revoke(db: Db, token: str) -> Token | None:
    with db.transaction(durable=True):
        found = db.fetch(f"SELECT {_COLUMNS} FROM token WHERE id = ?", (token,))
        db.execute("DELETE FROM token WHERE id = ?", (token,))
    return _token(found[0]) if found else None


def _begin_audit(db: Db, entry: AuditEntry) -> int:
    one = entry
    sql = f"INSERT INTO audit (at, actor, kind, action, objects, details, address, outcome) VALUES ({_marks(8)}) RETURNING number"
    values = (one.at, one.actor, one.kind, one.action, _json(one.objects), _json(one.details), one.address, one.outcome)
    with db.transaction(durable=True):
        return int(db.fetch(sql, values)[0][0])


def _prune(db: Db, now: int) -> int:
    """One transaction."""
    with db.transaction(durable=False):
        gone = db.execute("DELETE FROM session WHERE created_at < ? OR seen_at < ?", (now - SESSION_MS, now - SESSION_IDLE_MS))
        gone += db.execute("DELETE FROM token WHERE expires_at < ?", (now - TOKEN_EXPIRED_MS,))
        newest = db.fetch("SELECT max(number) FROM audit")[0][0] or 0
        gone += db.execute("DELETE FROM audit WHERE at < ? OR number <= ?", (now - AUDIT_MS, newest - AUDIT_KEPT))
    return gone
