"""What is never shown: a `Secret` masks itself wherever it is turned into text, `Secrets` mask what has become part of other texts.

A field that is secret by nature is typed `Secret`. Any other text is masked where it came out of `${NAME}`, unless its field is marked
`SHOWN`, or `ADDRESS` for what names a host. docs/decisions/0027 says why.
"""

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from json import dumps
from typing import Any, Final, final
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
# Marks of a field (`msgspec.Meta(extra=SHOWN)`) whose text people must be able to read although it came out of `${NAME}`:
SHOWN: Final = {"shown": "all"}  # what a thing is known by: a name, a file, a time zone
AUTHORITIES: Final = {**SHOWN, "file": "authorities"}  # a PEM file of authorities, which `vigie config check` reads
ADDRESS: Final = {"shown": "host"}  # a URL: scheme, host and port are read, user, path and query are not
_MIN_LENGTH = 4  # masking shorter words would make texts unreadable and hide nothing
_MIN_PIECE = 8  # of letters and digits; shorter ones are words
_MIN_DRAWN = 16
_SCHEME = re.compile(r"(?:basic|bearer|digest|negotiate|token|apikey)\s+(\S.*)", re.IGNORECASE)
# Headers and variables of the environment whose values tell nothing and are words that other texts hold as well.
_TELL_NOTHING = frozenset((
    "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-encoding", "content-language",
    "content-type", "expect", "host", "if-modified-since", "if-none-match", "origin", "pragma", "range", "referer", "te", "user-agent",
    "display", "home", "lang", "language", "lc_all", "lc_ctype", "lc_messages", "lc_numeric", "lc_time", "logname", "path", "pwd", "shell",
    "term", "tmpdir", "tz", "user",
))  # fmt: skip


@final
class Secret:
    """A text that is revealed by one call alone. Its repr, its str and what a format makes of it are `***`; it equals its like.

    No encoder takes it by itself; the frames to the prober carry it (buses/process), as does the pickle of the process that reads the
    configuration (config/apart).
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself: for whoever sends it where it belongs, and nobody else."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """In constant time for texts of one length."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass"))

    def __hash__(self) -> int:
        return hash((Secret, self._text))  # Python's own is keyed anew in every process

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Secret is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Secret is frozen")

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return Secret, (self._text,)


class Secrets:
    """Any number of them; takes them out of texts, in the forms in which they come along. Frozen, and as silent about itself."""

    __slots__ = ("_forms", "_held")

    def __init__(self, held: Iterable[Secret] = ()) -> None:
        self._held = frozenset(one for one in held if one)
        self._forms: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __or__(self, other: "Secrets") -> "Secrets":
        return Secrets(self._held | other._held) if other else self

    def __eq__(self, other: object) -> bool:
        return self._held == other._held if isinstance(other, Secrets) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._held)

    def __repr__(self) -> str:
        return f"<{len(self._held)} secrets>"

    def __reduce__(self) -> tuple[type["Secrets"], tuple[tuple[Secret, ...]]]:
        return Secrets, (tuple(self._held),)

    def mask(self, text: str) -> str:
        """The text without them; the same object where it holds none."""
        for form in self._long():
            if form in text:
                text = text.replace(form, MASK)
        return text

    def mask_all(self, value: Any) -> Any:
        """A dataclass, tuple, list or dict with its texts masked; the same object where it holds none of them."""
        if type(value) is str:  # an enum's member is a word of our own
            return self.mask(value)
        if isinstance(value, dict):
            found: Any = {self.mask_all(name): self.mask_all(one) for name, one in value.items()}
            return value if found == value else found
        if type(value) in (tuple, list):
            found = type(value)(map(self.mask_all, value))
            return value if found == value else found
        if is_dataclass(value) and not isinstance(value, type):
            changed = {one.name: new for one in fields(value) if (new := self.mask_all(old := getattr(value, one.name))) is not old}
            return replace(value, **changed) if changed else value
        return value

    def are_in(self, text: str) -> bool:
        """Whether any of them is part of it, or a short one all of it."""
        return any(form in text for form in self._long()) or Secret(text) in self._held

    def _long(self) -> tuple[str, ...]:
        """Every form that can be masked, long ones first. Made on first use: most of thousands of monitors never need theirs here."""
        if self._forms is None:
            found = {form for one in self._held for form in _forms(one.reveal())}
            self._forms = tuple(sorted((form for form in found if len(form) >= _MIN_LENGTH), key=len, reverse=True))
        return self._forms


NO_SECRETS = Secrets()


def _forms(text: str) -> set[str]:
    """As it stands, as URLs and JSON spell it, behind the name of its scheme, and what of a URL is a secret."""
    match = _SCHEME.fullmatch(text)
    bare = {text, text.strip(), unquote(text), *(line.strip() for line in text.splitlines() if len(line) >= _MIN_PIECE)}
    bare |= {match[1]} if match else set()
    bare |= set(url_secrets(text))
    spelt = {spell(one, safe=safe, errors="replace") for one in bare for spell, safe in ((quote, ""), (quote, "/"), (quote_plus, ""))}
    return bare | spelt | {dumps(one, ensure_ascii=escaped)[1:-1] for one in bare for escaped in (True, False)}


def url_secrets(url: str) -> list[str]:
    """What a URL hides: its login, the values of its query, and what of its path was drawn by lot; nothing for a text that is not a URL."""
    rest = url.partition("://")[2].partition("/")[2]
    path, _, query = rest.partition("#")[0].partition("?")
    drawn = [one for one in path.split("/") if len(one) >= _MIN_DRAWN or (len(one) >= _MIN_PIECE and any(map(str.isdigit, one)))]
    return [*_login(url), *drawn, *(pair.partition("=")[2] or pair for pair in query.split("&") if pair)]


def _login(url: str) -> list[str]:
    """The password of `https://user:password@host/`, as it stands and decoded."""
    userinfo = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    user, colon, password = userinfo.partition(":")
    # A token often goes where a user name would; `https://admin@host/` has nothing to hide.
    written = password if colon else user if len(user) >= _MIN_PIECE and any(map(str.isdigit, user)) else ""
    return [one for one in (written, unquote(written)) if one]


def held_by(value: Any) -> Iterator[Secret]:
    """Every Secret in a Config or in plain values, and the passwords inside its URLs."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, str):
        yield from map(Secret, _login(value) if "://" in value else ())
    elif (names := getattr(value, "__struct_fields__", None)) is not None:  # msgspec's own name for them
        for name in names:
            yield from held_by(getattr(value, name))
    elif isinstance(value, Mapping):
        for name, one in value.items():
            if str(name).lower() not in _TELL_NOTHING:
                yield from held_by(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from held_by(one)


def texts(values: Mapping[str, Secret]) -> dict[str, str]:
    """Secrets by name (headers, variables of an environment), revealed."""
    return {name: value.reveal() for name, value in values.items()}


def revealed(value: Any) -> Any:
    """Plain values with every Secret in them revealed."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {name: revealed(one) for name, one in value.items()}
    return [revealed(one) for one in value] if isinstance(value, list | tuple) else value
