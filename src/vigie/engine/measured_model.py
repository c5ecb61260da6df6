"""A language model whose replies are counted and timed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from vigie.engine.queries.measures import Counts
from vigie.errors import ModelError
from vigie.ports import Clock, LanguageModel, Offered, Prompt, Pulled, Reply


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """Implements LanguageModel by another one."""

    model: LanguageModel
    counts: Counts
    clock: Clock

    @property
    def name(self) -> str:
        """Its name."""
        return self.model.name

    async def preload(self) -> None:
        """Have it loaded."""
        await self.model.preload()

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once; the outcome is counted."""
        began, reply, outcome = self.clock.monotonic(), None, "error"
        try:
            reply = await self.model.write(prompt, deadline_ms)
            outcome = "reply"
        except ModelError as error:
            outcome = str(error.fault)
            raise
        else:
            return reply
        finally:
            self.counts.replied(outcome, (self.clock.monotonic() - began) * 1000, reply)

    async def examine(self) -> str:
        """One line for `vigie doctor`."""
        return await self.model.examine()

    async def offered(self) -> list[Offered]:
        """The models that its server has."""
        return await self.model.offered()

    def pull(self) -> AsyncIterator[Pulled]:
        """Have its server download it."""
        return self.model.pull()
