"""A server without an agent, and clients of its web application."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from vigie.clock import SystemClock
from vigie.config import load
from vigie.server import Server
from vigie.serving import site_of
from vigie.web.app import build
from vigie.web.site import Site

FILE = """\
log: {file: null}
llm: {provider: none}
notify: {hook: {type: webhook, url: "http://127.0.0.1:9/"}}
alerts: {quick: {confirm: 1}}
maintenance: [{every: "sun 02:00", for: 1h, why: Backups}]
monitors:
  - {url: "http://127.0.0.1:9/shop", name: Shop, tags: [eu], timeout: 1s}
  - {url: "http://127.0.0.1:9/blog", name: Blog, headers: {X-Key: open sesame}, enabled: false}
"""


@dataclass
class Running:
    """The server, what the web is given of it, and the application."""

    server: Server
    site: Site
    app: ASGIApp

    def client(self, token: str = "") -> httpx.AsyncClient:
        """A client on this machine, or with a token."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080/api/v1", headers=headers)


@asynccontextmanager
async def running(folder: Path, text: str = FILE) -> AsyncIterator[Running]:
    """Over a file in a folder."""
    file = folder / "vigie.yaml"
    file.write_text(text)
    server = Server(
        load(file, {}, folder), SystemClock(), lambda: load(file, {}, folder), edit=lambda stored: load(file, {}, folder, stored=stored)
    )
    await server.runtime.start()
    await server.reads.start()
    site = site_of(server)
    try:
        yield Running(server, site, build(site))
    finally:
        await server.runtime.close()


def served(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """A test that is given `api`, a client, and `running_server`, where it asks for them."""
    wanted = inspect.signature(test).parameters

    async def given(tmp_path: Path, **others: Any) -> None:
        async with running(tmp_path) as found, found.client() as client:
            ours = {"api": client, "running_server": found}
            await test(**others, **{name: one for name, one in ours.items() if name in wanted})

    folder = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given.__name__, given.__doc__ = test.__name__, test.__doc__
    given.__signature__ = inspect.Signature([folder, *(one for name, one in wanted.items() if name not in ("api", "running_server"))])  # type: ignore[attr-defined]
    return given
