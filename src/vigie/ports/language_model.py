"""The port of a language model, and what it is asked and answers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked: static `system` first, evidence last, a JSON schema the reply must satisfy."""

    system: str
    user: str
    schema: dict[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply, not yet believed. Durations in ms, None where the server did not say; `local` unless the incident left for it.

    `prefill_tokens` are those of the prompt that were read for it: the others were in the server's cache.
    """

    text: str
    model: str
    load_ms: float | None = None
    prefill_ms: float | None = None
    decode_ms: float | None = None
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    local: bool = True
    prefill_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that a server has. `size` in bytes, None where it is not told; `local` is False for a name of one that runs elsewhere."""

    name: str
    local: bool
    size: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pulled:
    """How far a download is: what is being done, bytes done and bytes in all (0 where not told)."""

    doing: str
    done: int
    whole: int


class LanguageModel(Protocol):
    """A language model. Every method raises ModelError and nothing else."""

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""

    async def preload(self) -> None:
        """Have the model loaded before it is needed."""

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once, within `deadline_ms` in all."""

    async def examine(self) -> str:
        """One line for `vigie doctor`: server version and that the model is there; raise ModelError with its fix otherwise."""

    async def offered(self) -> list[Offered]:
        """The models that the server has."""

    def pull(self) -> AsyncIterator[Pulled]:
        """Have the server download the model; where it cannot, the first step raises ModelError that says how else."""
