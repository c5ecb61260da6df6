"""The form of a monitor: its fields by kind, out of the configuration's own model, so that page and file take the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from vigie.errors import Fault


class Widget(StrEnum):
    """How a value is entered."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    SECRET = "secret"  # noqa: S105 - a kind of field: what is there is never shown
    LINES = "lines"  # one value a line
    PAIRS = "pairs"  # `Name: value`, one a line
    YAML = "yaml"  # what has parts of its own


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `key` is the way to it in the definition, dotted; `usual` what holds where it is empty; `basic`: most people want it."""

    key: str
    widget: Widget
    about: str
    usual: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    basic: bool = False

    @property
    def group(self) -> str:
        """The key that it is below; empty for one of the monitor's own."""
        return self.key.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class KindForm:
    """The form of one kind of check. `example` is an address; empty for a kind that has none. `missing` says what to install first."""

    kind: str
    about: str
    fields: tuple[Field, ...]
    example: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered, as an entry of `monitors:`, and what of it could not even be read."""

    body: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()


class FormQueries(Protocol):
    """Forms out of the model, and definitions as their fields have them."""

    def kinds(self) -> tuple[tuple[str, str], ...]:
        """(kind, what it is) of every kind of check that is installed."""

    def form(self, kind: str) -> KindForm | None:
        """The form of a kind; None where there is no such kind."""

    def kind_of(self, body: Mapping[str, Any]) -> str:
        """The kind that an entry asks for, by its `type` or its address."""

    def filled(self, kind: str, body: Mapping[str, Any]) -> dict[str, str]:
        """The texts of the fields for an entry."""

    def read(self, kind: str, texts: Mapping[str, str]) -> Entered:
        """What the texts of the fields say."""

    def faults(self, body: Mapping[str, Any]) -> tuple[Fault, ...]:
        """What is wrong with an entry by itself, whatever else is configured: at once, for whoever is typing."""

    def written(self, body: Mapping[str, Any]) -> str:
        """The entry as it would be in the file, below `monitors:`."""
