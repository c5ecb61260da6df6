"""Bodies without markup: a reason phrase, a proxy's one line, an interpreter's trace.

A text is somebody's matter, so only what is the whole of it counts: "Bad Gateway", "404 page not found", a trace from its first line to
its last. A text that quotes any of these is left alone.
"""

import re

from vigie.probes.kit.http.page import reasons
from vigie.probes.kit.http.page.parse import fold
from vigie.probes.kit.http.page.signs import Family, Finding, Where

_SHORT = 400
_FRAMES = 8_000  # characters in which a trace has its first frame
_P, _S, _A, _H = Family.PROXY, Family.SERVER, Family.APPLICATION, Family.HOSTING

# What proxies, meshes and gateways answer in a line of text: (name, family, the whole text).
_LINES = (
    ("Envoy error", _P, r"upstream connect error or disconnect/reset before headers\b.{0,300}"),
    (
        "Envoy error",
        _P,
        r"no healthy upstream|upstream request timeout|stream timeout|fault filter abort|rbac: access denied|no_filter_chain_found",
    ),
    ("Envoy rate limit", Family.RATE_LIMIT, r"local_rate_limited|rate limit exceeded|rate_limited"),
    ("Go or Traefik not found", _P, r"404 page not found"),
    ("Kubernetes default backend", _P, r"default backend - 404|response 404 \(backend nothing\), service rules for .{0,160}"),
    (
        "Kong error",
        _P,
        r"an invalid response was received from the upstream server|the upstream server is timing out|no route matched with those values|failure to get a peer from the ring-balancer",
    ),
    ("Fastly error", _P, r"fastly error: .{1,160}|unknown domain: .{1,160}"),
    ("Cloudflare error", _P, r"error code: (?:1\d{3}|5\d\d)"),
    ("Heroku router error", _H, r"no such app|application error"),
    ("Fly.io or Render error", _H, r"not found render-routing: .{0,60}|error: no machines? .{0,80}"),
    (
        "Vercel error",
        _H,
        r"the (?:page|deployment) could not be found.{0,120}|a server error has occurred [a-z_]{3,60}.{0,80}|this deployment .{1,40} is temporarily paused",
    ),
    (
        "Backend unavailable",
        _P,
        r"(?:error: )?(?:backend|upstream|origin|server|host|service|application|proxy)(?: server| service| application)? (?:is )?(?:temporarily )?(?:unavailable|unreachable|not available|not responding|connection (?:error|refused|failed)|error|timed? ?out|timeout|overloaded)",
    ),
    (
        "Connection error",
        _P,
        r"(?:error (?:occurred )?while trying to proxy|error connecting to|could not connect to|failed to connect to|unable to connect to|cannot connect to)\b.{0,160}",
    ),
    ("Connection error", _P, r"(?:dial tcp|http: proxy error|read tcp|proxyconnect tcp|get \"?https?://[^ ]{1,200}\"?: )\b.{0,200}"),
    (
        "Connection refused",
        _P,
        r"(?:error: )?(?:connect |connection )?(?:econnrefused|econnreset|etimedout|connection refused|connection reset by peer|connection timed out)\b.{0,120}",
    ),
    ("Express not found", _A, r"cannot (?:get|post|head|put|delete) /\S{0,200}"),
    (
        "Unhandled error",
        _A,
        r"(?:sorry, )?(?:an? |the )?(?:internal |unexpected |unknown |unhandled |application |server |fatal |critical ){0,6}?(?:error|exception)(?: has)? (?:occurred|was encountered|occured)(?: (?:while|on|in|processing) .{0,160})?",
    ),
    (
        "Unhandled error",
        _A,
        r"(?:oops[!,. ]{0,3})?(?:something (?:went|has gone|is) (?:terribly |very |badly )?wrong|unexpected error|unhandled exception|internal application error|unexpected server error)(?:[.!].{0,160})?",
    ),
    ("A server error occurred", _A, r"a server error occurred\. {1,2}please contact the administrator"),
    ("Host not allowed", _A, r"(?:bad request|invalid|blocked|disallowed|unknown) host(?: header)?\b.{0,160}"),
    (
        "Not found",
        Family.NOT_FOUND,
        r"(?:the )?(?:requested |page |file |resource |url |path |route |object |document |endpoint ){1,4}?(?:[/\w.-]{1,120} )?(?:was |is |could |can )?(?:not be found|not found|doesn't exist|does not exist)(?: on this server)?",
    ),
)
_COMPILED = tuple([(name, family, re.compile(pattern)) for name, family, pattern in _LINES])

_TRACES = (
    (
        "Python traceback",
        re.compile(r"traceback \(most recent call last\):"),
        re.compile(r'\n {0,8}file "(?:/|[a-z]:\\|<)[^"\n]{1,300}", line \d+'),
    ),
    (
        "Python traceback",
        re.compile(r"(?:\d{3}:? )?internal server error\s{1,4}(?:traceback:\s{1,3})?traceback \(most recent call last\):"),
        re.compile(r'\n {0,8}file "(?:/|[a-z]:\\|<)[^"\n]{1,300}", line \d+'),
    ),
    ("Go panic", re.compile(r"(?:http: )?panic: |runtime error: "), re.compile(r"\ngoroutine \d+ \[")),
    (
        "Node.js stack trace",
        re.compile(r"(?:uncaught )?[\w.]{0,60}(?:error|exception)\b(?: \[[\w-]{1,60}\])?: "),
        re.compile(r"\n {0,8}at [^\n]{0,300}:\d+(?::\d+)?\)?"),
    ),
    (
        "Java stack trace",
        re.compile(r"(?:exception in thread \"[^\"\n]{1,60}\" )?[a-z_][\w.$]{1,200}(?:exception|error)\b"),
        re.compile(r"\n\s{0,8}at [\w.$<>/]{1,300}\([\w$.]{1,80}(?::\d+)?\)"),
    ),
    (
        ".NET stack trace",
        re.compile(r"(?:unhandled exception[.:] )?[a-z_][\w.]{1,200}exception\b"),
        re.compile(r"\n {0,8}at [\w.$<>`]{1,300}\([^)\n]{0,300}\)"),
    ),
    ("Ruby error", re.compile(r"[\w:]{0,80}(?:error|exception)\b(?: at /|: )|[^\s\n]{1,200}\.rb:\d+:in "), re.compile(r"\.rb:\d+:in ")),
    (
        "PHP fatal error",
        re.compile(r"(?:php )?(?:fatal|parse|recoverable fatal) error: "),
        re.compile(r" (?:on line \d|in [^\n]{1,300}:\d)"),
    ),
    ("Perl error", re.compile(r"[^\n]{1,300} at [^\s\n]{1,200} line \d+\.?(?:\n|$)"), re.compile(r"\.(?:pl|pm|cgi|psgi) line \d+")),
)


def plain(text: str) -> Finding | None:
    """What a text is, if nothing but an error."""
    text = text.strip()
    if not text:
        return None
    return (_explained(text) if len(text) <= _SHORT else None) or _trace(text.lower())


def _explained(text: str) -> Finding | None:
    """A line that says an error, or a reason phrase on a line of its own and what a server says of it."""
    first, _, rest = text.partition("\n")
    return line(fold(text)) or (reasons.alone(fold(first), explained=True) if rest.strip() and not reasons.about(fold(rest)) else None)


def line(text: str) -> Finding | None:
    """What a short folded text is, with or without the number of a status before it."""
    found = reasons.alone(text)
    if found is not None:
        return found
    said = text.strip(" .!")
    for name, family, pattern in _COMPILED:
        if pattern.fullmatch(said) is not None or pattern.fullmatch(reasons.unnumbered(said)) is not None:
            return Finding(name, family, Where.BODY)
    return None


def _trace(text: str) -> Finding | None:
    for name, begins, frame in _TRACES:
        if begins.match(text) is not None and frame.search(text, 0, _FRAMES) is not None:
            return Finding(name, Family.APPLICATION, Where.BODY)
    return None
