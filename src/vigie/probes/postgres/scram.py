"""SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677), without channel binding."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

_MAX_ITERATIONS = 500_000  # a quarter of a second; PostgreSQL's own is 4096


class Refused(ValueError):  # noqa: N818 - it is the server's message that is refused
    """A message of the server that is malformed, or does not prove that it knows the password."""


class Scram:
    """One login: `first` is sent, the server's answers are given to `final` and `check`."""

    def __init__(self, user: str, password: str, nonce: str | None = None) -> None:
        self._password = saslprep(password).encode()
        self._nonce = nonce or base64.b64encode(secrets.token_bytes(18)).decode()
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._proof = b""

    @property
    def first(self) -> bytes:
        """The client's first message."""
        return f"n,,{self._bare}".encode()

    async def final(self, server_first: bytes) -> bytes:
        """The client's last message; the costly hash runs beside the loop. Raises Refused."""
        text = server_first.decode("utf-8", "replace")
        fields = _fields(text)
        try:
            nonce, salt, rounds = fields["r"], base64.b64decode(fields["s"], validate=True), int(fields["i"])
        except (KeyError, ValueError, binascii.Error):
            raise Refused("a malformed challenge") from None
        if not nonce.startswith(self._nonce) or nonce == self._nonce or not 0 < rounds <= _MAX_ITERATIONS:
            raise Refused("a challenge that is not for us, or costs too much")
        salted = await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", self._password, salt, rounds)
        without_proof = f"c=biws,r={nonce}"
        message = f"{self._bare},{text},{without_proof}".encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), message)
        self._proof = _hmac(_hmac(salted, b"Server Key"), message)
        proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def check(self, server_final: bytes) -> None:
        """Raise Refused unless the server knows the password too."""
        proof = base64.b64encode(self._proof).decode()
        if not self._proof or not hmac.compare_digest(_fields(server_final.decode("latin-1")).get("v", "").encode(), proof.encode()):
            raise Refused("the server did not prove that it knows the password")


def _fields(text: str) -> dict[str, str]:
    return {part[:1]: part[2:] for part in text.split(",")}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def saslprep(text: str) -> str:
    """The text as both sides hash it (RFC 4013); as it stands where it holds what may not be."""
    mapped = "".join(" " if stringprep.in_table_c12(one) else one for one in text if not stringprep.in_table_b1(one))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    bad = (stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c5, stringprep.in_table_c8, stringprep.in_table_a1)
    return text if any(table(one) for one in prepared for table in bad) else prepared
