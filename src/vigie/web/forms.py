"""What the pages with a form share: a bounded body, and its fields as lines without what hides in them."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from vigie.web.page import shown

BODY_BYTES = 8_192
_READ_BYTES = 1_048_576
_READ_SECONDS = 10.0
_MAX_FIELDS = 20
_TYPE = "application/x-www-form-urlencoded"


def is_form(request: Request) -> bool:
    """Whether it brings what a form of ours sends."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _TYPE


async def body_of(request: Request, limit: int = BODY_BYTES) -> bytes | None:
    """The whole body; None for one that is too long or does not come in time. It is read on a while, so that the sender sees the answer."""
    kept, seen = b"", 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                seen += len(chunk)
                if seen <= limit:
                    kept += chunk
                if seen > _READ_BYTES:
                    break
    except (TimeoutError, ClientDisconnect):
        return None
    return kept if seen <= limit else None


def fields_of(body: bytes) -> dict[str, str]:
    """The form's fields; of a field given twice, the last; none at all where there are more than any form has."""
    try:
        return dict(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS))
    except ValueError:
        return {}


def line(text: str) -> str:
    """One line without what hides in it or turns it around."""
    return " ".join(shown(" ".join(text.split())).split())
