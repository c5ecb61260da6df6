"""What each process of `vigie serve` has in memory: heavy libraries stay out of the process that does not use them."""

import subprocess
import sys

import pytest

PROBER = "import vigie.agent, vigie.probes.kit.http.probe"
PARENT = """
import pathlib, tempfile
import vigie.cli.serve, vigie.server, vigie.web.app
from vigie.app import Runtime
from vigie.clock import SystemClock
from vigie.config.apart import load_apart
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "vigie.yaml").write_text("llm: {provider: none}\\nmonitors: ['https://a.test/']")
Runtime(load_apart(None, {}, folder), SystemClock(), hold_ms=0, threads=False)
"""


def imported(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after some code."""
    listed = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (PROBER, {"pycurl", "curl_cffi", "ruamel", "dotenv", "apsw", "sqlite3", "jinja2", "starlette", "h11", "httpx", "ollama", "aiosmtplib", "typer", "cryptography", "jsonpath", "ctypes"}),
        (PARENT, {"pycurl", "curl_cffi", "ruamel", "dotenv", "sqlite3", "csv", "httpx", "ollama", "aiosmtplib", "cryptography", "jsonpath", "rich", "pydantic"}),
    ],
)  # fmt: skip
def test_heavy_libraries_are_only_where_they_are_used(code: str, unwanted: set[str]) -> None:
    assert not imported(code) & unwanted
