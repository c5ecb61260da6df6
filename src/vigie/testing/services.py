"""The API of a provider on loopback, as its own documentation describes it: one Service is all that the laws need of a channel of HTTP.

A Service judges every request by the provider's own rules and keeps what a reader then sees. What any server or network may do instead
(statuses, silence, half an answer, a wrong certificate) is added by `service_rig`.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from vigie import plugins
from vigie.config.convert import dec_hook
from vigie.ports import Notifier
from vigie.testing import webhook_server as hook
from vigie.testing.notifier_rigs import OF_ANY_SERVER, PATIENCE_SECONDS, SHORT_SECONDS, Can, Refusal, Seen, deps_with
from vigie.testing.webhook_server import Answer, Request, WebhookServer


class Service(Protocol):
    """A provider."""

    @property
    def kind(self) -> str:
        """The channel's `type:`."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no error or log may show."""
        ...

    @property
    def can(self) -> frozenset[Can]:
        """What the channel is capable of by this way."""
        ...

    @property
    def refusals(self) -> Mapping[str, Refusal]:
        """How this provider says no, each with the verdict that must follow; these go before those of any server (`OF_ANY_SERVER`)."""
        ...

    def settings(self, origin: str) -> dict[str, Any]:
        """The channel as in `vigie.yaml`, its provider at an origin such as `http://127.0.0.1:8080`."""
        ...

    def answer(self, request: Request) -> Answer:
        """What the provider answers, by its own rules."""
        ...

    def seen(self) -> list[Seen]:
        """What the room shows, oldest first."""
        ...

    def forget(self) -> None:
        """Somebody deletes every message."""


def json_of(request: Request) -> Any:
    """The body of a request; None for what is not JSON."""
    try:
        return msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        return None


def texts_of(value: Any) -> list[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in texts_of(one)]


class ServiceRig:
    """Implements Rig: the channel of a Service with its server."""

    def __init__(self, service: Service) -> None:
        self.service, self.can, self.secrets = service, service.can, service.secrets
        self.refusals: Mapping[str, Refusal] = {**OF_ANY_SERVER, **service.refusals}
        self.server = WebhookServer(self._answer)
        self._refusal: Answer | None = None
        self._module = plugins.load("notifiers", service.kind)

    def _answer(self, request: Request) -> Answer:
        return self.service.answer(request) if self._refusal is None else self._refusal

    @property
    def config(self) -> Any:
        """The channel's configuration."""
        return self._config(f"http://127.0.0.1:{self.server.port}")

    def _config(self, origin: str) -> Any:
        return msgspec.convert(self.service.settings(origin), self._module.Config, dec_hook=dec_hook)

    @property
    def notifier(self) -> Notifier:
        """The channel."""
        stalls = self._refusal is not None and self._refusal.status == hook.STALL
        built: Notifier = self._module.build(self.config, deps_with(SHORT_SECONDS if stalls else PATIENCE_SECONDS))
        return built

    def at(self, port: int, *, tls: bool = False, seconds: float = PATIENCE_SECONDS) -> Notifier:
        """The same channel with its provider at another port."""
        built: Notifier = self._module.build(self._config(f"http{'s' * tls}://127.0.0.1:{port}"), deps_with(seconds))
        return built

    def refuse(self, name: str) -> None:
        """Answer so, and echo the secrets where the provider's own words do not say more."""
        refusal = self.refusals[name]
        echo = f"no: {' '.join(self.secrets)} {self.service.settings('http://127.0.0.1')}".encode()
        headers = {"Retry-After": "7", "Location": "https://elsewhere.example/"}
        self._refusal = refusal.answer or Answer(int(name), echo, headers)

    def tell(self, answer: Answer) -> None:
        """From now on answer so."""
        self._refusal = answer

    def accept(self) -> None:
        """Judge by the provider's rules again."""
        self._refusal = None

    def seen(self) -> list[Seen]:
        """What the room shows."""
        return self.service.seen()

    def forget(self) -> None:
        """Somebody deletes every message."""
        self.service.forget()

    async def quiet(self) -> None:
        """Wait until every connection has ended."""
        await self.server.quiet()


@asynccontextmanager
async def service_rig(service: Service) -> AsyncIterator[ServiceRig]:
    """The channel of a Service, its server running."""
    rig = ServiceRig(service)
    async with rig.server:
        yield rig


def stranger() -> ssl.SSLContext:
    """The TLS of a server whose authority nobody trusts."""
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


__all__ = ["Answer", "Request", "Service", "ServiceRig", "hook", "json_of", "service_rig", "stranger", "texts_of"]
