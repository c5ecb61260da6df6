"""What each process has in memory: heavy libraries stay out of the process that does not use them."""

import subprocess
import sys

import pytest

PROBER = "import vigie.agent, vigie.probes.http.probe"
PARENT = """
import pathlib, tempfile
import vigie.cli.serve, vigie.service, vigie.web.app
from vigie.config import load
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "vigie.yaml").write_text("llm: {provider: none}\\nmonitors: ['https://a.test/']")
load(None, {}, folder)
"""


def imported(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after some code."""
    listed = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (PROBER, {"ruamel", "dotenv", "apsw", "sqlite3", "jinja2", "starlette", "uvicorn", "httpx", "ollama", "aiosmtplib", "typer", "cryptography", "jsonpath"}),
        (PARENT, {"pycurl", "httpx", "ollama", "aiosmtplib", "cryptography", "jsonpath", "rich", "pydantic"}),
    ],
)  # fmt: skip
def test_heavy_libraries_are_only_where_they_are_used(code: str, unwanted: set[str]) -> None:
    assert not imported(code) & unwanted
