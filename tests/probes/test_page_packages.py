"""Pages that nobody here wrote: what the packages of this machine carry, read both ways. Slow, and only when asked for.

`VIGIE_TESTS_PAGES=installed` looks at documentation, demos and error pages of whatever is installed (Debian's squid-langpack, apache2-data,
nginx, and the -doc packages are worth installing). `VIGIE_TESTS_PAGES=/some/folder` reads that folder: what lies below a folder named
`errors` must be seen, all else must not be accused. Several are set apart as in PATH. `-s` prints the score.
"""

import gzip
import http.client
import os
import re
import sysconfig
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.probes._reading import Reading

ASKED = os.environ.get("VIGIE_TESTS_PAGES", "")
pytestmark = [
    pytest.mark.skipif(not ASKED, reason="set VIGIE_TESTS_PAGES to `installed` or to a folder of pages"),
    pytest.mark.timeout(1_800),
]

SHARE = 0.9
PER_PACKAGE, MOST = 250, 6_000
FOLDERS = [Path(one) for one in ASKED.split(os.pathsep) if one and one != "installed"]
INSTALLED = (
    [Path("/usr/share"), Path(sysconfig.get_path("purelib")), Path("/usr/lib/node_modules")]
    if "installed" in ASKED.split(os.pathsep)
    else []
)
HTML = {"content-type": "text/html; charset=utf-8"}
# Pieces of pages, and pages that are errors, defaults or placeholders by their purpose.
TEMPLATE = re.compile(rb"\{%|\{\{|<\?php|<%|\$\{|tal:|<#[a-z]|\[\[")
DOCUMENT = re.compile(rb"<!doctype|<html|<body", re.IGNORECASE)
WRONG = re.compile(
    r"(?i)(?:^|[/_.-])(?:page_|pages-|error-|http)?(?:[45]\d\d|50x|5xx|not[_-]?found|error|page_missing)(?:[-_]\w{1,12})?\.html?$"
)
PURPOSE = re.compile(
    r"/(?:tests?|fixtures|html5?test|squid-langpack|apache2/(?:error|default-site)|nginx/html|default-root|lighttpd|mini-httpd)/|welcome|placeholder"
)


def verdict(body: bytes, headers: dict[str, str] | None = None) -> str | None:
    found, _ = Reading(trusted=False).read(200, headers or HTML, body, "www.example.com")
    return None if found is None else str(found.figures["signature"])


def files(root: Path) -> Iterator[Path]:
    """HTML files, at most so many of each package, in an order that is the same everywhere."""
    seen: dict[tuple[str, ...], int] = {}
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if not re.search(r"\.x?html?(?:\.gz)?$", name) or path.is_symlink():
                continue
            package = path.parts[: len(root.parts) + 2]
            seen[package] = seen.get(package, 0) + 1
            if seen[package] <= PER_PACKAGE:
                yield path


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def saved(raw: bytes) -> tuple[bytes, dict[str, str]]:
    """A body and its headers; a file may begin with them, as those in tests/probes/pages do."""
    if not raw.startswith(b"HTTP "):
        return raw, HTML
    head, _, body = raw.partition(b"\n\n")
    return body, dict(line.split(": ", 1) for line in head.decode().split("\n")[1:] if ": " in line)


def healthy() -> Iterator[tuple[str, bytes, dict[str, str]]]:
    for root in INSTALLED:
        for path in files(root):
            if WRONG.search(path.name) or PURPOSE.search(str(path)):
                continue
            body = content(path)
            if DOCUMENT.search(body[:4_000]) and not TEMPLATE.search(body):
                yield str(path), body, HTML
    for root in FOLDERS:
        for path in sorted(root.rglob("*")):
            if path.is_file() and "errors" not in path.relative_to(root).parts:
                yield (str(path), *saved(path.read_bytes()))


def errors() -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """(Group, name, body, headers) of pages that are errors."""
    for root in INSTALLED:
        for path in files(root):
            body = content(path)
            if (
                re.search(r"(?:^|[/_-])(?:40[0134]|50[0234])\.html$", path.name)
                and DOCUMENT.search(body[:4_000])
                and not TEMPLATE.search(body)
            ):
                yield "files", str(path), body, HTML
    if INSTALLED:
        for group in (squid, apache, python):
            for name, body in group():
                yield group.__name__, name, body, HTML
    for root in FOLDERS:
        for path in sorted(root.rglob("*")):
            if path.is_file() and "errors" in path.relative_to(root).parts:
                yield (path.parent.name, path.name, *saved(path.read_bytes()))


def squid() -> Iterator[tuple[str, bytes]]:
    """The error pages of Squid in every language, with what it writes for its codes."""
    codes = {
        "U": "http://x.example/",
        "h": "proxy.example",
        "T": "now",
        "s": "squid/6.1",
        "l": "body { margin: 0 }",
        "W": "mailto",
        "S": "",
    }
    for path in sorted(Path("/usr/share/squid-langpack").glob("*/ERR_*_*")):
        if path.name.split("_")[1] in ("DNS", "CONNECT", "ACCESS", "CANNOT", "ZERO", "READ", "SHUTTING") and path.resolve() == path:
            text = path.read_text("utf-8", "replace")
            written = codes | {"c": path.name}
            text = re.sub(r"%([A-Za-z;])", lambda code, by=written: by.get(code[1], "x"), text)  # type: ignore[misc]
            yield f"{path.parent.name}/{path.name}", text.encode()


def apache() -> Iterator[tuple[str, bytes]]:
    """The error documents of Apache in every language, their includes put in."""
    root = Path("/usr/share/apache2/error")
    for path in sorted(root.glob("HTTP_*.html.var")):
        for part in re.split(r"(?m)^Content-language: *", path.read_text("utf-8", "replace"))[1:]:
            title = re.search(r'var="TITLE" value="([^"]*)"', part)
            text = re.sub(
                r'<!--#include virtual="include/(\w+)\.html" -->', lambda name: (root / f"include/{name[1]}.html").read_text(), part
            )
            text = text.partition("-->")[2] if text.partition("\n<!--#set")[1] else text
            text = re.sub(r'<!--#echo [^>]*var="TITLE" -->', title[1] if title else "", text).replace(
                '<!--#echo encoding="none" var="REDIRECT_STATUS" -->', "404"
            )
            yield f"{path.name}/{part[:5].split()[0]}", re.sub(r"<!--#.*?-->|(?s:^.*?Body:-+\S*\n)", "", text).encode()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def python() -> Iterator[tuple[str, bytes]]:
    """What Python's own server answers: an error, and the listing of the root of some library."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(Path(os.__file__).parent / "json")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for method, path in (("GET", "/"), ("GET", "/nope"), ("POST", "/"), ("BREW", "/")):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
            connection.request(method, path)
            yield f"{method} {path}", connection.getresponse().read()
            connection.close()
    finally:
        server.shutdown()
        server.server_close()


def test_no_page_of_a_package_is_accused() -> None:
    accused, read = [], 0
    for name, body, headers in healthy():
        read += 1
        found = verdict(body, headers)
        accused += [] if found is None or found == "nothing to read" else [(name, found)]  # an empty frame of a test is empty
        if read >= MOST:
            break

    print(f"{read} pages of packages, {len(accused)} accused")  # noqa: T201 - the score
    assert read
    assert accused == []


def test_nine_in_ten_error_pages_of_packages_are_seen() -> None:
    missed: dict[str, list[str]] = {}
    told: dict[str, int] = {}
    for group, name, body, headers in errors():
        told[group] = told.get(group, 0) + 1
        if verdict(body, headers) is None:
            missed.setdefault(group, []).append(name)

    for group, number in told.items():
        print(f"{group}: {number - len(missed.get(group, []))} of {number} seen")  # noqa: T201 - the score
    total = sum(told.values())
    assert total
    assert sum(map(len, missed.values())) <= (1 - SHARE) * total, missed
