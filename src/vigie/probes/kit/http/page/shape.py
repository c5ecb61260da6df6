"""The shape of a page, from which the core learns what is normal: sizes, landmarks and hosts, none of the target's words."""

from collections.abc import Mapping

from xxhash import xxh3_64_hexdigest

from vigie.core.model import PageFacts
from vigie.probes.kit.http.body import media_type
from vigie.probes.kit.http.page.parse import Page

_HOSTS = 24


def shape(page: Page, size: int, digest: str, headers: Mapping[str, str]) -> PageFacts:
    """The facts of a page that was read; `size` is the decoded body's, in bytes."""
    return PageFacts(
        digest=digest,
        bytes=size,
        words=page.words,
        title=xxh3_64_hexdigest(page.title.encode()) if page.title else "",
        type=media_type(headers) or "",
        landmarks=page.landmarks,
        scripts=page.script_hosts[:_HOSTS],
        links=page.link_hosts[:_HOSTS],
    )
