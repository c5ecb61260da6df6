"""The example of docs/writing-a-check.md is a package of its own: it is installed as any other, found, and keeps every law."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vigie.testing.servers import serving

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "vigie-memcached"
VIGIE = ("-c", "from vigie.cli import main; main()")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that nothing is left beside the original."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "vigie-memcached"))


@pytest.fixture(scope="session")
def environment(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a program that has the example installed, by pip, without a network."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--target", str(target)]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target)}


async def run(environment: dict[str, str], folder: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of Python with these arguments."""
    pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(sys.executable, *words, env=environment, cwd=folder, stdout=pipe, stderr=out)
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def memcached(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As much of one as the example asks for."""
    while line := await reader.readline():
        writer.write({b"version\r\n": b"VERSION 1.6.38\r\n", b"stats\r\n": b"STAT curr_connections 12\r\nEND\r\n"}.get(line, b"ERROR\r\n"))


async def test_vigie_check_finds_the_kind_by_its_entry_point(environment: dict[str, str], tmp_path: Path) -> None:
    async with serving(memcached) as port:
        status, said = await run(environment, tmp_path, *VIGIE, "check", "--format", "json", f"memcached://127.0.0.1:{port}")
    result: dict[str, Any] = json.loads(said)
    assert (status, result["status"], result["message"]) == (0, "up", "memcached 1.6.38")


async def test_so_does_the_configuration_with_the_keys_that_the_kind_brings(environment: dict[str, str], tmp_path: Path) -> None:
    async with serving(memcached) as port:
        monitor = f"{{type: memcached, host: 127.0.0.1, port: {port}, stats: {{curr_connections: '<10'}}}}"
        (tmp_path / "vigie.yaml").write_text(f"monitors: [{monitor}]\n")
        status, said = await run(environment, tmp_path, *VIGIE, "check", "--format", "json")
    result: dict[str, Any] = json.loads(said)
    assert (status, result["cause"], result["message"]) == (2, "protocol.mismatch", "curr_connections is 12, expected <10")


async def test_without_it_the_kind_is_unknown(tmp_path: Path) -> None:
    status, said = await run(dict(os.environ), tmp_path, *VIGIE, "check", "memcached://127.0.0.1:1")
    assert status != 0
    assert "memcached" in said


@pytest.mark.timeout(120)
async def test_its_own_tests_pass(environment: dict[str, str], source: Path) -> None:
    status, said = await run(environment, source, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert status == 0, said
