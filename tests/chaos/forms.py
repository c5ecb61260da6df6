"""The forms of Vigie that are put to the test: one server on its own, two on PostgreSQL, and a fleet with agents by NATS and by HTTPS."""

import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.balancer import Balancer
from tests.chaos.fleet import VIGIE, Deployment, run
from tests.chaos.world import until

from vigie.fleet.subjects import permissions
from vigie.testing.nats_server import binary
from vigie.testing.postgres_server import packaged_server, system_server

NOBODY = 65534  # PostgreSQL refuses to be root
_USER = NOBODY if os.geteuid() == 0 else None
_PASSWORD = "between-parts"
_TOKEN = re.compile(r"vigie_agent_\S+")
# Places see a service fail at moments that are a check apart: what one of them sees alone for so long is true, and no transition of the script.
_PLACES = {"partial_outage": "ignore"}
_DATABASE_SETTINGS = {
    "listen_addresses": "*",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "max_wal_size": "64MB",
}


async def embedded(deployment: Deployment) -> None:
    """One `vigie serve` with its own database."""
    deployment.disk("server1", 192)
    await deployment.configure("server1", top={"store": "vigie.db"})
    deployment.store = str(deployment.folder / "server1" / "vigie.db")
    deployment.add("server1", [VIGIE, "serve"])
    await deployment.ready("server1")


async def pair(deployment: Deployment) -> None:
    """Two servers on one PostgreSQL: one checks and evaluates, the other one takes over."""
    await postgres(deployment)
    for name in ("server1", "server2"):
        await deployment.configure(name, top={"store": await _store(deployment, name), "fleet": {"name": name}})
        deployment.add(name, [VIGIE, "serve"])
        await deployment.ready(name)


async def remote(deployment: Deployment) -> None:
    """One server with its own database, and agents in two other places by HTTPS."""
    deployment.policy = _PLACES
    await embedded(deployment)
    for name, place in {"agent1": "paris", "agent2": "lyon"}.items():
        await _agent(deployment, name, place, by_https=True, server="server1")


async def fleet(deployment: Deployment) -> None:
    """PostgreSQL, NATS, two servers, and agents in three places: two by NATS, one by HTTPS to whichever server there is."""
    deployment.policy = _PLACES
    await postgres(deployment)
    agents = {"agent1": "paris", "agent2": "lyon", "agent3": "nice"}
    await nats(deployment, {name: place for name, place in agents.items() if name != "agent3"})
    for name in ("server1", "server2"):
        host, port = await deployment.network.link(name, "nats", deployment.ports["nats"])
        top = {
            "store": await _store(deployment, name), "bus": f"nats://vigie:{_PASSWORD}@{host}:{port}",
            "fleet": {"name": name, "url": await deployment.url("world", name), "probe": False},
        }  # fmt: skip
        await deployment.configure(name, top=top)
        deployment.add(name, [VIGIE, "serve"])
        await deployment.ready(name)
    balancer = Balancer([(deployment.network.host(name), deployment.ports[name]) for name in ("server1", "server2")])
    await balancer.open(deployment.network.host("balancer"))
    deployment.closing.append(balancer.close)
    deployment.ports["balancer"] = balancer.port
    for name, place in agents.items():
        await _agent(deployment, name, place, by_https=name == "agent3", server="balancer")


async def _enrolled(deployment: Deployment, name: str, place: str) -> str:
    """The token of an agent."""
    command = [*deployment.network.command("server1"), VIGIE, "agent", "enroll", name, "--location", place]
    said = await run(*command, folder=deployment.folder / "server1")
    found = _TOKEN.search(said)
    assert found is not None, said
    return found[0]


async def _agent(deployment: Deployment, name: str, place: str, *, by_https: bool, server: str) -> None:
    deployment.disk(name, 96)
    token = await _enrolled(deployment, name, place)
    environment = {"VIGIE_AGENT_TOKEN": token, "VIGIE_AGENT_STATE": str(deployment.folder / name / "state")}
    command = [VIGIE, "agent"]
    if by_https:
        environment["VIGIE_AGENT_SERVER"] = await deployment.url(name, server)
        command.append("--insecure-http")
    else:
        host, port = await deployment.network.link(name, "nats", deployment.ports["nats"])
        environment["VIGIE_AGENT_BUS"] = f"nats://{name}:{_PASSWORD}@{host}:{port}?agent={name}&location={place}"
    deployment.add(name, command, environment=environment)


async def _store(deployment: Deployment, client: str) -> str:
    host, port = await deployment.network.link(client, "postgres", deployment.ports["postgres"])
    return f"postgresql://postgres@{host}:{port}/vigie"


async def postgres(deployment: Deployment) -> None:
    """A database server that keeps what it says it keeps, on a disk that can be filled."""
    deployment.disk("postgres", 320)
    folder = deployment.folder / "postgres"
    folder.mkdir(exist_ok=True)
    if _USER is not None:
        os.chown(folder, _USER, _USER)
    for above in (deployment.folder, *deployment.folder.parents):
        if above.stat().st_uid == os.geteuid() and _USER is not None and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o111)
    as_user = deployment.network.command("postgres", _USER)
    bins = _readable(packaged_server() or system_server(), deployment.folder, as_user)
    await run(*as_user, str(bins / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", folder=folder)
    with (folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 0.0.0.0/0 trust\n")
    port = deployment.port("postgres")
    settings = [word for key, value in {**_DATABASE_SETTINGS, "port": str(port)}.items() for word in ("-c", f"{key}={value}")]
    part = deployment.add("postgres", [str(bins / "postgres"), "-D", str(folder / "data"), *settings], user=_USER, stop_signal=2)
    await until("PostgreSQL is ready", lambda: part.log.exists() and "ready to accept" in part.log.read_text(), 60)
    host = deployment.network.host("postgres")
    await run(*as_user, str(bins / "createdb"), "-h", host, "-p", str(port), "-U", "postgres", "vigie", folder=folder)
    deployment.store = f"postgresql://postgres@{host}:{port}/vigie"


def _readable(bins: Path | None, folder: Path, as_user: list[str]) -> Path:
    """Where its user can run it: in its place, or a copy."""
    assert bins is not None, "no PostgreSQL server"
    try:
        subprocess.run([*as_user, str(bins / "postgres"), "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        package = bins.parent.parent
        copied = folder / "packages" / package.name
        shutil.copytree(bins.parent, copied / bins.parent.name, ignore=shutil.ignore_patterns("include", "*.a"))
        if Path(f"{package}.libs").is_dir():
            shutil.copytree(f"{package}.libs", f"{copied}.libs")
        return copied / bins.parent.name / bins.name
    return bins


async def nats(deployment: Deployment, agents: dict[str, str]) -> None:
    """A NATS server that keeps what it acknowledged, with a user for each agent that may do what it needs and nothing else."""
    deployment.disk("nats", 192)
    folder, port = deployment.folder / "nats", deployment.port("nats")
    folder.mkdir(exist_ok=True)
    users = [f'{{ user: vigie, password: "{_PASSWORD}" }}']
    for name, place in agents.items():
        granted = permissions(place, name)
        words = "\n".join(
            f"{way}: [{', '.join(f'{chr(34)}{one}{chr(34)}' for one in getattr(granted, way))}]" for way in ("publish", "subscribe")
        )
        users.append(f'{{ user: {name}, password: "{_PASSWORD}", permissions {{ {words} }} }}')
    lines = "\n".join(users)
    (folder / "nats.conf").write_text(
        f'server_name: nats\nlisten: "{deployment.network.host("nats")}:{port}"\nmax_payload: 8MB\n'
        f'jetstream {{ store_dir: "{folder}/store", sync_interval: always, max_file_store: 512MB }}\n'
        f"accounts {{ VIGIE {{ jetstream: enabled, users: [\n{lines}\n] }} }}\n"
    )
    part = deployment.add("nats", [str(binary()), "-c", str(folder / "nats.conf")])
    await until("NATS is ready", lambda: part.log.exists() and "Server is ready" in part.log.read_text(), 30)


@dataclass(frozen=True, slots=True)
class Form:
    """What is prepared, and the parts that it has."""

    prepare: Callable[[Deployment], Awaitable[None]]
    parts: tuple[str, ...]


FORMS = {
    "embedded": Form(embedded, ("server1",)),
    "remote": Form(remote, ("server1", "agent1", "agent2")),
    "pair": Form(pair, ("postgres", "server1", "server2")),
    "fleet": Form(fleet, ("postgres", "nats", "server1", "server2", "agent1", "agent2", "agent3")),
}
