"""The fleet of deploy/, started: python -m tests.deploy.proof compose|kubernetes FOLDER, inside of `tests.chaos.network.enter()`.

Prints what was found as one JSON object; the exit status is 1 where something is not as the documentation has it.
"""

import http.server
import json
import re
import secrets
import signal
import ssl
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import trustme
from ruamel.yaml import YAML
from tests.deploy.compose import FLEET, containers
from tests.deploy.containers import Container, connect, until
from tests.deploy.pods import objects, pods, project

HERE, HOST = "172.30.77.1", "vigie.example.com"
SECRETS = (
    "POSTGRES_ADMIN_PASSWORD", "POSTGRES_PASSWORD", "NATS_SERVERS_PASSWORD", "NATS_ROUTE_PASSWORD", "NATS_ADMIN_PASSWORD",
    "NATS_AGENT_PARIS_PASSWORD",
)  # fmt: skip
BROKERS = ("nats-1", "nats-2", "nats-3")
APPLIED = "the new configuration is in force"  # what a server logs


def watching(text: str, confirm_every: str = "500ms") -> str:
    """A configuration as it is, but for what is watched, and how often."""
    found = YAML(typ="safe").load(text)
    found["monitors"] = [{"name": "Website", "url": f"http://{HERE}:8000/", "every": "1s", "timeout": "1s"}]
    found["alerts"]["default"]["confirm_every"] = confirm_every
    return json.dumps(found)  # which is YAML


class World:
    """The service that is watched, and who is notified, outside of the fleet."""

    def __init__(self) -> None:
        self.status, self.notices = 200, list[dict[str, Any]]()
        world = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(world.status)
                self.end_headers()

            def do_POST(self) -> None:
                world.notices.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer((HERE, 8000), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reasons(self) -> list[str]:
        """Why somebody was notified, in order."""
        return [one["reason"] for one in self.notices]


class Fleet:
    """The containers of a form, and what is asked of them. PostgreSQL, NATS and what is in front are those of the compose file."""

    def __init__(self, form: str, folder: Path) -> None:
        self.form, self.folder, self.authority = form, folder, trustme.CA()
        self.values = {name: secrets.token_hex(16) for name in SECRETS} | {"VIGIE_HOST": HOST, "WEBHOOK_URL": f"http://{HERE}:8000/hook"}
        self.values["NATS_SERVERS_PASSWORD"] = "7" * 20  # digits alone are a password, too
        self.values["AGENT_LYON_TOKEN"] = ""
        config, self.tls = folder / "config", self._certified()
        config.mkdir(parents=True, exist_ok=True)
        (config / "vigie.yaml").write_text(watching((FLEET / "config" / "vigie.yaml").read_text(encoding="utf-8")))
        self.all = containers(self.values, folder, {"./config": config, "./tls": self.tls})
        if form == "kubernetes":
            self.all = {name: one for name, one in self.all.items() if name in ("postgres", *BROKERS, "proxy")} | self._pods()
        self.servers = tuple(name for name in self.all if re.fullmatch(r"vigie-\d", name))
        connect(list(self.all.values()))
        brokers = " ".join(self.all[name].address for name in BROKERS)
        services = {"vigie-postgres-rw": self.all["postgres"].address, "nats": brokers, HOST: self.all["proxy"].address}
        self.hosts = {name: one.address for name, one in self.all.items()} | services

    def _pods(self) -> dict[str, Container]:
        self.objects = objects()
        config = self.objects["ConfigMap", "vigie"]["data"]
        config["vigie.yaml"] = watching(config["vigie.yaml"])
        lines = (f"{name}={self.values[name]}\n" for name in ("POSTGRES_PASSWORD", "NATS_SERVERS_PASSWORD", "WEBHOOK_URL"))
        self.objects["Secret", "vigie"]["stringData"][".env"] = "".join(lines)
        return {one.name: one for one in pods(self.objects, self.folder)}

    def _certified(self) -> Path:
        place, pair = self.folder / "tls", self.authority.issue_cert(HOST)
        place.mkdir(parents=True, exist_ok=True)
        (place / "fullchain.pem").write_bytes(b"".join(one.bytes() for one in pair.cert_chain_pems))
        (place / "privkey.pem").write_bytes(pair.private_key_pem.bytes())
        (place / "privkey.pem").chmod(0o600)
        (place / "ca.pem").write_bytes(self.authority.cert_pem.bytes())
        return place

    def agents(self) -> tuple[str, ...]:
        """Let the agents of the form in; their names."""
        paris = self.enroll("agent-paris" if self.form == "compose" else "paris-1", "paris")
        by_https = self.all["agent-lyon" if self.form == "compose" else "vigie-agent-paris"]
        if self.form == "compose":
            by_https.environment["VIGIE_AGENT_TOKEN"] = self.enroll("agent-lyon", "lyon")
        else:
            group = by_https.groups[0]
            project(by_https.folder / "token", {".env": f"VIGIE_AGENT_TOKEN={paris}\n"}, group)
        by_https.environment["SSL_CERT_FILE"] = "/tls/ca.pem"  # no public authority knows this fleet
        by_https.mounts = (*by_https.mounts, (self.tls, "/tls", True))
        return tuple(name for name in self.all if "agent" in name)

    def reconfigured(self) -> None:
        """Change what is watched, as each form has it, and wait until every server has applied it."""
        known = {name: self.all[name].log.count(APPLIED) for name in self.servers}
        text = self.folder / "config" / "vigie.yaml"
        changed = watching(text.read_text(), confirm_every="400ms")
        if self.form == "compose":
            text.with_suffix(".new").write_text(changed)
            text.with_suffix(".new").rename(text)  # as an editor does it
        else:
            files = {"vigie.yaml": watching(self.objects["ConfigMap", "vigie"]["data"]["vigie.yaml"], confirm_every="400ms")}
            for name in self.servers:
                project(self.folder / name / "config", files | self.objects["Secret", "vigie"]["stringData"], self.all[name].groups[0])
        until(
            "the changed configuration is in force", lambda: all(self.all[name].log.count(APPLIED) > known[name] for name in self.servers)
        )

    def up(self, *names: str) -> None:
        """Start them, and wait for their health."""
        for name in names:
            self.all[name].start(self.hosts)
        for name in names:
            one = self.all[name]
            if one.check:
                until(f"{name} is healthy", one.healthy)

    def enroll(self, name: str, location: str) -> str:
        """Let an agent in; its token."""
        done = self.all[self.servers[0]].run("vigie", "agent", "enroll", name, "--location", location)
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"vigie_agent_\S+", done.stdout)
        assert found is not None, done.stdout
        return found[0]

    def status(self, by: str | None = None) -> dict[str, Any]:
        """`vigie fleet status`."""
        done = self.all[by or self.servers[0]].run("vigie", "fleet", "status", "--format", "json")
        assert done.returncode in (0, 1), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return {**found, "exit": done.returncode}

    def leader(self, by: str) -> str:
        """Who evaluates; empty where nobody does."""
        return next((one["name"] for one in self.status(by)["servers"] if one["role"] == "evaluator"), "")

    def page(self, path: str) -> int:
        """What the public address answers."""
        context = ssl.create_default_context(cadata=self.authority.cert_pem.bytes().decode())
        context.check_hostname = False
        request = urllib.request.Request(f"https://{self.all['proxy'].address}{path}", headers={"Host": HOST})
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return int(answer.status)

    def down(self) -> None:
        """End all of it."""
        for one in reversed(self.all.values()):
            one.kill()


def prove(fleet: Fleet, world: World) -> dict[str, Any]:
    """As docs/fleet.md and the heads of the files have it, step by step."""
    found: dict[str, Any] = {"up": {}}
    for group in (("postgres", *BROKERS), fleet.servers, ("proxy",)):
        began = time.monotonic()
        fleet.up(*group)
        found["up"][group[0]] = round(time.monotonic() - began, 1)
    fleet.up(*fleet.agents())
    until("all is well", lambda: well(fleet.status()))
    found["roles"] = sorted(one["role"] for one in fleet.status()["servers"])
    found["replicas"] = replicas(fleet)
    found["secrets on command lines"] = [name for name, value in fleet.values.items() if name in SECRETS and value in command_lines()]
    world.status = 503
    until("the outage is announced", lambda: "opened" in world.reasons())
    found["outage"] = world.notices[0]["subject"]
    found |= losing_a_server(fleet)
    fleet.reconfigured()
    world.status = 200
    until("its end is announced", lambda: "recovered" in world.reasons())
    until("all is well again", lambda: well(fleet.status()))
    found["notices"] = world.reasons()
    logs = {name: one.log for name, one in fleet.all.items()}
    found["secrets in logs"] = [
        (name, one) for name, value in fleet.values.items() if name in SECRETS for one in logs if value in logs[one]
    ]
    found["traces"] = [name for name, log in logs.items() if "Traceback" in log]
    return found


def well(status: dict[str, Any]) -> bool:
    """Whether nothing is wrong, and somebody checks."""
    return bool(status["exit"] == 0 and status["agents"] and not any(one["silent"] for one in status["agents"]))


def losing_a_server(fleet: Fleet) -> dict[str, Any]:
    """Stop the one that evaluates, as an upgrade does, and start it again."""
    leader = fleet.leader(fleet.servers[0])
    other, one = next(name for name in fleet.servers if name != leader), fleet.all[leader]
    one.kill(signal.SIGTERM)
    took = until("another one evaluates", lambda: fleet.leader(other) not in ("", leader))
    pages = [fleet.page(path) for path in ("/login", "/health", "/ready", "/live")]
    ended = None if one.process is None else one.process.returncode
    fleet.up(leader)
    return {"taken over s": round(took, 1), "pages": pages, "stopped with": ended}


def replicas(fleet: Fleet) -> list[int]:
    """On how many servers each stream is."""
    address = f"nats://vigie:{fleet.values['NATS_SERVERS_PASSWORD']}@nats-1:4222"
    script = (
        "import asyncio, nats\nasync def main():\n    link = await nats.connect("
        + repr(address)
        + ")\n    found = await link.jetstream().streams_info()\n"
        "    print(sorted(one.config.num_replicas for one in found))\n    await link.close()\nasyncio.run(main())"
    )
    done = fleet.all[fleet.servers[0]].run("python3", "-c", script)
    assert done.returncode == 0, done.stderr
    said: list[int] = json.loads(done.stdout)
    return said


def command_lines() -> str:
    """Those of every process of this machine, but for what the harness ran a moment ago."""
    return "\n".join(one.read_bytes().decode(errors="replace") for one in Path("/proc").glob("[0-9]*/cmdline"))


def main(form: str, folder: Path) -> int:
    """Prove it; the exit status."""
    fleet, world = Fleet(form, folder), World()
    try:
        found = prove(fleet, world)
    except (TimeoutError, AssertionError) as error:
        logs = {name: one.log[-1_500:] for name, one in fleet.all.items() if (one.folder / "log").exists()}
        sys.stdout.write(json.dumps({"failed": str(error), "logs": logs}, indent=1))
        return 1
    else:
        sys.stdout.write(json.dumps(found, indent=1))
        return 0
    finally:
        fleet.down()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
