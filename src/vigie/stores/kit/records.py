"""Whole records as blobs: msgpack behind a version byte, so that a later format never rewrites history."""

from typing import Any, TypeVar

import msgspec

from vigie.core.members import Member, Members
from vigie.errors import StoreError, StoreFault

_T = TypeVar("_T")
_VERSION = 1
_HEAD = bytes([_VERSION])
_LARGEST = 2**63 - 1


def _plain(value: Any) -> Any:
    """What a record holds that msgpack does not know, as what it does."""
    if isinstance(value, Members):
        return list(value)
    raise NotImplementedError(f"a record holds a {type(value).__name__}")


def _whole(kind: type, value: Any) -> Any:
    """And back."""
    if kind is Members:
        return Members(msgspec.convert(value, list[Member]))
    raise NotImplementedError(f"a record holds a {kind.__name__}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)


def encode(value: Any) -> bytes:
    """A record as a blob. Text that is not valid Unicode and numbers that no format holds are kept as near as possible."""
    try:
        return _HEAD + _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return _HEAD + _encoder.encode(_tidy(msgspec.to_builtins(value, enc_hook=_plain)))


def decode(blob: bytes, kind: type[_T]) -> _T:
    """The record of a blob. Raises StoreError: NEWER for a later format, CORRUPT for what is not a record."""
    if blob[:1] != _HEAD:
        raise StoreError(
            StoreFault.NEWER, f"a record of version {blob[:1].hex()} was written by a newer Vigie", "install that version again"
        )
    try:
        value: _T = msgspec.msgpack.decode(blob[1:], type=kind, dec_hook=_whole)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "move the database aside to start with a new one, or restore a backup"
        raise StoreError(StoreFault.CORRUPT, f"a {kind.__name__} in the database is damaged: {error}", fix) from error
    return value


def _tidy(value: Any) -> Any:
    """What a hostile answer may carry, made storable: half surrogate pairs, numbers beyond 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) > _LARGEST:
        return min(max(value, -_LARGEST), _LARGEST)
    if isinstance(value, dict):
        return {_tidy(key): _tidy(one) for key, one in value.items()}
    return [_tidy(one) for one in value] if isinstance(value, list | tuple) else value
