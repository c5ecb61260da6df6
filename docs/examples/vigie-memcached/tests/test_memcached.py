"""The laws that every kind of check keeps, and what this one says of a server on loopback."""

import asyncio

import pytest
import vigie_memcached

from vigie.core.model import Cause, CheckResult, Status
from vigie.probes.kit.deps import configured
from vigie.testing.probe_suite import LAWS, make_deps, open_rig
from vigie.testing.servers import serving


@pytest.mark.parametrize("law", LAWS)
def test_it_keeps_the_laws_of_a_kind_of_check(law: str) -> None:
    async def keep() -> None:
        async with open_rig("memcached", vigie_memcached) as rig:
            await LAWS[law](rig)

    asyncio.run(keep())


async def _server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        if line == b"version\r\n":
            writer.write(b"VERSION 1.6.38\r\n")
        elif line == b"stats\r\n":
            writer.write(b"STAT pid 7\r\nSTAT curr_connections 12\r\nEND\r\n")


def _checked(**options: object) -> CheckResult:
    async def check() -> CheckResult:
        deps = make_deps()
        try:
            async with serving(_server) as port:
                config = configured(vigie_memcached.Config, {"host": "127.0.0.1", "port": port, **options})
                return await vigie_memcached.build(config, deps).check(2_000)
        finally:
            deps.close()

    return asyncio.run(check())


def test_a_good_server_says_its_version() -> None:
    result = _checked(stats={"curr_connections": "<900"})
    assert (result.status, result.message) == (Status.UP, "memcached 1.6.38")


def test_a_statistic_that_is_not_as_expected_is_named() -> None:
    result = _checked(stats={"curr_connections": "<10"})
    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert "curr_connections" in result.message
