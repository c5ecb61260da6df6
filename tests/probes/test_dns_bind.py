"""The DNS probe against BIND, with zones that BIND's own tools signed; skipped where BIND is not installed."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes import dns as probe
from vigie.probes.kit.deps import ProbeDeps, configured

pytestmark = pytest.mark.needs("bind9", "bind9-utils")

Deps = Callable[[], ProbeDeps]
START = "$TTL 60\n@ IN SOA ns1 hostmaster 7 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
SHOP = (
    START
    + '@ IN A 192.0.2.1\nwww IN CNAME @\n*.wild IN A 192.0.2.9\nmoved IN DNAME wild\n@ IN TXT "v=spf1 -all"\n@ IN HTTPS 1 . alpn="h2,h3"\n'
)
PARENT = START + "shop IN NS ns1.shop\nns1.shop IN A 127.0.0.1\nplain IN NS ns1.plain\nns1.plain IN A 127.0.0.1\n"
CONF = """options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
recursion no; dnssec-validation no; managed-keys-directory "{folder}"; }};
controls {{ }};
"""


def run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def sign(folder: Path, origin: str, text: str, algorithm: str, *options: str) -> str:
    """Sign a zone; its DS as a trust anchor."""
    run(folder, "dnssec-keygen", "-q", "-a", algorithm, "-n", "ZONE", origin)
    run(folder, "dnssec-keygen", "-q", "-a", algorithm, "-f", "KSK", "-n", "ZONE", origin)
    keys = "".join(key.read_text() for key in folder.glob(f"K{origin}.+*.key"))
    (folder / origin).write_text(f"$ORIGIN {origin}.\n{text}\n{keys}")
    run(folder, "dnssec-signzone", "-S", *options, "-o", origin, "-f", f"{origin}.signed", origin)
    line = (folder / f"dsset-{origin}.").read_text().splitlines()[0].split()
    return " ".join([line[0], "DS", *line[line.index("DS") + 1 :]])


@contextlib.asynccontextmanager
async def bind(folder: Path, zones: dict[str, str]) -> AsyncIterator[str]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    conf = CONF.format(folder=folder, port=port)
    conf += "".join(f'zone "{origin}" {{ type primary; file "{file}"; }};\n' for origin, file in zones.items())
    (folder / "named.conf").write_text(conf)
    server = await asyncio.create_subprocess_exec(
        "named", "-g", "-c", str(folder / "named.conf"), "-n", "1", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert server.stderr is not None
    said = b""
    try:
        while not said.endswith(b" running\n") and (line := await server.stderr.readline()):
            said += line
        assert said.endswith(b" running\n"), said
        reading = asyncio.create_task(server.stderr.read())
        yield f"127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()
    await reading


async def test_bind_answers_as_the_probe_expects(make_deps: Deps, tmp_path: Path) -> None:
    child = sign(tmp_path, "shop.test", SHOP, "ECDSAP256SHA256", "-3", "-")
    parent = sign(tmp_path, "test", PARENT + (tmp_path / "dsset-shop.test.").read_text(), "RSASHA256")
    stale = sign(tmp_path, "old.test", SHOP, "ECDSAP256SHA256", "-P", "-s", "20200101000000", "-e", "20200201000000")
    (tmp_path / "plain.test").write_text(f"$ORIGIN plain.test.\n{SHOP}")
    files = {"shop.test": "shop.test.signed", "test": "test.signed", "old.test": "old.test.signed", "plain.test": "plain.test"}
    deps = make_deps()
    async with bind(tmp_path, files) as address:

        async def look(name: str, *anchors: str, **keys: Any) -> CheckResult:
            secure = {"dnssec": True, "trust_anchors": list(anchors)} if anchors else {}
            config = configured(probe.Config, {"name": name, "resolver": address, **secure, **keys})
            return await probe.DnsProbe(config, deps, int(address.rpartition(":")[2])).check(3_000)

        good = [
            await look("shop.test", child),
            await look("www.shop.test", parent, expect={"answers": ["192.0.2.1"]}),
            await look("any.wild.shop.test", parent),
            await look("deep.down.moved.shop.test", child),
            await look("nothing.shop.test", parent, expect={"rcode": "NXDOMAIN"}),
            await look("shop.test", child, record="TXT", expect={"answers": ["v=spf1 -all"]}),
            await look("shop.test", child, record="HTTPS", expect={"regex": "h3"}),
            await look("shop.test", child, record="DNSKEY", expect={"min_count": 2}),
            await look("www.shop.test", authoritative=True),
            await look("plain.test"),
        ]
        bad = [
            (await look("plain.test", parent), "unsigned"),
            (await look("old.test", stale), "expired"),
            (await look("shop.test", f"{child[:-6]}000000"), "bogus"),
        ]

    deps.close()
    assert [one.status for one in good] == [Status.UP] * len(good), [one.message for one in good]
    for result, fault in bad:
        assert (result.cause, result.figures["dnssec_fault"]) == (Cause.DNS_MISMATCH, fault), result
