"""The accounts in memory."""

from collections.abc import Mapping
from dataclasses import replace

from vigie.accounts import AUDIT_KEPT, AUDIT_MS, SESSION_IDLE_MS, SESSION_MS, TOKEN_EXPIRED_MS, AuditEntry, Session, Token, User
from vigie.testing.memory.data import Data


class MemoryAccounts:
    """The Accounts port without a disk."""

    def __init__(self, data: Data) -> None:
        self._data = data

    async def any_user(self) -> bool:
        """Whether anybody has an account."""
        self._data.check()
        return bool(self._data.users)

    async def users(self) -> list[User]:
        """Everybody, by name."""
        self._data.check()
        return sorted(self._data.users.values(), key=lambda one: one.name)

    async def user(self, name: str) -> User | None:
        """Who is called so."""
        return next((one for one in await self.users() if one.name == name), None)

    async def user_by_subject(self, subject: str) -> User | None:
        """Whom a provider knows under this subject."""
        return next((one for one in await self.users() if subject and one.subject == subject), None)

    async def user_by_passkey(self, passkey: str) -> User | None:
        """Whose passkey has this id."""
        return next((one for one in await self.users() if any(key.id == passkey for key in one.passkeys)), None)

    async def save_user(self, user: User) -> User | None:
        """Add or replace them, of the version that was read."""
        self._data.check()
        known = self._data.users.get(user.id)
        taken = [one for one in self._data.users.values() if one.id != user.id and _alike(one, user)]
        if taken or user.version != (0 if known is None else known.version):
            return None
        self._data.users[user.id] = replace(user, version=user.version + 1)
        return self._data.users[user.id]

    async def add_session(self, session: Session) -> None:
        """A login."""
        self._data.check()
        self._data.sessions[session.hash] = session

    async def session(self, token_hash: str) -> tuple[Session, User] | None:
        """A session and whose it is."""
        self._data.check()
        found = self._data.sessions.get(token_hash)
        return None if found is None else (found, self._data.users[found.user])

    async def sessions(self, user: str) -> list[Session]:
        """Those of a user, the last used first."""
        self._data.check()
        return sorted((one for one in self._data.sessions.values() if one.user == user), key=lambda one: (-one.seen_at, one.id))

    async def touch_session(self, token_hash: str, seen_at: int, address: str) -> None:
        """It was used."""
        self._data.check()
        if token_hash in self._data.sessions:
            self._data.sessions[token_hash] = replace(self._data.sessions[token_hash], seen_at=seen_at, address=address)

    async def end_sessions(self, user: str, *, only: str | None = None, but: str | None = None) -> int:
        """End those of a user."""
        gone = [one for one in await self.sessions(user) if only in (None, one.id) and one.hash != but]
        for one in gone:
            del self._data.sessions[one.hash]
        return len(gone)

    async def add_token(self, token: Token) -> None:
        """A token, by its hash."""
        self._data.check()
        self._data.tokens[token.id] = token

    async def token(self, token_hash: str) -> tuple[Token, User | None] | None:
        """A token and its owner."""
        found = next((one for one in await self.tokens() if one.hash == token_hash), None)
        return None if found is None else (found, self._data.users.get(found.owner))

    async def tokens(self) -> list[Token]:
        """All of them, the newest first."""
        self._data.check()
        return sorted(self._data.tokens.values(), key=lambda one: (-one.created_at, one.id))

    async def touch_token(self, token: str, used_at: int) -> None:
        """It was used."""
        self._data.check()
        if token in self._data.tokens:
            self._data.tokens[token] = replace(self._data.tokens[token], used_at=used_at)

    async def revoke_token(self, token: str) -> Token | None:
        """Delete it; what it was."""
        self._data.check()
        return self._data.tokens.pop(token, None)

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Record it; its number."""
        self._data.check()
        self._data.audited += 1
        self._data.audit.append(replace(entry, number=self._data.audited))
        return self._data.audited

    async def end_audit(self, number: int, outcome: int, details: Mapping[str, str]) -> None:
        """What came of it."""
        self._data.check()
        self._data.audit = [replace(one, outcome=outcome, details=details) if one.number == number else one for one in self._data.audit]

    async def audit(
        self, *, actor: str | None = None, action: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """The newest entries first."""
        self._data.check()
        wanted = [
            one
            for one in reversed(self._data.audit)
            if actor in (None, one.actor) and one.action.startswith(action or "") and (before is None or one.number < before)
        ]
        return wanted[:limit]

    async def prune_accounts(self, now: int) -> int:
        """Drop what is over."""
        self._data.check()
        data, before = self._data, self._rows()
        data.sessions = {
            key: one for key, one in data.sessions.items() if one.created_at >= now - SESSION_MS and one.seen_at >= now - SESSION_IDLE_MS
        }
        data.tokens = {key: one for key, one in data.tokens.items() if one.expires_at is None or one.expires_at >= now - TOKEN_EXPIRED_MS}
        data.audit = [one for one in data.audit if one.at >= now - AUDIT_MS and one.number > data.audited - AUDIT_KEPT]
        return before - self._rows()

    def _rows(self) -> int:
        return len(self._data.sessions) + len(self._data.tokens) + len(self._data.audit)


def _alike(one: User, other: User) -> bool:
    return one.name == other.name or bool(one.subject and one.subject == other.subject)
