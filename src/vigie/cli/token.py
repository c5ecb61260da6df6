"""Tokens, by which programs use the API: create, list, revoke."""

from typing import Annotated, Literal

import typer

from vigie.accounts import SCOPES, AuditEntry, Token, scope_of
from vigie.cli.common import ConfigOption, duration_in, group, notes, opened, run, settings, user
from vigie.config import Desired
from vigie.errors import VigieError
from vigie.text.formatting import timestamp

app = group("Tokens, by which programs use the API: create, list, revoke.")

_LONGEST_MS = 3_650 * 86_400_000


@app.command(
    epilog=notes(
        "vigie token create --scope read grafana",
        "vigie token create --scope edit --expires 90d ci",
        'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/api/v1/monitors',
    )
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    *,
    config: ConfigOption = None,
    scope: Annotated[Literal["read", "respond", "edit", "admin"], typer.Option(help="What it may do, each what those before it may.")],
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it is valid: 12h, 90d; for ever when not given.")
    ] = None,
) -> None:
    """Create a token and print it: it is shown this once, and only a hash of it is stored."""
    from vigie.web.auth.people import made_token

    found, now = settings(config), _now()
    tidy = " ".join(name.split())[:100]
    if not tidy or not tidy.isprintable():
        raise VigieError(f"{name!r} cannot be a name", "say what the token is for, in a few words")
    until = None if expires is None else now + _span(expires)
    secret, kept = made_token(tidy, SCOPES[scope], now, user(), expires_at=until)
    run(_add(found, kept, scope))
    typer.echo(f"Token {kept.id} ({scope}): keep it safe, it is not shown again.", err=True)
    typer.echo(secret)


@app.command("list", epilog=notes("vigie token list"))
def list_(*, config: ConfigOption = None) -> None:
    """List tokens: scope, owner, expiry, last use."""
    from vigie.adapters import store_exists, zone_of

    found, now = settings(config), _now()
    known = run(_all(found)) if store_exists(found) else []
    if not known:
        typer.echo("There are no tokens.")
        return
    zone = zone_of(found)
    rows = [("ID", "NAME", "SCOPE", "BEGINS", "BY", "EXPIRES", "LAST USED")]
    for one in known:
        until = "never" if one.expires_at is None else timestamp(one.expires_at, zone)
        until = f"expired {until}" if one.expires_at is not None and one.expires_at <= now else until
        used = "never" if one.used_at is None else timestamp(one.used_at, zone)
        rows.append((one.id, one.name, scope_of(one.scope), one.prefix, one.created_by, until, used))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command(epilog=notes("vigie token revoke 3f9a01bc22de"))
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="ID or name of the token, as shown by `vigie token list`.")],
    *,
    config: ConfigOption = None,
) -> None:
    """Revoke a token, at once."""
    gone = run(_revoke(settings(config), identity))
    typer.echo(f"{gone.id} ({gone.name}) is revoked.")


def _span(text: str) -> int:
    found = duration_in(text)
    if not 60_000 <= found <= _LONGEST_MS:
        raise VigieError(f"a token is valid from 1m to 3650d, not {text}", "write 12h or 90d")
    return found


async def _add(found: Desired, kept: Token, scope: str) -> None:
    async with opened(found, make=True) as store:
        details = {"name": kept.name, "scope": scope}
        await store.accounts.begin_audit(
            AuditEntry(kept.created_at, user(), "cli", "token_create", {"token_id": kept.id}, details, outcome=200)
        )
        await store.accounts.add_token(kept)


async def _all(found: Desired) -> list[Token]:
    async with opened(found) as store:
        return await store.accounts.tokens()


async def _revoke(found: Desired, identity: str) -> Token:
    async with opened(found) as store:
        known = [one for one in await store.accounts.tokens() if identity in (one.id, one.name)]
        if not known:
            raise VigieError(f"there is no token {identity}", "see `vigie token list`")
        if len(known) > 1:
            raise VigieError(f"{len(known)} tokens are called {identity}", "name one by its ID, as shown by `vigie token list`")
        (one,) = known
        await store.accounts.begin_audit(
            AuditEntry(_now(), user(), "cli", "token_revoke", {"token_id": one.id}, {"name": one.name}, outcome=200)
        )
        await store.accounts.revoke_token(one.id)
        return one


def _now() -> int:
    from vigie.clock import SystemClock

    return SystemClock().now()
