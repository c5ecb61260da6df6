"""`status_pages` of a file: their keys, and from them to pages whose services exist and whose colours can be read."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path as FilePath
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from vigie.config.tree import Path, Tree
from vigie.config.zones import zone_of
from vigie.core.model import Monitor
from vigie.net import ascii_name
from vigie.report.colours import READABLE, contrast, is_colour
from vigie.report.status_page import Accent, Component, Logo, Section, StatusPage
from vigie.text.marks import misleading

Meta = msgspec.Meta
State = Literal["up", "degraded", "down", "maintenance", "unknown"]

# The first parts of Vigie's own addresses; `tests/web/test_public_page.py` compares them with the routes.
_RESERVED = """
account acknowledge alerts api apple-touch-icon.png audit auth badge buttons channels choices events export favicon.ico
feedback groups health icon.svg incidents keyboard live login logout maintenance maintenance.ics manifest.webmanifest me
metrics monitors oidc oncall oncall.ics overview palette passkeys ping probe ready respond robots.txt search
service-worker.js sessions settings setup static status status-pages system tokens totp users wall well-known """
RESERVED = frozenset(_RESERVED.split())
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PATH = re.compile(r"(?:/[a-z0-9][a-z0-9-]{0,62}){1,3}")
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")
_SUPPORT = re.compile(r"(?:https?://[!-~]+|mailto:[!-?A-~]+@[!-?A-~]+)")
_LOGO_BYTES = 65_536
_GROUND_LIGHT, _GROUND_DARK = "#fafaf7", "#0f1215"  # of vigie.css
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


class PageGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Services under one heading."""

    title: Annotated[str, Meta(description="Heading.", min_length=1, max_length=80)]
    monitors: Annotated[list[str], Meta(description="Names or ids of monitors, in this order.")] = []
    tags: Annotated[list[str], Meta(description="Monitors with one of these tags, after the others, by name.")] = []


class Colours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Colours of a page; they must be readable (contrast of 4.5 to the page's ground)."""

    accent: Annotated[str, Meta(description="Colour of links and buttons on a light ground.", examples=["#1b55a8"])]
    accent_dark: Annotated[str | None, Meta(description="The same on a dark ground; Vigie's own if not set.", examples=["#8db8f5"])] = None


class StatusPageKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status page. Nothing of a monitor is on it but its name, its state, and what people wrote."""

    title: Annotated[str, Meta(description="Name of the page, mostly that of the company or product.", min_length=1, max_length=80)]
    path: Annotated[str | None, Meta(description="Where it is served; `/status/NAME` if not set.", examples=["/etat"])] = None
    monitors: Annotated[list[str], Meta(description="Names or ids of the monitors that are on it, in this order.")] = []
    tags: Annotated[list[str], Meta(description="Monitors with one of these tags are on it, too, by name.")] = []
    groups: Annotated[list[PageGroup], Meta(description="Services under headings, after those of `monitors` and `tags`.")] = []
    names: Annotated[
        dict[str, str],
        Meta(description="What the public calls a monitor, by its name or id. Needed where its name is its address."),
    ] = {}
    language: Annotated[Literal["fr", "en"] | None, Meta(description="Language; that of the file if not set. Readers can switch.")] = None
    timezone: Annotated[str | None, Meta(description="Time zone of the page; that of the file if not set.")] = None
    public: Annotated[bool, Meta(description="`false`: only those who may log in to Vigie see it.")] = True
    logo: Annotated[
        str | None, Meta(description="Picture (SVG, PNG, JPEG or WebP, at most 64 KiB): a path in the directory of this file, or below it.")
    ] = None
    colours: Annotated[Colours | None, Meta(description="Colours of links and buttons.")] = None
    domain: Annotated[
        str | None,
        Meta(description="A host name of its own: the page is at `/` there, and nothing else is.", examples=["status.example.com"]),
    ] = None
    support: Annotated[
        str | None, Meta(description="Where readers get help: a web address, or mailto:.", examples=["mailto:help@example.com"])
    ] = None
    words: Annotated[
        dict[State, str], Meta(description="Your own words for the states of a service.", examples=[{"down": "Out of service"}])
    ] = {}
    show_latency: Annotated[bool, Meta(description="Show the usual response time of each service.")] = False
    show_availability: Annotated[bool, Meta(description="Show availability over 90 days.")] = True
    announce_maintenance: Annotated[bool, Meta(description="Announce maintenance of its services: which and when, never the `why`.")] = True
    mail: Annotated[
        str | None,
        Meta(
            description="Channel of type `email` that sends to subscribers; the first one if not set. Needs `domain` or `web.public_url`."
        ),
    ] = None
    webhooks: Annotated[bool, Meta(description="Whether readers may subscribe a webhook.")] = True

    def __post_init__(self) -> None:
        """Raise ValueError for texts that would mislead."""
        for text in (self.title, *self.names.values(), *self.words.values(), *(one.title for one in self.groups)):
            if mark := misleading(text):
                raise ValueError(f"a text contains a line break or a mark that misleads ({mark}); write it without")
            if not text.strip() or len(text) > 80:
                raise ValueError("a name or word is empty or longer than 80 characters")


class Setting:
    """What pages take from the rest of the file: `mailers` are the channels of type `email`, `url` is `web.public_url`."""

    def __init__(
        self, base: FilePath, language: str, zone: tzinfo, mailers: Sequence[str], url: str | None, hosts: Sequence[str] = ()
    ) -> None:
        self.base, self.language, self.zone, self.mailers, self.url, self.hosts = base, language, zone, tuple(mailers), url, tuple(hosts)


def status_pages(tree: Tree, said: Mapping[str, StatusPageKeys], watched: Sequence[Monitor], setting: Setting) -> tuple[StatusPage, ...]:
    """Every page, in the order of the file."""
    found: list[StatusPage] = []
    for name, keys in said.items():
        path: Path = ("status_pages", name)
        if not _NAME.fullmatch(name):
            tree.fault(path, f"{name!r} is not a name for a page", "use small letters, digits and hyphens")
            continue
        page = _page(tree, name, keys, watched, setting)
        for other in found:
            if _overlap(other.path, page.path):
                tree.fault((*path, "path"), f"{page.path!r} is taken by the page {other.name!r}", "give it another `path`")
            if page.domain is not None and other.domain == page.domain:
                tree.fault((*path, "domain"), f"{page.domain!r} is the domain of the page {other.name!r}", "give it another `domain`")
        found.append(page)
    return tuple(found)


def _page(tree: Tree, name: str, keys: StatusPageKeys, watched: Sequence[Monitor], setting: Setting) -> StatusPage:
    path: Path = ("status_pages", name)
    where = _served_at(tree, name, keys.path, path)
    domain = _domain(tree, keys, setting, path)
    url = f"https://{domain}" if domain else None if setting.url is None else setting.url.rstrip("/") + where
    if keys.support is not None and not _SUPPORT.fullmatch(keys.support):
        tree.fault((*path, "support"), "it is neither a web address nor a mail address", "write mailto:help@example.com")
    return StatusPage(
        name=name,
        title=" ".join(keys.title.split()),
        path=where,
        sections=_sections(tree, keys, watched, path),
        language=keys.language or setting.language,
        zone=zone_of(tree, keys.timezone, (*path, "timezone"), setting.zone),
        public=keys.public,
        domain=domain,
        url=url,
        support=keys.support,
        logo=_logo(tree, keys.logo, setting.base, (*path, "logo")),
        accent=_accent(tree, keys.colours, (*path, "colours")),
        words=tuple(sorted(keys.words.items())),
        show_latency=keys.show_latency,
        show_availability=keys.show_availability,
        announce_maintenance=keys.announce_maintenance,
        mail=_mailer(tree, keys, setting, url, (*path, "mail")),
        webhooks=keys.webhooks and keys.public and url is not None,
    )


def _served_at(tree: Tree, name: str, said: str | None, path: Path) -> str:
    usual = f"/status/{name}"
    if said is None or said == usual:
        return usual
    if not _PATH.fullmatch(said):
        tree.fault((*path, "path"), f"{said!r} is not a path for a page", f"write {usual}, or /etat: small letters, digits, hyphens")
    elif (first := said.split("/")[1]) in RESERVED:
        tree.fault((*path, "path"), f"/{first} is Vigie's own", f"write {usual}, or another first part")
    return said


def _overlap(first: str, second: str) -> bool:
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def _domain(tree: Tree, keys: StatusPageKeys, setting: Setting, path: Path) -> str | None:
    if keys.domain is None:
        return None
    where = (*path, "domain")
    try:
        found = ascii_name(keys.domain).lower().rstrip(".")
    except ValueError as error:
        tree.fault(where, str(error), "write status.example.com")
        return None
    if not _DOMAIN.fullmatch(found):
        tree.fault(where, f"{keys.domain!r} is not a host name", "write status.example.com, without scheme and port")
    elif found in {*setting.hosts, "" if setting.url is None else urlsplit(setting.url).hostname}:
        tree.fault(where, f"{found!r} is where Vigie itself is served", "give the page a host name of its own")
    if not keys.public:
        tree.fault(where, "nobody can log in on a page's own domain, and this page is not public", "remove `domain`, or `public: false`")
    return found


def _mailer(tree: Tree, keys: StatusPageKeys, setting: Setting, url: str | None, path: Path) -> str | None:
    if keys.mail is not None and keys.mail not in setting.mailers:
        fix = f"channels of that type: {', '.join(setting.mailers)}" if setting.mailers else "add one under `notify`"
        tree.fault(path, f"{keys.mail!r} is not a channel of type email", fix)
    if url is None or not keys.public:
        if keys.mail is not None:
            words = "mails need links that lead to the page" if url is None else "a page that is not public has no subscribers"
            tree.fault(path, words, "set `domain`, or `web.public_url`" if url is None else "remove `mail`")
        return None
    return keys.mail or next(iter(setting.mailers), None)


def _sections(tree: Tree, keys: StatusPageKeys, watched: Sequence[Monitor], path: Path) -> tuple[Section, ...]:
    known = _Known(tree, watched)
    groups = [(path, "", keys.monitors, keys.tags)]
    groups += [((*path, "groups", index), one.title, one.monitors, one.tags) for index, one in enumerate(keys.groups)]
    names = {one.id: public for said, public in keys.names.items() for one in known.named(said, (*path, "names"))}
    taken: set[str] = set()
    shown: set[str] = set()
    sections = []
    for where, title, monitors, tags in groups:
        members = []
        for one in known.chosen(monitors, tags, where):
            if one.id in shown:
                continue
            shown.add(one.id)
            name = names.get(one.id, one.name)
            if one.id not in names and _is_address(one):
                fix = f"write names: {{{one.id}: …}}, or give the monitor a `name`"
                tree.fault(where, f"{one.name!r} has no name but its address, which the public would see", fix)
            members.append(Component(one.id, name, _key(name, taken)))
        if members:
            sections.append(Section(title, tuple(members)))
    if not sections and not tree.faults:
        tree.fault(path, "nothing would be on the page", "list names under `monitors`, or `tags`")
    return tuple(sections)


def _is_address(one: Monitor) -> bool:
    """Whether what it is called says where it is."""
    name = one.name.casefold()
    return "://" in name or name in {one.host.casefold(), one.target.casefold(), f"{one.host}:{one.port}".casefold()}


def _key(name: str, taken: set[str]) -> str:
    """What the public calls it in addresses: made of its public name alone."""
    from vigie.config.assemble import slug  # that module imports this one's Struct by way of the file's

    bare = slug(name) or "service"
    found = next(one for one in (bare, *(f"{bare}-{number}" for number in range(2, 100_000))) if one not in taken)
    taken.add(found)
    return found


class _Known:
    """The monitors by what people call them."""

    def __init__(self, tree: Tree, watched: Sequence[Monitor]) -> None:
        self._tree, self._watched = tree, watched

    def named(self, said: str, path: Path) -> list[Monitor]:
        """Those of an id, or else of a name; a fault where there is none."""
        found = [one for one in self._watched if one.id == said] or [one for one in self._watched if one.name == said]
        if not found and not self._tree.faults:  # a monitor that is faulty is not there, though a page may name it
            near = difflib.get_close_matches(said, [*(one.id for one in self._watched), *(one.name for one in self._watched)], 1)
            self._tree.fault(path, f"no monitor has the name or id {said!r}", f"did you mean {near[0]!r}?" if near else "")
        return found

    def chosen(self, monitors: Sequence[str], tags: Sequence[str], path: Path) -> Iterator[Monitor]:
        """By name in the order they are named, then by tag in the order of their names."""
        for said in monitors:
            yield from self.named(said, (*path, "monitors"))
        tagged = [one for one in self._watched if not set(tags).isdisjoint(one.tags)]
        known = {tag for one in self._watched for tag in one.tags}
        for tag in tags:
            if tag not in known and not self._tree.faults:
                near = difflib.get_close_matches(tag, sorted(known), 1)
                self._tree.fault((*path, "tags"), f"no monitor has the tag {tag!r}", f"did you mean {near[0]!r}?" if near else "")
        yield from sorted(tagged, key=lambda one: one.name.casefold())


def _accent(tree: Tree, said: Colours | None, path: Path) -> Accent | None:
    if said is None:
        return None
    dark = said.accent_dark or "#8db8f5"
    for key, colour, ground in (("accent", said.accent, _GROUND_LIGHT), ("accent_dark", dark, _GROUND_DARK)):
        if not is_colour(colour):
            tree.fault((*path, key), f"{colour!r} is not a colour", "write #1b55a8")
            return None
        if (ratio := contrast(colour, ground)) < READABLE:
            words = f"{colour} is hard to read on {ground}: its contrast is {ratio:.1f}, and text needs {READABLE}"
            tree.fault((*path, key), words, f"choose a {'darker' if key == 'accent' else 'lighter'} colour")
    return Accent(said.accent.lower(), dark.lower())


def _logo(tree: Tree, said: str | None, base: FilePath, path: Path) -> Logo | None:
    """The picture. What a page shows may be set by whoever edits pages, so that it comes from the configuration's own directory alone."""
    if said is None:
        return None
    try:
        file = (base / said).resolve()
        if not file.is_relative_to(base.resolve()):
            tree.fault(path, f"{said!r} is outside of the directory of the configuration", "put the picture there")
            return None
        if file.stat().st_size > _LOGO_BYTES:
            tree.fault(path, f"{said!r} has more than 64 KiB", "make it smaller")
            return None
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        tree.fault(path, f"{said!r} cannot be read: {getattr(error, 'strerror', None) or 'not a path'}", "write a path from this file")
        return None
    media = next((media for begin, media in _SIGNATURES.items() if data.startswith(begin)), None)
    if media is None and b"<svg" in data[:1_024].lower():
        media = "image/svg+xml"
    if media is None:
        tree.fault(path, f"{said!r} is not a picture", "use SVG, PNG, JPEG or WebP")
        return None
    return Logo(data, media)
