"""A service that Apprise knows, by its own JSON notification: whatever became of the request, Apprise says in its log."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from vigie.errors import DeliveryReason
from vigie.testing import webhook_server as hook
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, ServiceRig, json_of, service_rig


class Apprise:
    """A receiver of `json://`."""

    kind = "apprise"
    secrets: tuple[str, ...] = ("apprise-pass-01", "room-0123456789")
    can: frozenset[Can] = frozenset()
    refusals: Mapping[str, Refusal] = {
        "500": Refusal(DeliveryReason.SERVER, permanent=False),
        "401": Refusal(DeliveryReason.AUTH, permanent=False, retry_after_ms=300_000),
        "429": Refusal(DeliveryReason.RATE_LIMIT, permanent=False),
        str(hook.STALL): Refusal(DeliveryReason.TIMEOUT, permanent=False),
    }

    def __init__(self) -> None:
        self.messages: list[tuple[Any, bytes]] = []

    def settings(self, origin: str) -> dict[str, Any]:
        place = origin.removeprefix("http://").removeprefix("https://")
        return {"urls": [f"json://vigie:{self.secrets[0]}@{place}/{self.secrets[1]}?rto=30&cto=30"], "timeout": "8s"}

    def answer(self, request: Request) -> Answer:
        asked = json_of(request)
        if request.path.partition("?")[0].strip("/") != self.secrets[1] or not isinstance(asked, dict):
            return Answer(404, b"not here")
        self.messages.append((asked, request.body))
        return Answer(200, b"ok")

    def seen(self) -> list[Seen]:
        return [Seen(f"{asked['title']}\n{asked['message']}", "", raw) for asked, raw in self.messages]

    def forget(self) -> None:
        self.messages.clear()


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[ServiceRig]:
    async with service_rig(Apprise()) as rig:
        rig.refusals = Apprise.refusals  # each costs the start of a process
        yield rig


RIGS = {"json": _opened}
