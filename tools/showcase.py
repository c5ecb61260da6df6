"""A shop to look at: `python -m tools.showcase [FOLDER] [PORT]` runs `vigie serve` over services on loopback and a year of made history.

Names like `checkout.lumen.example` lead to this machine, by a name server of its own, so that nothing leaves it.
Services answer, are slow, refuse, or show a challenge page, as `SERVICES` says. tools/screenshots.py takes the pictures of the pages.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import pi, sin
from pathlib import Path
from typing import Any

import trustme
import yaml

from vigie.config import load
from vigie.core.model import Cause, CheckResult, HttpFacts, Status, Timings
from vigie.fleet import packed
from vigie.observation.rollup import DAY_MS, HOUR_MS, Retention
from vigie.report.history import Remark
from vigie.stores.kit import chunks
from vigie.stores.kit.sql import tiers
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.store import SqliteStore
from vigie.testing.dns_server import DnsServer, Says
from vigie.testing.servers import serving
from vigie.testing.smtp_server import Fault, SmtpServer

MINUTE = 60_000
DAYS, WHOLE_DAYS = 365, 2  # of history, and of single checks
SLOW_SINCE = 38 * MINUTE
HELD = 45_000  # how long before the page is looked at the last check of the history was


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its name, group and host, what a check takes as a rule in ms, and how it behaves."""

    name: str
    group: str
    host: str
    usual: float
    acts: str = "fine"  # fine, slow, refuses, challenge, planned
    path: str = "/health"


def _many(group: str, lines: str) -> list[Service]:
    found = []
    for line in lines.strip().splitlines():
        name, host, usual, *acts = (part.strip() for part in line.split("|"))
        found.append(Service(name, group, host, float(usual), *acts))
    return found


SERVICES = [
    *_many(
        "shop",
        """Checkout | checkout | 182 | refuses
        Cart API | cart | 86 | refuses
        Search API | search | 310 | slow
        Store locator | stores | 212 | challenge
        Storefront | www | 192
        Customer account | account | 238
        Product images | img | 51
        Product feed | feed | 424
        Gift cards | gift | 89""",
    ),
    *_many(
        "payments",
        """Card payments | pay | 148 | refuses
        3-D Secure callback | 3ds | 217
        PayPal return | paypal | 256
        Invoices | invoice | 119""",
    ),
    *_many(
        "platform",
        """API gateway | api | 55
        Image registry | registry | 23
        Object storage | s3 | 18
        Git | git | 35
        Sign-in | login | 126""",
    ),
    *_many(
        "internal",
        """Warehouse system | wms | 74 | planned
        ERP | erp | 459
        Wiki | wiki | 130
        Ticketing | desk | 173""",
    ),
]
OUTAGES: dict[str, tuple[tuple[float, float, str, str], ...]] = {  # days ago, minutes, the cause noted by a person, and who
    "checkout": ((47.7, 7.7, "Reload with a bad map file", "Marc Aubry"), (12.2, 3, "", "")),
    "card-payments": ((47.7, 7.7, "Reload with a bad map file", "Marc Aubry"), (21.4, 2, "", "")),
    "cart-api": ((47.7, 7.5, "", ""),),
    "search-api": ((28.3, 8.5, "Out of memory after deploy 8f2c", "Marc Aubry"), (71.1, 21, "", "")),
    "erp": ((30.2, 63, "Disk of the database was full", "Lea Roux"), (31.1, 41, "", ""), (29.6, 12, "", "")),
    "wiki": ((64.5, 38, "", ""), (9.4, 11, "Certificate renewed by hand", "Lea Roux")),
    "storefront": ((58.2, 2, "", ""),),
    "git": ((81.2, 5, "", ""),),
    "image-registry": ((40.6, 9, "", ""),),
}  # fmt: skip


def slug(name: str) -> str:
    """The id that Vigie gives."""
    return "-".join("".join(one if one.isalnum() else " " for one in name.lower()).split())


def timings(service: Service, chance: random.Random, at: int, *, slow: bool = False) -> Timings:
    """Phases of a check: a rhythm of the day, and a little luck."""
    rhythm = 1 + 0.22 * sin((at % DAY_MS) / DAY_MS * 2 * pi - 2.2) + 0.04 * sin(at / 900_000)
    luck = chance.lognormvariate(0, 0.09) * (1.9 if chance.random() < 0.012 else 1)
    first = service.usual * 0.68 * rhythm * luck + (670 * chance.lognormvariate(0, 0.12) if slow else 0)
    dns, connect, tls = (chance.lognormvariate(mean, 0.2) for mean in (1.4, 2.2, 3.0))
    rest = service.usual * 0.08 * luck
    return Timings(dns, connect, tls, first, rest, dns + connect + tls + first + rest)


def checks(service: Service, start: int, end: int, every: int, chance: random.Random, slow_since: int) -> list[CheckResult]:
    """Good ones, one after the other."""
    found, name = [], slug(service.name)
    for at in range(start, end, every):
        slow = service.acts == "slow" and at >= slow_since
        phases = timings(service, chance, at, slow=slow)
        cause = Cause.LATENCY_THRESHOLD if slow else None
        figures: dict[str, Any] = {"total_ms": round(phases.total or 0), "limit_ms": 600} if slow else {}
        one = CheckResult(name, at, Status.DEGRADED if slow else Status.UP, cause, "", phases, figures, http=HttpFacts(200, "2"))
        found.append(replace(one, run=1, sequence=at // 1_000))
    return found


def _records(results: Sequence[CheckResult]) -> chunks.Records:
    return chunks.gathered([(one.at, 1, one.sequence, packed.body_of(one)) for one in results])


def lay_down(path: Path, now: int) -> None:
    """A year of days, ninety days of hours, and the single checks of a week."""
    db, today = Db(path), now // DAY_MS
    numbers: dict[str, int] = dict(db.fetch("SELECT id, number FROM monitor"))
    newest: list[CheckResult] = []
    with db.transaction(durable=False):
        for service in SERVICES:
            chance, number = random.Random(service.name), numbers[slug(service.name)]
            templates = [_day(service, chance) for _ in range(3)]
            for day in range(today - DAYS, today):
                hours, whole = templates[chance.randrange(3)]
                tiers.put_rollup(db, "rollup_day", (number, 0, day, *whole))
                for hour in range(24 if day >= today - 90 else 0):
                    tiers.put_rollup(db, "rollup_hour", (number, 0, day * 24 + hour, *hours[hour]))
            _whole_days(db, service, number, now, chance)
            newest += checks(service, now // HOUR_MS * HOUR_MS - HOUR_MS, now - HELD, 30_000, chance, now - SLOW_SINCE)
            db.execute("INSERT OR REPLACE INTO watched VALUES (?, ?)", (slug(service.name), now - 400 * DAY_MS))
            _incidents(db, slug(service.name), now)
        newest.sort(key=lambda one: one.at)
        for first in range(0, len(newest), 500):
            base, size, body = packed.pack(newest[first : first + 500], numbers, {"local": 0})
            db.execute("INSERT INTO hot (base, count, body) VALUES (?, ?, ?)", (base, size, body))
        start = (today - 61) * DAY_MS
        db.execute("INSERT INTO blind VALUES (1, '', 'probe.network', ?, ?, 1)", (start, start + DAY_MS + HOUR_MS))
    db.close()


def _day(service: Service, chance: random.Random) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    whole = _records(checks(service, 0, DAY_MS, 120_000, chance, DAY_MS))
    hours = [tiers.prepare((0, 0), whole.part(hour * 30, hour * 30 + 30), ())[0].rollup[3:] for hour in range(24)]
    return hours, tiers.rollup_row((0, 0), 0, tiers.tally(whole, ()))[3:]


def _whole_days(db: Db, service: Service, number: int, now: int, chance: random.Random) -> None:
    sql = "INSERT INTO day_chunk (start, monitor, location, thin, count, body) VALUES (?, ?, 0, 0, ?, ?)"
    today, hour = now // DAY_MS, now // HOUR_MS
    for day in range(today - WHOLE_DAYS, today):
        records = _records(checks(service, day * DAY_MS, (day + 1) * DAY_MS, 120_000, chance, now))
        db.execute(sql, (day, number, len(records), chunks.encode(records, day * DAY_MS)))
    if hour - 1 > today * 24:
        part = _records(checks(service, today * DAY_MS, (hour - 1) * HOUR_MS, 120_000, chance, now - SLOW_SINCE))
        for one in tiers.prepare((number, 0), part, ()):
            tiers.take(db, one, (), now, Retention())


def _incidents(db: Db, monitor: str, now: int) -> None:
    sql = "INSERT INTO incident (id, monitor, severity, cause, started_at, opened_at, closed_at, alert) VALUES (?, ?, 'outage', ?, ?, ?, ?, ?)"
    for number, (days, minutes, _, _) in enumerate(sorted(OUTAGES.get(monitor, ()), reverse=True), 1):
        start, identity = now - round(days * DAY_MS), f"{monitor}-{number}"
        db.execute(sql, (identity, monitor, "http.status", start, start + 11_000, start + round(minutes * MINUTE), identity))


async def prepare(folder: Path, now: int) -> None:
    """The database, as if Vigie had been running for a year."""
    settings = load(folder / "vigie.yaml", dict(os.environ), folder)
    store = SqliteStore(folder / "vigie.db")
    await store.catalog.sync_monitors([one.monitor for one in settings.monitors])
    await store.close()
    lay_down(folder / "vigie.db", now)
    store = SqliteStore(folder / "vigie.db")
    for monitor, outages in OUTAGES.items():
        for number, (days, _, cause, by) in enumerate(sorted(outages, reverse=True), 1):
            if cause:
                await store.catalog.save_remark(Remark(f"{monitor}-{number}", now - round(days * DAY_MS) + HOUR_MS, by, None, cause, ""))
    await store.close()


def _address(one: Service) -> str:
    """Those that refuse share a host, on which nothing else runs."""
    return "127.0.0.24" if one.acts == "refuses" else "127.0.0.1"


def configuration(folder: Path, now: int, port: int, ports: dict[str, int], mail: SmtpServer, names: str) -> None:
    """`vigie.yaml`."""

    def address(one: Service) -> str:
        return f"https://{one.host}.lumen.example:{ports['open']}{one.path}"

    def monitor(one: Service) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": one.name,
            "url": address(one),
            "every": "30s",
            "tags": [one.group],
            "ca_file": str(folder / "ca.pem"),
            "resolver": names,
        }
        return found | ({"expect": {"latency": "600ms"}} if one.acts == "slow" else {})

    until = datetime.fromtimestamp(now / 1_000, UTC) + timedelta(minutes=48)
    ends = until.strftime("%Y-%m-%dT%H:%MZ")
    mail_of = {"type": "email", "sender": "vigie@lumen.example", "host": "localhost", "port": mail.port, "ca_file": str(mail.ca_file)}
    text = {
        "timezone": "Europe/Paris",
        "language": "en",
        "store": "vigie.db",
        "control": [f"127.0.0.1:{ports['chat']}", f"127.0.0.1:{ports['broken']}"],
        "llm": {"provider": "none"},
        "log": {"file": None},
        "web": {"listen": f"127.0.0.1:{port}"},
        "notify": {
            "ops-alerts": {"type": "webhook", "url": f"http://127.0.0.1:{ports['chat']}/hook"},
            "sms": {"type": "webhook", "url": f"http://127.0.0.1:{ports['broken']}/sms"},
        },
        "people": {
            "Anna Keller": {"notify": {"mail": {**mail_of, "to": "anna@lumen.example"}}},
            "Marc Aubry": {"notify": {"mail": {**mail_of, "to": "marc@lumen.example"}}},
        },
        "oncall": {"shop on call": {"people": ["Anna Keller", "Marc Aubry"], "starts": "2026-01-05 09:00", "timezone": "Europe/Paris"}},
        "alerts": {
            "default": {
                "confirm_every": "2s",
                "to": ["shop on call", "ops-alerts", "sms"],
                "degraded_to": ["ops-alerts"],
                "escalate": [{"after": "10m", "to": ["Marc Aubry"]}],
            }
        },
        "maintenance": [
            {"from": "2026-01-01T00:00Z", "until": ends, "why": "database upgrade, by Marc Aubry", "monitors": ["Warehouse system"]}
        ],
        "status_pages": {
            "lumen": {
                "title": "Maison Lumen",
                "monitors": ["Storefront", "Checkout", "Card payments", "Search API", "Customer account", "Store locator"],
                "names": {"Storefront": "Online shop", "Search API": "Search", "Store locator": "Stores"},
                "timezone": "Europe/Paris",
            }
        },
        "monitors": [monitor(one) for one in SERVICES],
    }
    start = datetime.fromtimestamp(now / 1_000, UTC) - timedelta(minutes=12)
    text["maintenance"] = [{**text["maintenance"][0], "from": start.strftime("%Y-%m-%dT%H:%MZ")}]  # type: ignore[index]
    (folder / "vigie.yaml").write_text(yaml.safe_dump(text, sort_keys=False, allow_unicode=True))


CHALLENGE = "<html><head><title>Just a moment...</title></head><body><div id='cf-challenge'>Checking your browser before accessing</div></body></html>"


async def _shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Every service, told apart by the host that is asked for."""
    chance = random.Random()
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        host = next((line.partition(":")[2].strip().partition(".")[0] for line in head.split("\r\n") if line.startswith("host:")), "")
        service = next((one for one in SERVICES if one.host == host), SERVICES[-1])
        at = time.time_ns() // 1_000_000
        await asyncio.sleep(timings(service, chance, at, slow=service.acts == "slow").total / 1_000 * 0.85)  # type: ignore[operator]
        blocked = service.acts == "challenge"
        body, status, kind = (CHALLENGE, "403 Forbidden", "text/html") if blocked else ('{"status": "ok"}', "200 OK", "application/json")
        more = "server: cloudflare\r\ncf-mitigated: challenge\r\n" if blocked else "server: nginx\r\n"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}content-length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()


def _provider(status: str, body: str) -> Any:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()

    return answer


BAD_GATEWAY = "<!doctype html>\n<html><head><title>503 Service Temporarily Unavailable</title>\n<style>body{}</style></head>\n<body><center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>nginx</center></body></html>"


@contextlib.asynccontextmanager
async def shop(folder: Path, port: int) -> AsyncIterator[str]:
    """The services, what is notified, and `vigie serve` over them; yields the address of its pages."""
    now = time.time_ns() // 1_000_000
    authority = trustme.CA(organization_name="Lumen")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("*.lumen.example", not_after=datetime.now(UTC) + timedelta(days=61)).configure_cert(context)
    async with (
        DnsServer({f"{one.host}.lumen.example": Says(f"A {_address(one)}") for one in SERVICES}) as names,
        SmtpServer(folder) as mail,
        serving(_shop, context) as open_,
        serving(_provider("200 OK", "ok")) as chat,
        serving(_provider("503 Service Unavailable", BAD_GATEWAY)) as broken,
    ):
        mail.fault = Fault("END", "451 4.7.1 Try again later", "marc")
        ports = {"open": open_, "chat": chat, "broken": broken}
        configuration(folder, now, port, ports, mail, names.address)
        await prepare(folder, now)
        program = await asyncio.create_subprocess_exec(sys.executable, "-m", "vigie", "serve", "-c", str(folder / "vigie.yaml"), cwd=folder)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            program.terminate()
            await program.wait()


def fresh(folder: Path) -> None:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


async def _run(folder: Path, port: int) -> None:
    await asyncio.to_thread(fresh, folder)
    async with shop(folder, port) as address:
        print(address, flush=True)
        ended = asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, ended.set)
        await ended.wait()


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    asyncio.run(_run(where, int(sys.argv[2]) if len(sys.argv) > 2 else 8080))
