"""What a registry says of a domain, by RDAP (RFC 9082, RFC 9083); which registry that is, by IANA's list (RFC 9224)."""

import asyncio
import datetime as dt
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.fetch import FetchError, FetchRequest, fetch

IANA_LIST = "https://data.iana.org/rdap/dns.json"

_MAX_LIST, _MAX_ANSWER = 1_048_576, 262_144
_FRESH_MS, _STALE_MS = 86_400_000, 30 * 86_400_000  # how long the list is kept; how long it serves when no newer one can be had
_REDIRECTS = 3
_ACCEPT = {"Accept": "application/rdap+json, application/json"}
_BUSY = (429, 503)


class Unclear(Exception):  # noqa: N818 - says what is the case
    """Why nothing is known of the domain: never its own fault. `advice` says what can be done, or is empty."""

    def __init__(self, words: str, advice: str = "") -> None:
        super().__init__(words)
        self.advice = advice


class NotRegistered(Exception):  # noqa: N818 - says what is the case
    """The registry knows no such domain."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the registry says: `ends` is None where it does not tell; `states` in lower case, as RFC 8056 names them."""

    ends: dt.datetime | None
    states: tuple[str, ...]


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    event_action: str = ""
    event_date: str = ""


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    object_class_name: str = ""
    ldh_name: str = ""
    status: list[str] = []
    events: list[_Event] = []
    error_code: int | None = None
    rdap_conformance: list[str] = []


class _List(msgspec.Struct, frozen=True):
    services: list[list[list[str]]]


@dataclass(slots=True)
class Registries:
    """IANA's lists by address, each with its time (epoch ms); one is fetched at a time."""

    kept: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


async def server_of(domain: str, list_url: str, deps: ProbeDeps, seconds: float, ca_file: str | None) -> str:
    """The RDAP address of the registry of a domain, with its last slash; raises Unclear."""
    book = deps.shared("rdap", Registries, lambda book: book.kept.clear())
    try:
        async with asyncio.timeout(seconds), book.lock:
            servers = await _servers(book, list_url, deps, seconds, ca_file)
    except TimeoutError:
        raise Unclear(f"IANA's list of registries did not arrive within {seconds:.1f} s") from None
    labels = domain.split(".")
    for start in range(1, len(labels)):
        found = servers.get(".".join(labels[start:]))
        if found:
            return found
    raise Unclear(f"no RDAP server is known for .{labels[-1]}", "Name the registry's RDAP server with rdap_server, if it has one.")


async def _servers(book: Registries, url: str, deps: ProbeDeps, seconds: float, ca_file: str | None) -> dict[str, str]:
    now = deps.clock.now()
    file = None if deps.cache is None else deps.cache / f"rdap-{hashlib.sha256(url.encode()).hexdigest()[:12]}.json"
    at, known = book.kept[url] if url in book.kept else await asyncio.to_thread(_from_file, file)
    if not known or now - at >= _FRESH_MS:
        try:
            body = await _list(url, deps, seconds * 0.8, ca_file)
        except FetchError as error:
            if not known or now - at >= _STALE_MS:
                raise Unclear(f"IANA's list of registries cannot be fetched: {error}") from None
        else:
            at, known = now, _read_list(body)
            await asyncio.to_thread(_to_file, file, body)
    book.kept[url] = (at, known)
    return known


async def _list(url: str, deps: ProbeDeps, seconds: float, ca_file: str | None) -> bytes:
    """The list's bytes, which can be read."""
    answer = await fetch(FetchRequest(url, _MAX_LIST, headers=_ACCEPT, redirects=_REDIRECTS, ca_file=ca_file), deps, seconds)
    if answer.status != 200 or not _read_list(answer.body):
        raise FetchError(f"it is not a list of registries (HTTP {answer.status})")
    return answer.body


def _read_list(data: bytes) -> dict[str, str]:
    """Address by top-level domain (or a longer suffix), https where there is a choice; empty if the list is invalid."""
    found: dict[str, str] = {}
    try:
        services = msgspec.json.decode(data, type=_List).services
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
    for service in services:
        if len(service) == 2 and service[1]:
            best = min(service[1], key=lambda url: not url.lower().startswith("https://"))
            found |= {suffix.lower().strip("."): best if best.endswith("/") else f"{best}/" for suffix in service[0]}
    return found


def _from_file(file: Path | None) -> tuple[int, dict[str, str]]:
    try:
        return (round(file.stat().st_mtime * 1000), _read_list(file.read_bytes()[:_MAX_LIST])) if file else (0, {})
    except OSError:
        return 0, {}


def _to_file(file: Path | None, data: bytes) -> None:
    """A list that cannot be kept is fetched again by the next process; nothing else depends on it."""
    if file is None:
        return
    new = file.with_suffix(f".{hashlib.sha256(data).hexdigest()[:8]}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        new.replace(file)
    except OSError:
        return


async def registration(domain: str, server: str, deps: ProbeDeps, seconds: float, *, ca_file: str | None, sure: bool) -> Registration:
    """What a registry says of a domain, within `seconds`; raises Unclear or NotRegistered.

    `sure` says that the server's address is the registry's own word, so that a bare 404 means that there is no such domain (RFC 7480
    §5.3); of an address that a person wrote it may mean that there is no RDAP.
    """
    wanted = FetchRequest(f"{server}domain/{domain}", _MAX_ANSWER, headers=_ACCEPT, redirects=_REDIRECTS, ca_file=ca_file)
    try:
        answer = await fetch(wanted, deps, seconds)
    except FetchError as error:
        raise Unclear(f"the registry cannot be asked: {error}") from None
    said = _read(answer.body)
    if answer.status == 404 and (sure or (said is not None and (said.error_code == 404 or said.rdap_conformance))):
        raise NotRegistered
    if answer.status in _BUSY:
        raise Unclear(f"the registry is rate-limiting requests (HTTP {answer.status})", "Check less often: once a day is enough.")
    if answer.status != 200:
        raise Unclear(f"the registry answers HTTP {answer.status}")
    if said is None or said.object_class_name.lower() != "domain":
        raise Unclear("the registry's response is not RDAP")
    if said.ldh_name and said.ldh_name.lower().rstrip(".") != domain:
        raise Unclear(f"the registry's response is about {said.ldh_name[:80]!r}")
    ends = [_instant(event.event_date) for event in said.events if event.event_action.lower() == "expiration"]
    known = [one for one in ends if one is not None]
    if ends and not known:
        raise Unclear("the registry's expiry date cannot be read")
    return Registration(min(known, default=None), tuple(state.lower().strip() for state in said.status[:32]))


def _read(body: bytes) -> _Answer | None:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _instant(text: str) -> dt.datetime | None:
    """RFC 3339; without an offset it is taken as UTC."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
