"""Directory listings that a server wrote because the page that belongs there is gone.

A listing may also be what its owner means to show: a mirror, a folder of releases. So it is reported only where nobody means it:
at the root of a site, where it is empty, or where what it lists are the parts of a site (its style sheets, its scripts, its source).
What offers downloads or has a text of its own is left alone, and so is a listing further down that says neither.
"""

import re
from collections.abc import Sequence

from vigie.probes.kit.http.page.parse import Page
from vigie.probes.kit.http.page.signs import Family, Finding, Where

# What the servers call it: Apache, nginx, lighttpd, H2O, WEBrick and aiohttp; Python, Twisted and Tomcat; Jetty; serve-index; serve;
# webfs; Sanic; Caddy has the mere path; IIS and the rest as they are. The path follows.
_TITLES = re.compile(
    r"(?:index of:?|directory listing (?:for|of|--)|directory:|listing directory|files within|listing:|directory contents of"
    r"|contents of(?: directory)?|directory listing"
    r"|verzeichnisauflistung für|contenu du répertoire|listado de directorio para|ディレクトリの一覧:?|directory viewer)"
    r"(?:(?: |(?=[./~]))\[?([^\]]{0,255})\]?(?: - .{0,40})?)?$"
)
_PATH = re.compile(r"(?:[\w.:-]{0,255} - )?(/[^ ]{0,255})$")
_PARENT = re.compile(r"(?:\.\.?/?|/|\?.*|#.*|javascript:.*|https?://.*|mailto:.*)$")
_GO = re.compile(rb"(?:<!doctype html>\s{0,4}<meta name=\"viewport\"[^>]{0,80}>\s{0,4})?<pre>\s{0,4}<a href=", re.IGNORECASE)
_TOP = re.compile(r"/[^/?#]{1,255}/?$")  # an entry of the root, where entries name their whole path
_ROOTS = ("", "/", ".", "./", "\\", "~")
_ENTRIES = 200
_PROSE = 8  # words that make a paragraph a text of the owner's

_DOWNLOADS = (
    ".7z .apk .appimage .asc .bin .bz2 .cab .crate .csv .deb .dmg .ear .epub .exe .fdt .flac .gem .gpg .gz .img .iso .iso.zst .jar .json.gz"
    " .log .lz .lz4 .lzma .mkv .mobi .mp3 .mp4 .msi .nupkg .ogg .ova .parquet .pcap .pdf .pkg .qcow2 .rpm .sha1 .sha256 .sha512 .sig .snap .squashfs"
    " .tar .tbz .tgz .torrent .txz .udeb .vdi .vmdk .war .whl .xz .z .zip .zst .zsync"
)
_SUFFIXES = frozenset(_DOWNLOADS.split())
_SUMS = ("md5sums", "sha1sums", "sha256sums", "sha512sums", "release", "inrelease", "packages", "sources", "ls-lr", "timestamp", "trace")
_SHELVES = frozenset(
    "almalinux alpine archive archives archlinux binaries centos cran debian debian-security dist distfiles dists download downloads epel fedora"
    " firmware freebsd ftp gentoo gnu isos iso kernel linux mariadb mirror mirrors nightly opensuse pool pub raspbian releases repo repodata"
    " repos repositories rocky snapshot snapshots ubuntu".split()
)
_PARTS = frozenset(
    ".env .git .gitignore .htaccess .htpasswd app.js artisan asset-manifest.json assets backend bootstrap bower_components"
    " bundle.js cgi-bin composer.json composer.lock config.php css dockerfile fonts frontend gemfile humans.txt"
    " includes index.php~ js main.css main.js manage.py manifest.json node_modules package-lock.json package.json phpinfo.php"
    " requirements.txt server.js site.webmanifest style.css styles styles.css templates"
    " theme themes uploads vendor web.config webpack.config.js wp-admin wp-config.php wp-content wp-includes".split()
)
_PART_SUFFIXES = (".php", ".php~", ".phtml", ".aspx", ".asp", ".jsp", ".css", ".scss", ".js", ".mjs", ".bak", ".swp", ".sql")


def listing(page: Page) -> Finding | None:
    """A listing in place of a page."""
    path = _path(page)
    if path is None:
        return None
    hrefs = _hrefs(page)
    if hrefs is None:
        return None
    names = [name for href in hrefs if (name := href.partition("?")[0].rstrip("/").rpartition("/")[2].lower())]
    at_root = path in _ROOTS or (bool(hrefs) and all(_TOP.match(href) for href in hrefs))
    if not names:
        return Finding("empty directory listing", Family.LISTING, Where.TITLE) if at_root and not _prose(page) else None
    if _offered(names) or _prose(page):
        return None
    if _site_parts(names):
        return Finding("listing of a site's files", Family.LISTING, Where.TITLE)
    return Finding("listing of the site's root", Family.LISTING, Where.TITLE) if at_root else None


def _path(page: Page) -> str | None:
    """The path that title or heading name a listing of, "?" where none is named; None for anything else."""
    if not page.title and not page.headings and _GO.match(page.raw) is not None:
        return "?"
    for said in (page.title, *page.headings[:1]):
        match = _TITLES.match(said)
        if match is not None:
            path = (match[1] or "").strip()
            return path or "?" if path.startswith(("/", ".", "~")) or _agrees(page, said) else None
        path = said.replace(" ", "") if said.startswith("/") and said.endswith("/") else said
        match = _PATH.match(path)
        if (
            match is not None
            and len(page.headings) == 1
            and page.title in (page.headings[0], path, path.rstrip("/").rpartition("/")[2] or "/")
        ):
            return match[1]
    return None


def _agrees(page: Page, said: str) -> bool:
    """Whether title and heading are the same thing; one of them may be missing, or speak of the host."""
    heading = page.headings[0] if page.headings else ""
    bare = [re.sub(r"[\s/]+", "", one) for one in (page.title, heading) if one]
    return all(one in bare[0] or bare[0] in one for one in bare) or _TITLES.match(heading) is not None or said == page.host


def _hrefs(page: Page) -> list[str] | None:
    """Where the entries lead; None where the links are not those of a listing."""
    hrefs = [node.attrs.get("href") or "" for node in page.tree.css("a[href]")[:_ENTRIES]]
    own = [href for href in hrefs if _PARENT.match(href) is None]
    if len(own) * 2 < len(hrefs) - 8 or any("#" in href for href in hrefs):
        return None  # mostly elsewhere, or into chapters: a page with a menu, or the index of a book
    return own


def _prose(page: Page) -> bool:
    """Whether the owner wrote something: a header or a readme, which servers show around the names."""
    return any(len(node.text(separator=" ").split()) >= _PROSE for node in page.tree.css("p,dd,blockquote,article,form,textarea")[:40])


def _offered(names: Sequence[str]) -> bool:
    """Whether downloads are offered, which is what listings are kept for."""
    files = [name for name in names if "." in name[1:]]
    offered = sum(1 for name in files if f".{name.rpartition('.')[2]}" in _SUFFIXES)
    shelves = sum(1 for name in names if name in _SHELVES or name.startswith(_SUMS))
    return 0 < offered == len(files) or (offered > 1 and offered * 3 >= len(files)) or shelves * 3 >= len(names)


def _site_parts(names: Sequence[str]) -> bool:
    parts = sum(1 for name in names if name in _PARTS or name.endswith(_PART_SUFFIXES))
    return parts >= (2 if len(names) > 2 else 1)
