"""The configuration of a page that is opened in a real browser."""

from typing import Annotated

import msgspec

from vigie.net import ADDRESS, Secret, redact_url
from vigie.probes.kit.http.config import Basic, status_ranges
from vigie.probes.kit.http.urls import Place
from vigie.probes.kit.keys import Latency, Meta

_SHOWN = 60


class Fill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Text for a field."""

    into: Annotated[str, Meta(description="Selector of the field.", examples=["#user"])]
    text: Annotated[str | None, Meta(description="What is typed.")] = None
    secret: Annotated[Secret | None, Meta(description="The same, never shown.", examples=["${SHOP_PASSWORD}"])] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one text."""
        if (self.text is None) is (self.secret is None):
            raise ValueError("write `text` or `secret`")


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key."""

    key: Annotated[str, Meta(description="Name of the key.", examples=["Enter", "Control+a"])]
    on: Annotated[str | None, Meta(description="Selector of the element that receives it; the focused one if not set.")] = None


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do or to see. Selectors are Playwright's: CSS, `text=…`, `role=…`."""

    goto: Annotated[str | None, Meta(description="Open another address, absolute or relative.", examples=["/cart"])] = None
    click: Annotated[str | None, Meta(description="Click what the selector finds.", examples=["text=Sign in"])] = None
    fill: Annotated[Fill | None, Meta(description="Type into a field.", examples=[{"into": "#user", "text": "anna"}])] = None
    press: Annotated[str | Press | None, Meta(description="Press a key.", examples=["Enter"])] = None
    wait_for: Annotated[str | None, Meta(description="Wait until this is visible, for as long as the timeout allows.")] = None
    expect_text: Annotated[str | None, Meta(description="This text is visible, within 5 s.", examples=["Welcome"])] = None
    expect_url: Annotated[str | None, Meta(description="The address contains this text, within 5 s.", examples=["/home"])] = None
    expect_title: Annotated[str | None, Meta(description="The title contains this text, within 5 s.")] = None
    expect_selector: Annotated[str | None, Meta(description="This is visible, within 5 s.", examples=["#cart .item"])] = None

    def __post_init__(self) -> None:
        """Raise ValueError unless exactly one thing is named."""
        if len(self._given) != 1:
            raise ValueError(f"an action is one of {', '.join(self.__struct_fields__)}")
        if self.verb in ("click", "wait_for", "expect_text", "expect_url", "expect_title", "expect_selector") and not self.what.strip():
            raise ValueError(f"`{self.verb}` is empty")

    @property
    def _given(self) -> list[str]:
        return [name for name in self.__struct_fields__ if getattr(self, name) is not None]

    @property
    def verb(self) -> str:
        """Which of them."""
        return self._given[0]

    @property
    def what(self) -> str:
        """What it is about, without secrets."""
        value = getattr(self, self.verb)
        if isinstance(value, Fill):
            return value.into
        if isinstance(value, Press):
            return value.key
        return redact_url(value) if self.verb == "goto" else str(value)

    @property
    def title(self) -> str:
        """As people read it."""
        return f"{self.verb} {' '.join(self.what.split())[:_SHOWN]}"


class Viewport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window, in CSS pixels."""

    width: Annotated[int, Meta(description="Width.", ge=240, le=2_560)] = 1_280
    height: Annotated[int, Meta(description="Height.", ge=240, le=2_560)] = 720


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page in Chromium, as people see it: it is opened, acted upon, and must show something. A screenshot of each failure is kept."""

    url: Annotated[str, Meta(description="What is opened.", examples=["https://shop.example.com/"], extra=ADDRESS)]
    actions: Annotated[
        list[Action],
        Meta(
            description="Actions and expectations, in order; the first that fails ends the check.",
            examples=[[{"click": "text=Sign in"}, {"expect_text": "Welcome"}]],
            max_length=50,
        ),
    ] = []
    status: Annotated[str | int, Meta(description="Accepted statuses of pages, ranges allowed.", examples=["200-299,404"])] = "200-299"
    latency: Latency = None
    viewport: Annotated[Viewport, Meta(description="The window.")] = Viewport()
    language: Annotated[str | None, Meta(description="Language to ask for.", examples=["fr-FR"])] = None
    basic: Annotated[Basic | None, Meta(description="User and password (RFC 7617), sent to the host of `url` only.")] = None
    insecure: Annotated[bool, Meta(description="Accept any certificate.")] = False
    executable: Annotated[
        str | None,
        Meta(description="Path of Chromium or Chrome; if not set, it is searched for in `PATH` and where Playwright installs its own."),
    ] = None
    sandbox: Annotated[
        bool | None, Meta(description="Chromium's own sandbox; on unless Vigie runs as root, where Chromium refuses it.")
    ] = None

    def __post_init__(self) -> None:
        """Raise ValueError for an address or a status that cannot be read."""
        Place.of(self.url)
        status_ranges(self.status)

    @property
    def target(self) -> str:
        """The address as people may read it."""
        return Place.of(self.url).shown(self.url)

    @property
    def host(self) -> str:
        """The host, for limits and names."""
        return Place.of(self.url).shown_host(self.url)
