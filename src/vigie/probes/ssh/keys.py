"""The first key exchange of SSH, as far as the proof that the server holds its host key (RFC 4253, 5656, 8709, 8731, 8332).

It ends before encryption begins, so that no cipher is spoken here.
"""

import base64
import hashlib
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils, x25519

KEXINIT, ECDH_INIT, ECDH_REPLY = 20, 30, 31
_CURVE25519, _NISTP256 = ("curve25519-sha256", "curve25519-sha256@libssh.org"), ("ecdh-sha2-nistp256",)
EXCHANGES = (*_CURVE25519, *_NISTP256)
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "ecdsa-sha2-nistp256": hashes.SHA256(),
    "ecdsa-sha2-nistp384": hashes.SHA384(),
    "ecdsa-sha2-nistp521": hashes.SHA512(),
    "rsa-sha2-512": hashes.SHA512(),
    "rsa-sha2-256": hashes.SHA256(),
}


class Garbled(ValueError):  # noqa: N818 - it is the message that is garbled
    """A message that is not what it should be."""


class Fields:
    """Reads the fields of a message one after the other (RFC 4251 §5); raises Garbled at its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        """Exactly this many bytes."""
        if count > len(self._data):
            raise Garbled("a message that ends too early")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self) -> int:
        """A uint32."""
        return int(struct.unpack(">I", self.take(4))[0])

    def string(self) -> bytes:
        """A string of any bytes."""
        return self.take(self.number())

    def names(self) -> tuple[str, ...]:
        """A name-list."""
        return tuple(self.string().decode("latin-1").split(","))


def string(data: bytes) -> bytes:
    """A string as it travels."""
    return struct.pack(">I", len(data)) + data


def mpint(data: bytes) -> bytes:
    """An unsigned big-endian number as it travels: no leading zeros but one before a high bit."""
    stripped = data.lstrip(b"\0")
    return string(b"\0" + stripped if stripped and stripped[0] & 0x80 else stripped)


def packet(payload: bytes) -> bytes:
    """An unencrypted binary packet (RFC 4253 §6)."""
    fill = 8 - (len(payload) + 5) % 8
    fill += 8 if fill < 4 else 0
    return struct.pack(">IB", len(payload) + fill + 1, fill) + payload + bytes(fill)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server can do: its KEXINIT. `rest` are its lists of ciphers, MACs and so on, as they came."""

    exchanges: tuple[str, ...]
    host_keys: tuple[str, ...]
    rest: bytes

    @classmethod
    def of(cls, payload: bytes) -> "Offer":
        """Raises Garbled for anything that is not a KEXINIT."""
        fields = Fields(payload)
        if fields.take(1)[0] != KEXINIT:
            raise Garbled("a message that is not a KEXINIT")
        fields.take(16)
        exchanges, host_keys = fields.names(), fields.names()
        rest = b"".join(string(fields.string()) for _ in range(8))
        return cls(exchanges, host_keys, rest)

    def reply(self) -> bytes:
        """Our KEXINIT: the server's own lists where nothing will come of them, as encryption never begins."""
        lists = (",".join(EXCHANGES).encode(), ",".join(HOST_KEYS).encode())
        return bytes([KEXINIT]) + secrets.token_bytes(16) + b"".join(map(string, lists)) + self.rest + b"\0" + bytes(4)

    def agreed(self) -> tuple[str, str] | None:
        """(exchange, host key algorithm): ours that come first among the server's, or None (RFC 4253 §7.1)."""
        exchange, host_key = _first(EXCHANGES, self.exchanges), _first(HOST_KEYS, self.host_keys)
        return (exchange, host_key) if exchange and host_key else None


def _first(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    return next((name for name in ours if name in theirs), None)


@dataclass(frozen=True, slots=True)
class Half:
    """Our half of an agreement: what is sent, and the secret that comes of the server's half."""

    public: bytes
    agree: Callable[[bytes], bytes]

    @classmethod
    def of(cls, exchange: str) -> "Half":
        """A fresh one."""
        if exchange in _CURVE25519:
            own = x25519.X25519PrivateKey.generate()
            public = own.public_key().public_bytes_raw()
            return cls(public, lambda theirs: own.exchange(x25519.X25519PublicKey.from_public_bytes(theirs)))
        curve = ec.SECP256R1()
        key = ec.generate_private_key(curve)
        point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return cls(point, lambda theirs: key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, theirs)))


def proven_key(reply: bytes, half: Half, before: Sequence[bytes]) -> bytes:
    """The host key out of an ECDH reply, its signature verified; Garbled otherwise.

    `before` are the two identifications and the two KEXINITs, ours first; all agreements here hash by SHA-256.
    """
    fields = Fields(reply[1:])
    host_key, theirs, signature = fields.string(), fields.string(), Fields(fields.string())
    try:
        secret = half.agree(theirs)
        digest = hashlib.sha256(b"".join(map(string, (*before, host_key, half.public, theirs))) + mpint(secret)).digest()
        _verify(host_key, signature.string().decode("latin-1"), signature.string(), digest)
    except InvalidSignature:
        raise Garbled("a signature that is not the host key's") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Garbled("a host key or signature that cannot be read") from error
    return host_key


def _verify(host_key: bytes, algorithm: str, signature: bytes, digest: bytes) -> None:
    """Raise InvalidSignature, or ValueError where key and algorithm do not belong together."""
    name = Fields(host_key).string()
    key = serialization.load_ssh_public_key(name + b" " + base64.b64encode(host_key))
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "ssh-ed25519":
        key.verify(signature, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == name.decode("latin-1"):
        parts = Fields(signature)
        pair = (int.from_bytes(parts.string()), int.from_bytes(parts.string()))
        key.verify(utils.encode_dss_signature(*pair), digest, ec.ECDSA(_HASHES[algorithm]))
    elif isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("rsa-sha2-") and algorithm in _HASHES:
        key.verify(signature, digest, padding.PKCS1v15(), _HASHES[algorithm])
    else:
        raise ValueError(algorithm)


def fingerprint(host_key: bytes) -> str:
    """As `ssh-keygen -lf` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(host_key).digest()).decode().rstrip("=")
