"""The laws of the Accounts port."""

import asyncio
from dataclasses import replace

from vigie.accounts import AUDIT_MS, SESSION_IDLE_MS, SESSION_MS, TOKEN_EXPIRED_MS, AuditEntry, Passkey, Role, Session, Token, User
from vigie.testing.store_suite.records import NOW, Law, Opener, opened

ANN = User(
    "u1", "ann", Role.ADMIN, NOW, "$argon2id$…", "BASE32", 9, ("h1", "h2"), (Passkey("k1", "pub", "clé", NOW, 4, NOW, ("usb",)),), "iss|1"
)
BOB = User("u2", "bob", Role.VIEWER, NOW)
LOGIN = Session("hash-1", "s1", "u1", NOW, NOW, "Firefox – é", "192.0.2.7", "passkey")
TOKEN = Token("t1", "hash-t1", "vigie_ab", "ci – é", Role.EDITOR, NOW, "ann", "u1", NOW + 9)
DONE = AuditEntry(NOW, "ann", "user", "monitor_save", {"id": "shop"}, {"name": "Shop – é"}, "192.0.2.7", 0)


async def people_outlive_a_restart(opener: Opener) -> None:
    """Whole, and found by name, subject and passkey."""
    async with opened(opener) as store:
        assert not await store.accounts.any_user()
        assert await store.accounts.save_user(ANN) == replace(ANN, version=1)
        assert await store.accounts.save_user(BOB) is not None
    async with opened(opener) as store:
        ann = replace(ANN, version=1)
        assert await store.accounts.any_user()
        assert await store.accounts.users() == [ann, replace(BOB, version=1)]
        assert await store.accounts.user("ann") == ann == await store.accounts.user_by_subject("iss|1")
        assert await store.accounts.user_by_passkey("k1") == ann
        assert (await store.accounts.user("zoe"), await store.accounts.user_by_subject(""), await store.accounts.user_by_passkey("")) == (
            None,
            None,
            None,
        )


async def a_change_is_of_the_version_that_was_read(opener: Opener) -> None:
    """Of many at once, one; and nobody takes the name or the subject of somebody else."""
    async with opened(opener) as store:
        first = await store.accounts.save_user(ANN)
        assert first is not None
        assert await store.accounts.save_user(ANN) is None
        assert await store.accounts.save_user(replace(BOB, name="ann")) is None
        assert await store.accounts.save_user(replace(BOB, subject="iss|1")) is None
        found = await asyncio.gather(*(store.accounts.save_user(replace(first, totp_step=number)) for number in range(20)))
        assert len([one for one in found if one is not None]) == 1
        assert await store.accounts.user("ann") == next(one for one in found if one is not None)
        second = await store.accounts.user("ann")
        assert second is not None
        await store.accounts.save_user(replace(second, passkeys=(), name="anna"))
        assert await store.accounts.user_by_passkey("k1") is None
        assert await store.accounts.user("ann") is None


async def a_session_lasts_until_it_is_ended(opener: Opener) -> None:
    """Over a restart: one, all but one, all."""
    async with opened(opener) as store:
        for user in (ANN, BOB):
            await store.accounts.save_user(user)
        for number in range(1, 5):
            await store.accounts.add_session(replace(LOGIN, hash=f"hash-{number}", id=f"s{number}", seen_at=NOW + number))
        await store.accounts.add_session(replace(LOGIN, hash="hash-b", id="b", user="u2"))
    async with opened(opener) as store:
        assert await store.accounts.session("hash-1") == (replace(LOGIN, seen_at=NOW + 1), replace(ANN, version=1))
        assert await store.accounts.session("none") is None
        assert [one.id for one in await store.accounts.sessions("u1")] == ["s4", "s3", "s2", "s1"]
        await store.accounts.touch_session("hash-1", NOW + 50, "192.0.2.8")
        first = (await store.accounts.sessions("u1"))[0]
        assert (first.id, first.seen_at, first.address) == ("s1", NOW + 50, "192.0.2.8")
        assert await store.accounts.end_sessions("u2", only="s2") == 0
        assert await store.accounts.end_sessions("u1", only="s2") == 1
        assert await store.accounts.end_sessions("u1", but="hash-3") == 2
        assert [one.id for one in await store.accounts.sessions("u1")] == ["s3"]
        assert await store.accounts.end_sessions("u1") == 1
        assert [one.id for one in await store.accounts.sessions("u2")] == ["b"]


async def a_token_is_known_by_its_hash_until_it_is_revoked(opener: Opener) -> None:
    """With its owner, if it has one."""
    async with opened(opener) as store:
        await store.accounts.save_user(ANN)
        await store.accounts.add_token(TOKEN)
        await store.accounts.add_token(replace(TOKEN, id="t2", hash="hash-t2", owner="", created_at=NOW + 1, expires_at=None))
    async with opened(opener) as store:
        assert await store.accounts.token("hash-t1") == (TOKEN, replace(ANN, version=1))
        found = await store.accounts.token("hash-t2")
        assert found is not None
        assert (found[0].id, found[1]) == ("t2", None)
        assert await store.accounts.token("t1") is None
        await store.accounts.touch_token("t1", NOW + 7)
        assert [(one.id, one.used_at) for one in await store.accounts.tokens()] == [("t2", None), ("t1", NOW + 7)]
        assert await store.accounts.revoke_token("t1") == replace(TOKEN, used_at=NOW + 7)
        assert await store.accounts.revoke_token("t1") is None
        assert await store.accounts.token("hash-t1") is None


async def what_was_done_is_on_record(opener: Opener) -> None:
    """Before its outcome is known, and page by page."""
    async with opened(opener) as store:
        first = await store.accounts.begin_audit(DONE)
        second = await store.accounts.begin_audit(replace(DONE, actor="bob", action="alert_ack"))
        assert second > first
    async with opened(opener) as store:
        await store.accounts.end_audit(first, 303, {"changed": "every"})
        entries = await store.accounts.audit()
        assert entries == [
            replace(DONE, actor="bob", action="alert_ack", number=second),
            replace(DONE, outcome=303, details={"changed": "every"}, number=first),
        ]
        assert await store.accounts.audit(actor="ann") == entries[1:] == await store.accounts.audit(action="monitor")
        assert await store.accounts.audit(before=second) == entries[1:]
        assert await store.accounts.audit(limit=1) == entries[:1]
        assert await store.accounts.audit(actor="ann", action="alert_") == []


async def what_is_over_is_dropped(opener: Opener) -> None:
    """And nothing else."""
    async with opened(opener) as store:
        await store.accounts.save_user(ANN)
        idle, old = replace(LOGIN, hash="h2", seen_at=NOW - SESSION_IDLE_MS - 1), replace(LOGIN, hash="h3", created_at=NOW - SESSION_MS - 1)
        for one in (LOGIN, idle, old):
            await store.accounts.add_session(one)
        ended = replace(TOKEN, id="t2", hash="x", expires_at=NOW - TOKEN_EXPIRED_MS - 1)
        for token in (TOKEN, ended, replace(TOKEN, id="t3", hash="y", expires_at=None)):
            await store.accounts.add_token(token)
        await store.accounts.begin_audit(replace(DONE, at=NOW - AUDIT_MS - 1))
        await store.accounts.begin_audit(DONE)
        assert await store.accounts.prune_accounts(NOW) == 4
        assert [one.hash for one in await store.accounts.sessions("u1")] == ["hash-1"]
        assert {one.id for one in await store.accounts.tokens()} == {"t1", "t3"}
        assert [one.at for one in await store.accounts.audit()] == [NOW]


ACCOUNTS_LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        people_outlive_a_restart,
        a_change_is_of_the_version_that_was_read,
        a_session_lasts_until_it_is_ended,
        a_token_is_known_by_its_hash_until_it_is_revoked,
        what_was_done_is_on_record,
        what_is_over_is_dropped,
    )
}
