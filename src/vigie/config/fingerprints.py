"""Fingerprints of channels: whether one is configured as it was when it failed, without keeping its configuration."""

import hashlib
import secrets
from typing import Any

import msgspec

from vigie.config.convert import enc_hook
from vigie.config.desired import Desired
from vigie.net import Secret

_SALT_BYTES = 16


def fingerprints(desired: Desired, before: dict[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """A fingerprint of each channel, by its name, and which differ from those of `before`; none do where `before` is empty.

    It covers all that a delivery depends on: kind, configuration with its secrets, and the proxies. It is salted and slow to guess, for a
    password may be short; a new version of Python or of Vigie may make another one, which costs one attempt.
    """
    made = {name: _fingerprint(desired, name, before.get(name, "").partition(":")[0]) for name in desired.channels}
    changed = frozenset(name for name, one in made.items() if one != before.get(name)) if before else frozenset[str]()
    return made, changed


def _fingerprint(desired: Desired, name: str, salt: str) -> str:
    channel = desired.channels[name]
    whole = msgspec.json.encode((channel.kind, channel.config.reveal(), desired.proxies), enc_hook=_plain, order="deterministic")
    salt = salt or secrets.token_hex(_SALT_BYTES)
    return f"{salt}:{hashlib.scrypt(whole, salt=salt.encode(), n=2**12, r=8, p=1, dklen=16).hex()}"


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, Secret):
        return value.reveal()
    try:
        return enc_hook(value)
    except NotImplementedError:
        return str(value)
