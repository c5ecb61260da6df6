"""Who may do what: people, their sessions, tokens of programs, and the record of what was done. Values alone.

Nothing here holds what opens a door: of a password, a token and a session there are hashes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Role(IntEnum):
    """What somebody may do, each what those before it may; a token's scope is one of them, too."""

    VIEWER = 1  # read everything but secrets (scope `read`)
    RESPONDER = 2  # act on alerts, begin maintenance, check now (scope `respond`)
    EDITOR = 3  # monitors, status pages, test notices (scope `edit`)
    ADMIN = 4  # people, tokens, settings (scope `admin`)


_DAY_MS = 86_400_000
SESSION_MS, SESSION_IDLE_MS = 30 * _DAY_MS, 7 * _DAY_MS  # how long a login lasts, and how long unused
TOKEN_EXPIRED_MS = 30 * _DAY_MS  # how long an expired token is still listed
AUDIT_MS, AUDIT_KEPT = 730 * _DAY_MS, 200_000  # how long, and how many entries of the record are kept
SCOPES = {"read": Role.VIEWER, "respond": Role.RESPONDER, "edit": Role.EDITOR, "admin": Role.ADMIN}


def scope_of(role: Role) -> str:
    """What a token's scope of this strength is called."""
    return next(name for name, one in SCOPES.items() if one is role)


def role_named(name: str) -> Role | None:
    """The role of this name, in small letters."""
    return Role.__members__.get(name.upper()) if name == name.lower() else None


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential: its id and public key in base64url, and how often it was used (0 where the authenticator does not count)."""

    id: str
    public_key: str
    name: str
    created_at: int
    sign_count: int = 0
    used_at: int | None = None
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account. `name` is in small letters and nobody else's; instants are epoch ms.

    `password` is what argon2 makes of it (PHC string), empty for who has none. `totp` is the secret in base32, empty where one-time codes
    are off; `totp_step` is the last time step used, `recovery` the hashes of unused recovery codes. `subject` is `issuer|sub` of an
    OpenID Connect provider. `version` rises by one with each change: a change is of the version that was read, or it does not count.
    """

    id: str
    name: str
    role: Role
    created_at: int
    password: str = ""
    totp: str = ""
    totp_step: int = 0
    recovery: tuple[str, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    subject: str = ""
    disabled: bool = False
    seen_at: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """A login that lasts. `hash` is that of the token in the cookie; `id` names it in pages, and opens nothing."""

    hash: str
    id: str
    user: str
    created_at: int
    seen_at: int
    agent: str = ""
    address: str = ""
    method: str = "password"


@dataclass(frozen=True, slots=True)
class Token:
    """What a program identifies itself by. `prefix` is its beginning, by which people recognise it.

    `owner` is the id of the user it belongs to, who must still be there and may do no less; empty for one made by the command line.
    """

    id: str
    hash: str
    prefix: str
    name: str
    scope: Role
    created_at: int
    created_by: str
    owner: str = ""
    expires_at: int | None = None
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody had done, or tried. `action` is the name of a route or a command; `objects` are the ids that it concerns.

    `outcome` is the HTTP status, or 0 while it is under way and where Vigie ended meanwhile.
    """

    at: int
    actor: str
    kind: str
    action: str
    objects: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    outcome: int = 0
    number: int = 0
