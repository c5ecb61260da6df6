"""A site with accounts in memory, and people who come to it."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.web._made import Snapshot, _Made, health_of

from vigie.accounts import Role, User
from vigie.testing.memory import MemoryStore
from vigie.web.app import build
from vigie.web.auth.passwords import hash_now
from vigie.web.auth.people import made_token, new_user
from vigie.web.door import Door
from vigie.web.forwarded import networks
from vigie.web.hosts import Hosts
from vigie.web.setting import AccessSetting, OidcSetting
from vigie.web.site import Site

NOW = 1_767_225_600_000
PASSWORD = "des pommes et des poires"
KEPT = hash_now(PASSWORD)
HTML = {"Accept": "text/html,*/*;q=0.8"}


@dataclass
class Town:
    """A site whose clocks stand until they are moved."""

    listen: str = "127.0.0.1:8080"
    public_url: str | None = None
    trusted: tuple[str, ...] = ()
    oidc: OidcSetting | None = None
    hosts: Hosts | None = None
    now: int = NOW
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        made: Any = _Made(Snapshot((), (), health_of((), NOW), "en"))
        setting = AccessSetting(self.listen, self.public_url, networks(self.trusted), self.oidc)
        self.door = Door(lambda: self.now / 1000)
        self.site = Site(made, made, made.setting, accounts=self.store.accounts, access=setting, door=self.door, now=lambda: self.now)
        self.app = build(self.site, self.hosts)

    def client(self, address: str = "127.0.0.1", base: str = "http://127.0.0.1:8080", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, client=(address, 5555))
        return httpx.AsyncClient(transport=transport, base_url=base, headers={"Origin": base, **headers})

    async def user(self, name: str = "ann", role: Role = Role.ADMIN, **more: Any) -> User:
        saved = await self.store.accounts.save_user(new_user(name, role, NOW, **{"password": KEPT, **more}))
        assert saved is not None
        return saved

    async def token(self, scope: Role = Role.VIEWER, **more: Any) -> str:
        secret, kept = made_token("ci", scope, NOW, "root", **more)
        await self.store.accounts.add_token(kept)
        return secret


async def log_in(client: httpx.AsyncClient, name: str = "ann", password: str = PASSWORD, **more: str) -> httpx.Response:
    return await client.post("/login", data={"name": name, "password": password, **more})


async def status(client: httpx.AsyncClient, path: str = "/settings/audit", **headers: str) -> int:
    return (await client.get(path, headers={**HTML, **headers})).status_code
