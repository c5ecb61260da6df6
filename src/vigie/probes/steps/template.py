"""`{{name}}` in URLs, headers and bodies. What is put in was written by a server: it is encoded for its place."""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from vigie.probes.kit.http.urls import Place

_PLACE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_RESERVED = "/:@!$&'()*+,;=~-._%?#[]"  # RFC 3986 §2.2: what a path, or a whole address, may be made of
_FORM, _JSON = "application/x-www-form-urlencoded", "json"

Values = Mapping[str, str]


def names(text: str) -> set[str]:
    """The names that a text wants put in."""
    return set(_PLACE.findall(text))


def sample(url: str) -> str:
    """The URL with something in its places, so that the rest of it can be checked."""
    if match := _PLACE.match(url):
        url = "https://example.com" + url[match.end() :]
    return _PLACE.sub("x", url)


def url_of(template: str, values: Values, base: str) -> str:
    """The URL. A value at its very beginning is an address itself, relative ones from `base`; in a query, a value is one value."""
    if match := _PLACE.match(template):
        template = Place.of(quote(values[match[1]], safe=_RESERVED), base).url + template[match.end() :]
    path, mark, query = template.partition("?")
    return _put(path, values, lambda value: quote(value, safe=_RESERVED)) + mark + _put(query, values, lambda value: quote(value, safe=""))


def body_of(template: str, values: Values, media_type: str) -> str:
    """The body: values are escaped as a form or as JSON text wants it, else they are put in as they are. Without a type it is a form."""
    media_type = media_type or (_JSON if template.lstrip()[:1] in ("{", "[") else _FORM)
    if media_type == _FORM:
        return _put(template, values, lambda value: quote(value, safe=""))
    if media_type.endswith(_JSON):
        return _put(template, values, lambda value: json.dumps(value)[1:-1])
    return _put(template, values, lambda value: value)


def header_of(template: str, values: Values) -> str:
    """The header's value as it is: a line break in it is refused with the whole header."""
    return _put(template, values, lambda value: value)


def _put(template: str, values: Values, encoded: Callable[[str], str]) -> str:
    return _PLACE.sub(lambda match: encoded(values[match[1]]), template)
