"""The side of the store for who may do what."""

from collections.abc import Mapping
from typing import Protocol

from vigie.accounts import AuditEntry, Session, Token, User


class Accounts(Protocol):
    """Who may do what. Several processes may write it: the command line does while `serve` runs. Raises StoreError."""

    async def any_user(self) -> bool:
        """Whether anybody has an account; costs next to nothing."""

    async def users(self) -> list[User]:
        """Everybody, by name."""

    async def user(self, name: str) -> User | None:
        """Who is called so."""

    async def user_by_subject(self, subject: str) -> User | None:
        """Whom an OpenID Connect provider knows under this subject."""

    async def user_by_passkey(self, passkey: str) -> User | None:
        """Whose passkey has this id."""

    async def save_user(self, user: User) -> User | None:
        """Add (version 0) or replace them; as they are stored then, with the next version.

        None, and nothing is changed, where the stored version is another one, or the name is somebody else's.
        """

    async def add_session(self, session: Session) -> None:
        """A login."""

    async def session(self, token_hash: str) -> tuple[Session, User] | None:
        """A session and whose it is; costs next to nothing."""

    async def sessions(self, user: str) -> list[Session]:
        """Those of a user (id), the last used first."""

    async def touch_session(self, token_hash: str, seen_at: int, address: str) -> None:
        """It was used."""

    async def end_sessions(self, user: str, *, only: str | None = None, but: str | None = None) -> int:
        """End those of a user: all, the one with the id `only`, or all but that with the hash `but`; how many there were."""

    async def add_token(self, token: Token) -> None:
        """A token, by its hash."""

    async def token(self, token_hash: str) -> tuple[Token, User | None] | None:
        """A token and its owner, None for one of the command line's; costs next to nothing."""

    async def tokens(self) -> list[Token]:
        """All of them, the newest first."""

    async def touch_token(self, token: str, used_at: int) -> None:
        """It was used (id)."""

    async def revoke_token(self, token: str) -> Token | None:
        """Delete it (id); what it was."""

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Record it, fsynced; its number."""

    async def end_audit(self, number: int, outcome: int, details: Mapping[str, str]) -> None:
        """What came of it."""

    async def audit(
        self, *, actor: str | None = None, action: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """The newest entries first: of an actor, of actions that begin so, with lower numbers than `before`."""

    async def prune_accounts(self, now: int) -> int:
        """Drop sessions that are over, tokens long expired, and the record beyond its bounds; how many rows."""
