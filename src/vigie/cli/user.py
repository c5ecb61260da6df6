"""People with an account on the page: add, list, password, role, disable, enable."""

import secrets
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

import typer

from vigie.accounts import AuditEntry, Role, User, role_named
from vigie.cli.common import ConfigOption, group, notes, opened, run, settings, user
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.ports import Accounts
from vigie.text.formatting import timestamp

app = group("People with an account on the page: add, list, passwd, role, disable, enable.")

RoleName = Literal["viewer", "responder", "editor", "admin"]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name that they log in with.")]
_WORDS = {
    "short": "it has fewer than 12 characters",
    "long": "it has more than 256 characters",
    "obvious": "it is one of the first that others would try",
}


@app.command(
    epilog=notes(
        "vigie user add ann --role admin            (asks for a password)",
        "pass show vigie/ann | vigie user add ann --role editor",
    )
)
def add(
    name: NameArgument,
    *,
    config: ConfigOption = None,
    role: Annotated[
        RoleName, typer.Option(help="What they may do, each what those before it may: viewer, responder, editor, admin.")
    ] = "viewer",
) -> None:
    """Add an account. The password is asked for, or read from standard input where that is not a terminal."""
    from vigie.web.auth.passwords import hash_now
    from vigie.web.auth.people import is_name, new_user, tidy_name

    found, tidy, wanted = settings(config), tidy_name(name), role_named(role)
    if not is_name(tidy) or wanted is None:
        raise VigieError(f"{name!r} cannot be a name", "use letters, digits and . @ + - _, at most 64 characters")
    if run(_known(found, tidy)) is not None:
        raise VigieError(f"there is an account {tidy} already", f"`vigie user passwd {tidy}` sets a new password")
    kept = hash_now(_asked(tidy))
    saved = run(_saved(found, new_user(tidy, wanted, _now(), password=kept)))
    if saved is None:
        raise VigieError(f"there is an account {tidy} already", f"`vigie user passwd {tidy}` sets a new password")
    typer.echo(f"{tidy} can log in as {role}. A running `vigie serve` knows it at once.")


@app.command("list", epilog=notes("vigie user list"))
def list_(*, config: ConfigOption = None) -> None:
    """List accounts: role, second factors, last login."""
    from vigie.adapters import store_exists, zone_of

    found = settings(config)
    known = run(_all(found)) if store_exists(found) else []
    if not known:
        typer.echo("Nobody has an account.")
        return
    zone = zone_of(found)
    rows: list[tuple[str, ...]] = [("NAME", "ROLE", "LOGS IN BY", "LAST LOGIN", "STATE")]
    for one in known:
        seen = timestamp(one.seen_at, zone) if one.seen_at is not None else "never"
        rows.append((one.name, one.role.name.lower(), _ways(one), seen, "disabled" if one.disabled else "enabled"))
    _table(rows)


@app.command(epilog=notes("vigie user passwd ann", "vigie user passwd ann --reset-second-factor"))
def passwd(
    name: NameArgument,
    *,
    config: ConfigOption = None,
    reset_second_factor: Annotated[
        bool, typer.Option("--reset-second-factor", help="Turn one-time codes off and forget passkeys, for who lost their phone.")
    ] = False,
) -> None:
    """Set a new password. Whoever is logged in by the old one is logged out."""
    from vigie.web.auth.passwords import hash_now
    from vigie.web.auth.people import tidy_name

    found, tidy = settings(config), tidy_name(name)
    if run(_known(found, tidy)) is None:
        raise _nobody(tidy)
    kept = hash_now(_asked(tidy))

    def change(one: User) -> User:
        one = replace(one, password=kept)
        return replace(one, totp="", totp_step=0, recovery=(), passkeys=()) if reset_second_factor else one

    details = {"second_factor": "reset"} if reset_second_factor else {}
    run(_change(found, tidy, "user_passwd", change, details, logout=True))
    typer.echo(f"{tidy} has a new password, and is logged out everywhere.")


@app.command("role", epilog=notes("vigie user role ann editor"))
def role_(name: NameArgument, role: Annotated[RoleName, typer.Argument(help="The new role.")], *, config: ConfigOption = None) -> None:
    """Change what somebody may do, at once."""
    from vigie.web.auth.people import tidy_name

    wanted = role_named(role)
    if wanted is None:
        raise VigieError(f"there is no role {role}", "roles: viewer, responder, editor, admin")
    found, tidy = settings(config), tidy_name(name)
    run(_change(found, tidy, "user_role", lambda one: replace(one, role=wanted), {"role": role}, weaker=wanted is not Role.ADMIN))
    typer.echo(f"{tidy} is {role} from now on.")


@app.command(epilog=notes("vigie user disable bob"))
def disable(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Keep somebody out, at once: no login, no session, no token. What they did stays on record."""
    from vigie.web.auth.people import tidy_name

    found, tidy = settings(config), tidy_name(name)
    run(_change(found, tidy, "user_disable", lambda one: replace(one, disabled=True), {}, weaker=True, logout=True))
    typer.echo(f"{tidy} is disabled and logged out everywhere.")


@app.command(epilog=notes("vigie user enable bob"))
def enable(name: NameArgument, *, config: ConfigOption = None) -> None:
    """Let somebody in again."""
    from vigie.web.auth.people import tidy_name

    found, tidy = settings(config), tidy_name(name)
    run(_change(found, tidy, "user_enable", lambda one: replace(one, disabled=False), {}))
    typer.echo(f"{tidy} can log in again.")


def _asked(name: str) -> str:
    """A password, from the terminal twice or from a pipe. Raises VigieError for one that may not be."""
    from vigie.web.auth.passwords import fault_of

    if sys.stdin.isatty():
        password = str(typer.prompt(f"Password for {name}", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if (fault := fault_of(password, name)) is not None:
        fix = f"a phrase of your own works well; or a random one: {secrets.token_urlsafe(15)}"
        raise VigieError(f"that cannot be the password: {_WORDS[fault]}", fix)
    return password


def _ways(one: User) -> str:
    ways = (("password", one.password), ("code", one.totp), ("passkey", one.passkeys), ("provider", one.subject))
    return ", ".join(name for name, there in ways if there) or "nothing"


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _nobody(name: str) -> VigieError:
    return VigieError(f"there is no account {name}", "see `vigie user list`")


async def _known(found: Desired, name: str) -> User | None:
    async with opened(found, make=True) as store:
        return await store.accounts.user(name)


async def _all(found: Desired) -> list[User]:
    async with opened(found) as store:
        return await store.accounts.users()


async def _saved(found: Desired, fresh: User) -> User | None:
    async with opened(found, make=True) as store:
        saved = await store.accounts.save_user(fresh)
        if saved is not None:
            await _record(store.accounts, "user_add", fresh.name, {"role": fresh.role.name.lower()})
        return saved


async def _change(
    found: Desired,
    name: str,
    action: str,
    change: Callable[[User], User],
    details: dict[str, str],
    *,
    weaker: bool = False,
    logout: bool = False,
) -> None:
    """Change an account, and put it on record first. Raises VigieError where there is none, or nobody would be left to change any."""
    from vigie.web.auth.people import changed, last_admin

    async with opened(found) as store:
        accounts = store.accounts
        if await accounts.user(name) is None:
            raise _nobody(name)
        if weaker and await last_admin(accounts, name):
            raise VigieError(f"{name} is the only admin who can log in", "make somebody else an admin first: `vigie user role NAME admin`")
        await _record(accounts, action, name, details)
        saved = await changed(accounts, name, change)
        if saved is not None and logout:
            await accounts.end_sessions(saved.id)


async def _record(accounts: Accounts, action: str, name: str, details: dict[str, str]) -> None:
    await accounts.begin_audit(AuditEntry(_now(), user(), "cli", action, {"user": name}, details, outcome=200))


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()
