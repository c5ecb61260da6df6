"""Cursors and pages. A cursor holds the key of the last item that was read, so that what is added or removed meanwhile moves nothing."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from vigie.errors import VigieError
from vigie.queries import MAX_LIMIT, Page

_T = TypeVar("_T")


def page_of(found: Sequence[_T], limit: int, kind: str, key: Callable[[_T], str]) -> Page[_T]:
    """A page of `found`, which holds one item more than the page where there is a next one."""
    items = tuple(found[:limit])
    return Page(items, _written(kind, key(items[-1])) if len(found) > limit else None)


def _written(kind: str, key: str) -> str:
    return urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def key_of(cursor: str, kind: str) -> str:
    """The key in a cursor of a kind of list. Raises VigieError."""
    try:
        found, colon, key = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode().partition(":")
    except (ValueError, binascii.Error):  # also of text that is not ASCII or not UTF-8
        raise unknown(cursor) from None
    if not colon or found != kind or _written(kind, key) != cursor:
        raise unknown(cursor)
    return key


def unknown(cursor: str) -> VigieError:
    """The error for a cursor that no page of this list gave."""
    return VigieError(f"{cursor[:80]!r} is not a cursor of this list", "start again without a cursor")


def check_limit(limit: int) -> None:
    """Raise VigieError for a page that is empty or too long."""
    if not 1 <= limit <= MAX_LIMIT:
        raise VigieError(f"a page cannot hold {limit} items", f"ask for 1 to {MAX_LIMIT}, and for the next page with its cursor")
