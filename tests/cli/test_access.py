"""`vigie user` and `vigie token`: what they store, what they print, and that a running page knows it."""

import asyncio
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from vigie.accounts import AuditEntry, Role, Token, User
from vigie.cli import main
from vigie.stores.sqlite.store import SqliteStore
from vigie.web.auth.passwords import Passwords
from vigie.web.door import hashed

PASSWORD = "des pommes et des poires"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command with something on standard input; exit status, what it printed, and its errors."""
    (tmp_path / "vigie.yaml").write_text("monitors: [{url: 'http://127.0.0.1:9/'}]\n")
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, said: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def stored(folder: Path) -> tuple[list[User], list[Token], list[AuditEntry]]:
    async def read() -> tuple[list[User], list[Token], list[AuditEntry]]:
        store = SqliteStore(folder / "vigie.db", threads=False)
        try:
            return await store.accounts.users(), await store.accounts.tokens(), await store.accounts.audit()
        finally:
            await store.close()

    return asyncio.run(read())


def test_people_are_added_changed_and_kept_out(run: Any, tmp_path: Path) -> None:
    assert run("user", "list")[:2] == (0, "Nobody has an account.\n")
    status, out, _ = run("user", "add", "Ann", "--role", "admin", said=PASSWORD + "\n")
    assert (status, out.startswith("ann can log in as admin")) == (0, True)
    (ann,), _, audit = stored(tmp_path)
    assert (ann.name, ann.role) == ("ann", Role.ADMIN)
    assert asyncio.run(Passwords().verify(ann.password, PASSWORD))
    assert [(one.action, one.kind, one.objects) for one in audit] == [("user_add", "cli", {"user": "ann"})]
    assert PASSWORD not in repr(audit)

    assert run("user", "add", "ann", said=PASSWORD + "\n")[0] == 3
    status, _, err = run("user", "disable", "ann")
    assert (status, "only admin" in err) == (3, True)
    assert run("user", "role", "ann", "viewer")[0] == 3
    run("user", "add", "bob", "--role", "viewer", said=PASSWORD + "\n")
    assert run("user", "role", "bob", "admin")[0] == 0
    assert run("user", "disable", "ann")[0] == 0
    assert "disabled" in run("user", "list")[1]
    assert run("user", "enable", "ann")[0] == 0
    assert run("user", "passwd", "ann", "--reset-second-factor", said="tout à fait autre chose\n")[0] == 0
    assert run("user", "passwd", "zoe", said=PASSWORD + "\n")[0] == 3
    people, _, audit = stored(tmp_path)
    assert [(one.name, one.role, one.disabled) for one in people] == [("ann", Role.ADMIN, False), ("bob", Role.ADMIN, False)]
    assert [one.action for one in reversed(audit)] == ["user_add", "user_add", "user_role", "user_disable", "user_enable", "user_passwd"]


@pytest.mark.parametrize(
    ("said", "why"), [("", "fewer"), ("short\n", "fewer"), ("password1234\n", "first that others"), ("x" * 300, "more than")]
)
def test_a_password_that_may_not_be_one(run: Any, said: str, why: str, tmp_path: Path) -> None:
    status, _, err = run("user", "add", "ann", said=said)
    assert (status, why in err) == (3, True)
    assert stored(tmp_path)[0] == []


@pytest.mark.parametrize("name", ["a b", "", "a/b", "-x", "a" * 65, "a\u202eb"])
def test_a_name_that_may_not_be_one(run: Any, name: str) -> None:
    assert run("user", "add", "--role", "viewer", "--", name, said=PASSWORD)[0] == 3


def test_a_token_is_printed_once_and_stored_as_a_hash(run: Any, tmp_path: Path) -> None:
    status, out, err = run("token", "create", "--scope", "edit", "--expires", "90d", "site CI")
    secret = out.strip()
    assert (status, secret.startswith("vigie_"), secret in err) == (0, True, False)
    _, (kept,), audit = stored(tmp_path)
    assert (kept.hash, kept.scope, kept.name) == (hashed(secret), Role.EDITOR, "site CI")
    assert kept.expires_at == kept.created_at + 90 * 86_400_000
    assert secret not in repr(kept)
    assert secret.encode() not in (tmp_path / "vigie.db").read_bytes()
    assert [one.action for one in audit] == ["token_create"]
    assert kept.id in run("token", "list")[1]
    assert run("token", "revoke", "nothing")[0] == 3
    assert run("token", "revoke", "site CI")[0] == 0
    assert stored(tmp_path)[1] == []
    assert run("token", "list")[1] == "There are no tokens.\n"


@pytest.mark.parametrize(
    "arguments", [("--scope", "all", "x"), ("x",), ("--scope", "read", "--expires", "soon", "x"), ("--scope", "read", " ")]
)
def test_a_token_that_cannot_be_made(run: Any, arguments: tuple[str, ...]) -> None:
    assert run("token", "create", *arguments)[0] == 3
