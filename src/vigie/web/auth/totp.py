"""One-time codes (RFC 6238) and what recovers an account without them. A code is good once; a recovery code too."""

import hmac
import io
import secrets
from dataclasses import replace

import pyotp

from vigie.accounts import User
from vigie.web.door import hashed

STEP_MS = 30_000
_AROUND = (0, -1, 1)  # time steps: clocks of phones differ
_CODES = 10
_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_LENGTH = 16  # 78 bits: nobody finds one from its hash


def new_secret() -> str:
    """A secret in base32."""
    return pyotp.random_base32()


def new_recovery() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Recovery codes: as they are shown, once, and their hashes."""
    plain = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_CODES)]
    return tuple("-".join(one[at : at + 4] for at in range(0, _LENGTH, 4)) for one in plain), tuple(hashed(one) for one in plain)


def step_of(secret: str, code: str, now: int, after: int) -> int | None:
    """The time step that a code is of, later than `after`; None for a wrong one and for one that was used."""
    digits, found = "".join(code.split()), None
    if not (len(digits) == 6 and digits.isascii() and digits.isdigit()):
        return None
    otp = pyotp.TOTP(secret)
    for around in _AROUND:
        step = now // STEP_MS + around
        if hmac.compare_digest(otp.generate_otp(step), digits) and step > after:
            found = step
    return found


def verified(user: User, code: str, now: int) -> User | None:
    """The account with this code used up; None for a code that is not good."""
    step = step_of(user.totp, code, now, user.totp_step)
    if step is not None:
        return replace(user, totp_step=step)
    plain = "".join(char for char in code.upper() if char in _ALPHABET)
    given = hashed(plain)
    left = tuple(one for one in user.recovery if not hmac.compare_digest(one, given))
    return replace(user, recovery=left) if len(plain) == _LENGTH and len(left) < len(user.recovery) else None


def address_of(secret: str, name: str, issuer: str) -> str:
    """The otpauth URI that an authenticator reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def picture(uri: str) -> str:
    """Its QR code as SVG, black on white, without anything that runs."""
    import segno

    out = io.BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", scale=4, border=3, xmldecl=False, svgns=True, dark="#000", light="#fff", nl=False)
    return out.getvalue().decode()
