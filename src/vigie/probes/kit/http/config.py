"""The configuration of an HTTP(S) monitor: its keys are beside the common ones in `vigie.yaml`."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from vigie.errors import FieldError
from vigie.net import ADDRESS, AUTHORITIES, SHOWN, Secret, split_server, texts
from vigie.planning.duration import Duration
from vigie.ports import Problem
from vigie.probes.kit.comparison import Comparison, assertion, contradiction
from vigie.probes.kit.http.urls import Place, check_proxy

_T = TypeVar("_T")
_METHOD = re.compile(r"[A-Z]{1,20}")
_RANGE = re.compile(r"(\d{3})(?:-(\d{3}))?")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.1
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@lru_cache(256)  # thousands of monitors expect the same
def status_ranges(text: str | int) -> tuple[tuple[int, int], ...]:
    """`200-299,304` as inclusive ranges; ValueError otherwise."""
    ranges = []
    for part in str(text).split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a list of statuses; write 200-299,304")
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high:
            raise ValueError(f"{part.strip()!r} ends before it begins")
        ranges.append((low, high))
    return tuple(ranges)


def json_assertions(wanted: dict[str, Any] | list[str]) -> tuple[tuple[str, Comparison], ...]:
    """(path, comparison) of each assertion. Raises FieldError, below `json`, for one that cannot be read or can never hold."""
    if isinstance(wanted, dict):
        return tuple((path, _at(path, Comparison.of, value)) for path, value in wanted.items())
    return tuple(_at(index, assertion, item) for index, item in enumerate(wanted))


def _at(key: str | int, read: Callable[[Any], _T], value: Any) -> _T:
    try:
        return read(value)
    except ValueError as error:
        raise FieldError(("json", key), str(error)) from None


def compiled(paths: Iterable[str]) -> tuple[Any, ...]:
    """JSONPath queries ready to use; ValueError for an invalid JSONPath."""
    import jsonpath

    found = []
    for path in paths:
        try:
            found.append(jsonpath.compile(path))
        except jsonpath.JSONPathError as error:
            raise ValueError(f"{path!r} is not a JSONPath: {str(error).splitlines()[0]}") from None
    return tuple(found)


def _check_assertions(wanted: dict[str, Any] | list[str]) -> None:
    """Raise FieldError for what can never hold: a path that cannot be read, comparisons of one value that exclude each other."""
    by_path: dict[str, list[Comparison]] = {}
    for index, (path, comparison) in enumerate(json_assertions(wanted)):
        key = path if isinstance(wanted, dict) else index
        (query,) = _at(key, compiled, (path,))
        if not query.singular_query():
            continue  # any of several values may satisfy it
        earlier = by_path.setdefault(path, [])
        earlier.append(comparison)
        if pair := contradiction(earlier):
            raise FieldError(("json", key), f"{path} cannot be {pair[0]} and {pair[1]} at once")


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a good response looks like."""

    status: Annotated[str | int, msgspec.Meta(description="Accepted statuses, ranges allowed.", examples=["200-299,304"])] = "200-299"
    keyword: Annotated[str | list[str], msgspec.Meta(description="Texts that must be in the page.", examples=["ok"])] = []
    reject_keyword: Annotated[str | list[str], msgspec.Meta(description="Texts that must not be in the page.", examples=["error"])] = []
    json: Annotated[
        dict[str, Any] | list[str],
        msgspec.Meta(
            description="JSONPath (RFC 9535) to value, or a list of `PATH operator VALUE`; see [comparisons](comparisons.md).",
            examples=[{"$.db": "up", "$.queue": "<= 100"}, ["$.queue<=100"]],
        ),
    ] = {}
    type: Annotated[str | None, msgspec.Meta(description="Media type of the response.", examples=["application/json"])] = None
    latency: Annotated[Duration | None, msgspec.Meta(description="Slower than this is too slow.", examples=["800ms"])] = None
    latency_status: Annotated[Literal["degraded", "down"], msgspec.Meta(description="Status of a response that is too slow.")] = "degraded"
    tls_days: Annotated[int, msgspec.Meta(description="Fewer days left on the certificate is degraded.", ge=0, le=3_650, examples=[14])] = (
        14
    )

    def __post_init__(self) -> None:
        """Raise ValueError for a status range or JSON assertion that cannot be read."""
        status_ranges(self.status)
        if self.json:
            _check_assertions(self.json)


class Basic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HTTP basic authentication (RFC 7617)."""

    user: Annotated[str, msgspec.Meta(description="User name.")]
    password: Annotated[Secret, msgspec.Meta(description="Password; write `${NAME}` and keep it in `.env`.")]

    def __post_init__(self) -> None:
        """Raise ValueError for a colon in the user name, which the scheme cannot carry."""
        if ":" in self.user:
            raise ValueError("a user name for basic authentication cannot contain a colon")


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to log in; sent to the monitor's own host only, never after a redirect elsewhere."""

    basic: Annotated[Basic | None, msgspec.Meta(description="User and password.")] = None
    bearer: Annotated[Secret | None, msgspec.Meta(description="Bearer token.", examples=["${API_TOKEN}"])] = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid token, without showing it."""
        if self.bearer is not None and not re.fullmatch(r"[!-~]+", self.bearer.reveal()):
            raise ValueError("the bearer token is empty or contains a space, a line break or a non-ASCII character")
        if self.basic is not None and self.bearer is not None:
            raise ValueError("write basic or bearer, not both")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One HTTP(S) monitor."""

    url: Annotated[str, msgspec.Meta(description="What is watched.", examples=["https://api.example.com/health"], extra=ADDRESS)]
    method: Annotated[str, msgspec.Meta(description="Request method.", examples=["GET"], extra=SHOWN)] = "GET"
    headers: Annotated[
        dict[str, Secret],
        msgspec.Meta(
            description="Request headers. After a redirect to another origin only `Accept`, `Accept-…` and `User-Agent` are sent.",
            examples=[{"Accept": "application/json"}],
        ),
    ] = {}
    body: Annotated[Secret | None, msgspec.Meta(description="Request body.")] = None
    expect: Annotated[Expect, msgspec.Meta(description="What a good response looks like.")] = Expect()
    follow_redirects: Annotated[bool, msgspec.Meta(description="Follow redirects.")] = True
    max_redirects: Annotated[int, msgspec.Meta(description="Maximum number of redirects.", ge=0, le=50)] = 10
    allow_other_host: Annotated[bool, msgspec.Meta(description="A redirect may lead to another host.")] = True
    allow_downgrade: Annotated[bool, msgspec.Meta(description="A redirect may lead from https to http.")] = False
    resolver: Annotated[str | None, msgspec.Meta(description="DNS server for this monitor.", examples=["9.9.9.9:53"], extra=SHOWN)] = None
    ip: Annotated[Literal[4, 6] | None, msgspec.Meta(description="Only IPv4 or only IPv6.")] = None
    http: Annotated[
        Literal["1.1", "2", "3"] | None,
        msgspec.Meta(description="HTTP version to ask for; by default the best of 1.1 and 2 that the server offers."),
    ] = None
    ca_file: Annotated[str | None, msgspec.Meta(description="PEM file of a private authority.", extra=AUTHORITIES)] = None
    insecure: Annotated[bool, msgspec.Meta(description="Do not verify the certificate; its facts are still read.")] = False
    auth: Annotated[Auth, msgspec.Meta(description="How to log in.")] = Auth()
    proxy: Annotated[str | None, msgspec.Meta(description="HTTP proxy.", examples=["http://proxy.example:3128"], extra=ADDRESS)] = None
    content_checks: Annotated[
        bool | Literal["on", "off"],
        msgspec.Meta(description="Judge the page itself: error pages, blank pages, bot walls and signs of tampering behind a good status."),
    ] = True
    max_body: Annotated[int, msgspec.Meta(description="How many bytes of the body are read, after decoding.", ge=1024, le=67_108_864)] = (
        1_048_576
    )

    def __post_init__(self) -> None:
        """Raise ValueError that says what is wrong with the URL, the method, the resolver, the proxy or a header."""
        place = Place.of(self.url)
        if self.http == "3" and not place.secure:
            raise ValueError("HTTP/3 is always encrypted; write https://")
        if self.http == "3" and self.proxy is not None:
            raise ValueError("HTTP/3 does not work through a proxy; leave out http or proxy")
        if not _METHOD.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is not a request method; write GET, HEAD, POST, …")
        if self.resolver is not None:
            split_server(self.resolver)
        if self.proxy is not None:
            check_proxy(self.proxy)
        for name, value in texts(self.headers).items():
            if not _FIELD_NAME.fullmatch(name) or _CONTROL.search(value):
                raise FieldError(
                    ("headers", name), f"header {name!r}: a name cannot contain a space or colon, nor a value a control character"
                )

    @property
    def over_tcp(self) -> bool:
        """Whether a connection by TCP says something about the service; HTTP/3 runs over UDP."""
        return self.http != "3"

    @property
    def reads_pages(self) -> bool:
        """Whether the page itself is judged: only what people GET is one."""
        return self.content_checks in (True, "on") and self.method == "GET"

    @property
    def target(self) -> str:
        """The URL as people may read it."""
        return Place.of(self.url).shown(self.url)

    @property
    def plain_url(self) -> str | None:
        """The URL as it is sent, where anybody may ask for it again: a GET without login, headers, body or proxy."""
        special = self.method != "GET" or self.headers or self.body is not None or self.auth != Auth() or self.proxy is not None
        return None if special else Place.of(self.url).url

    @property
    def host(self) -> str:
        """The host, for limits and names."""
        return Place.of(self.url).shown_host(self.url)


def problems(config: Config) -> Iterator[Problem]:
    """What keeps this machine's libcurl from a request: a version of HTTP that it was built without."""
    if config.http != "3":
        return
    import pycurl  # 7 MB, and only who verifies needs it

    if not pycurl.version_info()[4] & pycurl.VERSION_HTTP3:
        fix = "install a pycurl whose libcurl has HTTP/3, or remove `http: 3`"
        yield Problem("http", "the installed libcurl was built without HTTP/3 (QUIC)", fix)
