"""Machines' own messages: what an interpreter or a driver prints where a page should be."""

import re

from vigie.probes.kit.http.page.parse import Page
from vigie.probes.kit.http.page.signs import Family, Finding, Where, generic

_WORDS = 400
_FEW = 60
_SHARE = 0.5
_PREFACE = 60  # characters that a message may have before it
_PREFACES = re.compile(
    r"\W*(?:php |fatal |database |mysql |db |sql |query |connection |could not |couldn't |cannot |can't |unable |failed |error|erreur|impossible |connexion |fehler|verbindung|keine verbindung"
    r"|errore|impossibile |erro\b|não foi |falha|no se pudo |fout|kan geen |ошибка|не удалось|无法|数据库|エラー|データベース|warning|uncaught|exception|system\.|microsoft\.|java\.|org\.|django\.|psycopg2?\.|sqlalchemy)"
)
_A, _D = Family.APPLICATION, Family.DATABASE

# PHP with html_errors on (its default): the label bold, the place bold, the number bold.
_PHP = re.compile(
    rb"<b>(?:PHP )?(Fatal error|Parse error|Recoverable fatal error|Catchable fatal error|Warning)</b>: {1,2}.{1,4000}?on line <b>\d{1,6}</b>",
    re.DOTALL,
)
_PHP_START = re.compile(r"(?:php )?(?:fatal error|parse error|recoverable fatal error|catchable fatal error): ")
_PHP_END = re.compile(r"on line \d{1,6}$")
_CONNECTS = re.compile(
    r"\b(?:mysqli?_(?:p?connect|real_connect)|mysqli::\w+|pg_p?connect|oci_p?connect|sqlsrv_connect|pdo::__construct|odbc_connect|redis::p?connect)\("
)

# How a trace begins, and the line by which it is known to be one.
_TRACES = (
    ("Python traceback", re.compile(r"traceback \(most recent call last\)"), re.compile(r'file "[^"]{1,200}", line \d+')),
    ("Go panic", re.compile(r"(?:http: )?panic(?: serving [^:]{1,60}(?::\d+)?)?: "), re.compile(r"goroutine \d+ \[")),
    ("Rust panic", re.compile(r"thread '[^']{0,60}' panicked at "), re.compile(r"panicked at ")),
    (
        "Java stack trace",
        re.compile(r"(?:exception in thread \"[^\"]{1,60}\" )?(?:[a-z_]\w*\.){1,8}\w*(?:exception|error)\b"),
        re.compile(r"\bat [\w.$<>/]+\([\w$]+\.(?:java|kt|scala|groovy):\d+\)"),
    ),
    (
        ".NET stack trace",
        re.compile(r"(?:unhandled exception[.:] )?(?:[a-z_]\w*\.){1,8}\w*exception\b"),
        re.compile(r"\bat [\w.$<>`]+\([^)]{0,200}\)"),
    ),
    (
        "Node.js stack trace",
        re.compile(r"(?:uncaught )?\w{0,40}(?:error|exception)\b(?: \[[\w-]+\])?: "),
        re.compile(r"\bat (?:async )?[^()]{0,120}\(?(?:/|node:|file:|[a-z]:\\)[^()]{1,200}:\d+"),
    ),
    (
        "Perl error",
        re.compile(r"(?:can't locate \S+ in @inc|[^.]{1,160} at \S+\.(?:pl|pm|cgi) line \d+)"),
        re.compile(r"\.(?:pl|pm|cgi) line \d+"),
    ),
    ("Ruby error", re.compile(r"\S+\.rb:\d+:in [`']"), re.compile(r"\.rb:\d+:in ")),
    ("ASP script error", re.compile(r"microsoft (?:vbscript|jscript) "), re.compile(r"error '8\w+'")),
)
# What drivers say when a database does not answer: (name, what must be in the text, the whole message).
_DRIVERS = (
    (
        "MySQL access denied",
        "access denied for user",
        r"access denied for user '[^']{0,60}'(?:@'[^']{0,80}')?(?: \(using password: \w+\))?",
    ),
    ("PDO connection error", "sqlstate[", r"sqlstate\[\w{1,8}\].{0,240}"),
    ("MySQL too many connections", "too many connections", r"too many connections"),
    ("MySQL server gone", "server has gone away", r"(?:mysql|mariadb) server has gone away"),
    ("MySQL connection error", "mysql server", r"(?:can't connect to|lost connection to) (?:local )?(?:mysql|mariadb|server).{0,160}"),
    ("MySQL connection error", "mysql connect error", r"mysql connect error.{0,160}"),
    ("Database link error", "database link", r"could not make a database link.{0,120}"),
    ("MySQL unknown database", "unknown database '", r"unknown database '[^']{1,80}'"),
    ("MySQL missing table", "doesn't exist", r"table '[^']{1,120}' doesn't exist"),
    ("MySQL syntax error", "error in your sql syntax", r"you have an error in your sql syntax.{0,300}"),
    (
        "PostgreSQL connection error",
        "fatal:",
        r"fatal: +(?:sorry, too many clients|password authentication failed|remaining connection slots|database \"|role \"|the database system is|no pg_hba).{0,120}",
    ),
    ("PostgreSQL connection error", "could not connect to server", r"could not connect to server: .{0,240}"),
    ("PostgreSQL connection error", "connection to server", r"connection to server (?:at|on) .{1,80} failed.{0,200}"),
    ("Oracle error", "ora-", r"\bora-\d{5}: .{0,200}"),
    ("SQL Server connection error", "login failed for user", r"login failed for user '[^']{0,80}'\.?"),
    ("SQL Server connection error", "connection to sql server", r"establishing a connection to sql server.{0,300}"),
    ("SQL Server connection error", "sql server does not exist or access denied", r"sql server does not exist or access denied.{0,80}"),
    ("MongoDB connection error", "mongo", r"mongo\w{0,40}error: .{0,240}"),
    ("MongoDB connection error", "no suitable servers found", r"no suitable servers found.{0,240}"),
    ("Connection refused", "econnrefused", r"connect econnrefused [\w.:\[\]]{1,60}"),
    ("Redis error", "noauth authentication required", r"noauth authentication required\.?"),
    ("Redis error", "misconf redis", r"misconf redis.{0,300}"),
    ("SQLite error", "unable to open database file", r"unable to open database file"),
    ("SQLite error", "database is locked", r"database is locked"),
    (
        "Database connection error",
        "database connection",
        r"(?:database connection (?:failed|error|refused|lost)\b|(?:failed|error|unable)[\w ]{0,30}database connection\b)",
    ),
)


def at_an_end(page: Page) -> Finding | None:
    """PHP's own report where the page begins or breaks off; quoted inside a page it is somebody's text."""
    begins = _PHP_START.match(page.lead)
    ends = _PHP_END.search(page.tail) if "on line" in page.text[-80:] else None
    if begins is None and ends is None:
        return _php_connect(page) if page.lead.startswith("warning: ") else None
    tail = page.raw[-6_000:]
    for mark in (tail, page.raw[:6_000] if len(page.raw) > 6_000 else tail):
        match = _PHP.search(mark)
        if match is not None and match[1] != b"Warning":
            return Finding("PHP fatal error", _A, Where.TEXT if begins is not None else Where.END)
    if begins is not None and page.words <= _WORDS and generic(page.title, page):
        return Finding("PHP fatal error", _A, Where.TEXT)
    return None


def _php_connect(page: Page) -> Finding | None:
    if page.words > 80 or not generic(page.title, page):
        return None
    match = _PHP.search(page.raw[:6_000])
    if _CONNECTS.search(page.lead[:460]) is None and (match is None or _CONNECTS.search(match[0].decode("latin-1").lower()) is None):
        return None
    return Finding("PHP database warning", _D, Where.TEXT)


def mostly(page: Page) -> Finding | None:
    """A text that is a trace, or for the most part a driver's message."""
    return _driver(page) or _trace(page)


def _trace(page: Page) -> Finding | None:
    if page.words > _WORDS or not generic(page.title, page) or page.links > 3:
        return None
    text = page.lead
    for heading in page.headings:  # "Error" above the trace
        if generic(heading, page):
            text = text.removeprefix(heading).lstrip()
    for name, begins, line in _TRACES:
        if begins.match(text) is not None and line.search(text) is not None:
            return Finding(name, _A, Where.TEXT)
    return None


def _driver(page: Page) -> Finding | None:
    text, untitled = page.lead, generic(page.title, page)
    if page.words > (_WORDS if untitled else _FEW) or page.links > 3 or page.tree.css_first("form") is not None:
        return None
    for name, key, pattern in _DRIVERS:
        match = re.search(pattern, text) if key in text else None  # pattern: from the table above, which the suite reads
        if match is None or match.start() > _PREFACE or (match.start() and _PREFACES.match(text) is None):
            continue
        if match.end() >= _SHARE * len(text) or (untitled and not page.headings):
            return Finding(name, _D, Where.TEXT)
    return None
