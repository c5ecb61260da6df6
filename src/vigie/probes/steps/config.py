"""The configuration of a monitor of several HTTP requests."""

import re
from typing import Annotated, Any

import msgspec

from vigie.errors import FieldError
from vigie.net import SHOWN, texts
from vigie.probes.kit.http.config import Config as Http
from vigie.probes.kit.http.config import compiled
from vigie.probes.kit.http.urls import Place
from vigie.probes.kit.keys import Latency, Meta
from vigie.probes.kit.pattern import check_pattern
from vigie.probes.steps.template import names, sample
from vigie.text.marks import misleading

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HTTP = tuple(one.name for one in msgspec.structs.fields(Http))


class Save(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to find a value in a response: one of these."""

    json: Annotated[str | None, Meta(description="JSONPath (RFC 9535); its first match.", examples=["$.token"])] = None
    regex: Annotated[
        str | None,
        Meta(description="Regular expression on the body; its first group, or all of it.", examples=['name="csrf" value="([^"]+)"']),
    ] = None
    header: Annotated[str | None, Meta(description="Header of the response.", examples=["Location"])] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless one place is named that can be read."""
        if sum(one is not None for one in (self.json, self.regex, self.header)) != 1:
            raise ValueError("write one of `json`, `regex` and `header`")
        if self.json is not None:
            compiled((self.json,))
        if self.regex is not None:
            check_pattern(self.regex)
        if self.header is not None and not _FIELD.fullmatch(self.header):
            raise ValueError(f"{self.header[:80]!r} is not a valid header name")


class Step(Http, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request, with every key of an HTTP monitor; `{{name}}` in `url`, `headers` and `body` stands for what an earlier step saved."""

    name: Annotated[str | None, Meta(description="What people read when it fails.", examples=["login"], extra=SHOWN)] = None
    save: Annotated[
        dict[str, str | Save],
        Meta(
            description="Values that later steps use as `{{name}}`, by name; a text is a JSONPath. They are never shown.",
            examples=[{"token": "$.token", "csrf": {"regex": 'name="csrf" value="([^"]+)"'}}],
        ),
    ] = msgspec.field(default_factory=dict)
    always: Annotated[bool, Meta(description="Run it even after a failure, as for a logout; only for the last steps.")] = False

    def __post_init__(self) -> None:
        """Raise ValueError for what could be no request whatever is put in, or for a value that could not be saved."""
        if mark := misleading(self.name or ""):
            raise ValueError(f"the name of a step contains a line break or a mark that misleads ({mark}); write it without")
        plain = {name: getattr(self, name) for name in _HTTP}
        Http(**{**plain, "url": sample(self.url)})
        if names(self.url.partition("://")[2].partition("/")[0]):
            raise ValueError("the host must be written out, or be part of a whole saved address: {{name}} at the very beginning")
        for name, where in self.save.items():
            if not _NAME.fullmatch(name):
                raise FieldError(("save", name), f"{name[:80]!r} is not a valid name; use letters, digits and _")
            if isinstance(where, str):
                if not where.startswith("$"):
                    raise FieldError(
                        ("save", name), f"{where[:80]!r} is not a JSONPath, which begins with $; or write {{regex: …}} or {{header: …}}"
                    )
                Save(json=where)

    @property
    def wanted(self) -> set[str]:
        """The names that are put in."""
        return (
            names(self.url)
            | names(self.body.reveal() if self.body is not None else "")
            | set[str]().union(*(names(value) for value in texts(self.headers).values()))
        )


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several HTTP requests, one after the other, as one check: cookies and saved values are carried over, the first failure ends it.

    `save` keeps a value of a response under a name, and `{{name}}` puts it into the `url`, `headers` or `body` of any later step, encoded
    for its place (in a query, a form or a JSON body). A URL that begins with `{{name}}` is a saved address. In `vigie.yaml`:

    ```yaml
    - name: Shop login
      type: steps
      steps:
        - url: https://shop.example.com/login
          save: {csrf: {regex: 'name="csrf" value="([^"]+)"'}}
        - url: https://shop.example.com/login
          method: POST
          body: "user=vigie&password=${SHOP_PASSWORD}&csrf={{csrf}}"
          expect: {status: "200,302"}
        - url: https://shop.example.com/api/session
          save: {token: $.token}
        - url: https://shop.example.com/api/orders
          headers: {Authorization: "Bearer {{token}}"}
          expect: {json: {$.total: ">= 0"}}
    ```
    """

    steps: Annotated[list[Step], Meta(description="The requests, in order.", min_length=1, max_length=20)]
    latency: Latency = None

    def __post_init__(self) -> None:
        """Raise ValueError for a name that no earlier step saves, or for `always` in the middle."""
        known: set[str] = set()
        for number, step in enumerate(self.steps, 1):
            if missing := sorted(step.wanted - known):
                raise FieldError(("steps", number - 1), f"step {number} uses {{{{{missing[0]}}}}}, which no step before it saves")
            if not step.always and any(one.always for one in self.steps[: number - 1]):
                raise FieldError(("steps", number - 1), f"step {number} comes after one with `always`; those must come last")
            known |= step.save.keys()
        if self.steps and self.steps[0].always:
            raise ValueError("all steps have `always`; it is for steps that run even after a failure")

    @property
    def target(self) -> str:
        """The first address."""
        return self.steps[0].target

    @property
    def host(self) -> str:
        """The first host, for limits and names."""
        return self.steps[0].host

    @property
    def over_tcp(self) -> bool:
        """Whether a connection by TCP says something about the first step's service."""
        return self.steps[0].over_tcp

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that the configuration itself names: a saved value leads nowhere else."""
        return frozenset(Place.of(sample(step.url)).host for step in self.steps if not step.url.startswith("{{"))


def place_of(where: str | Save) -> Save:
    """A text is a JSONPath."""
    return Save(json=where) if isinstance(where, str) else where


def filled(step: Step, **changes: Any) -> Http:
    """The request of a step as an HTTP monitor's; ValueError for what makes none."""
    return Http(**{**{name: getattr(step, name) for name in _HTTP}, **changes})
