"""NKeys: Ed25519 seeds as NATS writes them, and the credentials files that hold one with a JWT.

Format: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth and
https://github.com/nats-io/nkeys (strkey.go): base32 without padding of prefix, 32 bytes and their CRC-16 (XMODEM, little-endian).
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vigie.errors import BusError, BusFault

_SEED, _USER = 18 << 3, 20 << 3
_SEED_BYTES: Final = 2 + 32 + 2
_BLOCK = re.compile(r"---BEGIN ([A-Z ]+)-{3,}\s+([A-Za-z0-9_.=-]+)\s+-{3,}END")


class UserKey:
    """The key of one user."""

    def __init__(self, seed: str) -> None:
        """Raises ValueError for what is not the seed of a user."""
        raw = _decoded(seed)
        if len(raw) != _SEED_BYTES or raw[0] & 0xF8 != _SEED or int.from_bytes(raw[-2:], "little") != binascii.crc_hqx(raw[:-2], 0):
            raise ValueError("not a seed of an NKey")
        if (raw[0] & 7) << 5 | (raw[1] & 0xF8) >> 3 != _USER:
            raise ValueError("an NKey, but not that of a user")
        self._key = Ed25519PrivateKey.from_private_bytes(raw[2:-2])

    @property
    def public(self) -> str:
        """The public key, as a server's configuration names it: `U…`."""
        raw = bytes([_USER]) + self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")

    def sign(self, nonce: str) -> bytes:
        """The answer to a server's challenge, in base64."""
        return base64.b64encode(self._key.sign(nonce.encode()))


def seed_of(key: Ed25519PrivateKey) -> str:
    """The seed of a new user."""
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    secret = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    raw = bytes([_SEED | _USER >> 5, (_USER & 31) << 3]) + secret
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


def _decoded(seed: str) -> bytes:
    try:
        return base64.b32decode(seed.strip() + "=" * (-len(seed.strip()) % 8))
    except (binascii.Error, ValueError):
        raise ValueError("not a seed of an NKey") from None


def read_seed(file: Path) -> UserKey:
    """The key in a file. Raises BusError."""
    text = _read(file)
    found = re.search(r"\bSU[A-Z2-7]{56}\b", text)
    try:
        return UserKey(found[0] if found else text)
    except ValueError as error:
        raise BusError(
            BusFault.AUTH, f"{file}: {error}", "the file holds the seed of a user: a line that begins with SU", permanent=True
        ) from None


def read_credentials(file: Path) -> tuple[bytes, UserKey]:
    """(JWT, key) of a credentials file. Raises BusError."""
    blocks = {found[1]: found[2] for found in _BLOCK.finditer(_read(file))}
    try:
        return blocks["NATS USER JWT"].encode(), UserKey(blocks["USER NKEY SEED"])
    except (KeyError, ValueError):
        fix = "make it anew by `nsc generate creds`: it holds a NATS USER JWT and a USER NKEY SEED"
        raise BusError(BusFault.AUTH, f"{file} is not a credentials file", fix, permanent=True) from None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror or error}"
        raise BusError(BusFault.AUTH, message, "the user that runs Vigie must be able to read it", permanent=True) from None
