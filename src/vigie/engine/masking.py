"""Adapters behind a mask: whatever a server repeats of a secret, and whichever adapter forgets to hide it, it is not handed on."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from vigie.errors import VigieError
from vigie.net import Secrets
from vigie.ports import ButtonSource, Collector, LanguageModel, Notifier, Offered, Press, Prompt, Pulled, Receipt, Reply
from vigie.report.facts import Evidence, Message, Subject


@contextmanager
def masked_errors(secrets: Secrets) -> Iterator[None]:
    """Whatever leaves this block as an exception says nothing secret."""
    try:
        yield
    except Exception as error:
        if isinstance(error, VigieError):
            error.message, error.fix = secrets.mask(error.message), secrets.mask(error.fix)
        error.args = secrets.mask_all(error.args)
        raise


@dataclass(frozen=True, slots=True)
class MaskedButtons:
    """Implements ButtonSource by another one."""

    source: ButtonSource
    secrets: Secrets

    def read(self, headers: Mapping[str, str], body: bytes, now: int) -> Press | None:
        """The press in a request."""
        with masked_errors(self.secrets):
            return self.source.read(headers, body, now)

    async def confirm(self, press: Press, text: str) -> None:
        """Tell whoever pressed what came of it."""
        with masked_errors(self.secrets):
            await self.source.confirm(press, text)

    async def register(self, url: str) -> str:
        """Have the chat send presses to this URL; what it says, masked."""
        with masked_errors(self.secrets):
            return self.secrets.mask(await self.source.register(url))


@dataclass(frozen=True, slots=True)
class MaskedNotifier:
    """Implements Notifier by another one."""

    notifier: Notifier
    secrets: Secrets

    async def deliver(self, message: Message) -> Receipt:
        """Deliver; what the provider said, masked."""
        with masked_errors(self.secrets):
            receipt = await self.notifier.deliver(message)
            # A reference with a mask in it would lead nowhere.
            return Receipt(self.secrets.mask(receipt.answer), "" if self.secrets.are_in(receipt.reference) else receipt.reference)

    async def examine(self) -> str:
        """Examine; the line for `vigie doctor`, masked."""
        with masked_errors(self.secrets):
            return self.secrets.mask(await self.notifier.examine())


@dataclass(frozen=True, slots=True)
class MaskedModel:
    """Implements LanguageModel by another one."""

    model: LanguageModel
    secrets: Secrets

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self.model.name

    async def preload(self) -> None:
        """Have the model loaded."""
        with masked_errors(self.secrets):
            await self.model.preload()

    async def write(self, prompt: Prompt, deadline_ms: int) -> Reply:
        """Ask once; the reply, masked: the user's own instructions may hold a secret, and a model may repeat them."""
        with masked_errors(self.secrets):
            reply: Reply = self.secrets.mask_all(await self.model.write(prompt, deadline_ms))
            return reply

    async def examine(self) -> str:
        """Examine; the line for `vigie doctor`, masked."""
        with masked_errors(self.secrets):
            return self.secrets.mask(await self.model.examine())

    async def offered(self) -> list[Offered]:
        """The models that the server has."""
        with masked_errors(self.secrets):
            return await self.model.offered()

    async def pull(self) -> AsyncIterator[Pulled]:
        """Have the server download the model."""
        with masked_errors(self.secrets):
            async for step in self.model.pull():
                yield step


@dataclass(frozen=True, slots=True)
class MaskedCollector:
    """Implements Collector by another one; `secrets_of` gives those of a monitor."""

    collector: Collector
    secrets_of: Callable[[str], Secrets]

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """Collect; the evidence, masked."""
        secrets = self.secrets_of(subject.monitor.id)
        with masked_errors(secrets):
            found: Sequence[Evidence] = secrets.mask_all(await self.collector.collect(subject, budget_ms))
            return found


@dataclass(frozen=True, slots=True)
class DividedCollector:
    """Implements Collector by one of two: `guarded` for monitors that may not contact internal addresses."""

    collector: Collector
    guarded: Collector
    is_guarded: Callable[[str], bool]

    async def collect(self, subject: Subject, budget_ms: int) -> Sequence[Evidence]:
        """Collect, by whichever the monitor may use."""
        return await (self.guarded if self.is_guarded(subject.monitor.id) else self.collector).collect(subject, budget_ms)
