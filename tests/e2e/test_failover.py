"""Several `vigie serve` on one PostgreSQL: one evaluates, each may be killed, paused or stopped, and no page is lost, wrong or sent twice."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from vigie.fleet.subjects import permissions
from vigie.testing.nats_server import NatsServer
from vigie.testing.postgres_server import PostgresServer, postgres, servers

from .conftest import text_of
from .test_serve import PASSWORD, free_port

TAKEN_OVER_SECONDS = 15.0
PLACES = ("local", "local")
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    """A real server."""
    bins = next(iter(servers().values()), None)
    if bins is None:
        pytest.skip("no PostgreSQL server on this machine")
    with postgres(bins) as server:
        yield server


class Fleet:
    """Two servers, `a` and `b`, each with a state directory and a port of its own, and one configuration; `places` are where each is."""

    def __init__(
        self, vigie: Any, folder: Path, site: Any, inbox: Any, database: PostgresServer, more: str = "", places: tuple[str, str] = PLACES
    ) -> None:
        self.vigie, self.folder, self.site, self.inbox = vigie, folder, site, inbox
        self.database = database.database()
        store = database.address(self.database)
        mail = (
            "{type: email, to: team@site.test, sender: v@site.test, host: localhost, "
            f"port: {inbox.port}, password: {PASSWORD}, ca_file: {folder / 'ca.pem'}}}"
        )
        self.ports = {name: free_port() for name in ("a", "b")}
        for (name, port), place in zip(self.ports.items(), places, strict=True):
            (folder / f"{name}.yaml").write_text(
                f"store: '{store}'\nstate: '{folder / name}'\nlog: {{file: null}}\nweb: {{listen: '127.0.0.1:{port}'}}\n"
                f"location: {place}\nfleet: {{name: {name}, probe: {'false' if more else 'true'}}}\n{more}llm: {{provider: none}}\nnotify: {{mail: {mail}}}\n"
                "alerts: {default: {confirm: 2, confirm_every: 200ms, recover: 2}}\n"
                f'monitors: [{{name: Shop, url: "http://127.0.0.1:{site.port}/", every: 1s, timeout: 1s}}]\n'
            )
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str) -> None:
        self.processes[name] = self.vigie.start("serve", "--config", f"{name}.yaml")

    def role(self, name: str) -> str:
        return str(self.get(name, "/ready").get("role", ""))

    def get(self, name: str, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            found = json.load(error)
        except OSError:
            return {}
        return found

    def until(self, wanted: Callable[[], object], seconds: float = 60.0) -> float:
        """How long it took."""
        began = time.monotonic()
        while not wanted():
            assert time.monotonic() - began < seconds, self.vigie.log
            time.sleep(0.1)  # slow: other processes go on by the clock of the machine
        return time.monotonic() - began

    def both(self) -> None:
        """`a` evaluates, `b` stands by."""
        self.start("a")
        self.until(lambda: self.role("a") == "evaluator")
        self.start("b")
        self.until(lambda: self.role("b") == "standby")
        self.site.wait(self.site.hits + 2)

    def seen_from(self, name: str) -> dict[str, str]:
        """By location when the shop was last seen from there, as this server knows it."""
        return {one["location"]: one["at"] for one in self.get(name, "/api/v1/monitors/shop/locations").get("items", [])}

    def status(self) -> dict[str, Any]:
        done = self.vigie("fleet", "status", "--config", "b.yaml", "--format", "json")
        found: dict[str, Any] = json.loads(done.stdout)
        return {**found, "exit": done.returncode}


@pytest.fixture
def fleet(vigie: Any, tmp_path: Path, site: Any, inbox: Any, database: PostgresServer) -> Fleet:
    return Fleet(vigie, tmp_path, site, inbox, database)


def test_one_evaluates_and_the_other_takes_over_when_it_is_killed(fleet: Fleet) -> None:
    fleet.both()
    assert fleet.status()["exit"] == 0
    fleet.site.status = 502
    fleet.inbox.wait(1)
    fleet.until(lambda: fleet.get("b", "/health").get("incidents_open") == 1)  # who stands by knows it, too

    fleet.processes["a"].kill()
    took = fleet.until(lambda: fleet.role("b") == "evaluator")
    assert took <= TAKEN_OVER_SECONDS
    found = fleet.status()
    assert [(one["name"], one["holder"].partition("/")[0]) for one in found["leases"] if one["name"] == "evaluator"] == [("evaluator", "b")]
    fleet.site.status = 200
    fleet.inbox.wait(2)
    assert [subject.split(" ")[0] for subject in fleet.inbox.subjects()] == ["🔴", "🟢"]


def test_who_wakes_up_after_its_lease_ended_stands_by_and_sends_nothing(fleet: Fleet) -> None:
    fleet.both()
    fleet.processes["a"].send_signal(signal.SIGSTOP)
    took = fleet.until(lambda: fleet.role("b") == "evaluator")
    assert took <= TAKEN_OVER_SECONDS
    fleet.site.status = 502
    fleet.inbox.wait(1)
    fleet.processes["a"].send_signal(signal.SIGCONT)
    fleet.until(lambda: fleet.role("a") == "standby", 30)
    fleet.site.status = 200
    fleet.inbox.wait(2)
    hits = fleet.site.hits
    fleet.site.wait(hits + 3)
    assert [subject.split(" ")[0] for subject in fleet.inbox.subjects()] == ["🔴", "🟢"]
    assert "Traceback" not in fleet.vigie.log


def test_a_graceful_stop_hands_over_at_once(fleet: Fleet) -> None:
    fleet.both()
    fleet.processes["a"].send_signal(signal.SIGTERM)
    took = fleet.until(lambda: fleet.role("b") == "evaluator")
    assert fleet.processes["a"].wait(20) == 0
    assert took <= 10
    fleet.site.status = 502
    fleet.inbox.wait(1)


class Agent:
    """An agent at the place `paris`, which alone checks, with the addresses of both servers; its log is a file of its own."""

    def __init__(self, fleet: Fleet) -> None:
        enrolled = fleet.vigie("agent", "enroll", "paris-1", "--location", "paris", "--config", "a.yaml")
        assert enrolled.returncode == 0, enrolled.stderr
        self.token, self._log = enrolled.stdout.strip(), fleet.folder / "agent.log"
        servers = [part for port in fleet.ports.values() for part in ("--server", f"http://127.0.0.1:{port}")]
        fleet.vigie.environment["VIGIE_AGENT_TOKEN"] = self.token
        fleet.vigie.start("agent", *servers, "--log-file", str(self._log))

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "paused"])
def test_an_agent_with_both_addresses_reports_to_whoever_evaluates(
    how: signal.Signals, vigie: Any, tmp_path: Path, site: Any, inbox: Any, database: PostgresServer
) -> None:
    """No balancer and no bus: an outage that begins while nobody evaluates is announced once, 15 seconds after the takeover at most."""
    fleet = Fleet(vigie, tmp_path, site, inbox, database, "language: en\n")
    fleet.start("a")
    fleet.until(lambda: fleet.role("a") == "evaluator")
    fleet.start("b")
    fleet.until(lambda: fleet.role("b") == "standby")
    agent = Agent(fleet)
    site.wait(3)
    site.status = 502
    inbox.wait(1)
    site.status = 200
    inbox.wait(2)
    vigie.says("recovered delivered by mail")  # else the kill may cost a repetition of the same notice

    fleet.processes["a"].send_signal(how)
    site.status = 503  # nobody evaluates
    assert fleet.until(lambda: fleet.role("b") == "evaluator") <= TAKEN_OVER_SECONDS
    took = fleet.until(lambda: len(inbox.subjects()) >= 3)
    assert took <= 15
    fleet.processes["a"].send_signal(signal.SIGCONT)
    site.status = 200
    inbox.wait(4)
    if how == signal.SIGSTOP:
        fleet.until(lambda: fleet.role("a") == "standby", 30)
    hits = site.hits
    site.wait(hits + 5)
    assert [subject.split(" ")[0] for subject in inbox.subjects()] == ["🔴", "🟢", "🔴", "🟢"]
    assert "reports to" in agent.log
    assert agent.token not in agent.log + vigie.log
    assert "Traceback" not in agent.log + vigie.log


@contextmanager
def on_a_bus(vigie: Any, folder: Path, site: Any, inbox: Any, database: PostgresServer) -> Iterator[tuple[Fleet, NatsServer]]:
    """Server `a` evaluates what an agent in Paris sends by NATS."""
    publish, subscribe = map(json.dumps, permissions("paris", "paris-1"))
    agent = f"{{user: paris-1, password: paris-pass, permissions: {{publish: {publish}, subscribe: {subscribe}}}}}"
    config = f"accounts {{ VIGIE {{ jetstream: enabled, users: [{{user: vigie, password: vigie-pass}}, {agent}] }} }}"
    with NatsServer(folder / "nats", config) as nats:
        fleet = Fleet(vigie, folder, site, inbox, database, f"bus: 'nats://vigie:vigie-pass@{nats.address}'\n")
        fleet.start("a")
        fleet.until(lambda: fleet.role("a") == "evaluator")
        assert vigie("agent", "enroll", "paris-1", "--location", "paris", "--config", "a.yaml").returncode == 0
        login = f"nats://paris-1:paris-pass@{nats.address}?location=paris"
        vigie.start("agent", "--bus", login, "--state", str(folder / "agent"))
        site.wait(3)
        yield fleet, nats


def test_servers_in_two_places_check_from_both_whoever_evaluates(
    vigie: Any, tmp_path: Path, site: Any, inbox: Any, database: PostgresServer
) -> None:
    """And the notice says from where it fails; before and after one has died and come back."""
    fleet = Fleet(vigie, tmp_path, site, inbox, database, places=("west", "east"))
    fleet.both()
    fleet.until(lambda: all(fleet.seen_from(name).keys() == {"east", "west"} for name in ("a", "b")))
    fleet.processes["a"].kill()
    assert fleet.until(lambda: fleet.role("b") == "evaluator") <= TAKEN_OVER_SECONDS
    fleet.start("a")
    fleet.until(lambda: fleet.role("a") == "standby")
    before = fleet.seen_from("b")
    fleet.until(lambda: all(at > before[place] for place, at in fleet.seen_from("b").items()))
    assert {(one["name"], one["location"]) for one in fleet.status()["servers"]} == {("a", "west"), ("b", "east")}

    fleet.site.status = 502
    (mail,) = fleet.inbox.wait(1)
    assert {place for place in ("east", "west") if place in text_of(mail)} == {"east", "west"}
    fleet.site.status = 200
    fleet.inbox.wait(2)
    assert [subject.split(" ")[0] for subject in fleet.inbox.subjects()] == ["🔴", "🟢"]
    assert "Traceback" not in fleet.vigie.log


def test_results_on_the_bus_survive_the_server_that_evaluates(
    vigie: Any, tmp_path: Path, site: Any, inbox: Any, database: PostgresServer
) -> None:
    """What the agent measured while nobody evaluated is evaluated from where the dead server was, once; and no connection is left."""
    with on_a_bus(vigie, tmp_path, site, inbox, database) as (fleet, nats):
        fleet.start("b")
        fleet.until(lambda: fleet.role("b") == "standby")
        site.status = 502
        inbox.wait(1)
        vigie.says("opened delivered by mail")  # else the kill may cost a repetition of the same notice

        fleet.processes["a"].kill()
        for status in (200, 503):  # nobody evaluates
            site.status = status
            site.wait(site.hits + 4)
        assert fleet.until(lambda: fleet.role("b") == "evaluator") <= TAKEN_OVER_SECONDS
        inbox.wait(3)
        fleet.until(lambda: [one["waiting"] <= 2 for one in fleet.status()["servers"] if one["name"] == "b"] == [True])

        fleet.start("a")
        fleet.until(lambda: fleet.role("a") == "standby")
        fleet.processes["b"].send_signal(signal.SIGTERM)
        fleet.until(lambda: fleet.role("a") == "evaluator")
        site.status = 200
        inbox.wait(4)
        subjects = [subject.split(" ")[0] for subject in inbox.subjects()]
        assert (subjects[0], sorted(subjects), subjects[-1]) == ("🔴", sorted("🔴🟢🔴🟢"), "🟢")
        fleet.until(lambda: _clients(nats) == 2)  # the agent and one server: nothing of a former duty is left
        assert "Traceback" not in vigie.log


def test_a_database_of_an_earlier_moment_goes_on_from_there(
    vigie: Any, tmp_path: Path, site: Any, inbox: Any, database: PostgresServer
) -> None:
    """What is on the bus since then is evaluated again, to the same incident and the same keys; and new numbers do not meet old ones."""
    with on_a_bus(vigie, tmp_path, site, inbox, database) as (fleet, _):
        name = fleet.database
        incidents = "SELECT id, opened_at, closed_at FROM vigie.incident ORDER BY opened_at"
        keys = "SELECT key FROM vigie.outbox WHERE state = 'delivered' ORDER BY id"
        copy = database.folder / "vigie.dump"
        try:
            database.tool("pg_dump", "--format=custom", "--schema=vigie", f"--file={copy}", name)
        except FileNotFoundError:
            pytest.skip("this PostgreSQL comes without pg_dump")
        site.status = 502
        inbox.wait(1)
        site.status = 200
        inbox.wait(2)
        fleet.until(lambda: len(database.run(keys, database=name)) == 2)
        before = database.run(incidents, database=name), database.run(keys, database=name)
        assert len(before[0]) == 1

        fleet.processes["a"].send_signal(signal.SIGTERM)
        fleet.processes["a"].wait(20)
        database.run("ALTER SCHEMA vigie RENAME TO vigie_before", database=name)
        database.tool("pg_restore", "--single-transaction", f"--dbname={name}", str(copy))
        assert database.run(incidents, database=name) == []
        fleet.start("a")
        inbox.wait(4)  # the same two once more, as the documentation says
        fleet.until(lambda: len(database.run(keys, database=name)) == 2)
        assert (database.run(incidents, database=name), database.run(keys, database=name)) == before

        site.status = 503
        inbox.wait(5)
        fleet.until(lambda: len(database.run(keys, database=name)) == 3)
        assert [subject.split(" ")[0] for subject in inbox.subjects()] == ["🔴", "🟢", "🔴", "🟢", "🔴"]
        assert "Traceback" not in vigie.log


def _clients(nats: NatsServer) -> int:
    """How many connections there are to it."""
    return sum(one.status == psutil.CONN_ESTABLISHED and one.raddr.port == nats.port for one in psutil.net_connections("tcp4") if one.raddr)
